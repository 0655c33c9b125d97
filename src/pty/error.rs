//! Why a program could not be started on a terminal.

use std::io;
use std::path::PathBuf;

/// What failed, with the system's error where there is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    /// No folder of the search path has it.
    #[error("`{program}` is not installed: none of the folders in PATH has it")]
    NotFound {
        /// As it was named.
        program: String,
    },
    /// It is there, and cannot be executed (EACCES, ENOEXEC, ENOENT of its interpreter).
    #[error("`{}` cannot be executed", path.display())]
    NotExecutable {
        /// What was found.
        path: PathBuf,
        /// exec's error.
        source: io::Error,
    },
    /// The folder to start in.
    #[error("the folder `{}` cannot be entered", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No terminal could be had (ENOSPC: `kernel.pty.max`; EMFILE: the limit of open files).
    #[error("no terminal could be had: {}", hint(source))]
    Terminal {
        /// Why.
        source: io::Error,
    },
    /// An argument or a variable holds a NUL.
    #[error("an argument or an environment variable holds a NUL byte")]
    Nul,
}

fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENOSPC) => "all of the system's terminals are in use (kernel.pty.max)",
        Some(libc::EMFILE | libc::ENFILE) => "too many files are open (ulimit -n)",
        _ => "the system refused",
    }
}
