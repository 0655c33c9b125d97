//! The audit: what a session's life leaves in it, and what may run while it cannot be kept.

use std::process::Command;
use std::sync::LazyLock;

use expectrl::{Eof, Expect as _};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::{Finished, TestDaemon, finish, wait_for};

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
    daemon.configure("audit: {on_failure: allow_reads}\n");
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
fn what_only_reads_goes_on_beside_a_broken_chain_only_where_the_settings_say_so() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    database(&daemon)
        .execute_batch(
            "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE line LIKE '%signed_in%'",
        )
        .expect("it can be bent");
    assert_eq!(daemon.run(&["audit", "verify"]).code, 1);
    let reads = ["run", "-c", "Contoso", "-m", "exo", "Get-Mailbox"];
    assert_eq!(daemon.run(&reads).code, 4);
    daemon.configure("audit: {on_failure: allow_reads}\n");
    assert_eq!(daemon.run(&reads).code, 0);
    let writes = ["run", "-c", "Contoso", "-m", "exo", "Set-Mailbox ada"];
    assert_eq!(daemon.run(&writes).code, 4);
    daemon.configure("audit: {on_failure: refuse}\n");
    assert_eq!(daemon.run(&reads).code, 4);
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
fn verifier(arguments: &[&str], export: &[u8]) -> Finished {
    let mut python = Command::new("python3");
    python.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/audit/verify.py"
    ));
    python.args(arguments);
    finish(python, export)
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
        let sound = verifier(&arguments, export.stdout.as_bytes());
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
            let found = verifier(&arguments, bent.as_bytes());
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

/// An export in both forms.
static EXPORTS: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let daemon = with_a_past();
    let export = |format: &str| {
        let export = daemon.run(&["audit", "export", "--format", format]);
        assert_eq!(export.code, 0, "{export:?}");
        export.stdout.into_bytes()
    };
    (export("jsonl"), export("csv"))
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_language_finds_any_one_bent_bit_of_an_export(
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        csv in any::<bool>(),
    ) {
        let (arguments, export): (&[&str], _) = if csv {
            (&["--csv"], &EXPORTS.1)
        } else {
            (&[], &EXPORTS.0)
        };
        let at = at.index(export.len());
        let mut bent = export.clone();
        bent[at] ^= 1 << bit;
        let found = verifier(arguments, &bent);
        prop_assert!(found.code == 1, "byte {at}, bit {bit}, csv {csv}: {found:?}");
    }
}

