//! [`Lines`]: the records of a shell that has none. JSON documents in its text are objects, everything else is console lines.
//!
//! `az`, `m365` and many others print JSON, indented, over any number of lines. A document begins with a line that begins with `{`
//! or `[`, and ends with the line in which its last bracket closes. What then is no JSON after all was text.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// A document that is longer is text: it is held in memory until it is whole.
const LONGEST: usize = 16 * 1024 * 1024;

/// Makes record lines of a run's text, whatever the pieces it comes in.
#[derive(Default)]
pub(super) struct Lines {
    /// A line that has no end yet.
    line: Vec<u8>,
    document: Option<Document>,
}

/// A document that is not whole yet.
#[derive(Default)]
struct Document {
    /// As it came, for the case that it is none.
    text: Vec<u8>,
    /// Without the white space between its parts: a record is one line, and its numbers stay as they were written.
    compact: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Lines {
    /// Takes text; what is decided of it is appended to `kept`.
    pub(super) fn push(&mut self, text: &[u8], kept: &mut Vec<u8>) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.take(&line, kept);
            }
        }
    }

    /// The text ends here.
    pub(super) fn finish(&mut self, kept: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, kept);
        }
        if let Some(document) = self.document.take() {
            console(&document.text, kept);
        }
    }

    fn take(&mut self, line: &[u8], kept: &mut Vec<u8>) {
        let begins = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        if self.document.is_none() && !begins {
            return console(line, kept);
        }
        let document = self.document.get_or_insert_default();
        document.read(line);
        if document.depth == 0 {
            match document.objects() {
                Some(lines) => kept.extend_from_slice(&lines),
                None => console(&document.text, kept),
            }
            self.document = None;
        } else if document.text.len() > LONGEST {
            console(&document.text, kept);
            self.document = None;
        }
    }
}

impl Document {
    fn read(&mut self, line: &[u8]) {
        self.text.extend_from_slice(line);
        for &byte in line {
            if self.in_string {
                self.in_string = byte != b'"' || self.escaped;
                self.escaped = byte == b'\\' && !self.escaped;
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    b' ' | b'\t' | b'\r' | b'\n' => continue,
                    _ => {}
                }
            }
            self.compact.push(byte);
        }
    }

    /// The record lines of the document: a list's elements, or the object. `None` where it is no JSON.
    fn objects(&self) -> Option<Vec<u8>> {
        // Without its spaces `[1 2]` would be JSON.
        let _: IgnoredAny = serde_json::from_slice(&self.text).ok()?;
        let elements: Vec<&RawValue> = match self.compact.first() {
            Some(b'[') => serde_json::from_slice(&self.compact).ok()?,
            _ => vec![serde_json::from_slice(&self.compact).ok()?],
        };
        let mut lines = Vec::with_capacity(self.compact.len() + 32 * elements.len());
        for element in elements {
            lines.extend_from_slice(br#"{"stream":"output","value":"#);
            lines.extend_from_slice(element.get().as_bytes());
            lines.extend_from_slice(b"}\n");
        }
        Some(lines)
    }
}

fn console(text: &[u8], kept: &mut Vec<u8>) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let value = serde_json::Value::from(String::from_utf8_lossy(line));
        kept.extend_from_slice(
            format!("{{\"stream\":\"console\",\"value\":{value}}}\n").as_bytes(),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    fn lines(pieces: &[&str]) -> String {
        let (mut lines, mut kept) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece.as_bytes(), &mut kept);
        }
        lines.finish(&mut kept);
        String::from_utf8(kept).expect("it is JSON")
    }

    #[test]
    fn indented_json_is_objects_and_the_rest_is_text() {
        let text = "WARNING: preview\n[\n  {\n    \"id\": 1.50,\n    \"name\": \"a } \\\" \\\\\"\n  },\n  2\n]\n{\"a\": 1}\ndone";
        assert_eq!(
            lines(&[text]),
            concat!(
                "{\"stream\":\"console\",\"value\":\"WARNING: preview\"}\n",
                "{\"stream\":\"output\",\"value\":{\"id\":1.50,\"name\":\"a } \\\" \\\\\"}}\n",
                "{\"stream\":\"output\",\"value\":2}\n",
                "{\"stream\":\"output\",\"value\":{\"a\":1}}\n",
                "{\"stream\":\"console\",\"value\":\"done\"}\n",
            )
        );
    }

    #[test]
    fn what_only_begins_like_json_is_text() {
        for (text, kept) in [
            ("[info] started\n", "\"[info] started\""),
            ("{ echo; }\n", "\"{ echo; }\""),
            ("{\n  \"cut\": ", "\"{\""),
            ("[1 2]\n", "\"[1 2]\""),
            ("[1] 4711\n", "\"[1] 4711\""),
        ] {
            assert!(lines(&[text]).contains(kept), "{text}: {}", lines(&[text]));
            assert!(!lines(&[text]).contains("output"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "([\\[\\]{}\",:\\\\a1 \n]|\\[1,\n 2\\]\n|\\{\"a\": \\[\\]\\}\n){0,40}",
            at in any::<Index>(),
        ) {
            let (first, second) = text.split_at(at.index(text.len() + 1));
            prop_assert_eq!(lines(&[first, second]), lines(&[&text]));
        }

        #[test]
        fn no_text_is_lost(text in "[\\[\\]{}\",:\\\\a1 \n]{0,60}") {
            let kept = lines(&[&text]);
            // An empty list has no objects, and is no text either.
            let dense: String = text.split_ascii_whitespace().collect();
            prop_assume!(!kept.contains("\"output\"") && !dense.contains("[]"));
            let said: Vec<String> = kept
                .lines()
                .map(|line| {
                    let record: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
                    record["value"].as_str().expect("it is text").to_owned()
                })
                .collect();
            let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
            prop_assert!(said == lines || (text.is_empty() && said.is_empty()));
        }
    }
}
