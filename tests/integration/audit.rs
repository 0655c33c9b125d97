//! The audit: what a session's life leaves in it, and what may run while it cannot be kept.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use expectrl::{Eof, Expect as _};
use rusqlite::Connection;
use serde_json::Value;

use super::support::{DEADLINE, Finished, TestDaemon, finish, wait_for};

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
    let start = finish(start, b"");
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

/// The program in another language that knows nothing but the documentation.
fn verifier(arguments: &[&str], export: &str) -> Finished {
    let mut python = Command::new("python3");
    python.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/audit/verify.py"
    ));
    python.args(arguments);
    finish(python, export.as_bytes())
}

/// A daemon with some rows of every kind of text.
fn with_a_past() -> TestDaemon {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    for command in [
        "Get-Mailbox -ResultSize 1",
        "'ü, \"quoted\"'\n'and a second line'",
        "Connect-Thing -ClientSecret 'q1w2e3r4t5y6u7i8o9p0'",
        "=1+1",
    ] {
        let run = daemon.run_with(
            &["run", "-c", "Contoso", "-m", "exo", "-"],
            command.as_bytes(),
        );
        assert!(run.code < 2, "{run:?}");
    }
    daemon
}

#[test]
fn a_program_in_another_language_verifies_an_export() {
    let daemon = with_a_past();
    let verify = daemon.run(&["audit", "verify", "--json"]);
    let report: Value = serde_json::from_str(&verify.stdout).expect("it is JSON");
    assert_eq!(report["sound"], true, "{verify:?}");
    let head = format!(
        "{}:{}",
        report["head"]["number"],
        report["head"]["hash"].as_str().expect("a hash")
    );
    for (format, arguments) in [("jsonl", &[][..]), ("csv", &["--csv"][..])] {
        let export = daemon.run(&["audit", "export", "--format", format]);
        assert_eq!(export.code, 0, "{export:?}");
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--head", &head]).collect();
        let sound = verifier(&arguments, &export.stdout);
        assert_eq!(sound.code, 0, "{sound:?}");
        assert!(sound.stdout.starts_with("sound: "), "{sound:?}");
        // A byte, a row, the tail.
        let bent = export.stdout.replacen("Get-Mailbox", "Get-Mailbix", 1);
        let lines: Vec<&str> = export.stdout.split_inclusive("\"run_ended\"").collect();
        let cut = export
            .stdout
            .strip_suffix('\n')
            .and_then(|text| text.rsplit_once('\n'));
        let (cut, _) = cut.expect("there are rows");
        let swapped = lines.iter().rev().copied().collect::<String>();
        for bent in [bent.as_str(), cut, &swapped, ""] {
            let found = verifier(&arguments, bent);
            assert_eq!(found.code, 1, "{format}: {found:?}");
        }
    }
    let noted = daemon.run(&["audit", "verify", "--head", &head]);
    assert_eq!(noted.code, 0, "{noted:?}");
    let (number, hash) = head.split_once(':').expect("it has both");
    let other = format!("{number}:{}", hash.chars().rev().collect::<String>());
    let noted = daemon.run(&["audit", "verify", "--head", &other]);
    assert_eq!(noted.code, 1, "{noted:?}");
}

