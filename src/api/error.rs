//! [`ErrorCode`]: the closed list of what can go wrong, and the body that carries it.

use serde::{Deserialize, Serialize};

use crate::name::RunId;

/// What went wrong, as a word for programs. Statuses group these; the code decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorCode {
    /// The request is not one: no JSON, an unknown field, a bad value, or it never came to its end.
    BadRequest,
    /// The body is larger than [`super::BODY_LIMIT`].
    TooLarge,
    /// This daemon has no such path or method.
    NoSuchRoute,
    /// No connection or module has this name.
    UnknownName,
    /// The connection's entry, or the file, is bad.
    BadConnection,
    /// The module's file is bad.
    BadModule,
    /// The command cannot be sent.
    BadCommand,
    /// There is no such run.
    UnknownRun,
    /// There is no such row in the audit.
    UnknownRow,
    /// There is no such session.
    UnknownSession,
    /// The session is not signed in and the caller would not wait.
    SignInNeeded,
    /// The sign-in failed.
    SignInFailed,
    /// The program could not be started or died.
    SessionLost,
    /// Too many runs wait.
    Busy,
    /// Somebody's run would be stopped, and it was to be left alone then.
    InUse,
    /// The session waits for something that does not listen.
    Stopping,
    /// An answer, but no question.
    NothingAsked,
    /// The answer cannot be sent.
    BadAnswer,
    /// It is not allowed.
    Refused,
    /// It cannot be written into the audit, so it is not done.
    Unrecorded,
    /// Only reading was asked for, and the command does more or may do more.
    NotReading,
    /// What has to be asked about has to name a ticket.
    TicketNeeded,
    /// The command cannot be made to say only what it would do.
    NoWhatIf,
    /// Only a person at a terminal may say this.
    NeedsPerson,
    /// The run does not wait for approval.
    NoApproval,
    /// What was approved is not what waits.
    ApprovalChanged,
    /// It would end sign-ins.
    WouldLoseSignIns,
    /// The daemon is going away.
    ShuttingDown,
    /// State on disk cannot be read or written.
    State,
}

#[cfg(test)]
impl ErrorCode {
    /// All of them, for tables.
    pub(crate) const ALL: [Self; 29] = [
        Self::BadRequest,
        Self::TooLarge,
        Self::NoSuchRoute,
        Self::UnknownName,
        Self::BadConnection,
        Self::BadModule,
        Self::BadCommand,
        Self::UnknownRun,
        Self::UnknownRow,
        Self::UnknownSession,
        Self::SignInNeeded,
        Self::SignInFailed,
        Self::SessionLost,
        Self::Busy,
        Self::InUse,
        Self::Stopping,
        Self::NothingAsked,
        Self::BadAnswer,
        Self::Refused,
        Self::Unrecorded,
        Self::NotReading,
        Self::TicketNeeded,
        Self::NoWhatIf,
        Self::NeedsPerson,
        Self::NoApproval,
        Self::ApprovalChanged,
        Self::WouldLoseSignIns,
        Self::ShuttingDown,
        Self::State,
    ];
}

/// One error, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    /// Lower case, without a full stop.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(default)]
    pub(crate) help: Option<String>,
    /// The run that stands in the way, with [`ErrorCode::InUse`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunId>,
}

/// The body of every response that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ApiError,
}
