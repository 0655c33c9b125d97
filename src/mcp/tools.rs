//! [`Tool`]: the list that every client sees, the same for each, in a fixed order. Names, descriptions and schemas are
//! compiled in; nothing of a tenant or a configuration ever gets into them.

use rmcp::model::{MetaObject, Tool as Listed, ToolAnnotations};

use super::args::{
    AnswerArgs, NoArgs, OutputArgs, RunArgs, SessionArgs, StatusArgs, StopArgs, WaitArgs,
    read_only_schema,
};
use super::schema;

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
                "Sign out one session and end its program. Refused while a run is in it or waits for it. Signing in again needs a person and a new code."
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

    /// As clients see it. `confirmed`: `run` and `answer` ask those clients that know the word for a confirmation of each
    /// call.
    pub(super) fn listed(self, confirmed: bool) -> Listed {
        let input = match self {
            Self::Connections => schema::of::<NoArgs>(),
            Self::Status => schema::of::<StatusArgs>(),
            Self::Login | Self::Disconnect => schema::of::<SessionArgs>(),
            Self::Wait => schema::of::<WaitArgs>(),
            Self::Read => read_only_schema(),
            Self::Run => schema::of::<RunArgs>(),
            Self::Output => schema::of::<OutputArgs>(),
            Self::Answer => schema::of::<AnswerArgs>(),
            Self::Stop => schema::of::<StopArgs>(),
        };
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
        let mut tool = Listed::new(self.name(), self.description(), input)
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

    #[test]
    fn the_list_is_small_and_as_it_was() {
        let list: Vec<Listed> = Tool::ALL.iter().map(|tool| tool.listed(false)).collect();
        let text = serde_json::to_string(&list).expect("it is JSON");
        assert!(text.len() <= 16 << 10, "{} bytes", text.len());
        insta::assert_json_snapshot!(list);
    }

    #[test]
    fn schemas_refuse_unknown_keys_and_have_nothing_odd() {
        for tool in Tool::ALL {
            let schema = tool.listed(false).input_schema;
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name());
            assert_eq!(schema["type"], "object");
            let text = serde_json::to_string(&*schema).expect("it is JSON");
            for odd in ["null", "\"format\":\"", "$ref", "$schema"] {
                assert!(!text.contains(odd), "{}: {text}", tool.name());
            }
        }
    }

    #[test]
    fn commands_can_ask_for_a_confirmation() {
        assert!(Tool::Run.listed(true).meta.is_some());
        assert!(Tool::Status.listed(true).meta.is_none());
        assert!(Tool::Read.listed(true).meta.is_none());
        assert!(Tool::Run.listed(false).meta.is_none());
    }
}
