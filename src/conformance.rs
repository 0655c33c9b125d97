//! The MCP server for a test program that carries it over loopback HTTP: the protocol's own test suite speaks nothing else.
//! Hidden because nobody else may lean on it. It is the server of `mm mcp` itself, without the pipe; it finds the daemon the
//! same way, but cannot start one, because a daemon is started from the running program and that is not `mm` here.

use std::path::PathBuf;

use rmcp::ServerHandler;

use crate::client::Place;
use crate::mcp;

/// A server for one client, of the daemon at `socket`, which keeps its things in `state_dir`; both absolute.
pub fn server(socket: PathBuf, state_dir: PathBuf) -> impl ServerHandler {
    mcp::server(Place { socket, state_dir }, mcp::Options::default())
}
