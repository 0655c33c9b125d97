//! [`Prompt`]: one line read from the terminal itself, whatever standard input is, and given up at any moment.
//!
//! A blocking read in a thread would outlive a question that somebody else answers, and leave a hidden prompt's terminal
//! without its echo; this one is polled.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use zeroize::Zeroizing;

use super::error::CliError;
use super::output::Screen;
use crate::secret::Secret;

/// A line being read. Dropping it gives the terminal its echo back; what was typed and not finished stays there.
#[derive(Debug)]
pub(crate) struct Prompt {
    terminal: AsyncFd<OwnedFd>,
    /// The terminal as it was, where it was changed.
    before: Option<Termios>,
    line: Zeroizing<Vec<u8>>,
}

impl Prompt {
    /// Opens the controlling terminal; fails where there is none. `hidden` turns the echo off.
    pub(crate) fn open(hidden: bool) -> io::Result<Self> {
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open("/dev/tty")?;
        let before = if hidden {
            let before = tcgetattr(&terminal)?;
            let mut without = before.clone();
            without.local_modes.remove(LocalModes::ECHO);
            without.local_modes.insert(LocalModes::ECHONL);
            // What was typed before the prompt is thrown away: it was not meant as a secret.
            tcsetattr(&terminal, OptionalActions::Flush, &without)?;
            Some(before)
        } else {
            None
        };
        Ok(Self {
            terminal: crate::pty::poll(terminal.into(), Interest::READABLE)?,
            before,
            line: Zeroizing::new(Vec::new()),
        })
    }

    /// Opens the terminal for a yes; `help` says where else one is typed.
    pub(crate) fn for_a_yes(help: impl Into<String>) -> Result<Self, CliError> {
        Self::open(false).map_err(|_no_terminal| {
            let message = "a yes is typed at a terminal, and this process has none";
            CliError::usage(message, help)
        })
    }

    /// Asks, and reads the [`line`](Self::line) that is typed.
    pub(crate) async fn ask(
        &mut self,
        question: &str,
        screen: &mut Screen,
    ) -> Result<Option<Secret>, CliError> {
        screen.ask(question);
        let typed = self.line().await.map_err(|source| CliError::Io {
            what: "the answer cannot be read".to_owned(),
            source,
        })?;
        screen.line_ended_by_typing();
        Ok(typed)
    }

    /// Whether what is typed is hidden.
    pub(crate) fn is_hidden(&self) -> bool {
        self.before.is_some()
    }

    /// The line, without its end; `None` at the end of input (Ctrl-D). Cancel safe.
    pub(crate) async fn line(&mut self) -> io::Result<Option<Secret>> {
        loop {
            let mut ready = self.terminal.readable().await?;
            let mut piece = Zeroizing::new([0_u8; 4096]);
            match ready.try_io(|terminal| Ok(rustix::io::read(terminal.get_ref(), piece.as_mut())?))
            {
                Ok(Ok(0)) => return Ok(None),
                Ok(Ok(length)) => self.line.extend_from_slice(&piece[..length]),
                Ok(Err(error)) => return Err(error),
                Err(_not_ready) => continue,
            }
            if let Some(end) = memchr::memchr(b'\n', &self.line) {
                let text = std::str::from_utf8(&self.line[..end])
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
                return Ok(Some(Secret::new(text)));
            }
        }
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(self.terminal.get_ref(), OptionalActions::Now, before);
        }
    }
}
