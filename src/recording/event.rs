//! [`Recording`]: a header and events, and their lines in a file.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

/// A recording in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recording {
    pub(crate) header: Header,
    /// In the order of their times.
    pub(crate) events: Vec<Event>,
}

/// What was recorded, and in what terminal.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Header {
    /// Columns.
    pub(crate) width: u16,
    /// Rows.
    pub(crate) height: u16,
    /// When it began, in seconds since the epoch.
    pub(crate) timestamp: Option<i64>,
    pub(crate) title: Option<String>,
    pub(crate) command: Option<String>,
    /// Environment variables, in order.
    pub(crate) env: Vec<(String, String)>,
    /// Other keys, in order.
    pub(crate) other: Map<String, Value>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Since the start. Files have microseconds.
    pub(crate) at: Duration,
    pub(crate) kind: EventKind,
    pub(crate) data: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// `o`: the program said it.
    Output,
    /// `i`: the program was told it.
    Input,
    /// `m`: a step begins; the data is its name.
    Marker,
    /// A code that this program does not know, such as `r`.
    Other(String),
}

impl EventKind {
    /// The kind of a code.
    pub(crate) fn of(code: &str) -> Self {
        match code {
            "o" => Self::Output,
            "i" => Self::Input,
            "m" => Self::Marker,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its code in the file.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Output => "o",
            Self::Input => "i",
            Self::Marker => "m",
            Self::Other(code) => code,
        }
    }
}

/// The header's keys as they stand in the file, after `version`.
#[derive(Serialize)]
struct HeaderLine<'h> {
    version: u8,
    width: u16,
    height: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'h str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'h str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    env: Map<String, Value>,
    #[serde(flatten)]
    other: &'h Map<String, Value>,
}

impl Header {
    /// Its line in a file, with the line end.
    pub(super) fn line(&self) -> String {
        let text = |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
        let line = HeaderLine {
            version: 2,
            width: self.width,
            height: self.height,
            timestamp: self.timestamp,
            title: self.title.as_deref(),
            command: self.command.as_deref(),
            env: self.env.iter().map(text).collect(),
            other: &self.other,
        };
        let mut line = serde_json::to_string(&line).expect("texts and numbers can be JSON");
        line.push('\n');
        line
    }
}

impl Event {
    /// Its line in a file, with the line end.
    pub(super) fn line(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).expect("text can be JSON");
        let mut line = String::with_capacity(self.data.len() + 24);
        let (seconds, micros) = (self.at.as_secs(), self.at.subsec_micros());
        let (code, data) = (quoted(self.kind.code()), quoted(&self.data));
        writeln!(line, "[{seconds}.{micros:06}, {code}, {data}]").expect("a String takes any text");
        line
    }
}

impl Recording {
    /// The file's text. Nothing is redacted here: see [`Redactor::recording`](super::Redactor::recording).
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.header.line();
        text.extend(self.events.iter().map(Event::line));
        text
    }
}
