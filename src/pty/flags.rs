//! [`TerminalFlags`]: a terminal's window and the few termios flags that decide how lines travel through it.

use std::io;
use std::os::fd::BorrowedFd;

use portable_pty::PtySize;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Winsize, tcgetattr,
    tcsetattr, tcsetwinsize,
};

/// How a terminal is set up. `OPOST` and `ONLCR` are always on: output lines end with `\r\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TerminalFlags {
    /// The window's width in characters.
    pub(crate) columns: u16,
    /// The window's height in lines.
    pub(crate) rows: u16,
    /// `ECHO` and its kin.
    pub(crate) echo: bool,
    /// `ICANON`. With it Linux cuts a line at 4,095 bytes, silently. Without it a read gives what is there, at least one byte.
    pub(crate) canonical: bool,
    /// `ICRNL`.
    pub(crate) map_cr_to_lf: bool,
    /// `ISIG`: byte 3 becomes SIGINT for the terminal's foreground group.
    pub(crate) signals: bool,
    /// The opposite of `NOFLSH`: whether SIGINT throws queued input and output away.
    pub(crate) flush_on_signal: bool,
}

const ECHO_AND_KIN: LocalModes = LocalModes::ECHO
    .union(LocalModes::ECHOE)
    .union(LocalModes::ECHOK)
    .union(LocalModes::ECHOCTL)
    .union(LocalModes::ECHOKE);

impl TerminalFlags {
    /// Sets a terminal up, by its master or its slave: on Linux the master's ioctls act on the slave. At once, without
    /// waiting for queued output and without dropping queued input.
    pub(super) fn apply(&self, terminal: BorrowedFd<'_>) -> io::Result<()> {
        self.apply_modes(terminal)?;
        set_size(terminal, self.size())
    }

    /// The flags without the window.
    pub(super) fn apply_modes(&self, terminal: BorrowedFd<'_>) -> io::Result<()> {
        let mut termios = tcgetattr(terminal)?;
        termios
            .output_modes
            .insert(OutputModes::OPOST | OutputModes::ONLCR);
        termios
            .input_modes
            .set(InputModes::ICRNL, self.map_cr_to_lf);
        let local = &mut termios.local_modes;
        local.remove(LocalModes::ECHONL | LocalModes::ECHOPRT);
        local.set(ECHO_AND_KIN, self.echo);
        local.set(LocalModes::ICANON, self.canonical);
        local.set(LocalModes::ISIG, self.signals);
        local.set(LocalModes::NOFLSH, !self.flush_on_signal);
        if !self.canonical {
            termios.special_codes[SpecialCodeIndex::VMIN] = 1;
            termios.special_codes[SpecialCodeIndex::VTIME] = 0;
        }
        Ok(tcsetattr(terminal, OptionalActions::Now, &termios)?)
    }

    /// The window.
    pub(crate) fn size(&self) -> PtySize {
        PtySize {
            rows: self.rows,
            cols: self.columns,
            pixel_width: 0,
            pixel_height: 0,
        }
    }
}

/// Sets the window; the foreground group gets SIGWINCH if it changed.
pub(super) fn set_size(terminal: BorrowedFd<'_>, size: PtySize) -> io::Result<()> {
    let window = Winsize {
        ws_row: size.rows,
        ws_col: size.cols,
        ws_xpixel: size.pixel_width,
        ws_ypixel: size.pixel_height,
    };
    Ok(tcsetwinsize(terminal, window)?)
}
