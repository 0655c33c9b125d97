//! Whoever asks for a run may be gone at any moment; what that means for the run was said when it was ordered.

use std::io::Read as _;
use std::os::unix::net::UnixStream;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{TestDaemon, door, wait_for};

/// Asks for a run that ends with its caller.
fn ask(daemon: &TestDaemon, command: &str) -> UnixStream {
    let body = json!({
        "connection": "Contoso", "module": "exo", "command": command, "on_disconnect": "stop",
    })
    .to_string();
    door::send(
        &daemon.socket(),
        "POST /v1/runs HTTP/1.1",
        "",
        body.as_bytes(),
    )
}

fn runs(daemon: &TestDaemon) -> Vec<Value> {
    let list = daemon.run(&["runs", "list", "--json"]);
    let report: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    report["runs"].as_array().expect("it is a list").clone()
}

/// Waits until nothing runs or waits any more; returns all runs.
fn all_over(daemon: &TestDaemon) -> Vec<Value> {
    wait_for("an end to every run", || {
        let runs = runs(daemon);
        let over = runs.iter().all(|run| run["state"] == "ended");
        (over && daemon.session()["state"] == "ready").then_some(runs)
    })
}

#[test]
fn a_caller_gone_while_the_run_is_written_down_leaves_no_ghost() {
    let daemon = TestDaemon::new();
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    let database = Connection::open(daemon.path("state/mm.db")).expect("the daemon made it");
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nothing is being written");
    let caller = ask(&daemon, "Start-Sleep 600");
    // From here on its request is under way, and waits for the database.
    wait_for("a session for it", || {
        (!daemon.session().is_null()).then_some(())
    });
    drop(caller);
    database
        .execute_batch("ROLLBACK")
        .expect("it was begun above");
    daemon.sign_in();
    for run in all_over(&daemon) {
        assert_eq!(run["end"]["outcome"], "stopped", "{run}");
    }
}

#[test]
fn callers_that_leave_early_take_their_runs_with_them() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    for number in 0..20 {
        let mut caller = ask(&daemon, &format!("Start-Sleep {}", 600 + number));
        let mut first = [0];
        caller.read_exact(&mut first).expect("the daemon answers");
    }
    let over = all_over(&daemon);
    assert!(!over.is_empty());
    for run in over {
        assert_eq!(run["end"]["outcome"], "stopped", "{run}");
    }
}
