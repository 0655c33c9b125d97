//! The child process: its end, and how it is brought about.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    waitid,
};
use rustix::termios::tcgetpgrp;
use tokio::io::unix::AsyncFd;

use super::Master;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It is not our child, so only its end is known.
    Unknown,
}

/// A process that leads the session of a terminal. Its end is waited for with a pidfd, so a pid that was used again is
/// never signalled. Dropping a child that still runs kills its group and leaves a thread to reap it.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    pidfd: AsyncFd<OwnedFd>,
    status: Option<ExitStatus>,
}

impl Child {
    /// Takes a process over, whoever started it. Needs a tokio runtime.
    pub(crate) fn new(pid: Pid) -> io::Result<Self> {
        let pidfd = super::poll(pidfd_open(pid, PidfdFlags::NONBLOCK)?)?;
        Ok(Self {
            pid,
            pidfd,
            status: None,
        })
    }

    /// Its process id, which is also its group's and its session's.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for its end; afterwards it says the same again at once. Cancel safe.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        if let Some(status) = self.status {
            return status;
        }
        // A pidfd is readable when its process has ended, and stays so.
        let status = match self.pidfd.readable().await {
            Ok(_) => self.reap(),
            Err(_) => ExitStatus::Unknown,
        };
        self.status = Some(status);
        status
    }

    fn reap(&self) -> ExitStatus {
        match waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED) {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitStatus::Code(code),
                (None, Some(signal)) => ExitStatus::Signal(signal),
                (None, None) => ExitStatus::Unknown,
            },
            // ECHILD: somebody else's child.
            Ok(None) | Err(_) => ExitStatus::Unknown,
        }
    }

    /// Tells its groups that the terminal is gone (SIGHUP): what a program is used to when a window is closed.
    pub(crate) fn hang_up(&self, master: &Master) {
        self.signal(master, Signal::HUP);
    }

    /// Kills its groups (SIGKILL). A grandchild that made a session of its own is out of reach.
    pub(crate) fn kill(&self, master: &Master) {
        self.signal(master, Signal::KILL);
    }

    fn signal(&self, master: &Master, signal: Signal) {
        if self.status.is_none() {
            // The group may have emptied in between (ESRCH); that is what was wanted.
            let _ = kill_process_group(self.pid, signal);
        }
        if let Ok(group) = tcgetpgrp(master.descriptor())
            && group != self.pid
        {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        // Both may say that it has ended just now, which is what was wanted.
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = kill_process(self.pid, Signal::KILL);
        let pid = self.pid;
        // A killed process ends soon, but nothing may block here. A thread that cannot be made leaves a zombie until the
        // daemon ends, and nothing worse.
        let _ = std::thread::Builder::new()
            .name("reaper".to_owned())
            .spawn(move || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED));
    }
}