#[test]
fn rows_are_listed_by_what_they_say() {
    let daemon = with_a_past();
    let list = |arguments: &[&str]| {
        let mut all = vec!["audit", "list", "--json"];
        all.extend(arguments);
        let list = daemon.run(&all);
        assert_eq!(list.code, 0, "{list:?}");
        let rows = list.stdout.lines().filter(|line| *line != "no rows");
        rows.map(|row| serde_json::from_str::<Value>(row).expect("it is JSON"))
            .collect::<Vec<_>>()
    };
    let texts = |arguments: &[&str]| -> Vec<String> {
        let rows = list(arguments);
        rows.iter()
            .filter_map(|row| Some(row["text"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(
        texts(&["--kind", "run_started", "--text", "mailbox"]),
        ["Get-Mailbox -ResultSize 1"]
    );
    assert_eq!(texts(&["--kind", "run_started"]).len(), 4);
    assert_eq!(
        list(&[
            "--kind",
            "run_ended",
            "--outcome",
            "succeeded",
            "-c",
            "contoso"
        ])
        .len(),
        2
    );
    assert_eq!(list(&["-c", "Fabrikam"]).len(), 0);
    assert_eq!(list(&["--until", "2020-01-01"]).len(), 0);
    assert_eq!(list(&["--since", "2h", "--kind", "signed_in"]).len(), 1);
    assert_eq!(list(&["--limit", "3"]).len(), 3);
    let secret = texts(&["--text", "ClientSecret"]);
    assert_eq!(secret, ["Connect-Thing -ClientSecret '********'"]);
    let number = list(&["--kind", "signed_in"])[0]["number"].to_string();
    let row = daemon.run(&["audit", "show", &number]);
    assert!(
        row.stdout.contains("account       ada@contoso.com"),
        "{row:?}"
    );
    let missing = daemon.run(&["audit", "show", "99999"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    let people = daemon.run(&["audit", "list", "--limit", "2"]);
    assert!(people.stdout.starts_with("ROW "), "{people:?}");
}

#[test]
fn a_person_accepts_a_record_that_was_changed_and_nobody_else() {
    let daemon = with_a_past();
    database(&daemon)
        .execute_batch(
            "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE line LIKE '%signed_in%'",
        )
        .expect("it can be bent");
    let verify = daemon.run(&["audit", "verify"]);
    assert_eq!(verify.code, 1, "{verify:?}");
    assert!(verify.stderr.contains("is missing"), "{verify:?}");
    let run = ["run", "-c", "Contoso", "-m", "exo", "1"];
    assert_eq!(daemon.run(&run).code, 4);
    let piped = daemon.run_with(&["audit", "accept", "--reason", "x"], b"yes\n");
    assert_eq!(piped.code, 2, "{piped:?}");
    let mut terminal = daemon.terminal(&["audit", "accept", "--reason", "a disk was restored"]);
    terminal.expect("Type yes to go on").expect("it asks");
    terminal.send_line("yes").expect("it can be typed");
    terminal
        .expect("accepted; the record says so")
        .expect("it says so");
    terminal.expect(Eof).expect("it ends");
    assert_eq!(daemon.run(&run).code, 0);
    let verify = daemon.run(&["audit", "verify"]);
    assert_eq!(verify.code, 1, "what was found stays: {verify:?}");
    assert!(verify.stderr.contains("accepted by a person"), "{verify:?}");
    let stop = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stop.code, 0, "{stop:?}");
    assert_eq!(daemon.run(&["audit", "verify"]).code, 1);
    assert_eq!(
        daemon.run(&run).code,
        0,
        "it is accepted after a new start too"
    );
}

/// What the daemon answers to a process without a terminal that wants the record accepted, whatever it calls itself.
fn accept_as(daemon: &TestDaemon, client: &str) -> String {
    let body = r#"{"reason":"it is fine"}"#;
    let mut stream = UnixStream::connect(daemon.socket()).expect("the daemon listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a socket has a timeout");
    write!(
        stream,
        "POST /v1/audit/accept HTTP/1.1\r\nhost: mm\r\nmm-client: {client}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the daemon reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the daemon answers and closes");
    answer
}

#[test]
fn a_program_cannot_accept_a_record_that_was_changed() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    database(&daemon)
        .execute_batch(
            "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE line LIKE '%signed_in%'",
        )
        .expect("it can be bent");
    assert_eq!(daemon.run(&["audit", "verify"]).code, 1);
    for client in ["cli", "mcp", "http"] {
        let answer = accept_as(&daemon, client);
        assert!(answer.starts_with("HTTP/1.1 403"), "{client}: {answer}");
        assert!(answer.contains("needs_person"), "{client}: {answer}");
    }
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(run.code, 4, "nothing was accepted: {run:?}");
}
