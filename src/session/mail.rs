//! What is asked of a session, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::SessionError;
use super::inquiry::Inquiry;
use super::status::SessionStatus;
use crate::expect::{
    AnswerLine, Challenge, CloseReason, Finish, Finished, Identity, Mode, Question, Record,
    ReportedError, SignInFailure, SignInRequest,
};
use crate::recording::{WriteError, Writer};
use crate::script::SignIn;

/// A command for a session. Its listener hears of it until it has ended, and is then dropped.
pub(crate) struct Order {
    /// The caller's number for it; unique in the session.
    pub(crate) tag: u64,
    pub(crate) command: String,
    pub(crate) mode: Mode,
    /// 1 to 99.
    pub(crate) depth: u8,
    /// Counted from the moment the frame is sent, on a clock that stands still while the machine sleeps.
    pub(crate) deadline: Option<Duration>,
    /// Whether it is nobody's run: the session's status does not tell of it.
    pub(crate) quiet: bool,
    /// Whether a question stops it.
    pub(crate) fails_on_question: bool,
    /// Whose device-code prompts to look for in its output.
    pub(crate) watch: Option<Arc<SignIn>>,
    /// Gets everything the terminal says and is told while it runs.
    pub(crate) recorder: Option<Box<Writer>>,
    /// Asked just before the frame is sent, with the session as it is then. An error says why it is not sent after all.
    pub(crate) condition: Option<Condition>,
    /// What is asked of the session just before that.
    pub(crate) inquiry: Option<Inquiry>,
    pub(crate) listener: Box<dyn RunListener>,
}

/// What has to hold of a session for a command to be sent. Called in the session's task, so it must not block.
pub(crate) type Condition = Box<dyn Fn(&SessionStatus) -> Result<(), String> + Send>;

/// Why a run was stopped on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StopWhy {
    /// Somebody said so.
    Asked,
    /// Nobody waited for it any longer.
    CallerLeft,
    /// Its deadline passed.
    Deadline,
    /// The daemon stops.
    Shutdown,
    /// It asked this, and nobody was to answer.
    Question(Question),
}

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) enum RunResult {
    /// It was sent, and ended like this.
    Finished {
        finish: Finish,
        errors: Vec<ReportedError>,
        stopped: Option<StopWhy>,
    },
    /// It was stopped before it was sent.
    Dropped(StopWhy),
    /// It was not sent, because the sign-in failed.
    SignInFailed(SignInFailure),
    /// The session did not take it.
    NotAccepted(SessionError),
    /// It was not sent, because it is not allowed.
    NotAllowed(String),
    /// It was not sent, because the session ended.
    SessionEnded(String),
}

impl RunResult {
    pub(super) fn from_finished(finished: Finished, stopped: Option<StopWhy>) -> Self {
        Self::Finished {
            finish: finished.finish,
            errors: finished.errors,
            stopped,
        }
    }
}

/// What happens to a run.
#[derive(Debug)]
pub(crate) enum RunEvent<'e> {
    /// So many go first.
    Queued(usize),
    /// It waits for the session to be ready.
    Waiting,
    /// Its frame was sent.
    Sent {
        account: Option<&'e str>,
        tenant: Option<&'e str>,
    },
    /// It asks, or (`None`) asks no more.
    Asks(Option<&'e Question>),
    /// It was told to stop.
    Stopping,
    /// It shows a device code, for a sign-in of its own.
    Challenged(&'e Challenge),
    /// Text of its output.
    Output(&'e [u8]),
    /// A record of its output.
    Record(&'e Record),
    /// The recording that was asked for ends here.
    RecordingFailed(&'e WriteError),
}

/// Hears of one run. Called in the session's task, so it must not block.
pub(crate) trait RunListener: Send {
    /// Something happened.
    fn event(&mut self, event: RunEvent<'_>);
    /// It is over; nothing follows.
    fn ended(self: Box<Self>, result: RunResult);
}

/// What happens to a session that somebody keeps books of.
#[derive(Debug)]
pub(crate) enum SessionEvent<'e> {
    /// Its program runs.
    Started { pid: u32 },
    /// Signed in and proven.
    SignedIn(&'e Identity),
    /// A sign-in failed.
    SignInFailed(&'e SignInFailure),
    /// The program is gone; nothing follows.
    Ended(&'e str),
}

/// Hears of one session. Called in its task, so it must not block.
pub(crate) trait SessionListener: Send {
    /// Something happened.
    fn event(&mut self, event: SessionEvent<'_>);

    /// Somebody was proven. No command is sent to the session until the answer is there; a refusal signs out and ends the
    /// session. `None`: come in.
    fn admit(&mut self, _: &Identity) -> Option<Admission> {
        None
    }
}

/// The answer to a proven identity: to be let in, or why not.
pub(crate) type Admission = oneshot::Receiver<Result<(), String>>;

/// Mail to a session's task.
pub(super) enum Mail {
    Run(Box<Order>, oneshot::Sender<Result<(), SessionError>>),
    SignIn {
        request: Box<SignInRequest>,
        recorder: Option<Box<Writer>>,
        reply: oneshot::Sender<Result<bool, SessionError>>,
    },
    Answer {
        tag: u64,
        line: AnswerLine,
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    Stop {
        tag: u64,
        why: StopWhy,
    },
    Disconnect {
        command: Option<String>,
        force: bool,
        why: CloseReason,
    },
    SignOut {
        command: Option<String>,
        why: CloseReason,
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    LetGo {
        command: Option<String>,
        why: CloseReason,
    },
    Disown(SignInFailure),
}
