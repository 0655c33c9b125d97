//! `mm` keeps signed-in Microsoft 365 command sessions alive.
pub mod cli;
mod config;
mod connection;
mod logging;
mod name;
mod recording;
mod script;
mod secret;
mod store;
