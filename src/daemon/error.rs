//! Why the service did not do what it was asked. Doors turn these into a status and an exit code, by an exhaustive match.

use jiff::Timestamp;

use crate::name::{RunId, SessionKey};

/// What went wrong, in words for the person who asked. [`ServiceError::help`] is what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// No connection or module has this name.
    #[error("{message}")]
    UnknownName {
        /// The whole message.
        message: String,
        /// Which there are, or which was probably meant.
        help: Option<String>,
    },
    /// A connection's entry, or the file, is bad.
    #[error("{message}")]
    Connection {
        /// The whole message.
        message: String,
        /// The remedy.
        help: Option<String>,
    },
    /// A module's file is bad.
    #[error("{message}")]
    Module {
        /// The whole message, with the file's diagnostics.
        message: String,
        /// The remedy.
        help: Option<String>,
    },
    /// The command cannot be sent: empty, too large, or it holds a byte that the shell cannot take.
    #[error("{message}")]
    Command {
        /// The whole message.
        message: String,
    },
    /// There is no such run.
    #[error("there is no run `{id}`")]
    UnknownRun {
        /// As it was typed.
        id: String,
    },
    /// There is no such session.
    #[error("there is no session {key}")]
    UnknownSession {
        /// Which.
        key: SessionKey,
    },
    /// The session is not signed in and the caller did not want to wait.
    #[error("{key} is not signed in")]
    SignInNeeded {
        /// Which.
        key: SessionKey,
    },
    /// The program could not be started or died.
    #[error("{key}: {reason}")]
    SessionLost {
        /// Which.
        key: SessionKey,
        /// How.
        reason: String,
        /// The remedy.
        help: Option<String>,
    },
    /// Too many runs wait already.
    #[error("{key} is busy: {queued} runs wait for it already")]
    Busy {
        /// Which.
        key: SessionKey,
        /// How many.
        queued: usize,
    },
    /// Signing out would stop somebody's run.
    #[error("{key} {}, which signing out would stop", used(run.as_ref(), *queued))]
    InUse {
        /// Which.
        key: SessionKey,
        /// The run that it has.
        run: Option<RunId>,
        /// How many wait for it.
        queued: usize,
    },
    /// The session waits for something that does not listen.
    #[error("{key} has been stopping since {since:.0}: {why}")]
    Stopping {
        /// Which.
        key: SessionKey,
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
    },
    /// An answer, but no question.
    #[error("run {id} does not ask anything")]
    NothingAsked {
        /// Which.
        id: RunId,
    },
    /// An answer that cannot be sent.
    #[error("{message}")]
    BadAnswer {
        /// Why.
        message: String,
        /// The remedy.
        help: Option<String>,
    },
    /// Somebody, or the configuration, does not allow it.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// The remedy.
        help: Option<String>,
    },
    /// What was asked for cannot be written down, so it is not done.
    #[error("{message}")]
    Unrecorded {
        /// What and why.
        message: String,
        /// The remedy.
        help: String,
    },
    /// Only reading was asked for.
    #[error("{message}")]
    NotReading {
        /// What in the command does more, or may.
        message: String,
        /// The remedy.
        help: String,
    },
    /// What has to be asked about has to name a ticket here.
    #[error("a ticket has to be named for this: {rule}")]
    TicketNeeded {
        /// Why it has to be asked about.
        rule: String,
    },
    /// The command cannot be made to say only what it would do.
    #[error("{message}")]
    NoWhatIf {
        /// Why.
        message: String,
    },
    /// Only a person at a terminal may say this.
    #[error("only a person at a terminal can approve run {id}")]
    NeedsPerson {
        /// Which.
        id: RunId,
    },
    /// The run waits for no yes.
    #[error("run {id} does not wait for approval")]
    NoApproval {
        /// Which.
        id: RunId,
    },
    /// The yes was meant for something else.
    #[error("run {id} is not approved: {why}")]
    ApprovalChanged {
        /// Which.
        id: RunId,
        /// What does not fit.
        why: String,
    },
    /// Stopping the daemon would cost sign-ins.
    #[error("{} signed in: {}", sessions.len(), sessions.join(", "))]
    WouldLoseSignIns {
        /// Which sessions.
        sessions: Vec<String>,
    },
    /// The daemon is going away.
    #[error("the daemon is stopping")]
    ShuttingDown,
    /// State on disk cannot be read or written.
    #[error("{message}")]
    State {
        /// What and why.
        message: String,
    },
}

/// What a session is used for.
fn used(run: Option<&RunId>, queued: usize) -> String {
    match (run, queued) {
        (Some(run), _) => format!("has the run {run}"),
        (None, 1) => "has a run that waits for it".to_owned(),
        (None, queued) => format!("has {queued} runs that wait for it"),
    }
}

impl ServiceError {
    /// What to do about it, where there is something to do.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::UnknownName { help, .. }
            | Self::Connection { help, .. }
            | Self::Module { help, .. }
            | Self::SessionLost { help, .. }
            | Self::BadAnswer { help, .. }
            | Self::Refused { help, .. } => help.clone(),
            Self::SignInNeeded { key } => Some(format!(
                "sign in with `mm login -c '{}' -m {}`",
                key.connection, key.module
            )),
            Self::UnknownRun { .. } => {
                Some("`mm runs list` shows the runs that are kept".to_owned())
            }
            Self::UnknownSession { .. } => {
                Some("`mm status` shows the sessions there are".to_owned())
            }
            Self::Busy { .. } => Some(
                "wait for one of them, or stop one: `mm runs list`, `mm runs stop ID`".to_owned(),
            ),
            Self::InUse { key, .. } => Some(format!(
                "`mm runs list` shows what it does; `mm disconnect -c '{}' -m {}` stops that too",
                key.connection, key.module
            )),
            Self::Stopping { key, .. } => Some(format!(
                "it recovers by itself when the command returns; `mm disconnect --force -c '{}' -m {}` ends it and its sign-in",
                key.connection, key.module
            )),
            Self::WouldLoseSignIns { .. } => Some(
                "they would need new codes; with `--force` they are ended all the same".to_owned(),
            ),
            Self::Unrecorded { help, .. } | Self::NotReading { help, .. } => Some(help.clone()),
            Self::TicketNeeded { .. } => {
                Some("the connection has `requireTicket`: name one with --ticket".to_owned())
            }
            Self::NoWhatIf { .. } => {
                Some("leave `-WhatIf` to the command, or run it without".to_owned())
            }
            Self::NeedsPerson { id } => Some(format!("in a terminal: mm approvals approve {id}")),
            Self::NoApproval { .. } => {
                Some("`mm approvals list` shows the runs that wait for a yes".to_owned())
            }
            Self::ApprovalChanged { id, .. } => {
                Some(format!("look at it again: mm approvals show {id}"))
            }
            Self::NothingAsked { .. } => {
                Some("`mm status` shows which run waits for an answer".to_owned())
            }
            Self::Command { .. } | Self::ShuttingDown | Self::State { .. } => None,
        }
    }
}
