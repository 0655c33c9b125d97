//! What the daemon shows of its sessions and runs: snapshots by value, in domain words. How they look on a wire is the
//! doors' business.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::Unwell;
use crate::name::{RunId, SessionKey};
use crate::policy::{Finding, Who};
use crate::script::{EndState, QuestionKind};
use crate::secret::Secret;

/// How a command's output comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the program formats it for people.
    Text,
    /// As objects and streams; kept as JSON lines.
    Records,
}

/// What becomes of a run when whoever asked goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDisconnect {
    /// It goes on.
    Keep,
    /// It is stopped.
    Stop,
}

/// What to do when a command asks a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnQuestion {
    /// Wait for an answer.
    Ask,
    /// Stop the run and say what it asked.
    Fail,
}

/// What to do when the session is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnSignedOut {
    /// Start the sign-in and wait for it; then run.
    SignIn,
    /// Refuse with [`super::ServiceError::SignInNeeded`].
    Refuse,
}

/// One command, as somebody asked for it. Names are as typed: the service finds what they mean.
#[derive(Debug, Clone)]
pub(crate) struct RunOrder {
    pub(crate) connection: String,
    pub(crate) module: String,
    pub(crate) command: String,
    pub(crate) mode: Mode,
    /// Depth of nested objects in records mode; 1 to 99.
    pub(crate) depth: u8,
    /// Counted from the moment the command starts in its session. `None`: no limit.
    pub(crate) deadline: Option<Duration>,
    pub(crate) on_disconnect: OnDisconnect,
    pub(crate) on_question: OnQuestion,
    pub(crate) on_signed_out: OnSignedOut,
    /// Whether a program does not wait for a yes: what needs one is refused.
    pub(crate) refuse_if_asked: bool,
    /// Where to write a redacted recording of this run; an absolute path that does not exist yet.
    pub(crate) record: Option<PathBuf>,
    /// Whether it is refused where it may do more than read.
    pub(crate) only_reads: bool,
    /// Whether it is only to say what it would do.
    pub(crate) what_if: bool,
    /// Why, in the caller's words.
    pub(crate) reason: Option<String>,
    /// The ticket that it belongs to.
    pub(crate) ticket: Option<String>,
    /// Who asked.
    pub(crate) who: Who,
    /// What asked, in its own word, for lists and the audit: `cli`, `http`, `mcp`.
    pub(crate) client: String,
}

/// A sign-in, as somebody asked for it. Names are as typed.
#[derive(Debug, Clone)]
pub(crate) struct LoginOrder {
    pub(crate) connection: String,
    pub(crate) module: String,
    /// The way in to take instead of the connection's or the module's preferred one; it counts where a sign-in begins.
    pub(crate) way: Option<String>,
    /// Whether the identity is forgotten that a connection was pinned to which names neither account nor tenant.
    pub(crate) forget_identity: bool,
    /// Where to write a redacted recording of the sign-in; an absolute path that does not exist yet.
    pub(crate) record: Option<PathBuf>,
}

/// How a session is to be ended that somebody names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disconnect {
    /// Signed out; what runs in it is stopped.
    SignOut,
    /// Signed out where nothing runs in it and nothing waits for it, else left alone.
    UnlessUsed,
    /// At once.
    Kill,
}

/// An answer to a run's question: one line, without its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) text: Secret,
    /// Whether it must not be kept anywhere.
    pub(crate) secret: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Others go first.
    Queued,
    /// Its session is starting or signing in.
    WaitingForSignIn,
    /// A person has to say yes.
    WaitingForApproval,
    /// The program has it.
    Running,
    /// The program waits for an answer.
    Asking,
    /// It was told to stop and has not ended yet.
    Stopping,
    /// It is over; see [`RunEnd`].
    Ended,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its last statement succeeded; it may have written errors all the same.
    Succeeded,
    /// It failed, was no program (parse error), or was cut short by an error.
    Failed,
    /// Somebody stopped it, or nobody waited for it any longer.
    Stopped,
    /// Its deadline passed.
    TimedOut,
    /// Its session ended or stopped answering under it.
    Lost,
    /// It never ran: the sign-in failed or its session could not take it.
    NotRun,
    /// It never ran: it was not allowed, or nobody said yes.
    Refused,
}

