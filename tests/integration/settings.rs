//! `config.yaml`: who may write it, and what the audit says of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::approvals::{asking, id, request, waiting};
use crate::support::{TestDaemon, finish, wait_for};

/// The rows about the settings file.
fn changes(daemon: &TestDaemon) -> Vec<Value> {
    let list = daemon.run(&[
        "audit",
        "list",
        "--json",
        "--kind",
        "changed",
        "--text",
        "settings: ",
    ]);
    let rows = list.stdout.lines().filter(|line| line.starts_with('{'));
    rows.map(|row| serde_json::from_str(row).expect("it is JSON"))
        .collect()
}

#[test]
fn a_file_that_others_can_write_starts_no_daemon_and_changes_nothing_later() {
    let daemon = TestDaemon::new();
    daemon.configure("approvals: {trusted_forms: [evil]}\n");
    let file = daemon.path(".config/mm/config.yaml");
    let allow = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    allow(0o666);
    let refused = daemon.run(&["daemon", "start"]);
    assert_eq!(refused.code, 8, "{refused:?}");
    let said = refused.stderr.clone()
        + &std::fs::read_to_string(daemon.path("state/daemon.log")).unwrap_or_default();
    assert!(
        said.contains("can be written by others (mode 666)"),
        "{said}"
    );
    let doctor = daemon.run(&["doctor"]);
    assert!(
        doctor.stdout.contains("can be written by others"),
        "{doctor:?}"
    );
    daemon.configure("# nothing\n");
    allow(0o600);
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    daemon.configure("approvals: {trusted_forms: [evil]}\n");
    allow(0o622);
    let status = daemon.run(&["daemon", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
    assert_eq!(status["trusted_forms"], json!([]), "{status}");
    assert!(
        status["troubles"][0]
            .as_str()
            .is_some_and(|said| said.contains("mode 622")),
        "{status}"
    );
    assert_eq!(changes(&daemon).len(), 1, "the one that it began with");
}

#[test]
fn what_the_settings_were_and_when_they_changed_is_in_the_audit() {
    let daemon = TestDaemon::new();
    daemon.configure("approvals: {valid_for: 5m}\n");
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    let before = changes(&daemon);
    assert_eq!(before.len(), 1, "{before:?}");
    daemon.configure("approvals: {valid_for: 6m}\n");
    let after = wait_for("a second row", || {
        daemon.run(&["daemon", "status"]);
        let rows = changes(&daemon);
        (rows.len() == 2).then_some(rows)
    });
    assert_ne!(after[0]["reason"], after[1]["reason"], "{after:?}");
    for row in after {
        let reason = row["reason"].as_str().expect("it says what is in the file");
        assert!(reason.starts_with("SHA-256 "), "{row}");
    }
}

#[test]
fn nothing_in_the_environment_gives_a_right() {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!("ask"));
    let mut start = daemon.mm(&["daemon", "start"]);
    start
        .env("MM_APPROVAL_FORMS", "claude")
        .env("MM_AUDIT_ON_FAILURE", "allow_reads");
    assert_eq!(finish(start, b"").code, 0);
    daemon.sign_in();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let path = format!("/v1/approvals/{}/approve", id(&run));
    let yes = json!({"digest": run["approval"]["digest"], "client": "mcp", "form": "claude"});
    let (status, answer) = request(&daemon, "POST", &path, &yes);
    assert_eq!(status, 403, "{answer}");
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
    let database = rusqlite::Connection::open(daemon.path("state/mm.db")).expect("it is there");
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END;",
        )
        .expect("it can be filled");
    let reads = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"]);
    assert_eq!(reads.code, 4, "{reads:?}");
}

#[test]
fn a_form_is_trusted_for_the_connections_that_the_settings_name() {
    let daemon = asking();
    daemon.configure(
        "approvals: {trusted_forms: [test], connections: {Contoso: {trusted_forms: []}}}\n",
    );
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let path = format!("/v1/approvals/{}/approve", id(&run));
    let yes = |digest: &Value| json!({"digest": digest, "client": "mcp", "form": "test"});
    let digest = &run["approval"]["digest"];
    let (status, answer) = request(&daemon, "POST", &path, &yes(digest));
    assert_eq!(status, 403, "{answer}");
    daemon.configure("approvals: {connections: {Contoso: {trusted_forms: [test]}}}\n");
    let (status, answer) = request(&daemon, "POST", &path, &yes(&json!("00ff")));
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("approval_changed"))
    );
    let (status, answer) = request(&daemon, "POST", &path, &yes(digest));
    assert_eq!(status, 200, "{answer}");
    child.wait().expect("it is our child");
    assert!(daemon.wait_for_run("ended")["started_at"].is_string());
}

#[test]
fn an_editor_is_told_the_keys() {
    let daemon = TestDaemon::new();
    let schema = daemon.run(&["modules", "schema", "--of", "settings"]);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("it is JSON");
    for key in ["sessions", "modules", "connections", "approvals", "audit"] {
        let key = &schema["properties"][key];
        assert!(key["description"].is_string(), "{schema:#}");
    }
    assert_eq!(schema["additionalProperties"], json!(false));
}
