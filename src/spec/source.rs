//! The text of a file, kept so that findings can point at it: [`SourceFile`], [`Span`], and [`At`], a value with the
//! place where it stands. Nothing here knows what the text means.

use std::fmt;
use std::io;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builtin;

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// It is part of the program. The text is its path inside `modules.d/`.
    Builtin(String),
    /// It lies on disk.
    Path(PathBuf),
}

impl Origin {
    /// The file's name without its folder and without `.yaml`.
    pub(crate) fn stem(&self) -> String {
        let path = match self {
            Self::Builtin(inside) => Path::new(inside),
            Self::Path(path) => path,
        };
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(inside) => write!(f, "built-in:{inside}"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// A file's text and where it comes from. Shared by everything that may still have to point into it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) origin: Origin,
    pub(crate) text: String,
}

impl SourceFile {
    /// A file on disk whose text was already read.
    pub(crate) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            origin: Origin::Path(path.into()),
            text: text.into(),
        })
    }

    /// Reads the file at `path`: an ordinary file of UTF-8 text of at most [`SourceFile::LIMIT`] bytes. Blocks.
    pub(crate) fn read(path: &Path) -> io::Result<Arc<Self>> {
        Ok(Self::new(path, read_text(path)?))
    }

    /// The most bytes a file may have: far above any module, far below what would hurt.
    pub(crate) const LIMIT: u64 = 1 << 20;

    /// Reads the file called `name` in the same folder. `name` has to be a plain file name. Blocks.
    pub(crate) fn read_beside(&self, name: &str) -> io::Result<String> {
        match &self.origin {
            Origin::Builtin(inside) => {
                let path = Path::new(inside).with_file_name(name);
                builtin::text(&path.to_string_lossy())
                    .map(str::to_owned)
                    .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
            }
            Origin::Path(path) => read_text(&path.with_file_name(name)),
        }
    }

    /// The text that `span` covers; empty where the span does not fit the text.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Line and column of a byte offset, both counted from 1, columns in characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The place of `part`, a byte range of the scalar `value` that `span` covers. YAML writes a scalar's text in several
    /// ways; where the text cannot be followed back through quotes and escapes, this is the whole scalar.
    pub(crate) fn within(&self, span: Span, value: &str, part: Range<usize>) -> Span {
        let raw = self.slice(span);
        let Some(offsets) = scalar_offsets(raw, value) else {
            return span;
        };
        match (offsets.get(part.start), offsets.get(part.end)) {
            (Some(start), Some(end)) if start <= end => {
                Span::new(span.start + start, span.start + end)
            }
            _ => span,
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    use io::Read as _;

    // Asked before the file is opened: opening a pipe that nobody writes to would never return.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not an ordinary file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(SourceFile::LIMIT + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SourceFile::LIMIT {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// For each byte of `value`, and for its end, the offset in `raw`, the same scalar as the file writes it. `None` where
/// the two cannot be matched. A block's `raw` begins with its first line, so its first byte does not tell what it is.
fn scalar_offsets(raw: &str, value: &str) -> Option<Vec<usize>> {
    let plain = |rest: &str, c: char| rest.starts_with(c).then(|| c.len_utf8());
    let quoted = match raw.as_bytes().first()? {
        b'\'' => follow(raw, value, 1, |rest, c| match c {
            '\'' => rest.starts_with("''").then_some(2),
            c => plain(rest, c),
        }),
        b'"' => follow(raw, value, 1, |rest, c| match rest.strip_prefix('\\') {
            Some(escape) => escape_length(escape).map(|length| length + 1),
            None => plain(rest, c),
        }),
        _ => follow(raw, value, 0, plain),
    };
    quoted.or_else(|| literal_offsets(raw, value))
}

/// Walks `value` and `raw` side by side; `step` says how many bytes of what is left of `raw` stand for a character.
fn follow(
    raw: &str,
    value: &str,
    start: usize,
    step: impl Fn(&str, char) -> Option<usize>,
) -> Option<Vec<usize>> {
    let mut offsets = Vec::with_capacity(value.len() + 1);
    let mut at = start;
    for c in value.chars() {
        offsets.resize(offsets.len() + c.len_utf8(), at);
        at += step(raw.get(at..)?, c)?;
    }
    offsets.push(at);
    Some(offsets)
}

/// How many bytes follow the backslash of an escape (YAML 1.2, 5.7).
fn escape_length(escape: &str) -> Option<usize> {
    match escape.chars().next()? {
        'x' => Some(3),
        'u' => Some(5),
        'U' => Some(9),
        c => Some(c.len_utf8()),
    }
}

/// A literal block: a line of the value is a line of the file, indented.
fn literal_offsets(raw: &str, value: &str) -> Option<Vec<usize>> {
    let mut offsets = Vec::with_capacity(value.len() + 1);
    let mut at = 0;
    for line in value.split_inclusive('\n') {
        let rest = raw.get(at..)?;
        let text = line.trim_end_matches('\n');
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        let own = text.len() - text.trim_start_matches(' ').len();
        let start = at + indent.checked_sub(own)?;
        if !raw.get(start..)?.starts_with(text) {
            return None;
        }
        offsets.extend(start..start + line.len());
        at = start + line.len();
    }
    offsets.push(at.min(raw.len()));
    Some(offsets)
}

/// A byte range of a file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// From `start` up to, without, `end`.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// As a range of bytes.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
