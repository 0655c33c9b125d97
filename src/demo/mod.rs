//! The stand-in tenant: a program that behaves on its terminal as `pwsh` does with our bootstrap, from a scenario file. It
//! is what people try `mm` with before they have a tenant, and what tests sign in to.
//!
//! Its behaviour is checked against the recordings of the real one, byte for byte. Nothing here knows the machine that
//! drives it: both only know `pwsh-pty.md`.

mod ask;
mod builtin;
mod catalog;
mod command;
mod console;
mod format;
mod holes;
mod host;
mod output;
mod play;
mod record;
mod scenario;
mod stand_in;
mod terminal;
mod world;

#[cfg(test)]
mod recordings;

pub(crate) use stand_in::stand_in;
