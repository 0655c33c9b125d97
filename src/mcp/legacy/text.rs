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

#[cfg(test)]
mod tests {
    use super::*;

    fn a_session(state: &str, more: Value) -> Session {
        let mut session = json!({"connection": "Contoso", "module": "exo", "state": state,
            "since": "2026-01-02T03:04:05Z"});
        let fields = session.as_object_mut().expect("it is an object");
        fields.extend(more.as_object().expect("it is an object").clone());
        serde_json::from_value(session).expect("it is a session")
    }

    #[test]
    fn a_sign_in_without_a_code_is_told_in_the_old_words() {
        let failed = |name: &str| {
            json!({"failure": {"name": name, "message": "AADSTS50126: no", "advice": "",
                "at": "2026-01-02T03:04:05Z"}})
        };
        for (session, said) in [
            (
                a_session("ready", json!({"signed_in_at": "2026-01-02T03:04:05Z"})),
                "Authenticated. Retry the command.",
            ),
            (
                a_session("signed_out", failed("wrong-account")),
                "WARNING: Authenticated with wrong account. Re-authentication required.",
            ),
            (
                a_session("signed_out", failed("bad-credentials")),
                "Error: AADSTS50126: no",
            ),
            (
                a_session("proving", json!({})),
                "Auth in progress by another caller. Retry in a few seconds.",
            ),
        ] {
            assert_eq!(device_code(&session, "Module: exo"), said);
        }
    }

    #[test]
    fn a_code_stands_in_the_old_lines() {
        let session = a_session(
            "signing_in",
            json!({"challenge": {"user_code": "ABC123", "verification_uri": "https://x.example/device",
                "expires_in": 900, "expected_account": "ada@contoso.com"}}),
        );
        let said = "**DEVICE CODE: ABC123**\nGo to: https://x.example/device\n\nConnection: Contoso\n\
            **Sign in as: ada@contoso.com**\nTool: Graph API\n\nAfter authenticating, retry the command.";
        assert_eq!(device_code(&session, "Tool: Graph API"), said);
        let pending: Value = serde_json::from_str(&pending(&session)).expect("it is JSON");
        assert_eq!(
            [&pending["success"], &pending["auth_pending"]],
            [&json!(true), &json!(true)]
        );
        assert_eq!(pending["device_code"], "ABC123");
        assert_eq!(pending["auth_url"], "https://x.example/device");
    }

    #[test]
    fn no_session_is_said_so() {
        assert_eq!(table(&[]), "No active sessions.");
    }
}
