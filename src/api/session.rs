//! Sessions and the daemon itself, as clients see them.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{ConnectionName, ModuleName, RunId};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    Starting,
    SignedOut,
    SigningIn,
    Proving,
    Ready,
    Running,
    Asking,
    Stopping,
    Closing,
    Closed,
}

/// A device-code challenge that stands; the names are RFC 8628's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Challenge {
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// Whether the page was not in the prompt but is the usual one.
    #[serde(default)]
    pub(crate) verification_uri_assumed: bool,
    /// Seconds left to enter the code.
    pub(crate) expires_in: u64,
    /// Whom the connection expects.
    #[serde(default)]
    pub(crate) expected_account: Option<String>,
    /// What it may mean that nobody has entered it for a while: a device code that is blocked looks like one that waits.
    #[serde(default)]
    pub(crate) hint: Option<String>,
}

/// Why the last sign-in failed or the session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// A word for programs: `declined`, `wrong-account`.
    pub(crate) name: String,
    pub(crate) message: String,
    /// What to do next.
    #[serde(default)]
    pub(crate) advice: String,
    #[serde(default)]
    pub(crate) retry: bool,
}

/// What is wrong with a session that can still be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unwell {
    /// What was asked: `who is signed in`, `the service`.
    pub(crate) what: String,
    /// What came instead of an answer.
    pub(crate) why: String,
    pub(crate) since: Timestamp,
}

/// The last run that ended in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastRun {
    pub(crate) id: RunId,
    pub(crate) ended_at: Timestamp,
}

/// A session, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) connection: ConnectionName,
    pub(crate) module: ModuleName,
    #[serde(default)]
    pub(crate) module_title: String,
    pub(crate) state: SessionState,
    /// Since when it has been in that state.
    pub(crate) since: Timestamp,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    pub(crate) pid: Option<u32>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// The way in of the last sign-in that began: `device_code`, `certificate`, …
    #[serde(default)]
    pub(crate) way: Option<String>,
    #[serde(default)]
    pub(crate) signed_in_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) challenge: Option<Challenge>,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    /// The run it has now.
    #[serde(default)]
    pub(crate) current: Option<RunId>,
    #[serde(default)]
    pub(crate) last: Option<LastRun>,
    /// Runs that wait.
    #[serde(default)]
    pub(crate) queued: usize,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    /// Since when nobody has used it.
    #[serde(default)]
    pub(crate) idle_since: Option<Timestamp>,
    /// When it is ended if nobody uses it.
    #[serde(default)]
    pub(crate) ends_at: Option<Timestamp>,
    /// When its sign-in was last found well.
    #[serde(default)]
    pub(crate) checked_at: Option<Timestamp>,
    /// What is wrong with it although it can be used.
    #[serde(default)]
    pub(crate) unwell: Option<Unwell>,
    /// Why the recording of its last sign-in is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recording_failed: Option<String>,
    /// Resident memory of its program and of what that started.
    #[serde(default)]
    pub(crate) memory_bytes: Option<u64>,
}

impl Session {
    /// Whether a sign-in that was asked for has come to its end, well or not.
    pub(crate) fn sign_in_ended(&self) -> bool {
        match self.state {
            SessionState::Ready
            | SessionState::Running
            | SessionState::Asking
            | SessionState::Closed => true,
            SessionState::SignedOut => self.failure.is_some(),
            // A program that does not listen keeps its sign-in; before the sign-in it is on its way out.
            SessionState::Stopping => self.signed_in_at.is_some(),
            SessionState::Starting
            | SessionState::SigningIn
            | SessionState::Proving
            | SessionState::Closing => false,
        }
    }

    /// Whether it is signed in now.
    pub(crate) fn signed_in(&self) -> bool {
        match self.state {
            SessionState::Ready | SessionState::Running | SessionState::Asking => true,
            SessionState::Stopping => self.signed_in_at.is_some(),
            SessionState::Starting
            | SessionState::SignedOut
            | SessionState::SigningIn
            | SessionState::Proving
            | SessionState::Closing
            | SessionState::Closed => false,
        }
    }
}

/// `GET /v1/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionList {
    pub(crate) sessions: Vec<Session>,
}

/// A session of the past, or one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastSession {
    pub(crate) connection: ConnectionName,
    pub(crate) module: ModuleName,
    pub(crate) started_at: Timestamp,
    #[serde(default)]
    pub(crate) signed_in_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// Absent while its program runs.
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
    /// Why it ended.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// `GET /v1/sessions/history`, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PastSessionList {
    pub(crate) sessions: Vec<PastSession>,
}

/// `GET /v1/daemon`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DaemonInfo {
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) api_version: u32,
    pub(crate) pid: u32,
    pub(crate) started_at: Timestamp,
    #[serde(default)]
    pub(crate) state_dir: PathBuf,
    #[serde(default)]
    pub(crate) sessions: usize,
    #[serde(default)]
    pub(crate) signed_in: usize,
    #[serde(default)]
    pub(crate) running: usize,
    /// The clients, by the names that they give themselves, whose forms count as a person's word.
    #[serde(default)]
    pub(crate) trusted_forms: Vec<String>,
    /// What is wrong with it.
    #[serde(default)]
    pub(crate) troubles: Vec<String>,
    /// What it still waits for, once it stops.
    #[serde(default)]
    pub(crate) waits_for: Vec<String>,
}
