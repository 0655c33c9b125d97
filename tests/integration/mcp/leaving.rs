//! What is heard of runs and sign-ins while they go on, and what becomes of them when their clients leave.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::client::exo;
use super::raw::Raw;
use crate::support::{TestDaemon, wait_for};

#[test]
fn a_run_whose_id_nobody_got_ends_with_its_caller() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let sleep = exo(json!({"command": "Start-Sleep 60"}));
    // By cancelling, by closing the pipe, and by being killed.
    for way in 0..3 {
        let mut raw = Raw::start(&daemon, "off");
        raw.call(1, "run", &sleep);
        daemon.wait_for_run("running");
        match way {
            0 => raw.send(
                &json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": {"requestId": 1}}),
            ),
            1 => drop(raw.input.take()),
            _ => raw.child.kill().expect("it is our child"),
        }
        let run = daemon.wait_for_run("ended");
        assert_eq!(run["end"]["outcome"], "stopped", "{way}: {run}");
        if way == 1 {
            raw.end();
        } else {
            raw.kill();
        }
        wait_for("a session that is ready", || {
            (daemon.session()["state"] == "ready").then_some(())
        });
    }
}

#[test]
fn a_client_that_reads_no_longer_is_gone() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut child = daemon
        .mm(&["mcp"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("mm was built");
    let mut input = child.stdin.take().expect("it is piped");
    let output = child.stdout.take().expect("it is piped");
    for message in [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "deaf", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run", "arguments": exo(json!({"command": "Start-Sleep 60"}))}}),
    ] {
        writeln!(input, "{message}").expect("it reads");
    }
    daemon.wait_for_run("running");
    drop(output);
    let run = daemon.wait_for_run("ended");
    assert_eq!(run["end"]["outcome"], "stopped", "{run}");
    wait_for("the server's end", || {
        child.try_wait().expect("it is our child")
    });
    drop(input);
}

#[test]
fn a_run_that_was_handed_over_goes_on_without_its_caller() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    let command = "1..40 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }";
    raw.call(
        1,
        "run",
        &exo(json!({"command": command, "wait_seconds": 0})),
    );
    assert!(raw.answer().to_string().contains("run_id"));
    raw.child.kill().expect("it is our child");
    raw.child.wait().expect("it is our child");
    assert_eq!(daemon.wait_for_run("ended")["end"]["outcome"], "succeeded");
}

#[test]
fn no_sign_in_ends_because_nobody_waits_for_it() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    for method in ["wait", "login"] {
        let mut raw = Raw::start(&daemon, "off");
        raw.call(1, "login", &exo(json!({})));
        raw.answer();
        raw.call(2, method, &exo(json!({})));
        raw.end();
        let session = daemon.session();
        assert_eq!(session["challenge"]["user_code"], "C4NTS7K9Q", "{session}");
    }
}

#[test]
fn the_end_of_input_is_acted_on_at_once() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    raw.call(1, "run", &exo(json!({"command": "Start-Sleep 60"})));
    daemon.wait_for_run("running");
    let began = std::time::Instant::now();
    raw.end();
    // The library's own way takes five seconds.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    wait_for("a run that was stopped", || {
        (daemon.newest_run()["end"]["outcome"] == "stopped").then_some(())
    });
}

#[test]
fn progress_rises_and_repeats_what_a_person_needs() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    let mut raw = Raw::start(&daemon, "off");
    raw.call(1, "login", &exo(json!({})));
    raw.answer();
    let params = json!({"name": "wait", "arguments": exo(json!({"wait_seconds": 300})),
        "_meta": {"progressToken": "here"}});
    raw.request(2, "tools/call", &params);
    let mut last = 0.0;
    for _ in 0..2 {
        let line = raw.answer();
        assert_eq!(line["method"], "notifications/progress", "{line}");
        let told = &line["params"];
        assert_eq!(told["progressToken"], "here");
        let progress = told["progress"].as_f64().expect("a number");
        assert!(progress > last, "{line}");
        last = progress;
        let message = told["message"].as_str().expect("a text");
        assert!(message.contains("C4NTS7K9Q"), "{message}");
        assert!(message.chars().count() <= 200, "{message}");
    }
    raw.end();
}
