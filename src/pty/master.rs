//! [`Master`]: our end of a terminal. Bytes in, bytes out, its window and its flags; it never writes a byte by itself, not
//! when it is dropped either.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::termios::{
    OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A read of fewer bytes is taken for the end of a burst.
const BULK: usize = 1024;

/// The master side of a pseudo-terminal. Dropping it closes it: the session's leader gets SIGHUP, and reads of whoever
/// still has the terminal end.
///
/// Every method takes `&self`, and every future may be dropped without losing a byte, so one `select!` can read and write.
#[derive(Debug)]
pub(crate) struct Master {
    /// Registered for reading only: a program that takes its input would wake us for nothing, once a command.
    descriptor: AsyncFd<OwnedFd>,
    /// A copy that is registered for writing; made when the terminal first took less than all.
    full: OnceLock<AsyncFd<OwnedFd>>,
    /// The terminal as it was when this was made.
    settings: Termios,
    window: Winsize,
}

impl Master {
    /// Takes a master over, whoever opened it. Sets `O_NONBLOCK`, which every copy of the descriptor shares. Needs the tokio
    /// runtime's context.
    pub(crate) fn adopt(descriptor: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        let (settings, window) = (tcgetattr(&descriptor)?, tcgetwinsize(&descriptor)?);
        Ok(Self {
            descriptor: super::poll(descriptor, Interest::READABLE)?,
            full: OnceLock::new(),
            settings,
            window,
        })
    }

    /// Puts the terminal's flags, special characters and window back to what they were when it was adopted, at once: a
    /// program that ended may have left it raw (`stty raw`, a killed editor). Queued bytes stay. What lies with the programs'
    /// own descriptors, `O_NONBLOCK` for one, is out of a master's reach.
    pub(crate) fn restore(&self) -> io::Result<()> {
        tcsetattr(self.as_fd(), OptionalActions::Now, &self.settings)?;
        Ok(tcsetwinsize(self.as_fd(), self.window)?)
    }

    /// Waits until [`Master::try_read`] may find something.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.descriptor.readable().await?.retain_ready();
        Ok(())
    }

    /// Reads what is there, up to the buffer's length: 4,095 bytes at a time on Linux as a rule. `Ok(None)`: nothing now.
    /// `Ok(Some(0))` is the end: nobody has the terminal open any more (`EIO` on Linux), though the child may live on. It
    /// stays at its end then.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let (mut read, room) = (None, buffer.len());
        let outcome = self.descriptor.try_io(Interest::READABLE, |descriptor| {
            let count = match rustix::io::read(descriptor, &mut *buffer) {
                Err(Errno::IO) => 0,
                result => result?,
            };
            read = Some(count);
            // The registration is edge-triggered, and its readiness is taken back on EAGAIN. A read that leaves room has taken
            // all there was (`n_tty_read` goes on until its queue is empty), and what comes next is a new event: a few bytes
            // count as EAGAIN, which saves a read a command. After many there are more already, as a rule.
            if (1..BULK.min(room)).contains(&count) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match (read, outcome) {
            (Some(count), _) => Ok(Some(count)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            (None, _) => Ok(None),
        }
    }

    /// Writes what the terminal takes now, at least one byte of a text that has any; the rest is for the next call. Waits
    /// while the program does not read its input: Linux queues about 4 KB of it. Fails with `BrokenPipe` once that queue is
    /// full and nobody has the terminal open any more.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let full = if let Some(full) = self.full.get() {
            full
        } else {
            match rustix::io::write(self, bytes) {
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
            let copy = self.descriptor.get_ref().try_clone()?;
            let copy = super::poll(copy, Interest::WRITABLE)?;
            self.full.get_or_init(|| copy)
        };
        loop {
            let mut guard = full.writable().await?;
            let nobody_reads = guard.ready().is_write_closed();
            if let Ok(result) = guard.try_io(|descriptor| Ok(rustix::io::write(descriptor, bytes)?))
            {
                return result;
            }
            // Linux says EAGAIN for ever then, and the readiness of a closed end is never cleared: this would spin.
            if nobody_reads {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }

    /// The process group that owns the terminal now: a shell's job, where the shell has job control.
    pub(super) fn foreground(&self) -> Option<Pid> {
        // None too when the terminal's session has ended, or the group (ENOTTY, or 0, which is no id).
        rustix::termios::tcgetpgrp(self.as_fd()).ok()
    }
}

impl AsFd for Master {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.get_ref().as_fd()
    }
}

#[cfg(test)]
impl Master {
    /// Waits for what comes next, and reads it.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.readable().await?;
            if let Some(count) = self.try_read(buffer)? {
                return Ok(count);
            }
        }
    }
}