#[test]
fn everything_that_happens_has_its_row_with_who_where_and_as_whom() {
    let daemon = TestDaemon::with_scenario("question?approve=100ms");
    daemon.set_entry("policy", &json!("ask"));
    daemon.configure("approvals: {valid_for: 2s}\n");
    daemon.sign_in();
    let words = |command| ["run", "-c", "Contoso", "-m", "exo", command];
    // Nobody says yes in time; somebody says no; somebody says yes, is asked by the command, and answers.
    assert_eq!(daemon.run(&words("Set-Mailbox x")).code, 4);
    daemon.configure("approvals: {valid_for: 10m}\n");
    let mut denied = daemon.start(&words("Set-Mailbox x"));
    let waits = daemon.wait_for_run("waiting_for_approval");
    let id = waits["id"].as_str().expect("it has one");
    daemon.run(&["approvals", "deny", id]);
    denied.wait().expect("it is our child");
    let mut asks = daemon.terminal(&words("Remove-Thing one"));
    asks.expect("type yes to run it: ").expect("it asks");
    asks.send_line("yes").expect("the terminal is open");
    daemon.wait_for_question("Are you sure");
    asks.expect("Are you sure").expect("it asks");
    asks.send_line("Y").expect("the terminal is open");
    asks.expect(Eof).expect("it ends");
    let mut slow = daemon.start(&words("Start-Sleep 600"));
    let running = daemon.wait_for_run("running");
    let id = running["id"].as_str().expect("it has one");
    daemon.run(&["runs", "stop", id]);
    slow.wait().expect("it is our child");
    let mut voided = daemon.start(&words("Set-Mailbox x"));
    daemon.wait_for_run("waiting_for_approval");
    let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    voided.wait().expect("it is our child");
    assert_eq!(daemon.run(&words("exit")).code, 4);
    assert_eq!(daemon.run(&["daemon", "stop", "--force"]).code, 0);
    let rows = rows_with(&daemon, "daemon_stopped");
    let user = &rows[0]["user"];
    assert!(user.is_string(), "{rows:#?}");
    for row in &rows {
        assert!(row["user"] == *user && row["at"].is_string(), "{row:#}");
    }
    let where_and_whom = "connection module run account tenant";
    let judged = "effects decision rule";
    for (kind, fields) in [
        ("daemon_started", "text reason".to_owned()),
        ("changed", "text reason".to_owned()),
        ("session_started", "connection module".to_owned()),
        ("sign_in_started", "client connection module".to_owned()),
        (
            "signed_in",
            "connection module account tenant outcome".to_owned(),
        ),
        (
            "run_started",
            format!("client {where_and_whom} text text_hash {judged}"),
        ),
        (
            "approval_asked",
            format!("client approval {where_and_whom} text text_hash {judged}"),
        ),
        (
            "approval_expired",
            format!("approval {where_and_whom} {judged} reason"),
        ),
        (
            "approval_voided",
            format!("approval {where_and_whom} {judged} reason"),
        ),
        (
            "denied",
            format!("client approval {where_and_whom} {judged} reason"),
        ),
        (
            "approved",
            format!("client approval {where_and_whom} text text_hash {judged}"),
        ),
        ("question", format!("{where_and_whom} text")),
        ("answer", format!("client {where_and_whom} text")),
        ("interrupt", format!("client {where_and_whom}")),
        ("run_ended", format!("{where_and_whom} outcome")),
        (
            "refused",
            "client connection module text text_hash outcome reason".to_owned(),
        ),
        (
            "disconnect",
            "client connection module account tenant".to_owned(),
        ),
        ("session_ended", "connection module reason".to_owned()),
    ] {
        let found = rows.iter().find(|row| row["kind"] == kind);
        let row = found.unwrap_or_else(|| panic!("there is no row `{kind}`: {rows:#?}"));
        for field in fields.split(' ') {
            let value = &row[field];
            let says_nothing = value.is_null() || *value == json!([]) || *value == json!("");
            assert!(!says_nothing, "`{kind}` has no `{field}`: {row:#}");
        }
    }
    let timed = |row: &&Value| row["kind"] == "run_ended" && row["duration_ms"].is_u64();
    assert!(rows.iter().any(|row| timed(&row)), "{rows:#?}");
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
    assert_eq!(list(&["--account", "eve@contoso.com"]).len(), 0);
    let account = list(&["--account", "ada@contoso.com", "--kind", "signed_in"]);
    assert_eq!(account.len(), 1, "{account:?}");
    assert_eq!(list(&["--client", "mcp"]).len(), 0);
    assert!(!list(&["--client", "cli"]).is_empty());
    daemon.set_entry("policy", &json!("ask"));
    let only = ["run", "-c", "Contoso", "-m", "exo", "--only-reads"];
    daemon.run(&[&only[..], &["Remove-Mailbox x"]].concat());
    let destroys = list(&["--effect", "destroys"]);
    assert_eq!(destroys.len(), 1, "{destroys:?}");
    assert_eq!(destroys[0]["outcome"], "refused", "{destroys:?}");
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
        let body = json!({"reason": "it is fine"});
        let answer = daemon.post_as(client, "/v1/audit/accept", &body);
        assert!(answer.starts_with("HTTP/1.1 403"), "{client}: {answer}");
        assert!(answer.contains("needs_person"), "{client}: {answer}");
    }
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(run.code, 4, "nothing was accepted: {run:?}");
}
