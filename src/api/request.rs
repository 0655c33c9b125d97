//! What clients ask for. Unknown fields are refused: a misspelt `on_disconnect` must not become its default. So a field that
//! is younger than the verb is only sent where it says something: an older daemon takes the rest.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

/// How a command's output comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// As the program formats it for people.
    #[default]
    Text,
    /// JSON lines: `{"stream":"output","value":…}`.
    Records,
}

/// What becomes of a run when whoever asked goes away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnDisconnect {
    #[default]
    Keep,
    Stop,
}

/// What to do when a command asks a question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnQuestion {
    /// Wait for an answer (`POST /v1/runs/{id}/answer`), for as long as the run may take.
    Ask,
    /// Stop the run and say what it asked. What a program gets that does not say that it can answer.
    #[default]
    Fail,
}

/// What to do when the session is not signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnSignedOut {
    #[default]
    SignIn,
    Refuse,
}

/// `POST /v1/runs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// As a person types it.
    pub(crate) connection: String,
    /// A module's name or alias.
    pub(crate) module: String,
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Depth of nested objects in records mode; 1 to 99.
    #[serde(default = "RunRequest::default_depth")]
    pub(crate) depth: u8,
    /// From the moment the command starts in its session; absent: no limit.
    #[serde(default)]
    pub(crate) timeout_ms: Option<u64>,
    #[serde(default)]
    pub(crate) on_disconnect: OnDisconnect,
    #[serde(default)]
    pub(crate) on_question: OnQuestion,
    #[serde(default)]
    pub(crate) on_signed_out: OnSignedOut,
    /// Refuse a program's command where somebody would have to say yes first, instead of waiting for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) refuse_if_asked: bool,
    /// Where the daemon writes a redacted recording; absolute.
    #[serde(default)]
    pub(crate) record: Option<PathBuf>,
    /// Whether it is refused where it may do more than read, whatever its connection allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) only_reads: bool,
    /// Whether it is only to say what it would do: `-WhatIf` is added to its one command that does more than read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) what_if: bool,
    /// Why, in the caller's words: shown to whoever approves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The number of a ticket that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    /// Who asks, for lists: a short word. `cli` is a person if its process has a terminal; all others are programs.
    #[serde(default = "default_client")]
    pub(crate) client: String,
    /// `true`: the response is a stream that ends with the run. `false`: the run as it was accepted.
    #[serde(default = "RunRequest::default_wait")]
    pub(crate) wait: bool,
}

/// What a request is from that does not say it.
pub(super) fn default_client() -> String {
    "http".to_owned()
}

impl RunRequest {
    /// With every field that has a default at its default.
    pub(crate) fn new(
        connection: impl Into<String>,
        module: impl Into<String>,
        command: impl Into<String>,
    ) -> Self {
        Self {
            connection: connection.into(),
            module: module.into(),
            command: command.into(),
            mode: Mode::default(),
            depth: Self::DEPTH,
            timeout_ms: None,
            on_disconnect: OnDisconnect::default(),
            on_question: OnQuestion::default(),
            on_signed_out: OnSignedOut::default(),
            refuse_if_asked: false,
            record: None,
            only_reads: false,
            what_if: false,
            reason: None,
            ticket: None,
            client: default_client(),
            wait: Self::default_wait(),
        }
    }

    /// One `FileInfo` is 31 KB of JSON at depth 2 and 2 MB at depth 4 (`pwsh-pty.md`).
    pub(crate) const DEPTH: u8 = 2;

    fn default_depth() -> u8 {
        Self::DEPTH
    }

    fn default_wait() -> bool {
        true
    }
}

/// `POST /v1/sessions/login`: starts the sign-in; answered at once with the session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    pub(crate) connection: String,
    pub(crate) module: String,
    /// The way in to take instead of the connection's or the module's preferred one; it counts where a sign-in begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<String>,
    /// Whether the identity that was pinned at an earlier sign-in is forgotten.
    #[serde(default)]
    pub(crate) forget_identity: bool,
    /// Where the daemon writes a redacted recording of the sign-in; absolute. Refused where the sign-in has begun already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<PathBuf>,
}

/// `POST /v1/sessions/watch`: as [`LoginRequest`], answered with a stream that ends when the sign-in has.
pub(crate) type WatchRequest = LoginRequest;

/// `POST /v1/sessions/disconnect`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisconnectRequest {
    pub(crate) connection: String,
    pub(crate) module: String,
    /// Ends the program at once.
    #[serde(default)]
    pub(crate) force: bool,
    /// Not where a run is in the session or waits for it; then nothing happens, and the error is `in_use`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unless_used: bool,
}

/// `POST /v1/runs/{id}/answer`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRequest {
    /// One line, without its end.
    #[serde(serialize_with = "expose", deserialize_with = "hide")]
    pub(crate) text: Secret,
    /// Whether it must not be kept anywhere.
    #[serde(default)]
    pub(crate) secret: bool,
}

/// `POST /v1/daemon/shutdown`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShutdownRequest {
    /// Also when sign-ins are lost.
    #[serde(default)]
    pub(crate) force: bool,
}

/// `POST /v1/demo`: adds the built-in connection `Demo` with this scenario; `null` removes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoRequest {
    pub(crate) scenario: Option<String>,
}

/// The one place where an answer's text is written out: into the request's body.
fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn hide<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_three_words_and_no_unknown_ones() {
        let request: RunRequest =
            serde_json::from_str(r#"{"connection":"Contoso","module":"exo","command":"1"}"#)
                .expect("the rest has defaults");
        assert_eq!(request.mode, Mode::Text);
        assert_eq!(request.depth, RunRequest::DEPTH);
        assert!(request.wait);
        let misspelt = r#"{"connection":"C","module":"exo","command":"1","on_disconect":"stop"}"#;
        let error = serde_json::from_str::<RunRequest>(misspelt).expect_err("it is misspelt");
        assert!(
            error.to_string().contains("unknown field `on_disconect`"),
            "{error}"
        );
    }

    #[test]
    fn an_answer_does_not_show_itself() {
        let request: AnswerRequest =
            serde_json::from_str(r#"{"text":"hunter2","secret":true}"#).expect("it is one");
        assert_eq!(
            format!("{request:?}"),
            "AnswerRequest { text: Secret(…), secret: true }"
        );
        let back = serde_json::to_string(&request).expect("it is written");
        assert_eq!(back, r#"{"text":"hunter2","secret":true}"#);
    }
}
