//! Approvals: what a person is shown of a run that waits for a yes, and how the yes or the no is said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Run;

/// Who asked for a run, as the daemon sees it: a client's own word can only make it stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskedBy {
    /// Somebody at a terminal.
    Person,
    /// An assistant, a script, anything without a terminal of its own.
    Program,
}

/// One effect of a command, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// A word for programs: `destroys`, `forwards_mail`.
    pub(crate) effect: String,
    /// What in the command has it: a name, a method, a redirection.
    pub(crate) what: String,
    /// The command's line, counted from 1.
    #[serde(default)]
    pub(crate) line: usize,
    /// Why, for people.
    #[serde(default)]
    pub(crate) reason: String,
}

/// What a run that waits for approval waits with. The command, the session and whom it is proven to be stand in the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Approval {
    /// Words for programs, each once: `writes`, `destroys`.
    pub(crate) effects: Vec<String>,
    /// Everything but reading that was found in the command.
    #[serde(default)]
    pub(crate) findings: Vec<Finding>,
    /// The rule that wants it, in words.
    pub(crate) rule: String,
    pub(crate) asked_by: AskedBy,
    /// The caller's own word for itself.
    pub(crate) client: String,
    /// Why it is wanted, in the caller's words.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) ticket: Option<String>,
    /// What the command says with `-WhatIf` everywhere, where all of it supports that.
    #[serde(default)]
    pub(crate) preview: Option<String>,
    /// Whether a yes has to name the tenant: the command may take away many things at once.
    #[serde(default)]
    pub(crate) type_tenant: bool,
    /// Whether `********` stands in the command for what looks like a secret, so that it is approved without being seen.
    #[serde(default)]
    pub(crate) hides_something: bool,
    /// The tenant as it is to be typed.
    #[serde(default)]
    pub(crate) tenant_name: String,
    /// The clients whose own forms count as a person's word here.
    #[serde(default)]
    pub(crate) trusted_forms: Vec<String>,
    pub(crate) asked_at: Timestamp,
    /// Seconds left; then the run ends without having run.
    pub(crate) expires_in: u64,
    /// SHA-256 in hex digits, over the command, the session and its sign-in. A yes names it: what is approved is what was
    /// shown.
    pub(crate) digest: String,
}

/// `GET /v1/approvals`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApprovalList {
    /// The runs that wait, the oldest first; each has its `approval`.
    pub(crate) runs: Vec<Run>,
}

/// `POST /v1/approvals/{id}/approve`. Only taken from a person at a terminal, or for a form that a trusted client showed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveRequest {
    /// [`Approval::digest`] of what was shown.
    pub(crate) digest: String,
    /// What was typed, where [`Approval::type_tenant`] asks for it.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// Who sends this: `cli`, `mcp`, …
    #[serde(default = "super::request::default_client")]
    pub(crate) client: String,
    /// The client whose own form a person has filled in.
    #[serde(default)]
    pub(crate) form: Option<String>,
}

/// `POST /v1/approvals/{id}/deny`. Anybody may: nothing runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DenyRequest {
    /// Why, for whoever asked.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Who sends this: `cli`, `mcp`, …
    #[serde(default = "super::request::default_client")]
    pub(crate) client: String,
}
