//! [`OnAuditFailure`]: what may run while nothing can be written down.

use schemars::JsonSchema;
use serde::Deserialize;

/// What may run while the audit cannot be written, or was changed and nobody has accepted that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnAuditFailure {
    /// Nothing.
    #[default]
    Refuse,
    /// What is known to read and nothing else.
    AllowReads,
}
