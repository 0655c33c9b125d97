//! What a command does: judged by its parsed form, never by a pattern over its text.
//!
//! A text is parsed by its shell's grammar into what it runs ([`parse`]); rules out of the module files say what that does
//! ([`judge()`]), and its connection says whether it may ([`Allowance`]). Nothing here knows a session, a daemon or a file.

mod bash;
mod decide;
mod dotnet;
mod judge;
mod literal;
mod local;
mod lookup;
mod own_files;
mod parsed;
mod places;
mod powershell;
mod read;
mod request;
mod sound;
#[cfg(test)]
mod tests;
mod tools;
mod tree;
mod what_if;
mod written;

pub(crate) use crate::connection::{Verdict, Who};
pub(crate) use decide::{Allowance, Decision};
pub(crate) use judge::{Finding, Judgement, judge};
pub(crate) use lookup::Lookup;
pub(crate) use parsed::Parsed;
pub(crate) use read::parse;
pub(crate) use what_if::{NoWhatIf, WhatIf, what_if};
