//! `mm` keeps signed-in Microsoft 365 command sessions alive.
mod api;
pub mod cli;
mod client;
mod daemon;
mod http;
mod name;
mod script;
mod secret;
