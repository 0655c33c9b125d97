//! Whoever asks for a run may be gone at any moment; what that means for the run was said when it was ordered.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{TestDaemon, wait_for};

/// Asks for a run that ends with its caller, and leaves before any answer.
fn ask_and_leave(daemon: &TestDaemon, command: &str) {
    let body = json!({
        "connection": "Contoso", "module": "exo", "command": command, "on_disconnect": "stop",
    })
    .to_string();
    let request = format!(
        "POST /v1/runs HTTP/1.1\r\nhost: mm\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = UnixStream::connect(daemon.socket()).expect("the daemon listens");
    stream
        .write_all(request.as_bytes())
        .expect("the daemon reads");
}

fn runs(daemon: &TestDaemon) -> Vec<Value> {
    let list = daemon.run(&["runs", "list", "--json"]);
    let report: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    report["runs"].as_array().expect("it is a list").clone()
}

#[test]
fn a_caller_gone_while_the_run_is_written_down_leaves_no_ghost() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let database = Connection::open(daemon.path("state/mm.db")).expect("the daemon made it");
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nothing is being written");
    ask_and_leave(&daemon, "Start-Sleep 600");
    // The daemon answers others meanwhile, and then has seen the request before.
    assert_eq!(daemon.run(&["daemon", "status"]).code, 0);
    database
        .execute_batch("ROLLBACK")
        .expect("it was begun above");
    let run = daemon.wait_for_run("ended");
    assert_eq!(run["command"], "Start-Sleep 600");
    assert_eq!(run["end"]["outcome"], "stopped", "{run}");
    wait_for("a session that is free again", || {
        (daemon.session()["state"] == "ready").then_some(())
    });
}

#[test]
fn callers_that_leave_at_once_leave_nothing_behind() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    for number in 0..20 {
        ask_and_leave(&daemon, &format!("Start-Sleep {}", 600 + number));
    }
    let over = wait_for("an end to every run", || {
        let runs = runs(&daemon);
        let all = runs.iter().all(|run| run["state"] == "ended");
        (all && !runs.is_empty()).then_some(runs)
    });
    // Those beyond the eight that may wait were refused; none was left to run.
    for run in over {
        let outcome = &run["end"]["outcome"];
        assert!(outcome == "stopped" || outcome == "not_run", "{run}");
    }
    wait_for("a session that is free again", || {
        (daemon.session()["state"] == "ready").then_some(())
    });
}
