//! A recording's text, read strictly: what is wrong is named with its line and column.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event::{Event, EventKind, Header, Recording};

/// Times beyond ten years are nonsense, and far from what a [`Duration`] cannot hold.
const LONGEST: f64 = 10.0 * 365.0 * 24.0 * 60.0 * 60.0;

/// Why a text is no recording. Lines and columns are counted from 1, columns in bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file cannot be read.
    #[error("the recording `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no first line.
    #[error("the recording is empty")]
    Empty,
    /// A line is not text.
    #[error("line {line}, column {column}: the line is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: usize,
        /// Of the first byte that is not.
        column: usize,
    },
    /// A line is not JSON.
    #[error("line {line}, column {column}: {reason}")]
    NotJson {
        /// The line.
        line: usize,
        /// Where the reader stopped.
        column: usize,
        /// What it stumbled over.
        reason: String,
    },
    /// A line is JSON of another shape.
    #[error("line {line}, column {column}: expected {expected}: {reason}")]
    Shape {
        /// The line.
        line: usize,
        /// Where the reader stopped.
        column: usize,
        /// What stands there in a recording.
        expected: &'static str,
        /// What stands there instead.
        reason: String,
    },
    /// The header is of a version that we do not read.
    #[error("line 1: this is asciicast version {found}, and only version 2 is read")]
    Version {
        /// What it says.
        found: u64,
    },
    /// An event is earlier than the one before it.
    #[error(
        "line {line}, column 2: the time {at} is before {before}, the time of the event before it"
    )]
    Backwards {
        /// The line.
        line: usize,
        /// Its time, in seconds.
        at: f64,
        /// The time before, in seconds.
        before: f64,
    },
}

impl ReadError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path and its permissions",
            Self::Empty | Self::NotUtf8 { .. } | Self::NotJson { .. } | Self::Shape { .. } => {
                "a recording is a header line {\"version\": 2, \"width\": 240, \"height\": 50} and lines like [0.5, \"o\", \"text\"]"
            }
            Self::Version { found: 3 } => {
                "convert it: asciinema convert --output-format asciicast-v2"
            }
            Self::Version { .. } => "record it again, or convert it to asciicast version 2",
            Self::Backwards { .. } => "times count from the start and never go back",
        }
    }
}

#[derive(Deserialize)]
struct VersionKey {
    version: u64,
}

