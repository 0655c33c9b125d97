//! Policies that were loosened while the daemon runs: for programs they hold when a person has taken them on.

use serde::{Deserialize, Serialize};

/// `POST /v1/policy/accept`. Without a digest it only says what waits; with one it is only taken from a person at a terminal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptPolicyRequest {
    /// Whose entry is meant; left out: what modules say of commands.
    #[serde(default)]
    pub(crate) connection: Option<String>,
    /// [`LoosenedPolicy::digest`] of what was shown.
    #[serde(default)]
    pub(crate) digest: Option<String>,
}

/// What waits to be taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoosenedPolicy {
    /// Whose entry it is; absent: it is about modules.
    #[serde(default)]
    pub(crate) connection: Option<String>,
    /// What programs may more, in words. Empty: nothing waits.
    pub(crate) changes: Vec<String>,
    /// SHA-256 in hex digits, over what the entry says now.
    pub(crate) digest: String,
}
