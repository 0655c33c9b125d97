//! [`ClientError`]: why a verb did not come through.

use std::io;
use std::path::PathBuf;

use crate::api::ApiError;

/// Why a verb did not come through. What the daemon itself refused is [`ClientError::Api`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// None is running, and this verb does not start one.
    #[error("no daemon is running")]
    NoDaemon,
    /// It could not be started.
    #[error("the daemon could not be started: {why}")]
    NotStarted {
        /// What it said, or what the system said.
        why: String,
        /// What it said to do about it.
        advice: Option<String>,
        log: PathBuf,
    },
    /// The socket is there and cannot be used.
    #[error("the daemon's socket `{}` cannot be used: {source}", path.display())]
    Socket { path: PathBuf, source: io::Error },
    /// It answered with an error.
    #[error("{}", .0.message)]
    Api(ApiError),
    /// The connection ended before the answer did.
    #[error("the daemon went away in the middle")]
    Gone,
    /// The answer is not what this version understands.
    #[error("the daemon's answer is not understood: {why}")]
    Garbled { why: String },
}

impl ClientError {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NoDaemon => Some("`mm daemon start` starts it".to_owned()),
            Self::NotStarted { log, advice, .. } => {
                let log = format!("its log is `{}`", log.display());
                Some(match advice {
                    Some(advice) => format!("{advice}; {log}"),
                    None => log,
                })
            }
            Self::Api(error) => error.help.clone(),
            Self::Gone => Some(
                "`mm daemon status` shows whether it runs; what its log says is in `daemon.log` in the state folder"
                    .to_owned(),
            ),
            Self::Garbled { .. } => Some(
                "`mm daemon status` shows its version; a daemon of another version may speak differently"
                    .to_owned(),
            ),
            Self::Socket { .. } => None,
        }
    }
}
