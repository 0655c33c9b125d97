//! What a person puts into a client's configuration, a text for each client.

use clap::ValueEnum;
use serde_json::json;

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
    /// `MCPJungle`
    Mcpjungle,
}

/// The snippet for `client`, where the program is at `program` and started with `arguments`.
pub(crate) fn snippet(client: Client, program: &str, arguments: &[&str]) -> String {
    let pretty = |value: serde_json::Value| {
        format!(
            "{}\n",
            serde_json::to_string_pretty(&value).expect("it has string keys only")
        )
    };
    let started = json!({"command": program, "args": arguments});
    match client {
        Client::Claude => {
            let quoted = format!("'{}'", program.replace('\'', r"'\''"));
            format!(
                "claude mcp add --scope user m365 -- {quoted} {}\n",
                arguments.join(" ")
            )
        }
        Client::ClaudeDesktop | Client::Cursor => pretty(json!({"mcpServers": {"m365": started}})),
        Client::Vscode => pretty(json!({"servers": {"m365": {
            "type": "stdio", "command": program, "args": arguments}}})),
        // A basic string of TOML has the escapes of one of JSON.
        Client::Codex => format!(
            "[mcp_servers.m365]\ncommand = {}\nargs = {}\n",
            json!(program),
            json!(arguments)
        ),
        Client::Mcpjungle => pretty(json!({
            "name": "mm",
            "transport": "stdio",
            "description": "Microsoft 365 commands in signed-in sessions",
            "command": program,
            "args": arguments,
            "session_mode": "stateless",
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_a_snippet() {
        let all: Vec<String> = Client::value_variants()
            .iter()
            .map(|client| snippet(*client, "/opt/it's mm/mm", &["mcp"]))
            .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
