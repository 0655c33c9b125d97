//! `mm` keeps signed-in Microsoft 365 command sessions alive.

pub mod cli;
mod config;
mod connection;
mod daemon;
mod expect;
mod logging;
mod name;
mod output;
mod pty;
mod recording;
mod script;
mod secret;
mod session;
mod spec;
mod store;
