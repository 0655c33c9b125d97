//! The old programs' texts.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::api::{Offers, Session};
use crate::mcp::{clean, tell};

/// What a person is shown for a sign-in, or how it stands where there is no code. `tool`: the text's line that says what
/// the sign-in is for.
pub(super) fn device_code(session: &Session, tool: &str) -> String {
    let Some(challenge) = &session.challenge else {
        if session.signed_in() {
            return "Authenticated. Retry the command.".to_owned();
        }
        return match &session.failure {
            Some(failure) if failure.name == "wrong-account" => {
                "WARNING: Authenticated with wrong account. Re-authentication required.".to_owned()
            }
            Some(failure) => format!("Error: {}", clean::line(&failure.message, 1_000)),
            None => "Auth in progress by another caller. Retry in a few seconds.".to_owned(),
        };
    };
    let account = match &challenge.expected_account {
        Some(account) => format!("**Sign in as: {}**\n", clean::line(account, 200)),
        None => String::new(),
    };
    format!(
        "**DEVICE CODE: {}**\nGo to: {}\n\nConnection: {}\n{account}{tool}\n\nAfter authenticating, retry the command.",
        clean::line(&challenge.user_code, 80),
        clean::line(&challenge.verification_uri, 300),
        session.connection,
    )
}

/// The line of a sign-in that a module's command needs.
pub(super) fn module(session: &Session) -> String {
    format!("Module: {}", session.module)
}

/// A sign-in as `pwsh_login` told of it.
pub(super) fn pending(session: &Session) -> String {
    let challenge = session.challenge.as_ref();
    json!({
        "success": session.signed_in() || challenge.is_some(),
        "result": device_code(session, &module(session)),
        "auth_pending": challenge.is_some(),
        "device_code": challenge.map(|challenge| &challenge.user_code),
        "auth_url": challenge.map(|challenge| &challenge.verification_uri),
    })
    .to_string()
}

/// The connections, for a person to choose from.
pub(super) fn available(offers: &Offers) -> String {
    let mut text = "**Available Connections:**".to_owned();
    for one in &offers.connections {
        let description = one.description.as_deref().unwrap_or(&one.tenant);
        let description = clean::line(description, 300);
        write!(text, "\n- **{}**: {description}", one.name).expect("a string takes everything");
    }
    text
}

/// The connections as `pwsh_list_connections` listed them.
pub(super) fn connections(offers: &Offers) -> String {
    let connections: Vec<Value> = offers
        .connections
        .iter()
        .map(|one| json!({"name": one.name, "tenant": one.tenant, "description": one.description}))
        .collect();
    json!({"connections": connections}).to_string()
}

/// The sessions, for people.
pub(super) fn table(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "No active sessions.".to_owned();
    }
    let told: Vec<String> = sessions.iter().map(tell::session).collect();
    told.join("\n")
}

/// A session as `pwsh_sessions` listed it.
pub(super) fn session(session: &Session) -> Value {
    json!({
        "tenant": session.connection,
        "module": session.module,
        "authenticated": session.signed_in(),
        "auth_pending": session.challenge.is_some(),
        "connected": session.signed_in(),
    })
}
