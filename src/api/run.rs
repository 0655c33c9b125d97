//! A run, as clients see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Approval, Mode};
use crate::name::{ConnectionName, ModuleName, RunId};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    Queued,
    WaitingForSignIn,
    /// A person has to say yes; see [`Run::approval`].
    WaitingForApproval,
    Running,
    Asking,
    Stopping,
    Ended,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Its last statement succeeded; it may have written errors all the same.
    Succeeded,
    Failed,
    Stopped,
    TimedOut,
    /// Its session ended or stopped answering under it.
    Lost,
    /// It never ran.
    NotRun,
    /// It never ran: it was not allowed, or nobody said yes.
    Refused,
}

/// What the program itself said at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndState {
    Ok,
    Failed,
    Aborted,
    Parse,
    Garbled,
    Unstarted,
}

/// An error that a command wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommandError {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) category: String,
    /// 1-based.
    #[serde(default)]
    pub(crate) line: Option<u32>,
    /// 1-based.
    #[serde(default)]
    pub(crate) column: Option<u32>,
}

/// Why a run was not run, where something else than the command itself was in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotRunCause {
    /// The sign-in failed.
    SignIn,
    /// The session had enough to do, or was stopping.
    Busy,
    /// What a newer daemon knows.
    #[serde(other)]
    Other,
}

/// How a run ended, with what it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunEnd {
    pub(crate) outcome: Outcome,
    #[serde(default)]
    pub(crate) state: Option<EndState>,
    #[serde(default)]
    pub(crate) exit: Option<i32>,
    #[serde(default)]
    pub(crate) errors: Vec<CommandError>,
    /// What was in the way of a run that was not run.
    #[serde(default)]
    pub(crate) cause: Option<NotRunCause>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// What went wrong beside the command: a recording, or kept output, that is not whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) troubles: Vec<String>,
    /// The question that stopped it, because nobody was to answer (`on_question: fail`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<Question>,
}

/// What a question wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuestionKind {
    Confirm,
    Choice,
    Text,
    /// A line that must not be shown or kept.
    Secret,
    Parameter,
}

/// One of a question's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// What is typed.
    pub(crate) key: String,
    /// What it means.
    pub(crate) label: String,
}

/// A question that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) kind: QuestionKind,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) choices: Vec<Choice>,
}

/// A run, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) connection: ConnectionName,
    pub(crate) module: ModuleName,
    /// Whole in `GET /v1/runs/{id}`; cut elsewhere.
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) command_truncated: bool,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default)]
    pub(crate) client: String,
    pub(crate) state: RunState,
    /// How many runs go first while it is queued.
    #[serde(default)]
    pub(crate) ahead: usize,
    pub(crate) submitted_at: Timestamp,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) question: Option<Question>,
    /// What a person has to say yes to, while it waits for that.
    #[serde(default)]
    pub(crate) approval: Option<Approval>,
    #[serde(default)]
    pub(crate) end: Option<RunEnd>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// Bytes of output so far, lost ones included.
    #[serde(default)]
    pub(crate) output_length: u64,
    /// Bytes of output that were not kept.
    #[serde(default)]
    pub(crate) output_skipped: u64,
}

/// `GET /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunList {
    /// The newest first.
    pub(crate) runs: Vec<Run>,
}
