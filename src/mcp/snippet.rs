//! What a person puts into a client's configuration, a text for each client.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// Claude Code: a command to run
    Claude,
    /// Claude Desktop
    ClaudeDesktop,
    /// Visual Studio Code
    Vscode,
    /// Cursor
    Cursor,
    /// Codex
    Codex,
    /// Gemini CLI
    Gemini,
    /// Windsurf
    Windsurf,
    /// `MCPJungle`
    Mcpjungle,
    /// Any other client: the form that most of them take
    Other,
}

impl Client {
    /// What to do with the snippet.
    pub(crate) fn goes(self) -> &'static str {
        match self {
            Self::Claude => "run this in a shell",
            Self::ClaudeDesktop => "this goes into `claude_desktop_config.json`",
            Self::Vscode => "this goes into `.vscode/mcp.json`, or the user's `mcp.json`",
            Self::Cursor => "this goes into `~/.cursor/mcp.json`",
            Self::Codex => "this goes into `~/.codex/config.toml`",
            Self::Gemini => "this goes into `~/.gemini/settings.json`",
            Self::Windsurf => "this goes into `~/.codeium/windsurf/mcp_config.json`",
            Self::Other => "this goes where the client has its `mcpServers`",
            Self::Mcpjungle => "put this into a file and run `mcpjungle register -c FILE`",
        }
    }
}

/// How the server is to be started.
#[derive(Debug, Default)]
pub(crate) struct Started {
    /// The program's path.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// What the server has to know of this environment: clients pass almost nothing on.
    pub(crate) environment: Vec<(String, String)>,
}

/// The snippet for `client`.
pub(crate) fn snippet(client: Client, started: &Started) -> String {
    match client {
        Client::Claude => claude(started),
        Client::ClaudeDesktop
        | Client::Cursor
        | Client::Gemini
        | Client::Windsurf
        | Client::Other => pretty(&json!({"mcpServers": {"m365": entry(json!({}), started)}})),
        Client::Vscode => {
            pretty(&json!({"servers": {"m365": entry(json!({"type": "stdio"}), started)}}))
        }
        Client::Codex => codex(started),
        Client::Mcpjungle => {
            let head = json!({
                "name": "mm",
                "transport": "stdio",
                "description": "Microsoft 365 commands in signed-in sessions",
            });
            let mut entry = entry(head, started);
            entry["session_mode"] = "stateless".into();
            pretty(&entry)
        }
    }
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("it has string keys only");
    format!("{text}\n")
}

/// `head`, and the keys that most clients share.
fn entry(mut head: Value, started: &Started) -> Value {
    head["command"] = started.program.as_str().into();
    head["args"] = json!(started.arguments);
    if !started.environment.is_empty() {
        let pairs = started.environment.iter();
        let pairs = pairs.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        head["env"] = Value::Object(pairs.collect::<Map<String, Value>>());
    }
    head
}

/// `--env` takes all that follows up to the next option, so that one has to follow.
fn claude(started: &Started) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let environment: Vec<String> = started
        .environment
        .iter()
        .map(|(name, value)| format!("--env {} ", quoted(&format!("{name}={value}"))))
        .collect();
    let environment = environment.concat();
    format!(
        "claude mcp add {environment}--scope user m365 -- {} {}\n",
        quoted(&started.program),
        started.arguments.join(" ")
    )
}

/// A basic string of TOML has the escapes of one of JSON.
fn codex(started: &Started) -> String {
    let environment: Vec<String> = started
        .environment
        .iter()
        .map(|(name, value)| format!("{name} = {}\n", json!(value)))
        .collect();
    let environment = match environment.concat() {
        none if none.is_empty() => none,
        some => format!("\n[mcp_servers.m365.env]\n{some}"),
    };
    format!(
        "[mcp_servers.m365]\ncommand = {}\nargs = {}\n{environment}",
        json!(started.program),
        json!(started.arguments)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(started: &Started) -> String {
        let all: Vec<String> = Client::value_variants()
            .iter()
            .map(|client| format!("# {}\n{}", client.goes(), snippet(*client, started)))
            .collect();
        all.join("\n")
    }

    #[test]
    fn every_client_has_a_snippet() {
        let mut started = Started {
            program: "/opt/it's mm/mm".to_owned(),
            arguments: vec!["mcp".to_owned()],
            environment: Vec::new(),
        };
        let plain = all(&started);
        started.arguments.push("--confirm".to_owned());
        let connections = ("MM_CONNECTIONS".to_owned(), "/etc/m's.json".to_owned());
        started.environment.push(connections);
        insta::assert_snapshot!(format!(
            "{plain}\n# With an environment\n\n{}",
            all(&started)
        ));
    }
}
