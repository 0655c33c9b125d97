//! Why the database did not do what it was asked.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What went wrong, as far as a person can act on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file cannot be made or opened.
    #[error("the database `{}` cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no database, or a damaged one. It is never deleted for that.
    #[error("the database `{}` is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the database library found.
        source: rusqlite::Error,
    },
    /// A newer version of the program wrote it.
    #[error("the database `{}` has schema version {found}; this version knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Another program held it for longer than we wait.
    #[error("the database `{}` is in use by another program", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What the database library said.
        source: rusqlite::Error,
    },
    /// No room for what was to be written.
    #[error("there is no room for the database `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the database library said.
        source: rusqlite::Error,
    },
    /// It can be read and not written.
    #[error("the database `{}` cannot be written", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the database library said.
        source: rusqlite::Error,
    },
    /// Anything else that is refused.
    #[error("the database `{}` refused the request", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What the database library said.
        source: rusqlite::Error,
    },
    /// The thread that owns it is gone.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Open { path, .. } | Self::ReadOnly { path, .. } => format!(
                "make `{}` and its folder writable for you, or name another state folder with MM_STATE_DIR",
                path.display()
            ),
            Self::Corrupt { path, .. } => format!(
                "stop the daemon and move it aside: mv '{0}' '{0}.damaged'; a new one is made at the next start, sign-ins are \
                 not in it, the history of runs is",
                path.display()
            ),
            Self::Newer { .. } => {
                "use the newer version of mm, or name another state folder with MM_STATE_DIR"
                    .to_owned()
            }
            Self::Busy { .. } => {
                "look for a second daemon or an open database browser, and close it".to_owned()
            }
            Self::Full { .. } => "make room on the disk; sessions go on meanwhile".to_owned(),
            Self::Refused { .. } => "look into the log for the details and report it".to_owned(),
            Self::Closed => "start the daemon again".to_owned(),
        }
    }

    /// What the library's error means for the database at `path`.
    pub(super) fn of(source: rusqlite::Error, path: &Path) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Corrupt { path, source }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { path, source }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path, source },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { path, source }
            }
            Some(ErrorCode::CannotOpen) => Self::Open {
                path,
                source: io::Error::other(source),
            },
            _ => Self::Refused { path, source },
        }
    }
}
