//! The end of a process that nobody waits for any more.
//!
//! It is a thread and not a task: a [`super::Child`] may be dropped after its runtime, or while it shuts down and drops its
//! tasks, and a process must not outlive us by that. One thread for each such process, for two seconds at most as a rule:
//! a session that closes properly has none.

use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::child::send;

/// How long a process has between SIGHUP and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const NAP: Duration = Duration::from_millis(5);

/// Reaps a child of ours that has ended; hangs up on one that runs, kills it after [`GRACE`] and reaps it, on a thread of
/// its own. Never blocks.
pub(super) fn end(pid: Pid) {
    if reaped(pid, WaitIdOptions::NOHANG) {
        return;
    }
    // Errors mean that the group is gone or that it was allowed to become somebody else's: nothing is left to do then.
    let _ = send(pid, Signal::HUP);
    let _ = send(pid, Signal::CONT);
    let reaper = thread::Builder::new()
        .name("reaper".to_owned())
        .stack_size(64 * 1024);
    if let Err(error) = reaper.spawn(move || finish(pid)) {
        tracing::warn!(pid = pid.as_raw_nonzero().get(), %error, "a process is killed at once and stays in the process table");
        // As above.
        let _ = send(pid, Signal::KILL);
    }
}

fn finish(pid: Pid) {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if reaped(pid, WaitIdOptions::NOHANG) {
            return;
        }
        thread::sleep(NAP);
    }
    // As in `end`.
    let _ = send(pid, Signal::KILL);
    reaped(pid, WaitIdOptions::empty());
}

/// Whether nothing is left to reap.
fn reaped(pid: Pid, options: WaitIdOptions) -> bool {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | options) {
            Ok(None) => return false,
            Err(Errno::INTR) => {}
            Ok(Some(_)) | Err(_) => return true,
        }
    }
}
