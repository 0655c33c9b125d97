//! The audit: what a session's life leaves in it, and what may run while it cannot be kept.

use rusqlite::Connection;
use serde_json::Value;

use super::support::{TestDaemon, wait_for};

/// The database of a daemon.
fn database(daemon: &TestDaemon) -> Connection {
    Connection::open(daemon.path("state/mm.db")).expect("it is there")
}

fn rows(daemon: &TestDaemon) -> Vec<Value> {
    let db = database(daemon);
    let mut select = db
        .prepare("SELECT line FROM audit ORDER BY number")
        .expect("the table is there");
    let lines = select
        .query_map([], |row| row.get::<_, String>(0))
        .expect("it can be read");
    lines
        .map(|line| serde_json::from_str(&line.expect("it is text")).expect("it is JSON"))
        .collect()
}

/// Waits until there is a row of this kind, and returns all there are.
fn rows_with(daemon: &TestDaemon, kind: &str) -> Vec<Value> {
    wait_for(&format!("a row `{kind}`"), || {
        let rows = rows(daemon);
        rows.iter().any(|row| row["kind"] == kind).then_some(rows)
    })
}

/// One row in short: what, who, where, and what of it.
fn short(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let module = row["module"].as_str().map_or("-".to_owned(), |module| {
        format!("{}/{module}", text("connection"))
    });
    format!(
        "{} client={} {module} account={} outcome={} text={}",
        text("kind"),
        text("client"),
        text("account"),
        text("outcome"),
        text("text"),
    )
}

#[test]
fn a_sessions_life_is_in_the_audit() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let run = daemon.run(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "Get-Mailbox ada -Password 'hunter2x'",
    ]);
    assert_ne!(run.code, 9, "{run:?}");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "exit"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    let rows = rows_with(&daemon, "session_ended");
    let story: Vec<String> = rows
        .iter()
        // When the program came up, and when its file was read, is nobody's order.
        .filter(|row| row["kind"] != "changed" && row["kind"] != "session_started")
        .map(short)
        .collect();
    insta::assert_snapshot!(
        story
            .join("\n")
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    );
    let changed = rows
        .iter()
        .find(|row| row["kind"] == "changed")
        .expect("the file was read");
    assert!(
        changed["text"]
            .as_str()
            .is_some_and(|text| text.ends_with("connections.json"))
    );
}

/// Lets nothing more into the audit.
const FULL: &str =
    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END;";

#[test]
fn nothing_runs_that_cannot_be_written_down() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    database(&daemon)
        .execute_batch(FULL)
        .expect("it can be filled");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("nothing is run that cannot be written down"),
        "{refused:?}"
    );
    let status = daemon.run(&["daemon", "status"]);
    assert!(
        status.stderr.contains("the audit cannot be written"),
        "{status:?}"
    );
    database(&daemon)
        .execute_batch("DROP TRIGGER full")
        .expect("it can be emptied");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"]);
    assert_eq!(run.code, 0, "{run:?}");
    let status = daemon.run(&["daemon", "status"]);
    assert_eq!(status.stderr, "", "{status:?}");
    let refusals = rows(&daemon)
        .iter()
        .filter(|row| row["outcome"] == "not_run")
        .count();
    assert_eq!(refusals, 1, "what could not be written then is written now");
}

#[test]
fn what_only_reads_goes_on_where_the_settings_say_so() {
    let daemon = TestDaemon::new();
    let mut start = daemon.mm(&["daemon", "start"]);
    start.env("MM_AUDIT_ON_FAILURE", "allow_reads");
    let start = super::support::finish(start, b"");
    assert_eq!(start.code, 0, "{start:?}");
    daemon.sign_in();
    database(&daemon)
        .execute_batch(FULL)
        .expect("it can be filled");
    let reads = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"]);
    assert_eq!(reads.code, 0, "{reads:?}");
    let writes = daemon.run(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "Set-Mailbox ada -CustomAttribute1 x",
    ]);
    assert_eq!(writes.code, 4, "{writes:?}");
}

#[test]
fn a_record_that_was_bent_while_nobody_looked_is_found_at_the_next_start() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let stop = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stop.code, 0, "{stop:?}");
    database(&daemon)
        .execute_batch(
            "DROP TRIGGER audit_is_not_changed;
             UPDATE audit SET line = replace(line, 'Contoso', 'Fabrikam') WHERE line LIKE '%signed_in%'",
        )
        .expect("it can be bent");
    let start = daemon.run(&["daemon", "start"]);
    assert_eq!(start.code, 0, "{start:?}");
    rows_with(&daemon, "record_broken");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("its content is not what its hash says"),
        "{refused:?}"
    );
}
