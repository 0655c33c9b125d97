//! What to start, and on what kind of terminal.

use std::ffi::OsString;
use std::path::PathBuf;

use portable_pty::PtySize;

/// The terminal's flags as they are when the program starts (termios(3)). Output processing (`OPOST`, `ONLCR`) stays on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `ECHO` and its kin.
    pub(crate) echo: bool,
    /// `ICANON`.
    pub(crate) canonical: bool,
    /// `ICRNL`.
    pub(crate) map_cr_to_lf: bool,
    /// `ISIG`.
    pub(crate) signals: bool,
    /// The opposite of `NOFLSH`.
    pub(crate) flush_on_signal: bool,
}

/// A program, all of its environment, and its terminal. Nothing is inherited but the limits of the process.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// Looked up on the `PATH` of `environment` where it has no slash.
    pub(crate) program: OsString,
    /// Without the program's own name.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) folder: PathBuf,
    pub(crate) size: PtySize,
    pub(crate) flags: Flags,
}
