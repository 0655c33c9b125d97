//! `mm` keeps signed-in Microsoft 365 command sessions alive.
pub mod cli;
mod name;
mod script;
mod secret;
mod spec;
