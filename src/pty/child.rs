//! [`Child`]: the process that leads a terminal's session. Its end, and the signals that bring it about.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;

use portable_pty::ExitStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_open,
    waitid,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use super::{Master, reaper};

/// How a process ended.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// With an exit code, or by a signal.
    With(ExitStatus),
    /// It ended, and only its parent was told how.
    Unknown,
}

/// The leader of a terminal's session, and of the process group that has its id.
///
/// A child of ours that has ended stays in the process table until this value is dropped: so its id, and its group's, can
/// be nobody else's, and what is left of the group can still be signalled. Dropping it never blocks: one that has ended is
/// reaped; one that runs gets SIGHUP, and a thread of its own sees to the rest (`reaper.rs`).
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    watch: Watch,
    ended: Option<Ended>,
}

/// What tells that a process may have ended.
#[derive(Debug)]
enum Watch {
    /// Readable once it has ended (Linux 5.3).
    Descriptor(AsyncFd<OwnedFd>),
    /// SIGCHLD, which comes for every child and only for children.
    Signals(Signals),
}

impl Child {
    /// A process that was just started and that nobody else waits for. If it cannot be watched, it is killed and reaped.
    pub(super) fn started(pid: Pid) -> io::Result<Self> {
        let watch = match watch(pid) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                signal(SignalKind::child()).map(Watch::Signals)
            }
            watch => watch,
        };
        match watch {
            Ok(watch) => Ok(Self {
                pid,
                watch,
                ended: None,
            }),
            Err(error) => {
                reaper::end(pid);
                Err(error)
            }
        }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits until it has ended; may be dropped and called again. The terminal's end is another event, and either may come
    /// first: output that the process left behind is still to be read.
    pub(crate) async fn wait(&mut self) -> io::Result<Ended> {
        loop {
            if let Some(ended) = &self.ended {
                return Ok(ended.clone());
            }
            match &mut self.watch {
                Watch::Descriptor(descriptor) => {
                    let mut guard = descriptor.readable().await?;
                    let mut events = [PollFd::new(guard.get_inner(), PollFlags::IN)];
                    let ready = poll(&mut events, Some(&Timespec::default()))?;
                    if ready == 0 {
                        guard.clear_ready();
                        continue;
                    }
                    self.ended = Some(peek(self.pid)?.unwrap_or(Ended::Unknown));
                }
                Watch::Signals(signals) => {
                    self.ended = peek(self.pid)?;
                    if self.ended.is_none() {
                        // The stream remembers a signal that came since: it was registered before the process was looked at.
                        signals.recv().await;
                    }
                }
            }
        }
    }

    /// SIGHUP, as when a terminal is closed, and SIGCONT so that a stopped process hears it: to the leader's group and to
    /// the one that has the terminal. A process that made a session of its own (`setsid`) hears none of it.
    pub(crate) fn hang_up_group(&self, terminal: &Master) -> io::Result<()> {
        self.signal(terminal, Signal::HUP)?;
        self.signal(terminal, Signal::CONT)
    }

    /// SIGKILL to both groups: nothing of them is left, but what made a session of its own is.
    pub(crate) fn kill_group(&self, terminal: &Master) -> io::Result<()> {
        self.signal(terminal, Signal::KILL)
    }

    fn signal(&self, terminal: &Master, signal: Signal) -> io::Result<()> {
        // The foreground group first: its id is current only while its shell does not end it.
        if let Some(group) = terminal.foreground().filter(|group| *group != self.pid) {
            send(group, signal)?;
        }
        send(self.pid, signal)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        reaper::end(self.pid);
    }
}

fn watch(pid: Pid) -> io::Result<Watch> {
    let descriptor = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(Watch::Descriptor(super::poll(
        descriptor,
        Interest::READABLE,
    )?))
}

/// Sends a signal to a group. That it has no member left is no error.
pub(super) fn send(group: Pid, signal: Signal) -> io::Result<()> {
    match kill_process_group(group, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// How a child of ours has ended, if it has, without reaping it. `Unknown` if there is no such child.
fn peek(pid: Pid) -> io::Result<Option<Ended>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        return match waitid(WaitId::Pid(pid), options) {
            Ok(None) => Ok(None),
            Ok(Some(status)) => Ok(Some(Ended::With(status_of(&status)))),
            Err(Errno::CHILD) => Ok(Some(Ended::Unknown)),
            Err(Errno::INTR) => continue,
            Err(errno) => Err(errno.into()),
        };
    }
}

fn status_of(status: &WaitIdStatus) -> ExitStatus {
    // The words of wait(2): the code in the second byte, or the signal in the first.
    let raw = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xff) << 8,
        (None, Some(signal)) => signal,
        (None, None) => 0,
    };
    std::process::ExitStatus::from_raw(raw).into()
}

#[cfg(test)]
impl Child {
    /// As on a system without process descriptors.
    pub(super) fn watched_by_signals(mut self) -> Self {
        self.watch = Watch::Signals(signal(SignalKind::child()).expect("SIGCHLD can be watched"));
        self
    }
}
