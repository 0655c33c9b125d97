//! [`Place`]: where a daemon is to be found.

use std::path::PathBuf;

/// A daemon's socket and its state folder; both absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) socket: PathBuf,
    pub(crate) state_dir: PathBuf,
}

impl Place {
    /// The daemon's log, also of what it said before it could log.
    pub(crate) fn log(&self) -> PathBuf {
        self.state_dir.join("daemon.log")
    }
}