#[derive(Deserialize)]
struct HeaderKeys {
    width: u16,
    height: u16,
    timestamp: Option<i64>,
    title: Option<String>,
    command: Option<String>,
    env: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct EventLine(f64, String, String);

const HEADER: &str = "a header {\"version\": 2, \"width\": …, \"height\": …}";
const EVENT: &str = "an event [seconds, \"code\", \"data\"]";

/// A recording of more bytes than this is read by nobody.
const LIMIT: u64 = 256 << 20;

impl Recording {
    /// Reads a file of at most 256 MiB.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let failed = |source| ReadError::File {
            path: path.to_owned(),
            source,
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(LIMIT + 1)
            .read_to_end(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > LIMIT {
            return Err(failed(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        Self::read(&text)
    }

    /// Reads a file's content.
    pub(crate) fn read(text: &[u8]) -> Result<Self, ReadError> {
        let mut lines = text.split(|byte| *byte == b'\n').zip(1..);
        let first = lines.next().map(|(line, _)| line).unwrap_or_default();
        if first.trim_ascii().is_empty() {
            return Err(ReadError::Empty);
        }
        let header = read_header(utf8(first, 1)?)?;
        let mut events = Vec::new();
        let mut before = 0.0;
        for (line, number) in lines {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let EventLine(at, code, data) = parse(utf8(line, number)?, number, EVENT)?;
            if !(0.0..=LONGEST).contains(&at) {
                return Err(ReadError::Shape {
                    line: number,
                    column: 2,
                    expected: EVENT,
                    reason: format!("{at} is no time"),
                });
            }
            if at < before {
                return Err(ReadError::Backwards {
                    line: number,
                    at,
                    before,
                });
            }
            before = at;
            events.push(Event {
                at: seconds(at),
                kind: EventKind::of(&code),
                data,
            });
        }
        Ok(Self { header, events })
    }
}

/// To the nearest microsecond: `0.1` seconds as a binary fraction are not quite 100 milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller checked that it is between nothing and ten years"
)]
fn seconds(at: f64) -> Duration {
    Duration::from_micros((at * 1e6).round() as u64)
}

fn read_header(line: &str) -> Result<Header, ReadError> {
    let VersionKey { version } = parse(line, 1, HEADER)?;
    if version != 2 {
        return Err(ReadError::Version { found: version });
    }
    let keys: HeaderKeys = parse(line, 1, HEADER)?;
    let mut other: Map<String, Value> = parse(line, 1, HEADER)?;
    other.retain(|key, _| {
        !matches!(
            key.as_str(),
            "version" | "width" | "height" | "timestamp" | "title" | "command" | "env"
        )
    });
    // Recorders write `null` for a variable that is not set.
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Null => None,
        other => Some((name, other.to_string())),
    };
    Ok(Header {
        width: keys.width,
        height: keys.height,
        timestamp: keys.timestamp,
        title: keys.title,
        command: keys.command,
        env: keys.env.into_iter().flatten().filter_map(text).collect(),
        other,
    })
}

fn utf8(line: &[u8], number: usize) -> Result<&str, ReadError> {
    std::str::from_utf8(line).map_err(|error| ReadError::NotUtf8 {
        line: number,
        column: error.valid_up_to() + 1,
    })
}

fn parse<'l, T: Deserialize<'l>>(
    text: &'l str,
    line: usize,
    expected: &'static str,
) -> Result<T, ReadError> {
    serde_json::from_str(text).map_err(|error| {
        let column = error.column().max(1);
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        match error.classify() {
            serde_json::error::Category::Data => ReadError::Shape {
                line,
                column,
                expected,
                reason,
            },
            _ => ReadError::NotJson {
                line,
                column,
                reason,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\"version\": 2, \"width\": 80, \"height\": 24}\n";

    fn error(text: &str) -> String {
        Recording::read(text.as_bytes())
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn what_was_read_is_written_again() {
        let text = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1,\"title\":\"t\",\"command\":\"c\",\
                    \"env\":{\"TERM\":\"dumb\",\"A\":\"b\"},\"idle_time_limit\":2.5,\"theme\":{\"fg\":\"#fff\"}}\n\
                    [0.000000, \"o\", \"a\\u001b[6n\"]\n[0.100000, \"r\", \"100x50\"]\n[1.911801, \"m\", \"é\"]\n";
        let recording = Recording::read(text.as_bytes()).expect("it is well formed");
        assert_eq!(recording.events[1].kind, EventKind::Other("r".to_owned()));
        assert_eq!(recording.events[1].at, Duration::from_millis(100));
        assert_eq!(recording.header.env[1], ("A".to_owned(), "b".to_owned()));
        assert_eq!(recording.to_text(), text);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_column() {
        for (text, message) in [
            (String::new(), "the recording is empty"),
            (
                "{\"version\": 3, \"term\": {\"cols\": 80}}\n".to_owned(),
                "line 1: this is asciicast version 3, and only version 2 is read",
            ),
            (
                "{\"version\": 2, \"width\": \"wide\", \"height\": 1}".to_owned(),
                "line 1, column 30: expected a header {\"version\": 2, \"width\": …, \"height\": …}: \
                 invalid type: string \"wide\", expected u16",
            ),
            (
                format!("{HEAD}[0.1, \"o\" \"x\"]"),
                "line 2, column 11: expected `,` or `]`",
            ),
            (
                format!("{HEAD}\n[0.1, \"o\"]"),
                "line 3, column 10: expected an event [seconds, \"code\", \"data\"]: invalid length 2, \
                 expected tuple struct EventLine with 3 elements",
            ),
            (
                format!("{HEAD}[-1, \"o\", \"\"]"),
                "line 2, column 2: expected an event [seconds, \"code\", \"data\"]: -1 is no time",
            ),
            (
                format!("{HEAD}[2, \"o\", \"\"]\n[1.5, \"o\", \"\"]"),
                "line 3, column 2: the time 1.5 is before 2, the time of the event before it",
            ),
        ] {
            assert_eq!(error(&text), message);
        }
        let bad = [HEAD.as_bytes(), b"[1, \"o\", \"\xff\"]"].concat();
        let error = Recording::read(&bad).expect_err("it is not UTF-8");
        assert_eq!(
            error.to_string(),
            "line 2, column 11: the line is not UTF-8"
        );
        assert!(error.help().contains("header line"));
    }

    #[test]
    fn lines_may_end_as_on_windows() {
        let text = HEAD.replace('\n', "\r\n") + "[1, \"o\", \"x\"]\r\n\r\n";
        let recording = Recording::read(text.as_bytes()).expect("it is well formed");
        assert_eq!(recording.events.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_events_survive_a_file(
            events in proptest::collection::vec((0_u64..5_000_000, "[oimrx]", ".*"), 0..20)
        ) {
            let mut at = Duration::ZERO;
            let event = |(after, code, data): (u64, String, String)| {
                at += Duration::from_micros(after);
                Event { at, kind: EventKind::of(&code), data }
            };
            let recording = Recording {
                header: Header { width: 80, height: 24, ..Header::default() },
                events: events.into_iter().map(event).collect(),
            };
            let read = Recording::read(recording.to_text().as_bytes()).expect("we wrote it");
            proptest::prop_assert_eq!(read, recording);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let text = [HEAD.as_bytes(), &bytes].concat();
            if let Ok(recording) = Recording::read(&text) {
                proptest::prop_assert!(recording.events.len() <= text.len());
            }
        }
    }
}
