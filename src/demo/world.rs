//! [`World`]: the terminal, the clock and Ctrl-C as the stand-in sees them, so that a recording can be played to it in no
//! time. Nothing here knows what is written or read.

use std::time::Duration;

/// What can happen while the stand-in waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happening {
    /// Bytes were typed.
    Typed(Vec<u8>),
    /// Ctrl-C: SIGINT came.
    Interrupt,
    /// The time came that it waited for.
    TimeUp,
    /// The terminal has ended; nothing will happen any more.
    Gone,
}

/// The terminal has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A terminal with a clock.
pub(crate) trait World {
    /// Time since the start. It never goes back.
    fn now(&self) -> Duration;

    /// Writes all of `bytes`; returns when the terminal took them.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone>;

    /// Waits for what happens next, at most until `until`. A time that has passed asks for what is there already.
    fn next(&mut self, until: Option<Duration>) -> Happening;
}
