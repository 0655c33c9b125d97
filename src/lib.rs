//! `mm` keeps signed-in Microsoft 365 command sessions alive.

pub mod cli;
mod api;
mod client;
mod config;
mod connection;
mod daemon;
mod demo;
mod expect;
mod http;
mod logging;
mod name;
mod output;
mod pty;
mod recording;
mod replay;
mod script;
mod secret;
mod session;
mod spec;
mod store;
