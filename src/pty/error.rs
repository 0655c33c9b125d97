//! [`SpawnError`]: why a program did not start in a terminal, told apart by what a person can do about it.

use std::io;
use std::path::PathBuf;

/// Why nothing was started. No process and no descriptor is left behind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    /// No entry of the given `PATH` has it, or the path leads nowhere.
    #[error("`{program}` was not found")]
    NotFound {
        /// As it was asked for.
        program: String,
        /// The `PATH` that was searched; absent where the program was named by a path.
        searched: Option<String>,
    },
    /// It is there, without the permission to execute it.
    #[error("`{}` is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// The path names a directory.
    #[error("`{}` is a directory", .0.display())]
    IsDirectory(PathBuf),
    /// `execve` gave ENOEXEC: neither a binary for this machine nor a text that begins with `#!`.
    #[error("`{}` is not a program that this system can execute", path.display())]
    NotAProgram {
        /// What was to be executed.
        path: PathBuf,
        /// The errno.
        source: io::Error,
    },
    /// `execve` gave ENOENT or EACCES for a file that is there and executable: what its first line (`#!`) or its loader
    /// names is not, or its file system forbids executing.
    #[error("the interpreter of `{}` cannot be executed", path.display())]
    Interpreter {
        /// What was to be executed.
        path: PathBuf,
        /// The errno.
        source: io::Error,
    },
    /// The directory to start in cannot be entered.
    #[error("the working directory `{}` cannot be entered", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The errno.
        source: io::Error,
    },
    /// An argument, a variable or a path holds a NUL, or a variable's name is empty or holds `=`.
    #[error("{0} cannot be passed to a program")]
    Malformed(&'static str),
    /// `ENOSPC` from `/dev/ptmx`: `kernel.pty.max` is used up.
    #[error("the system has no terminal left")]
    OutOfTerminals(#[source] io::Error),
    /// `EMFILE` or `ENFILE`.
    #[error("no file descriptor is left")]
    OutOfDescriptors(#[source] io::Error),
    /// `EAGAIN` from the start: the limit of processes.
    #[error("the system starts no more processes")]
    OutOfProcesses(#[source] io::Error),
    /// The terminal could not be made or set up.
    #[error("the terminal could not be set up")]
    Terminal(#[source] io::Error),
    /// `execve` gave something else, `E2BIG` for one.
    #[error("`{}` could not be started", path.display())]
    Start {
        /// What was to be executed.
        path: PathBuf,
        /// The errno.
        source: io::Error,
    },
}

impl SpawnError {
    /// What a person can do about it, where that is known.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound { .. } => "install it, or put its folder on the PATH",
            Self::NotExecutable(_) => "make it executable (`chmod +x`)",
            Self::IsDirectory(_) => "name a program in it",
            Self::NotAProgram { .. } => {
                "a script's first line must name its interpreter (`#!/bin/sh`)"
            }
            Self::Interpreter { .. } => {
                "install what its first line (`#!`) names; a line end of Windows there counts as part of the name"
            }
            Self::OutOfTerminals(_) => "end some sessions, or raise `kernel.pty.max`",
            Self::OutOfDescriptors(_) => {
                "end some sessions, or raise the hard limit of open files (`ulimit -Hn`) before the daemon starts"
            }
            Self::OutOfProcesses(_) => "end some sessions, or raise the limit of processes",
            Self::Directory { .. }
            | Self::Malformed(_)
            | Self::Terminal(_)
            | Self::Start { .. } => {
                return None;
            }
        })
    }

    /// What went wrong with a terminal, by its errno.
    pub(super) fn terminal(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSPC) => Self::OutOfTerminals(error),
            Some(libc::EMFILE | libc::ENFILE) => Self::OutOfDescriptors(error),
            _ => Self::Terminal(error),
        }
    }

    /// What went wrong with the start of a file that was there and executable a moment ago.
    pub(super) fn start(path: PathBuf, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::ENOEXEC) => Self::NotAProgram { path, source },
            Some(libc::ENOENT | libc::EACCES) => Self::Interpreter { path, source },
            Some(libc::EMFILE | libc::ENFILE) => Self::OutOfDescriptors(source),
            Some(libc::EAGAIN) => Self::OutOfProcesses(source),
            _ => Self::Start { path, source },
        }
    }
}
