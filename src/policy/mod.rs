//! What a command does: judged by its parsed form, never by a pattern over its text.
//!
//! A text is parsed by its shell's grammar into what it runs ([`parse_powershell`], [`parse_bash`]); rules out of the module
//! files say what that does ([`judge`]). Nothing here knows a session, a daemon or a file.

mod bash;
mod dotnet;
mod judge;
mod literal;
mod parsed;
mod powershell;
mod sound;
#[cfg(test)]
mod tests;
mod tree;
mod written;

pub(crate) use bash::parse as parse_bash;
pub(crate) use judge::{Finding, Judgement, judge};
pub(crate) use parsed::Parsed;
pub(crate) use powershell::parse as parse_powershell;
