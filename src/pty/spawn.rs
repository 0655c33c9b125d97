//! [`Pty::spawn`]: a new terminal with a program in it.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::start::{Plan, start};
use super::{Child, Master, SpawnError, TerminalFlags, limit, program};

/// What to start, and in what terminal. The environment is given whole; nothing of ours is inherited.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// A name looked up on the `PATH` of `environment`, or a path; a relative one begins at `directory`.
    pub(crate) program: String,
    /// Without the program's own name.
    pub(crate) arguments: Vec<OsString>,
    /// Every variable that the program gets. Of two with one name the program decides.
    pub(crate) environment: Vec<(String, OsString)>,
    /// Where it starts. Absolute.
    pub(crate) directory: PathBuf,
    /// The terminal, as it is before the program's first instruction.
    pub(crate) terminal: TerminalFlags,
}

/// The maker of terminals.
#[derive(Debug)]
pub(crate) struct Pty;

impl Pty {
    /// Opens a terminal, sets it up and starts the program in it. Needs the tokio runtime's context, and blocks for less than
    /// a millisecond: nothing here waits for the program. When it fails, nothing is left over.
    pub(crate) fn spawn(command: &Command) -> Result<(Master, Child), SpawnError> {
        let directory = &command.directory;
        let unenterable = |source| SpawnError::Directory {
            path: directory.clone(),
            source,
        };
        let metadata = directory.metadata().map_err(unenterable)?;
        if !metadata.is_dir() {
            return Err(unenterable(io::ErrorKind::NotADirectory.into()));
        }
        rustix::fs::accessat(
            rustix::fs::CWD,
            directory,
            rustix::fs::Access::EXEC_OK,
            rustix::fs::AtFlags::EACCESS,
        )
        .map_err(|errno| unenterable(errno.into()))?;
        let search = command.environment.iter().find(|(name, _)| name == "PATH");
        let search = search.map(|(_, value)| value.as_os_str());
        let path = program::find(&command.program, search, directory)?;

        let (master, slave, terminal) = open().map_err(SpawnError::terminal)?;
        command
            .terminal
            .apply(slave.as_fd())
            .map_err(SpawnError::terminal)?;
        // Before the start: what fails here leaves no process behind.
        let master = Master::adopt(master).map_err(SpawnError::terminal)?;

        let arguments = std::iter::once(OsStr::new(&command.program))
            .chain(command.arguments.iter().map(OsString::as_os_str))
            .map(|argument| text(argument, "an argument with a NUL"))
            .collect::<Result<Vec<_>, _>>()?;
        let environment = command
            .environment
            .iter()
            .map(|(name, value)| variable(name, value))
            .collect::<Result<Vec<_>, _>>()?;
        let pid = start(&Plan {
            path: &text(path.as_os_str(), "a program's path with a NUL")?,
            arguments: &arguments,
            environment: &environment,
            directory: &text(directory.as_os_str(), "a directory with a NUL")?,
            terminal: &terminal,
        })
        .map_err(|source| SpawnError::start(path, source))?;
        // The slave stays open up to here: without it the master would be at its end before the child has opened its own.
        drop(slave);
        limit::restore(pid);
        let child = Child::started(pid).map_err(SpawnError::terminal)?;
        Ok((master, child))
    }
}

/// A master, its slave and the slave's path. Both are CLOEXEC from the first moment: a child started by another thread
/// would hold the terminal open for ever. `O_NOCTTY`: we never want it for ourselves.
fn open() -> io::Result<(OwnedFd, OwnedFd, CString)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(
        Path::new(OsStr::from_bytes(path.to_bytes())),
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    Ok((master, slave, path))
}

fn text(text: &OsStr, what: &'static str) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| SpawnError::Malformed(what))
}

fn variable(name: &str, value: &OsStr) -> Result<CString, SpawnError> {
    if name.is_empty() || name.contains('=') {
        return Err(SpawnError::Malformed("a variable without a proper name"));
    }
    let mut entry = OsString::from(name);
    entry.push("=");
    entry.push(value);
    text(&entry, "a variable with a NUL")
}
