//! [`Raw`]: the server as lines of text.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::{DEADLINE, TestDaemon};

/// The server as a program that is written to and read from line by line.
pub(crate) struct Raw {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Raw {
    /// Starts it and shakes hands.
    pub(crate) fn start(daemon: &TestDaemon, log: &str) -> Self {
        let mut child = daemon
            .mm(&["mcp"])
            .env("MM_LOG", log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mm was built");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                // Whoever does not listen any longer has seen enough.
                drop(sender.send(line.expect("it is UTF-8")));
            }
        });
        let mut raw = Self {
            child,
            input,
            lines,
        };
        raw.send(
            &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"}}}),
        );
        assert_eq!(raw.answer()["id"], 0);
        raw.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        raw
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{message}").expect("it reads");
    }

    /// What is no message.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(bytes).expect("it reads");
    }

    pub(crate) fn request(&mut self, id: u32, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    pub(crate) fn call(&mut self, id: u32, tool: &str, arguments: &Value) {
        self.request(
            id,
            "tools/call",
            &json!({"name": tool, "arguments": arguments}),
        );
    }

    /// The next line, which has to be of the protocol.
    pub(crate) fn answer(&mut self) -> Value {
        let line = self.lines.recv_timeout(DEADLINE).expect("it writes");
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(value["jsonrpc"], "2.0");
        value
    }

    /// The addresses that are told of until a line is `wanted`, and that line.
    pub(crate) fn updates_until(
        &mut self,
        wanted: impl Fn(&Value) -> bool,
    ) -> (Vec<String>, Value) {
        let mut updates = Vec::new();
        loop {
            let line = self.answer();
            if line["method"] == "notifications/resources/updated" {
                let uri = line["params"]["uri"].as_str().expect("it names one");
                updates.push(uri.to_owned());
            }
            if wanted(&line) {
                return (updates, line);
            }
        }
    }

    /// Closes its input and waits for its end; the rest of its output, and its log.
    pub(crate) fn end(mut self) -> (String, String) {
        drop(self.input.take());
        let mut log = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut log).expect("it is UTF-8");
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "{status}: {log}");
        let rest: Vec<String> = self.lines.iter().collect();
        (rest.join("\n"), log)
    }

    /// Ends it as a client does that is killed itself.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}