/// An error that a command wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandError {
    pub(crate) message: String,
    pub(crate) id: String,
    pub(crate) category: String,
    /// 1-based; absent where the program gave none.
    pub(crate) line: Option<u32>,
    /// 1-based; absent where the program gave none.
    pub(crate) column: Option<u32>,
}

/// Why a run was not run, where something else than the command itself was in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRunCause {
    /// The session is not signed in: the sign-in failed.
    SignIn,
    /// The session had enough to do, or was stopping.
    Busy,
}

/// How a run ended, with what it left.
#[derive(Debug, Clone)]
pub(crate) struct RunEnd {
    pub(crate) outcome: Outcome,
    /// What the program itself said. Absent where it could not say anything.
    pub(crate) state: Option<EndState>,
    pub(crate) exit: Option<i32>,
    pub(crate) errors: Vec<CommandError>,
    /// What was in the way of a run that was not run.
    pub(crate) cause: Option<NotRunCause>,
    /// Why, where the outcome alone does not tell: a sentence without full stop.
    pub(crate) reason: Option<String>,
    /// What went wrong beside the command: a recording, or kept output, that is not whole. Of a run of the past they are
    /// part of `reason`.
    pub(crate) troubles: Vec<String>,
    /// The question that stopped it, because nobody was to answer. Not of a run of the past.
    pub(crate) question: Option<QuestionView>,
}

/// A question that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuestionView {
    pub(crate) kind: QuestionKind,
    pub(crate) text: String,
    pub(crate) default: Option<String>,
    /// Letters and words (`Y`, `Yes`); what would strand the session is left out.
    pub(crate) choices: Vec<(String, String)>,
}

/// What a run that waits for approval waits with.
#[derive(Debug, Clone)]
pub(crate) struct ApprovalView {
    /// Each once, as words.
    pub(crate) effects: Vec<&'static str>,
    /// Everything but reading that was found in the command.
    pub(crate) findings: Vec<Finding>,
    /// The rule that wants it.
    pub(crate) rule: String,
    pub(crate) who: Who,
    pub(crate) client: String,
    /// Why, in the caller's words.
    pub(crate) reason: Option<String>,
    pub(crate) ticket: Option<String>,
    /// What the command says with `-WhatIf` everywhere.
    pub(crate) preview: Option<String>,
    /// Whether a yes has to name the tenant.
    pub(crate) type_tenant: bool,
    /// Whether the command is shown without something that looks like a secret.
    pub(crate) hides_something: bool,
    /// The tenant as it is to be typed.
    pub(crate) tenant_name: String,
    /// The clients whose own forms count as a person's word.
    pub(crate) trusted_forms: Vec<String>,
    pub(crate) asked_at: Timestamp,
    /// Left until it is too late, at the moment of the view.
    pub(crate) left: Duration,
    /// SHA-256 in hex digits, over the command, the session and its sign-in.
    pub(crate) digest: String,
}

/// A yes.
#[derive(Debug, Clone)]
pub(crate) struct Approve {
    /// [`ApprovalView::digest`] of what was shown.
    pub(crate) digest: String,
    /// What was typed, where [`ApprovalView::type_tenant`] asks for it.
    pub(crate) tenant: Option<String>,
    /// Who says it.
    pub(crate) who: Who,
    /// What says it, in its own word.
    pub(crate) client: String,
    /// The client whose own form a person has filled in.
    pub(crate) form: Option<String>,
}

/// A run, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct RunView {
    pub(crate) id: RunId,
    pub(crate) session: SessionKey,
    pub(crate) command: String,
    pub(crate) mode: Mode,
    pub(crate) client: String,
    pub(crate) state: RunState,
    /// How many runs go first while it is queued.
    pub(crate) ahead: usize,
    pub(crate) submitted_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) question: Option<QuestionView>,
    /// What a person has to say yes to, while it waits for that.
    pub(crate) approval: Option<ApprovalView>,
    pub(crate) end: Option<RunEnd>,
    /// Who the session was proven to be when it ran.
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    /// Bytes of output so far, lost ones included.
    pub(crate) output_length: u64,
    /// Bytes of output that were not kept.
    pub(crate) output_skipped: u64,
}

