//! Command texts that are hard to carry, at every door of a whole daemon: they arrive in the shell as they are, or are refused
//! with the reason, and the session goes on.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::mcp::raw::Raw;
use crate::support::{TestDaemon, door};

/// The places that a text goes in at.
const DOORS: [&str; 3] = ["cli", "http", "mcp"];

/// A shell that needs no sign-in, and a server for an assistant.
struct Doors {
    daemon: TestDaemon,
    raw: Raw,
    calls: u32,
}

impl Doors {
    fn new() -> Self {
        let daemon = TestDaemon::new();
        let modules = daemon.path(".config/mm/modules.d");
        std::fs::create_dir_all(&modules).expect("the folder can be made");
        let tool = "module: tool\ntitle: A shell\nshell: bash\n";
        std::fs::write(modules.join("tool.yaml"), tool).expect("the folder can be written");
        let raw = Raw::start(&daemon, "off");
        Self {
            daemon,
            raw,
            calls: 0,
        }
    }

    /// Everything that the door says of this command.
    fn run(&mut self, door: &str, command: &str) -> String {
        let order = json!({"connection": "Contoso", "module": "tool", "command": command});
        match door {
            "cli" => {
                let words = ["run", "-c", "Contoso", "-m", "tool", "-"];
                let ran = self.daemon.run_with(&words, command.as_bytes());
                ran.stdout + &ran.stderr
            }
            "http" => {
                let body = order.to_string();
                let line = "POST /v1/runs HTTP/1.0";
                let socket = self.daemon.socket();
                let answer = door::answer(door::send(&socket, line, "", body.as_bytes()));
                let (_, events) = answer.split_once("\r\n\r\n").expect("it is a response");
                let bytes: Vec<u8> = events.lines().flat_map(output).collect();
                format!("{events}{}", String::from_utf8_lossy(&bytes))
            }
            _ => {
                self.calls += 1;
                self.raw.call(self.calls, "run", &order);
                let answer = self.raw.answer();
                let texts = answer["result"]["content"]
                    .as_array()
                    .expect("it is a list");
                let texts = texts.iter().map(|block| block["text"].as_str());
                texts.map(|text| text.expect("it is text")).collect()
            }
        }
    }

    fn goes_on(&mut self) {
        for door in DOORS {
            let said = self.run(door, "echo on$((40 + 2))");
            assert!(said.contains("on42"), "{door}: {said}");
        }
    }
}

/// The bytes that a line of a stream tells of.
fn output(line: &str) -> Vec<u8> {
    use base64::Engine as _;
    let event: Value = serde_json::from_str(line).expect("a line is JSON");
    let bytes = event["output"]["bytes"].as_str().unwrap_or_default();
    let decoded = base64::engine::general_purpose::STANDARD.decode(bytes);
    decoded.expect("it is base64")
}

/// `text` as a command that says which bytes arrived, and what it says.
fn hashed(text: &str) -> (String, String) {
    let quoted = text.replace('\'', r"'\''");
    let hash = Sha256::digest(text.as_bytes());
    let digits = hash.iter().map(|byte| format!("{byte:02x}"));
    (
        format!("printf %s '{quoted}' | sha256sum"),
        digits.collect(),
    )
}

#[test]
fn any_text_arrives_as_it_is_at_every_door() {
    let mut doors = Doors::new();
    let long = "0123456789 é'\"$`\\ \u{1f600}\n".repeat(65_000);
    assert!(long.len() > 1_500_000);
    for text in [
        "a\rb",
        "a\r\nb\r",
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
        "\u{3}\u{4}\u{11}\u{13}\u{15}\u{16}\u{17}\u{1a}\u{1c}\u{7f}",
        "\t\u{b}\u{c}\u{2028}\u{feff}\u{202e}",
        &long,
    ] {
        let (command, digits) = hashed(text);
        for door in DOORS {
            let said = doors.run(door, &command);
            let beginning: String = said.chars().take(500).collect();
            assert!(said.contains(&digits), "{door}: {beginning}");
        }
    }
    doors.goes_on();
}

#[test]
fn what_cannot_be_carried_is_refused_with_the_reason() {
    let mut doors = Doors::new();
    doors.goes_on();
    let endless = format!(": '{}'", "x".repeat(17 << 20));
    for (command, why) in [
        ("echo a\0b", "holds a NUL byte at byte 6"),
        (" \r\n\t ", "the command is empty"),
        (&endless, "16"),
    ] {
        for door in DOORS {
            // A line of the protocol is not longer than that: the server's library ends there.
            if door == "mcp" && command.len() > 1000 {
                continue;
            }
            let said = doors.run(door, command);
            assert!(said.contains(why), "{door}: {said}");
            assert!(said.len() < 1000, "{door}: it is not repeated");
        }
    }
    doors.goes_on();
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut doors = Doors::new();
    doors.goes_on();
    let words = ["run", "-c", "Contoso", "-m", "tool", "-"];
    let refused = doors.daemon.run_with(&words, b"echo a\xff\xfeb");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("not UTF-8"), "{refused:?}");

    let body = b"{\"connection\":\"Contoso\",\"module\":\"tool\",\"command\":\"echo a\xff\xfeb\"}";
    let request = door::send(&doors.daemon.socket(), "POST /v1/runs HTTP/1.1", "", body);
    let answer = door::answer(request);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("bad_request"), "{answer}");

    // Half of a pair of surrogates is no text either.
    let body = br#"{"connection":"Contoso","module":"tool","command":"echo \ud800"}"#;
    let request = door::send(&doors.daemon.socket(), "POST /v1/runs HTTP/1.1", "", body);
    let answer = door::answer(request);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    let mut line = br#"{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"run","arguments":{"connection":"Contoso","module":"tool","command":"echo a"#.to_vec();
    line.extend_from_slice(b"\xff\xfeb\"}}}\n");
    doors.raw.send_bytes(&line);
    doors.goes_on();
}
