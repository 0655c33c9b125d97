//! [`Tool`]: the list that every client sees, the same for each, in a fixed order. Names, descriptions and schemas are
//! compiled in; nothing of a tenant or a configuration ever gets into them.
//!
//! The schemas are those of the structs in `args`, and stand in `schemas.json`: many clients start a server for each call,
//! and making them anew costs more than reading them. A test compares both.

use std::sync::Arc;

use rmcp::model::{JsonObject, MetaObject, Tool as Listed, ToolAnnotations};
use serde_json::Value;

/// The tools' schemas, by their names. `INSTA_UPDATE=always cargo test --lib mcp::tools` writes them anew.
const SCHEMAS: &str = include_str!("schemas.json");

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Connections,
    Status,
    Login,
    Wait,
    Read,
    Run,
    Output,
    Answer,
    Stop,
    Disconnect,
}

/// What a client shows to a person before it lets a tool be called. All of it is enforced or true by itself.
enum Kind {
    /// Changes nothing anywhere.
    Looks,
    /// Changes nothing in a tenant, whose words it brings.
    Reads,
    /// Changes what this machine does, and nothing in a tenant.
    Acts,
    /// Ends something.
    Ends,
    /// Whatever the command does, in a tenant.
    Commands,
}

impl Tool {
    pub(super) const ALL: [Self; 10] = [
        Self::Connections,
        Self::Status,
        Self::Login,
        Self::Wait,
        Self::Read,
        Self::Run,
        Self::Output,
        Self::Answer,
        Self::Stop,
        Self::Disconnect,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Status => "status",
            Self::Login => "login",
            Self::Wait => "wait",
            Self::Read => "read",
            Self::Run => "run",
            Self::Output => "output",
            Self::Answer => "answer",
            Self::Stop => "stop",
            Self::Disconnect => "disconnect",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Connections => "List Microsoft 365 connections",
            Self::Status => "Show Microsoft 365 sessions",
            Self::Login => "Sign in to Microsoft 365",
            Self::Wait => "Wait for a sign-in or a run",
            Self::Read => "Run a Microsoft 365 command that only reads",
            Self::Run => "Run a Microsoft 365 command",
            Self::Output => "Read a run's output",
            Self::Answer => "Answer a run's question",
            Self::Stop => "Stop a run",
            Self::Disconnect => "Sign out of Microsoft 365",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Connections => {
                "List the Microsoft 365 tenants (connections) and PowerShell modules (Exchange Online, Teams, SharePoint, Azure, ...) that can be signed in to, and which sessions live. Call this first for the names that other tools take."
            }
            Self::Status => {
                "Show the signed-in PowerShell sessions: state, proven account and tenant, a pending sign-in code with the time left, the run each has, the last failure with its advice."
            }
            Self::Login => {
                "Start the device-code sign-in of a session, or find the one under way: the same live code, never a second one. Returns at once with code, page and account to show to the person; then call `wait`. A session that is signed in already says so."
            }
            Self::Wait => {
                "Wait for a sign-in (connection and module) or for a run (run_id), up to wait_seconds; call again while it is not done. Waiting, or giving it up, never ends what is waited for."
            }
            Self::Read => {
                "Run a PowerShell command that only reads (Get-Mailbox, Get-MgUser, ... | Where-Object, Select-Object, ...) in a signed-in session and return its output. What may do more is refused with the reason, before it runs. A command that takes longer than wait_seconds goes on under a run id, which `wait` follows. Ask for less with format, select and first."
            }
            Self::Run => {
                "Run any PowerShell command in a signed-in session and return its output. It may change or delete data in the tenant; what changes something may have to wait for a person's approval, which no argument gives. A command that takes longer than wait_seconds goes on under a run id, which `wait` follows. Ask for less with format, select and first."
            }
            Self::Output => {
                "Read the kept output of a run again: a page from a place, its head or tail, lines that contain a text, its objects in another format, or all of it as a file."
            }
            Self::Answer => {
                "Answer the question that a run asks (a confirmation, a choice, a missing value), then wait for what comes of it. Ask the person before confirming a change. Passwords are refused here: a person types them at a terminal."
            }
            Self::Stop => {
                "Stop a run as Ctrl-C does, and say what became of it. Its session stays signed in."
            }
            Self::Disconnect => {
                "Sign out one session and end its program. Refused while a run is in it or waits for it; one that waits for approval is void then. Signing in again needs a person and a new code."
            }
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Connections | Self::Status => Kind::Looks,
            Self::Wait | Self::Read => Kind::Reads,
            Self::Login | Self::Output => Kind::Acts,
            Self::Stop | Self::Disconnect => Kind::Ends,
            Self::Run | Self::Answer => Kind::Commands,
        }
    }

    /// All of them as clients see them. `confirmed`: `run` and `answer` ask those clients that know the word for a
    /// confirmation of each call.
    pub(super) fn list(confirmed: bool) -> Vec<Listed> {
        let mut schemas: JsonObject = serde_json::from_str(SCHEMAS).expect("a test has made it");
        Self::ALL
            .into_iter()
            .map(|tool| {
                let Some(Value::Object(schema)) = schemas.shift_remove(tool.name()) else {
                    unreachable!("a test has made one for each tool");
                };
                tool.listed(schema, confirmed)
            })
            .collect()
    }

    fn listed(self, schema: JsonObject, confirmed: bool) -> Listed {
        let hints = |read_only, destructive, idempotent, open_world| {
            ToolAnnotations::new()
                .read_only(read_only)
                .destructive(destructive)
                .idempotent(idempotent)
                .open_world(open_world)
        };
        let annotations = match self.kind() {
            Kind::Looks => hints(true, false, true, false),
            Kind::Reads => hints(true, false, true, true),
            Kind::Acts => hints(false, false, true, true),
            Kind::Ends => hints(false, true, true, true),
            Kind::Commands => hints(false, true, false, true),
        };
        let mut tool = Listed::new(self.name(), self.description(), Arc::new(schema))
            .with_title(self.title())
            .with_annotations(annotations);
        if confirmed && matches!(self.kind(), Kind::Commands) {
            let mut meta = MetaObject::new();
            meta.insert("anthropic/requiresUserInteraction".to_owned(), true.into());
            tool.meta = Some(meta);
        }
        tool
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::args::{
        AnswerArgs, NoArgs, OutputArgs, RunArgs, SessionArgs, StatusArgs, StopArgs, WaitArgs,
        read_only_schema,
    };
    use crate::mcp::schema;

    #[test]
    fn the_schemas_are_those_of_the_arguments() {
        let schemas: JsonObject = Tool::ALL
            .into_iter()
            .map(|tool| {
                let schema = match tool {
                    Tool::Connections => schema::of::<NoArgs>(),
                    Tool::Status => schema::of::<StatusArgs>(),
                    Tool::Login | Tool::Disconnect => schema::of::<SessionArgs>(),
                    Tool::Wait => schema::of::<WaitArgs>(),
                    Tool::Read => read_only_schema(),
                    Tool::Run => schema::of::<RunArgs>(),
                    Tool::Output => schema::of::<OutputArgs>(),
                    Tool::Answer => schema::of::<AnswerArgs>(),
                    Tool::Stop => schema::of::<StopArgs>(),
                };
                (tool.name().to_owned(), Value::Object((*schema).clone()))
            })
            .collect();
        let text = serde_json::to_string_pretty(&schemas).expect("it is JSON") + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mcp/schemas.json");
            std::fs::write(path, text).expect("the tree can be written");
        } else {
            assert_eq!(SCHEMAS, text);
        }
    }

    #[test]
    fn the_list_is_small_and_as_it_was() {
        let list = Tool::list(false);
        let text = serde_json::to_string(&list).expect("it is JSON");
        assert!(text.len() <= 16 << 10, "{} bytes", text.len());
        insta::assert_json_snapshot!(list);
    }

    #[test]
    fn schemas_refuse_unknown_keys_and_have_nothing_odd() {
        for tool in Tool::list(false) {
            let (name, schema) = (tool.name, tool.input_schema);
            assert_eq!(schema["additionalProperties"], false, "{name}");
            assert_eq!(schema["type"], "object");
            let text = serde_json::to_string(&*schema).expect("it is JSON");
            for odd in ["null", "\"format\":\"", "$ref", "$schema"] {
                assert!(!text.contains(odd), "{name}: {text}");
            }
        }
    }

    #[test]
    fn commands_can_ask_for_a_confirmation() {
        let asking = Tool::list(true).into_iter();
        let asking = asking.filter(|tool| tool.meta.is_some());
        let names: Vec<_> = asking.map(|tool| tool.name).collect();
        assert_eq!(names, ["run", "answer"]);
        assert!(Tool::list(false).iter().all(|tool| tool.meta.is_none()));
    }
}
