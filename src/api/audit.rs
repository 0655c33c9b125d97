//! The audit, as clients see it. A row is passed through byte for byte, because its hash is of its bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `GET /v1/audit`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AuditPage {
    /// Rows as they are exported: the line with its hash as the last field. A row that is no JSON any more is a JSON
    /// string of what it is now.
    pub(crate) rows: Vec<Box<RawValue>>,
    /// Go on with this as `before` or `after`, whichever was asked for; absent at the end. A page may be empty and not the
    /// last.
    #[serde(default)]
    pub(crate) next: Option<u64>,
}

/// A row's number and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditHead {
    pub(crate) number: u64,
    pub(crate) hash: String,
}

/// `POST /v1/audit/verify`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyAuditRequest {
    /// Rows that are known from elsewhere, and have to be in the record.
    #[serde(default)]
    pub(crate) heads: Vec<AuditHead>,
}

/// What `POST /v1/audit/verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditReport {
    /// Whether every row is as it was written, and always was.
    pub(crate) sound: bool,
    pub(crate) rows: u64,
    /// The last row.
    #[serde(default)]
    pub(crate) head: Option<AuditHead>,
    /// One sentence each.
    #[serde(default)]
    pub(crate) faults: Vec<String>,
    /// What earlier checks found, as the record says.
    #[serde(default)]
    pub(crate) found_before: Vec<AuditFinding>,
}

/// What an earlier check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditFinding {
    pub(crate) what: String,
    /// Whether a person has said that work goes on.
    pub(crate) accepted: bool,
}

/// `POST /v1/audit/accept`: a person takes a record that was changed as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptAuditRequest {
    /// Why; it goes into the record.
    pub(crate) reason: String,
}

/// What `POST /v1/audit/accept` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AcceptedAudit {
    /// Whether there was anything to accept.
    pub(crate) accepted: bool,
}
