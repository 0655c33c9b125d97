//! Terminal and child process: the only unsafe code of the program.
//!
//! `portable-pty` names the window here; the start itself is done underneath it. Its child lists and closes descriptors
//! between fork and exec, which allocates in a threaded process and makes a thousand sessions quadratic; its spawn reports no
//! exec error; and fork copies the page tables of a daemon that may hold much output. `posix_spawn` shares them until exec
//! and returns exec's errno. What comes out is a descriptor and a pid: nothing above knows who made them.

mod child;
mod command;
mod error;
mod master;
mod poll;
mod spawn;

pub(crate) use child::{Child, ExitStatus};
pub(crate) use command::{Command, Flags};
pub(crate) use error::SpawnError;
pub(crate) use master::Master;
pub(crate) use poll::poll;
pub(crate) use portable_pty::PtySize;
pub(crate) use spawn::spawn;
