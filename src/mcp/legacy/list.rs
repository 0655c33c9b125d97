//! [`OldTool`]: the old lists, as clients see them.

use std::sync::Arc;

use clap::ValueEnum;
use rmcp::model::{JsonObject, Tool as Listed, ToolAnnotations};
use serde_json::Value;

use super::args::OldArgs;
use crate::mcp::schema;

/// Whose old names are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Legacy {
    /// `run`, `graph_request`, `mm_run`, `mm_status`, `mm_disconnect`
    Mm,
    /// `pwsh_login`, `pwsh_status`, `pwsh_run`, `pwsh_sessions`, `pwsh_list_connections`, `pwsh_disconnect`,
    /// `pwsh_session_history`
    Pwsh,
    /// Both
    All,
}

/// An old tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mcp) enum OldTool {
    Run,
    GraphRequest,
    MmRun,
    MmStatus,
    MmDisconnect,
    PwshLogin,
    PwshStatus,
    PwshRun,
    PwshSessions,
    PwshListConnections,
    PwshDisconnect,
    PwshSessionHistory,
}

/// What a client shows to a person before it lets a tool be called.
enum Kind {
    Looks,
    SignsIn,
    /// It changes a tenant or ends something.
    Changes,
}

impl OldTool {
    const MM: [Self; 5] = [
        Self::Run,
        Self::GraphRequest,
        Self::MmRun,
        Self::MmStatus,
        Self::MmDisconnect,
    ];
    const PWSH: [Self; 7] = [
        Self::PwshLogin,
        Self::PwshStatus,
        Self::PwshRun,
        Self::PwshSessions,
        Self::PwshListConnections,
        Self::PwshDisconnect,
        Self::PwshSessionHistory,
    ];

    /// The list that is shown, in a fixed order.
    pub(in crate::mcp) fn list(legacy: Legacy) -> Vec<Self> {
        match legacy {
            Legacy::Mm => Self::MM.to_vec(),
            Legacy::Pwsh => Self::PWSH.to_vec(),
            Legacy::All => [&Self::MM[..], &Self::PWSH[..]].concat(),
        }
    }

    pub(in crate::mcp) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::GraphRequest => "graph_request",
            Self::MmRun => "mm_run",
            Self::MmStatus => "mm_status",
            Self::MmDisconnect => "mm_disconnect",
            Self::PwshLogin => "pwsh_login",
            Self::PwshStatus => "pwsh_status",
            Self::PwshRun => "pwsh_run",
            Self::PwshSessions => "pwsh_sessions",
            Self::PwshListConnections => "pwsh_list_connections",
            Self::PwshDisconnect => "pwsh_disconnect",
            Self::PwshSessionHistory => "pwsh_session_history",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Run | Self::MmRun => {
                "Run a PowerShell command in a Microsoft 365 session. Without arguments: list the connections. Where a sign-in is needed, the answer has a device code to show to the person; then retry."
            }
            Self::GraphRequest => {
                "Send a request to Microsoft Graph and return its JSON. Where a sign-in is needed, the answer has a device code to show to the person; then retry."
            }
            Self::MmStatus | Self::PwshSessions => "List the Microsoft 365 sessions.",
            Self::MmDisconnect => "Sign out one Microsoft 365 session.",
            Self::PwshLogin => {
                "Start a Microsoft 365 sign-in: the answer has a device code to show to the person."
            }
            Self::PwshStatus => "Say whether a Microsoft 365 session is signed in.",
            Self::PwshRun => {
                "Run a PowerShell command in a signed-in Microsoft 365 session and return its objects as JSON."
            }
            Self::PwshListConnections => "List the Microsoft 365 connections.",
            Self::PwshDisconnect => {
                "Sign out one Microsoft 365 session; confirmation must be DISCONNECT."
            }
            Self::PwshSessionHistory => {
                "List what happened to Microsoft 365 sessions: starts, sign-ins and ends, the newest first."
            }
        }
    }

    /// The keys that its schema shows; every spelling is understood everywhere.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Run | Self::MmRun => &["connection", "module", "command", "confirmed"],
            Self::GraphRequest => &[
                "connection",
                "endpoint",
                "method",
                "body",
                "resource",
                "confirmed",
            ],
            Self::MmStatus | Self::PwshSessions | Self::PwshListConnections => &[],
            Self::MmDisconnect => &["connection", "module"],
            Self::PwshLogin => &[
                "connectionName",
                "tenant",
                "connection",
                "module",
                "account",
            ],
            Self::PwshStatus => &["connectionName", "tenant", "connection", "module"],
            Self::PwshRun => &[
                "connectionName",
                "tenant",
                "connection",
                "module",
                "command",
            ],
            Self::PwshDisconnect => &[
                "connectionName",
                "tenant",
                "connection",
                "module",
                "confirmation",
            ],
            Self::PwshSessionHistory => &["tenant", "module", "event", "limit"],
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Run
            | Self::GraphRequest
            | Self::MmRun
            | Self::PwshRun
            | Self::MmDisconnect
            | Self::PwshDisconnect => Kind::Changes,
            Self::PwshLogin => Kind::SignsIn,
            Self::MmStatus
            | Self::PwshStatus
            | Self::PwshSessions
            | Self::PwshListConnections
            | Self::PwshSessionHistory => Kind::Looks,
        }
    }

    /// As clients see it.
    pub(in crate::mcp) fn listed(self) -> Listed {
        let hints = ToolAnnotations::new();
        let hints = match self.kind() {
            Kind::Changes => hints.read_only(false).destructive(true),
            Kind::SignsIn => hints.read_only(false).destructive(false),
            Kind::Looks => hints.read_only(true),
        };
        Listed::new(self.name(), self.description(), self.schema()).with_annotations(hints)
    }

    fn schema(self) -> Arc<JsonObject> {
        let mut schema = schema::of::<OldArgs>();
        let object = Arc::make_mut(&mut schema);
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            properties.retain(|key, _| self.keys().contains(&key.as_str()));
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_lists_are_kept() {
        let names = |legacy| -> Vec<&str> {
            OldTool::list(legacy)
                .into_iter()
                .map(OldTool::name)
                .collect()
        };
        assert_eq!(
            names(Legacy::Mm),
            [
                "run",
                "graph_request",
                "mm_run",
                "mm_status",
                "mm_disconnect"
            ]
        );
        assert_eq!(names(Legacy::All).len(), 12);
        let listed: Vec<Listed> = OldTool::list(Legacy::All)
            .into_iter()
            .map(OldTool::listed)
            .collect();
        insta::assert_json_snapshot!(listed);
    }

    #[test]
    fn every_key_that_is_shown_is_understood() {
        for tool in OldTool::list(Legacy::All) {
            let schema = tool.schema();
            for key in tool.keys() {
                let shown = schema["properties"].get(*key);
                assert!(shown.is_some(), "{}: {key}", tool.name());
            }
        }
    }
}