/// A piece of a run's output.
#[derive(Debug, Clone)]
pub(crate) struct OutputPage {
    /// Offset of the first byte; later than what was asked for where bytes were not kept.
    pub(crate) from: u64,
    pub(crate) bytes: Vec<u8>,
    /// Where to go on.
    pub(crate) next: u64,
    /// Whether the run is over and this page reaches its end.
    pub(crate) last: bool,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionState {
    Starting,
    SignedOut,
    SigningIn,
    Proving,
    Ready,
    Running,
    Asking,
    /// It was told to stop something that does not listen, or gave no answer; it recovers by itself.
    Stopping,
    Closing,
    Closed,
}

/// A device-code challenge that stands (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChallengeView {
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// Whether the page was not in the prompt but is the usual one.
    pub(crate) uri_assumed: bool,
    /// Left to enter the code, on a clock that goes on while the machine sleeps.
    pub(crate) left: Duration,
    /// Whom the connection expects.
    pub(crate) expected_account: Option<String>,
    /// What it may mean that nobody has entered it for a while.
    pub(crate) hint: Option<String>,
}

/// Why the last sign-in failed or the session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailureView {
    /// A word for programs: `declined`, `wrong-account`.
    pub(crate) name: String,
    /// What happened, with the service's own message.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) advice: String,
    /// Whether the same thing may work when it is tried again.
    pub(crate) retry: bool,
}

/// A session, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct SessionView {
    pub(crate) key: SessionKey,
    pub(crate) module_title: String,
    pub(crate) state: SessionState,
    /// Since when it has been in that state.
    pub(crate) since: Timestamp,
    /// Why it is stopping, closing or closed; what it waits for.
    pub(crate) detail: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    /// The way in of the last sign-in that began.
    pub(crate) way: Option<String>,
    pub(crate) signed_in_at: Option<Timestamp>,
    pub(crate) challenge: Option<ChallengeView>,
    pub(crate) failure: Option<FailureView>,
    /// The run it has now.
    pub(crate) current: Option<RunId>,
    /// The last one that ended.
    pub(crate) last: Option<(RunId, Timestamp)>,
    /// Runs that wait.
    pub(crate) queued: usize,
    pub(crate) started_at: Timestamp,
    /// Since when nobody has used it.
    pub(crate) idle_since: Option<Timestamp>,
    /// When it is ended if nobody uses it.
    pub(crate) ends_at: Option<Timestamp>,
    /// When its sign-in was last found well.
    pub(crate) checked_at: Option<Timestamp>,
    /// What is wrong with it although it can be used.
    pub(crate) unwell: Option<Unwell>,
    /// Why the recording of its last sign-in is not whole.
    pub(crate) recording: Option<String>,
    /// Resident bytes of its program and of what that started. Only in lists: it is measured for whoever looks.
    pub(crate) memory: Option<u64>,
}

/// A session of the past, or one that goes on.
#[derive(Debug, Clone)]
pub(crate) struct PastSessionView {
    pub(crate) key: SessionKey,
    pub(crate) started_at: Timestamp,
    pub(crate) signed_in_at: Option<Timestamp>,
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    /// Absent while its program runs.
    pub(crate) ended_at: Option<Timestamp>,
    /// Why it ended.
    pub(crate) reason: Option<String>,
}

/// The daemon itself.
#[derive(Debug, Clone)]
pub(crate) struct DaemonView {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) state_dir: PathBuf,
    pub(crate) sessions: usize,
    pub(crate) signed_in: usize,
    pub(crate) running: usize,
    /// The clients whose own forms count as a person's word.
    pub(crate) trusted_forms: Vec<String>,
    /// What is wrong with it: the store, the disk.
    pub(crate) troubles: Vec<String>,
    /// What it still waits for, once it stops.
    pub(crate) waits_for: Vec<String>,
}
