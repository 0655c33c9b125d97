//! Door two: an MCP server for AI assistants, and a client of the daemon like any other. It holds no state of its own: what
//! a call needs to know is in its arguments, so that a new process may serve each call.
//!
//! `server` answers the protocol, `tools` is the list that clients see, `verbs/` has a file for each tool. What a tenant said
//! is data: it goes out between fences, after our own words, and never into a description, an instruction or an error's
//! template. The types of the protocol's library stay in this room.

mod address;
mod approval;
mod args;
mod ask;
mod call;
mod check;
mod clean;
mod complete;
mod excerpt;
mod follow;
mod legacy;
mod prompt;
mod reply;
mod resources;
mod schema;
mod server;
mod shape;
mod snippet;
mod stdio;
mod subscriptions;
mod tell;
mod tools;
mod verbs;

pub(crate) use check::check;
pub(crate) use legacy::Legacy;
pub(crate) use server::{Options, server};
pub(crate) use snippet::{Client as ConfiguredClient, Started, snippet};
pub(crate) use stdio::serve;
