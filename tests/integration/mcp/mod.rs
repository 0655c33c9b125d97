//! `mm mcp` over its standard input and output: every tool and every error as a client sees them, in both eras of the
//! protocol, and what becomes of runs and sign-ins when clients leave.

mod approvals;
pub(crate) mod client;
mod daemon;
mod leaving;
mod legacy;
mod many;
mod mcps;
pub(crate) mod raw;
mod resources;
mod sign_in;
mod sign_out;
mod story;
mod subscriptions;
mod wire;
mod words;
