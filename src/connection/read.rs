//! The file's bytes, and JSON from them: what a reader and an editor share.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::error::RegistryError;

/// What editors on Windows put before UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file of a thousand connections has half a megabyte; what is larger than this is another file.
const LARGEST: u64 = 16 << 20;

/// How much of a line is shown to either side of a mistake, in characters.
const AROUND: usize = 60;

/// What is in the file. A pipe or a device is none: reading it might never end.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    let no = |kind, why: &str| Err(io::Error::new(kind, why));
    if about.is_dir() {
        return no(io::ErrorKind::IsADirectory, "it is a folder");
    }
    if !about.is_file() {
        return no(io::ErrorKind::InvalidInput, "it is no file");
    }
    if about.len() > LARGEST {
        return no(io::ErrorKind::FileTooLarge, "it is larger than 16 MiB");
    }
    std::fs::read(path)
}

/// The text of the file as JSON.
pub(super) fn document(path: &Path, text: &[u8]) -> Result<Value, RegistryError> {
    serde_json::from_slice(text).map_err(|error| RegistryError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        reason: reason(&error),
        excerpt: excerpt(text, error.line(), error.column()),
    })
}

/// The message without the place, which the caller says in its own words.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The line with a caret below what was stumbled over, as far as there is room.
fn excerpt(text: &[u8], line: usize, column: usize) -> String {
    let shown = text.split(|b| *b == b'\n').nth(line.saturating_sub(1));
    let shown = shown.unwrap_or_default();
    let before = String::from_utf8_lossy(&shown[..column.saturating_sub(1).min(shown.len())]);
    let after = String::from_utf8_lossy(&shown[before.len().min(shown.len())..]);
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    let skipped = before.chars().count().saturating_sub(AROUND);
    let before: String = before.chars().skip(skipped).map(blank).collect();
    let after: String = after.chars().take(AROUND).map(blank).collect();
    let (number, room) = (line.to_string(), " ".repeat(line.to_string().len()));
    let caret = " ".repeat(before.chars().count());
    format!("{number} | {before}{}\n{room} | {caret}^", after.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = document(Path::new("c.json"), text.as_bytes()).expect_err("it is no JSON");
        format!("{error}\n{}", error.excerpt().unwrap_or_default())
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        assert_eq!(
            told("{\"connections\": {\r\n\t\"Ä\": {\"tenant\" \"a.com\"},\r\n}}"),
            "`c.json` is not JSON: expected `:` in line 2, column 18\n\
             2 |  \"Ä\": {\"tenant\" \"a.com\"},\n  |                 ^"
        );
        let comment = told("{\n  // mine\n}");
        assert!(comment.ends_with("2 |   // mine\n  |   ^"), "{comment}");
        let long = format!("{{\"connections\": {{\"A\": \"{}\" ?}}", "x".repeat(10_000));
        assert!(told(&long).len() < 400, "{}", told(&long));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let folder = tempfile::tempdir().expect("a temp dir");
        for (path, why) in [
            (folder.path(), "it is a folder"),
            (Path::new("/dev/zero"), "it is no file"),
        ] {
            let error = read(path).expect_err(why);
            assert_eq!(error.to_string(), why);
        }
        let huge = folder.path().join("huge");
        std::fs::File::create(&huge)
            .and_then(|file| file.set_len(LARGEST + 1))
            .expect("it can be written");
        let error = read(&huge).expect_err("it is too large");
        assert_eq!(error.to_string(), "it is larger than 16 MiB");
    }
}
