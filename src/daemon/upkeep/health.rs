//! Whether a session's sign-in still stands: questions that are put to an idle session, and what their answers mean.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::expect::{Finish, Identity, SignInFailure, disowned, identity_of, why_failed};
use crate::script::{EndState, IdentityRule, SignIn, Stream};
use crate::session::{RunEvent, RunListener, RunResult};

/// How long an answer may take.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The most text of an answer that is read.
const READ_AT_MOST: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The program: who is signed in. It knows without the network, and may be mistaken.
    Identity,
    /// The service, through the program.
    Service,
}

impl Check {
    /// What was asked, for people.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Identity => "who is signed in",
            Self::Service => "the service",
        }
    }
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    /// It cannot be told now.
    Unknown,
    /// It is not as it should be, and may be again: a network that is away costs nobody a sign-in.
    Unwell(String),
    /// The sign-in is gone.
    SignedOut(SignInFailure),
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    objects: Vec<Value>,
    result: RunResult,
}

/// Listens to a question's run and hands over what came of it.
pub(super) struct Probe {
    objects: Vec<Value>,
    text: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

impl Probe {
    pub(super) fn new() -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let probe = Self {
            objects: Vec::new(),
            text: Vec::new(),
            answer,
        };
        (probe, answered)
    }
}

impl RunListener for Probe {
    fn event(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::Record(record) if record.stream == Stream::Output => {
                if let Ok(objects) = serde_json::from_str::<Vec<Value>>(record.value.get()) {
                    self.objects.extend(objects);
                }
            }
            RunEvent::Output(text) if self.text.len() + text.len() <= READ_AT_MOST => {
                self.text.extend_from_slice(text);
            }
            _ => {}
        }
    }

    fn ended(self: Box<Self>, result: RunResult) {
        let mut objects = self.objects;
        // A shell without records says it as JSON.
        match serde_json::from_slice(&self.text) {
            Ok(Value::Array(values)) => objects.extend(values),
            Ok(value) => objects.push(value),
            Err(_) => {}
        }
        // Whoever asked may have gone with the session.
        self.answer
            .send(Answer { objects, result })
            .unwrap_or_default();
    }
}

/// What `answer` to `check` means for a session that was proven to be `proven`, as `whom` reads it.
pub(super) fn judge(
    check: Check,
    answer: Answer,
    rules: &SignIn,
    whom: &IdentityRule,
    proven: &Identity,
) -> Verdict {
    let RunResult::Finished {
        finish:
            Finish::Ended {
                state: state @ (EndState::Ok | EndState::Failed),
                ..
            },
        errors,
        stopped: None,
    } = answer.result
    else {
        // It was not asked, or did not come to its end.
        return Verdict::Unknown;
    };
    if state == EndState::Ok && errors.is_empty() {
        return match check {
            Check::Service if answer.objects.is_empty() => {
                Verdict::Unwell("it gave nothing".to_owned())
            }
            Check::Service => Verdict::Well,
            Check::Identity => match identity_of(whom, &answer.objects) {
                Ok(found) if same(&found, proven) => Verdict::Well,
                Ok(found) => Verdict::SignedOut(disowned(format!(
                    "it was signed in as `{}`, and is now `{}`, without a sign-in by mm",
                    proven.account, found.account
                ))),
                Err(why) => Verdict::SignedOut(disowned(why)),
            },
        };
    }
    let failure = why_failed(rules, &errors, &[]);
    if rules
        .failures
        .iter()
        .any(|rule| rule.failure.name == failure.failure.name)
    {
        return Verdict::SignedOut(failure);
    }
    Verdict::Unwell(failure.message)
}

fn same(a: &Identity, b: &Identity) -> bool {
    let fold = |text: &str| text.to_lowercase();
    fold(&a.account) == fold(&b.account) && fold(&a.tenant) == fold(&b.tenant)
}
