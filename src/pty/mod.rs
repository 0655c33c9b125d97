//! Terminals and the programs in them: a pseudo-terminal's master, the process group behind it, and how both begin and
//! end. The only room with unsafe code. It knows nothing of modules, markers or sessions, and whoever holds a descriptor
//! and a process id can have a [`Master`] and a [`Child`] without a start of ours.
//!
//! `portable-pty` gives the types at this boundary (`PtySize`, `ExitStatus`); the start itself is done here, because its
//! own does not report that `exec` failed, lists `/dev/fd` in every child (24 times slower with 1,000 sessions), allocates
//! between `fork` and `exec` in a threaded process, and forks: 23 ms for a daemon of 500 MB, against 0.7 ms with
//! `posix_spawn`.

mod child;
mod error;
mod flags;
mod limit;
mod master;
mod poll;
mod program;
mod reaper;
mod spawn;
mod start;

pub(crate) use child::{Child, Ended};
pub(crate) use error::SpawnError;
pub(crate) use flags::TerminalFlags;
pub(crate) use limit::raise_file_limit;
pub(crate) use master::Master;
pub(crate) use poll::poll;
pub(crate) use spawn::{Command, Pty};

#[cfg(test)]
mod tests;
