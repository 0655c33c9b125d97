//! Two thousand Ctrl-C around the end of a command: none may lose a session, an end, or the next command.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{TestDaemon, door};

const SESSIONS: usize = 8;
const TRIALS: usize = 250;

/// One request, and the JSON objects of its answer, one a line.
fn post(socket: &Path, path: &str, body: &Value) -> Vec<Value> {
    let body = body.to_string();
    let line = format!("POST {path} HTTP/1.0");
    let answer = door::answer(door::send(socket, &line, "", body.as_bytes()));
    let (_, lines) = answer
        .split_once("\r\n\r\n")
        .expect("the answer has a head");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

fn order(connection: &str, command: &str, wait: bool) -> Value {
    json!({"connection": connection, "module": "exo", "command": command, "wait": wait})
}

/// The run, once it has ended.
fn ended(socket: &Path, connection: &str, command: &str) -> Value {
    post(socket, "/v1/runs", &order(connection, command, true))
        .pop()
        .expect("the last line is the run")["run"]
        .clone()
}

fn trials(socket: &Path, connection: &str, seed: usize) {
    let signed_in = ended(socket, connection, "1");
    assert_eq!(signed_in["end"]["outcome"], "succeeded", "{signed_in}");
    for trial in 0..TRIALS {
        let run = post(
            socket,
            "/v1/runs",
            &order(connection, "Start-Sleep -Milliseconds 5; 'done'", false),
        )
        .remove(0);
        let id = run["id"].as_str().expect("it has one").to_owned();
        // The moment is what is tried: from before the begin to after the end.
        thread::sleep(Duration::from_micros(
            ((seed * 7919 + trial * 104_729) % 12_000) as u64,
        ));
        post(socket, &format!("/v1/runs/{id}/stop"), &json!({}));
        // The next one waits until the interrupted one is over, and must not be harmed by it.
        let next = ended(socket, connection, &format!("'next {trial}'"));
        assert_eq!(
            next["end"]["outcome"], "succeeded",
            "{connection}, trial {trial}: {next}"
        );
    }
}

#[test]
fn two_thousand_interrupts_lose_nothing() {
    let daemon = TestDaemon::new();
    let names: Vec<String> = (0..SESSIONS)
        .map(|number| format!("Tenant{number}"))
        .collect();
    let entry = |name: &String| {
        let entry = json!({"tenant": "contoso.com", "expectedEmail": "ada@contoso.com", "stand_in": "exo?approve=50ms"});
        (name.clone(), entry)
    };
    let connections: serde_json::Map<String, Value> = names.iter().map(entry).collect();
    std::fs::write(
        daemon.path("connections.json"),
        json!({"connections": connections}).to_string(),
    )
    .expect("it can be written");
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    let socket: PathBuf = daemon.socket();
    thread::scope(|scope| {
        for (seed, name) in names.iter().enumerate() {
            let socket = &socket;
            scope.spawn(move || trials(socket, name, seed));
        }
    });
    let status = daemon.run(&["status", "--json"]);
    let report: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
    let sessions = report["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), SESSIONS);
    for session in sessions {
        assert_eq!(session["account"], "ada@contoso.com", "{session}");
    }
}
