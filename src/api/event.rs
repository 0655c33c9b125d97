//! [`Event`]: one line of a stream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{ApiError, Run, Session, SessionList};

/// One line of a stream: an object with one key, `run`, `session`, `sessions`, `output` or `error`. An `error` is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Line", from = "Line")]
pub(crate) enum Event {
    /// The run has changed. The last line of a run's stream is the run after its end.
    Run(Box<Run>),
    /// The session has changed.
    Session(Box<Session>),
    /// One of all sessions has changed; these are all.
    Sessions(SessionList),
    /// More output.
    Output(Output),
    /// The stream ends here, and not because what it follows did.
    Error(ApiError),
    /// From a newer daemon; of no use to this client.
    Unknown,
}

impl Event {
    /// The line, with its end.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("an event has string keys only");
        line.push(b'\n');
        line
    }
}

/// A piece of output. What is not UTF-8 travels as base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "OutputForm", try_from = "OutputForm")]
pub(crate) struct Output {
    /// Offset of the first byte in the run's whole output.
    pub(crate) from: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Every key that a line may have. A map of options instead of an enum, so that unknown keys are ignored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Box<Run>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Box<Session>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sessions: Option<SessionList>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Output>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ApiError>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OutputForm {
    from: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        let mut line = Self::default();
        match event {
            Event::Run(run) => line.run = Some(run),
            Event::Session(session) => line.session = Some(session),
            Event::Sessions(sessions) => line.sessions = Some(sessions),
            Event::Output(output) => line.output = Some(output),
            Event::Error(error) => line.error = Some(error),
            Event::Unknown => {}
        }
        line
    }
}

impl From<Line> for Event {
    fn from(line: Line) -> Self {
        match line {
            Line { error: Some(e), .. } => Self::Error(e),
            Line {
                output: Some(o), ..
            } => Self::Output(o),
            Line { run: Some(r), .. } => Self::Run(r),
            Line {
                session: Some(s), ..
            } => Self::Session(s),
            Line {
                sessions: Some(s), ..
            } => Self::Sessions(s),
            Line { .. } => Self::Unknown,
        }
    }
}

impl From<Output> for OutputForm {
    fn from(output: Output) -> Self {
        let from = output.from;
        match String::from_utf8(output.bytes) {
            Ok(text) => Self {
                from,
                text: Some(text),
                base64: None,
            },
            Err(error) => Self {
                from,
                text: None,
                base64: Some(STANDARD.encode(error.as_bytes())),
            },
        }
    }
}

impl TryFrom<OutputForm> for Output {
    type Error = base64::DecodeError;

    fn try_from(form: OutputForm) -> Result<Self, Self::Error> {
        let bytes = match (form.text, form.base64) {
            (Some(text), _) => text.into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64)?,
            (None, None) => Vec::new(),
        };
        Ok(Self {
            from: form.from,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_travels_as_text_and_the_rest_as_base64() {
        let event = |bytes: &[u8]| {
            let output = Output {
                from: 7,
                bytes: bytes.to_vec(),
            };
            String::from_utf8(Event::Output(output).encode()).expect("JSON is UTF-8")
        };
        assert_eq!(
            event("a\né".as_bytes()),
            "{\"output\":{\"from\":7,\"text\":\"a\\né\"}}\n"
        );
        assert_eq!(
            event(&[0xff, 0x00]),
            "{\"output\":{\"from\":7,\"base64\":\"/wA=\"}}\n"
        );
    }

    #[test]
    fn what_a_newer_daemon_says_is_ignored() {
        let event: Event =
            serde_json::from_str(r#"{"weather":{"rain":true}}"#).expect("it is an event");
        assert_eq!(event, Event::Unknown);
        let event: Event =
            serde_json::from_str(r#"{"output":{"from":1,"text":"x","new":1},"more":2}"#)
                .expect("it is an event");
        assert!(matches!(event, Event::Output(Output { from: 1, .. })));
    }

    proptest! {
        #[test]
        fn output_survives_the_way(from: u64, bytes: Vec<u8>) {
            let event = Event::Output(Output { from, bytes });
            let line = event.encode();
            prop_assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1);
            let back: Event = serde_json::from_slice(&line).expect("it is what was written");
            prop_assert_eq!(back, event);
        }
    }
}
