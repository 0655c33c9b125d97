//! How many files may be open: two a session, a terminal and a process. A login shell's limit is mostly 1,024.

use std::io;
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// What this process was started with, once it has raised its limit.
static STARTED_WITH: OnceLock<Rlimit> = OnceLock::new();

/// Raises this process's limit of open files as far as it may, and says how far: `None` is without an end. Programs that
/// are started in terminals keep the limit that was there before: `select` breaks where a number is 1,024 or more, and some
/// programs close every number up to their limit.
pub(crate) fn raise_file_limit() -> io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    STARTED_WITH.get_or_init(|| limit);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum)
}

/// Gives a program that has just been started the limit that we were started with.
pub(super) fn restore(program: Pid) {
    if let Some(limit) = STARTED_WITH.get() {
        // EPERM: it runs with somebody else's rights, and whoever gave it those sets its limits too (`sudo`).
        let _ = prlimit(Some(program), Resource::Nofile, *limit);
    }
}
