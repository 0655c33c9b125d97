//! `mm mcp check`: starts the server as a client does, with the little that a client passes on, and says what it saw.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::clean;

/// How long one answer may take; the first may start the daemon.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What clients pass on of an environment, and what tells this program's instances apart.
const PASSED_ON: [&str; 11] = [
    "HOME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "USER",
    "MM_STATE_DIR",
    "MM_SOCKET",
    "MM_CONNECTIONS",
    "MM_CONFIG",
    "MM_MODULES",
];

/// Tools that are called to see what they say, where the list has them: they only look, and take no arguments.
const HARMLESS: [&str; 5] = [
    "connections",
    "status",
    "mm_status",
    "pwsh_list_connections",
    "pwsh_sessions",
];

/// Why a client would see nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The server could not be started or spoken to.
    #[error("the server cannot be spoken to")]
    Pipe {
        /// Why.
        source: io::Error,
    },
    /// It said something else on standard output, or nothing.
    #[error("`{method}` was not answered: {why}")]
    NoAnswer {
        /// What was asked.
        method: &'static str,
        /// What came instead.
        why: String,
    },
}

/// What a client would see.
pub(crate) struct Seen {
    /// In words, a line each; of a tool that fails, all that it says.
    pub(crate) lines: Vec<String>,
    /// Whether every tool answered that was called.
    pub(crate) works: bool,
}

/// Looks at a server that is started with these arguments.
pub(crate) fn check(program: &Path, arguments: &[String]) -> Result<Seen, CheckError> {
    let began = Instant::now();
    let started = Peer::start(program, arguments);
    let mut peer = started.map_err(|source| CheckError::Pipe { source })?;
    let hello = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "mm mcp check", "version": env!("CARGO_PKG_VERSION")},
    });
    let answer = peer.ask("initialize", &hello)?;
    let mut seen = vec![format!(
        "server        {} {}, first answer after {} ms",
        text(&answer["serverInfo"]["name"]),
        text(&answer["serverInfo"]["version"]),
        began.elapsed().as_millis()
    )];
    let modern = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "mm mcp check", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let versions = peer.ask("server/discover", &modern)?;
    seen.push(format!(
        "protocol      {}",
        texts(&versions["supportedVersions"], |version| version).join(", ")
    ));
    let list = peer.ask("tools/list", &json!({}))?;
    let tools = texts(&list["tools"], |tool| &tool["name"]);
    seen.push(format!(
        "tools         {} ({} bytes)",
        tools.join(", "),
        list.to_string().len()
    ));
    let mut works = true;
    for tool in HARMLESS
        .into_iter()
        .filter(|tool| tools.iter().any(|one| one == tool))
    {
        let call = json!({"name": tool, "arguments": {}});
        let answer = peer.ask("tools/call", &call)?;
        let said = texts(&answer["content"], |block| &block["text"]).join("\n");
        if answer["isError"] == true {
            works = false;
            seen.push(format!(
                "{tool:13} failed: {}",
                clean::text(said.as_bytes())
            ));
        } else {
            let first = said.lines().next().unwrap_or_default();
            seen.push(format!("{tool:13} {}", clean::line(first, 200)));
        }
    }
    Ok(Seen { lines: seen, works })
}

fn text(value: &Value) -> String {
    clean::line(value.as_str().unwrap_or("?"), 200)
}

fn texts<'v>(list: &'v Value, part: impl Fn(&'v Value) -> &'v Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| part(item).as_str().map(str::to_owned))
        .collect()
}

/// The server, from a client's side.
struct Peer {
    child: Child,
    input: ChildStdin,
    lines: Receiver<io::Result<String>>,
    asked: u32,
}

impl Peer {
    fn start(program: &Path, arguments: &[String]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("its pipes are gone"));
        };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
            asked: 0,
        })
    }

    /// The result of one request.
    fn ask(&mut self, method: &'static str, params: &Value) -> Result<Value, CheckError> {
        let failed = |why: String| CheckError::NoAnswer { method, why };
        self.asked += 1;
        let request =
            json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        writeln!(self.input, "{request}").map_err(|source| CheckError::Pipe { source })?;
        let line = match self.lines.recv_timeout(ANSWER_WITHIN) {
            Ok(line) => line.map_err(|source| CheckError::Pipe { source })?,
            Err(RecvTimeoutError::Timeout) => {
                return Err(failed("nothing came in time".to_owned()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(failed("the server ended".to_owned()));
            }
        };
        let mut answer: Value = serde_json::from_str(&line).map_err(|_| {
            failed(format!(
                "`{}` is not of the protocol",
                clean::line(&line, 200)
            ))
        })?;
        match answer.get("error") {
            Some(error) => Err(failed(text(&error["message"]))),
            None => Ok(answer["result"].take()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; what is left of it is collected either way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
