//! [`Inquiry`]: what is asked of a session just before a command is sent, in the command's own place in the queue, so that
//! nothing comes between the answer and the command.

use std::time::Duration;

use serde_json::Value;

use super::mail::RunEvent;
use crate::expect::{Finish, Finished, Mode, Record};
use crate::script::{EndState, Stream};

/// How long an answer may take. Looking a name up takes milliseconds; loading its module for that takes seconds.
pub(super) const WITHIN: Duration = Duration::from_secs(60);

/// Bytes of an answer; a longer one is cut, and then does not say what was asked.
const ANSWER_LIMIT: usize = 1 << 20;

/// Judges an answer; an error says why the command is not sent. Called in the session's task, so it must be quick.
pub(crate) type Verdict = Box<dyn FnOnce(Answer) -> Result<(), String> + Send>;

/// A command of our own, and what its answer has to say for the command behind it to be sent.
pub(crate) struct Inquiry {
    pub(crate) command: String,
    pub(crate) mode: Mode,
    pub(crate) verdict: Verdict,
}

/// What the session said.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The objects of a command in records mode.
    pub(crate) objects: Vec<Value>,
    /// The text of one in text mode.
    pub(crate) text: String,
}

/// An inquiry under way.
pub(super) struct Inquiring {
    verdict: Verdict,
    objects: Vec<Value>,
    text: Vec<u8>,
}

impl Inquiring {
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            objects: Vec::new(),
            text: Vec::new(),
        }
    }

    /// Takes what is part of the answer. The rest of what happens belongs to nobody.
    pub(super) fn hear(&mut self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Output(text) if self.text.len() + text.len() <= ANSWER_LIMIT => {
                self.text.extend_from_slice(text);
            }
            RunEvent::Record(record) => self.objects.extend(objects(record)),
            RunEvent::Output(_)
            | RunEvent::Queued(_)
            | RunEvent::Waiting
            | RunEvent::Sent { .. }
            | RunEvent::Asks(_)
            | RunEvent::Stopping
            | RunEvent::Challenged(_)
            | RunEvent::RecordingFailed(_) => {}
        }
    }

    /// Whether the command may be sent, now that the inquiry has ended so.
    pub(super) fn end(self, finished: &Finished) -> Result<(), String> {
        let well = matches!(
            finished.finish,
            Finish::Ended {
                state: EndState::Ok,
                ..
            }
        );
        if !well || finished.interrupted {
            return Err("what its names mean in the session could not be looked up".to_owned());
        }
        (self.verdict)(Answer {
            objects: self.objects,
            text: String::from_utf8_lossy(&self.text).into_owned(),
        })
    }
}

fn objects(record: &Record) -> Vec<Value> {
    if record.stream != Stream::Output {
        return Vec::new();
    }
    serde_json::from_str(record.value.get()).unwrap_or_default()
}
