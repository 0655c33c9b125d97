//! Old tools that sign in and out, and tell of sessions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::OldArgs;
use super::text;
use crate::api::{Offers, PastSession, Session};
use crate::client::Client;
use crate::mcp::args::SessionArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::Refusal;
use crate::mcp::verbs;

/// The session that is meant.
pub(super) async fn which(client: &Client, args: &OldArgs) -> Result<SessionArgs, Refusal> {
    let (Some(named), Some(module)) = (args.named(), &args.module) else {
        return Err(Refusal::new(
            "connection and module are required",
            "call again with both",
        ));
    };
    Ok(SessionArgs {
        connection: resolved(&client.offers().await?, named),
        module: module.clone(),
    })
}

/// The connection of this name, or the only one with this tenant; else the name as it is, which the daemon refuses with
/// what it knows.
fn resolved(offers: &Offers, named: &str) -> String {
    let all = &offers.connections;
    if all.iter().any(|one| one.name.as_str() == named) {
        return named.to_owned();
    }
    let same = |text: &str| text.eq_ignore_ascii_case(named);
    let mut found = all.iter().filter(|one| {
        same(one.name.as_str()) || same(&one.tenant) || one.tenant_id.as_deref().is_some_and(same)
    });
    match (found.next(), found.next()) {
        (Some(only), None) => only.name.to_string(),
        _ => named.to_owned(),
    }
}

/// `pwsh_login`.
pub(super) async fn login(call: &Call, client: &Client, args: &OldArgs) -> Result<String, Refusal> {
    let session = which(client, args).await?;
    let session = verbs::begin_sign_in(call, client, session).await?;
    Ok(text::pending(&session))
}

/// `pwsh_status`.
pub(super) async fn status(client: &Client, args: &OldArgs) -> Result<String, Refusal> {
    let key = which(client, args).await?;
    let found = client
        .sessions(Some(&key.connection), Some(&key.module))
        .await?;
    let connected = found.first().is_some_and(Session::signed_in);
    let pending = found.first().is_some_and(|one| one.challenge.is_some());
    Ok(json!({
        "success": true,
        "tenant": key.connection,
        "module": key.module,
        "connected": connected,
        "auth_pending": pending,
    })
    .to_string())
}

/// `mm_disconnect` and `pwsh_disconnect`.
pub(super) async fn disconnect(client: &Client, args: &OldArgs) -> Result<String, Refusal> {
    let session = which(client, args).await?;
    let key = verbs::sign_out(client, session).await?;
    Ok(format!("Disconnected {key}"))
}

/// `pwsh_session_history`.
pub(super) async fn history(client: &Client, args: &OldArgs) -> Result<String, Refusal> {
    let connection = match args.named() {
        Some(named) => Some(resolved(&client.offers().await?, named)),
        None => None,
    };
    let past = client
        .past_sessions(connection.as_deref(), args.module.as_deref())
        .await?;
    let mut events: Vec<(Timestamp, Value)> = past.iter().flat_map(events).collect();
    if let Some(wanted) = args.event.as_deref().filter(|event| !event.is_empty()) {
        events.retain(|(_, event)| event["event"] == wanted);
    }
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    events.truncate(usize::try_from(args.limit.0).unwrap_or(usize::MAX));
    let events: Vec<Value> = events.into_iter().map(|(_, event)| event).collect();
    Ok(json!({"count": events.len(), "events": events}).to_string())
}

/// What happened to a session, under the names of the old log.
fn events(past: &PastSession) -> Vec<(Timestamp, Value)> {
    let event = |at: Timestamp, name: &str, details: Option<&str>| {
        let event = json!({
            "type": "session_event",
            "event": name,
            "tenant": past.connection,
            "module": past.module,
            "details": details,
            "logged_at": at,
        });
        (at, event)
    };
    let ended = |at| event(at, "session_disconnected", past.reason.as_deref());
    let signed_in = |at| event(at, "authenticated", past.account.as_deref());
    [
        past.ended_at.map(ended),
        past.signed_in_at.map(signed_in),
        Some(event(past.started_at, "session_start", None)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_names_its_only_connection() {
        let offers: Offers = serde_json::from_value(json!({"connections": [
            {"name": "Contoso", "tenant": "contoso.com", "tenant_id": "aaaa"},
            {"name": "One", "tenant": "shared.com"},
            {"name": "Two", "tenant": "shared.com"},
        ]}))
        .expect("it is a list");
        for named in ["Contoso", "contoso", "CONTOSO.com", "AAAA"] {
            assert_eq!(resolved(&offers, named), "Contoso");
        }
        assert_eq!(resolved(&offers, "shared.com"), "shared.com");
    }

    #[test]
    fn a_past_session_is_up_to_three_events() {
        let past = |change: Value| -> PastSession {
            let mut past = json!({"connection": "Contoso", "module": "exo",
                "started_at": "2026-01-02T03:04:05Z"});
            let fields = past.as_object_mut().expect("it is an object");
            fields.extend(change.as_object().expect("it is an object").clone());
            serde_json::from_value(past).expect("it is a session")
        };
        let names = |past: &PastSession| -> Vec<String> {
            let name = |(_, event): (_, Value)| event["event"].to_string();
            events(past).into_iter().map(name).collect()
        };
        assert_eq!(names(&past(json!({}))), ["\"session_start\""]);
        let whole = past(
            json!({"signed_in_at": "2026-01-02T03:05:05Z", "account": "ada@contoso.com",
            "ended_at": "2026-01-02T04:04:05Z", "reason": "it was asked to"}),
        );
        assert_eq!(names(&whole).len(), 3);
        assert_eq!(events(&whole)[0].1["details"], "it was asked to");
    }
}
