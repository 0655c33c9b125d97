//! [`CliError`]: why a verb ends early, in words for the person at the terminal.

use std::io;

use serde::Serialize;

use super::exit::Exit;
use crate::client::ClientError;
use crate::http::SocketError;

/// Why a verb ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The daemon could not be asked, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was typed cannot be done.
    #[error("{message}")]
    Usage {
        message: String,
        help: Option<String>,
    },
    /// A module's file or a connection is wrong.
    #[error("{message}")]
    Spec {
        message: String,
        help: Option<String>,
    },
    /// A part of the way failed that is no verb of the daemon.
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    /// The daemon cannot listen.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The daemon cannot work.
    #[error("{message}")]
    Daemon {
        message: String,
        help: Option<String>,
    },
    /// Whoever read our output has enough: no failure, and nobody to tell.
    #[error("nobody reads the output any longer")]
    PipeClosed,
}

/// An error as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorReport {
    code: String,
    message: String,
    help: Option<String>,
}

impl CliError {
    /// A usage error with a remedy.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Client(ClientError::Api(error)) => Exit::of_code(error.code),
            Self::Client(
                ClientError::NoDaemon
                | ClientError::NotStarted { .. }
                | ClientError::Socket { .. }
                | ClientError::Gone
                | ClientError::Garbled { .. },
            )
            | Self::Socket(
                SocketError::TooLong { .. }
                | SocketError::Exposed { .. }
                | SocketError::Occupied { .. }
                | SocketError::Io { .. },
            )
            | Self::Daemon { .. } => Exit::NoDaemon,
            Self::Socket(SocketError::AlreadyRunning { .. }) => Exit::Refused,
            Self::Usage { .. } => Exit::Usage,
            Self::Spec { .. } => Exit::BadSpec,
            Self::Io { .. } => Exit::Failed,
            Self::PipeClosed => Exit::Done,
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Client(error) => error.help(),
            Self::Socket(error) => error.help(),
            Self::Usage { help, .. } | Self::Spec { help, .. } | Self::Daemon { help, .. } => {
                help.clone()
            }
            Self::Io { .. } | Self::PipeClosed => None,
        }
    }

    /// As `--json` prints it. The codes are the API's and six of the program's own.
    pub(crate) fn report(&self) -> ErrorReport {
        let code = match self {
            Self::Client(ClientError::Api(error)) => serde_json::to_value(error.code)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .expect("a code is a word"),
            Self::Client(ClientError::Gone | ClientError::Garbled { .. }) => {
                "daemon_gone".to_owned()
            }
            Self::Client(_) | Self::Socket(_) | Self::Daemon { .. } => "no_daemon".to_owned(),
            Self::Usage { .. } => "usage".to_owned(),
            Self::Spec { .. } => "bad_spec".to_owned(),
            Self::Io { .. } => "io".to_owned(),
            Self::PipeClosed => "pipe_closed".to_owned(),
        };
        ErrorReport {
            code,
            message: self.to_string(),
            help: self.help(),
        }
    }
}
