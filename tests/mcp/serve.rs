//! Serves the MCP server over HTTP on a free loopback port, for test suites that speak nothing else.
//!
//! `mcp-over-http SOCKET STATE_DIR` prints the address and serves until it is killed. The daemon has to run already
//! (`mm daemon start`), signed in to `Contoso/exo` and `Asks/exo`. There is no authentication: the address is for the suite that was
//! started beside it.
//!
//! The official suite calls tools, prompts and resources of an example server by their names. Where this server has
//! something of the same kind, [`OURS`] has it called instead, and its own answer is judged.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The ends of loopback, as a `Host` says them.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Larger requests are the suite's tries to be refused, which is the transport's business.
const MOST: usize = 1 << 20;

/// A command that waits for a person's yes, which the suite's form may give.
const ASKS: &str = r#"{"connection":"Asks","module":"exo","command":"Set-Mailbox user1@contoso.com -DisplayName x"}"#;

/// What the example server calls something, what this one calls it, and with which arguments; `null` keeps those that are
/// there.
const OURS: [(&str, &str, &str); 10] = [
    ("test_simple_text", "connections", "{}"),
    ("test_error_handling", "wait", "{}"),
    (
        "test_tool_with_progress",
        "run",
        r#"{"connection":"Contoso","module":"exo","command":"Start-Sleep 7"}"#,
    ),
    ("test_input_required_result_elicitation", "run", ASKS),
    ("test_input_required_result_request_state", "run", ASKS),
    ("test_input_required_result_tampered_state", "run", ASKS),
    ("test_simple_prompt", "connect", "{}"),
    (
        "test_prompt_with_arguments",
        "connect",
        r#"{"connection":"testValue1","module":"testValue2"}"#,
    ),
    ("test://static-text", "m365://sessions", "null"),
    ("test://watched-resource", "m365://sessions", "null"),
];

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
    let router = axum::Router::new().nest_service("/mcp", service);
    axum::serve(listener, router.layer(from_fn(renamed))).await
}

/// Passes a request on, with our names in it. What is no JSON is passed on as it is.
async fn renamed(request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut bytes = bytes.to_vec();
    if let Ok(mut message) = serde_json::from_slice::<Value>(&bytes)
        && let Some(ours) = rename(&mut message)
    {
        bytes = message.to_string().into_bytes();
        head.headers
            .insert(header::CONTENT_LENGTH, bytes.len().into());
        // It has to name what the body names.
        if let Some(name) = head.headers.get_mut("mcp-name") {
            *name = HeaderValue::from_static(ours);
        }
    }
    next.run(Request::from_parts(head, Body::from(bytes))).await
}

/// Our name, where the message has one of the suite's.
fn rename(message: &mut Value) -> Option<&'static str> {
    let params = message.get_mut("params")?;
    let place = ["/name", "/uri", "/ref/name"]
        .into_iter()
        .find(|place| params.pointer(place).is_some_and(Value::is_string))?;
    let name = params.pointer_mut(place)?;
    let (_, ours, arguments) = OURS.iter().find(|(theirs, ..)| *name == *theirs)?;
    *name = json!(ours);
    let arguments: Value = serde_json::from_str(arguments).expect("it is JSON");
    if !arguments.is_null() {
        params["arguments"] = arguments;
    }
    Some(ours)
}
