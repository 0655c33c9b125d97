//! Serves the MCP server over HTTP on a free loopback port, for test suites that speak nothing else.
//!
//! `mcp-over-http SOCKET STATE_DIR` prints the address and serves until it is killed. The daemon has to run already
//! (`mm daemon start`). There is no authentication: the address is for the suite that was started beside it.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

/// The ends of loopback, as a `Host` says them.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(socket), Some(state_dir), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err(io::Error::other("usage: mcp-over-http SOCKET STATE_DIR"));
    };
    let origins = HOSTS.map(|host| format!("http://{host}:*"));
    let service = StreamableHttpService::new(
        move || Ok(mm::conformance::server(socket.clone(), state_dir.clone())),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_allowed_hosts(HOSTS)
            .with_allowed_origins(origins),
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout(), "http://{}/mcp", listener.local_addr()?)?;
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await
}
