//! Resources: sessions and outputs under an address, for clients that let a person mention them. A model's own way are the
//! tools.

use rmcp::ErrorData;
use rmcp::model::{CacheScope, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use super::args::Part;
use super::call::Call;
use super::excerpt::{Source, all, excerpt};
use super::reply::Refusal;
use super::verbs::default_shape;
use crate::api::{ErrorCode, Mode, Session};
use crate::client::ClientError;

/// All sessions.
const SESSIONS: &str = "m365://sessions";

/// Before a run's id in the address of its output.
const RUNS: &str = "m365://runs/";

/// Characters of an output that are shown; `output` shows the rest.
const OUTPUT_CHARS: usize = 45_000;

/// What there is at this moment.
pub(super) async fn list(call: &Call) -> Result<Vec<Resource>, ErrorData> {
    let sessions = async { Ok::<_, Refusal>(call.client().await?.sessions(None, None).await?) };
    let sessions = sessions.await.map_err(broken)?;
    let mut resources = vec![
        Resource::new(SESSIONS, "sessions")
            .with_title("Microsoft 365 sessions")
            .with_mime_type("application/json"),
    ];
    resources.extend(sessions.iter().map(|session| {
        let name = format!("{}/{}", session.connection, session.module);
        Resource::new(address(session), name).with_mime_type("application/json")
    }));
    Ok(resources)
}

/// The forms of the addresses that are not listed.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("m365://sessions/{connection}/{module}", "session")
            .with_title("A Microsoft 365 session")
            .with_mime_type("application/json"),
        ResourceTemplate::new("m365://runs/{run_id}/output", "output")
            .with_title("What a run has written")
            .with_mime_type("text/plain"),
    ]
}

/// What stands at an address.
pub(super) async fn read(call: &Call, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let found = found(call, uri).await.map_err(broken)?;
    let Some((text, kind)) = found else {
        let data = json!({"uri": uri});
        return Err(ErrorData::resource_not_found(
            "there is no such resource",
            Some(data),
        ));
    };
    let contents = ResourceContents::text(text, uri).with_mime_type(kind);
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(0)
        .with_cache_scope(CacheScope::Private))
}

async fn found(call: &Call, uri: &str) -> Result<Option<(String, &'static str)>, Refusal> {
    const JSON: &str = "application/json";
    let client = call.client().await?;
    if let Some(id) = uri
        .strip_prefix(RUNS)
        .and_then(|rest| rest.strip_suffix("/output"))
    {
        let run = match client.show(id).await {
            Err(ClientError::Api(error)) if error.code == ErrorCode::UnknownRun => return Ok(None),
            other => other?,
        };
        let made = match run.mode {
            Mode::Text => None,
            Mode::Records => Some(default_shape(&run).show(&all(&client, &run).await?)),
        };
        let source = match &made {
            Some(made) => Source::Made(made),
            None => Source::Kept {
                client: &client,
                run: &run,
            },
        };
        let page = excerpt(&source, None, Part::HeadAndTail, OUTPUT_CHARS).await?;
        return Ok(Some((page.body, "text/plain")));
    }
    let sessions = client.sessions(None, None).await?;
    if uri == SESSIONS {
        return Ok(Some((json!({"sessions": sessions}).to_string(), JSON)));
    }
    let session = sessions.iter().find(|session| address(session) == uri);
    Ok(session.map(|session| (json!(session).to_string(), JSON)))
}

fn broken(refusal: Refusal) -> ErrorData {
    let next = json!({"next": Value::from(refusal.next())});
    ErrorData::internal_error(refusal.message().to_owned(), Some(next))
}

/// A session's address; a connection's name may have any characters (RFC 3986).
fn address(session: &Session) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in session.connection.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            write!(name, "%{byte:02X}").expect("a string takes everything");
        }
    }
    format!("{SESSIONS}/{name}/{}", session.module)
}
