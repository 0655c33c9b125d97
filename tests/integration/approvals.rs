//! Nobody approves themselves: who is asked, who may say yes, and what a yes is bound to.

use std::process::{Child, Stdio};

use expectrl::{Eof, Expect as _};
use serde_json::{Value, json};

use crate::support::{TestDaemon, door, wait_for};

/// A daemon whose connection `Contoso` asks, signed in.
pub(crate) fn asking() -> TestDaemon {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!("ask"));
    daemon.sign_in();
    daemon
}

pub(crate) fn run(command: &str) -> [&str; 6] {
    ["run", "-c", "Contoso", "-m", "exo", command]
}

/// A run that a program asked for, as it waits.
pub(crate) fn waiting(daemon: &TestDaemon, command: &str) -> (Child, Value) {
    let child = daemon
        .mm(&run(command))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mm was built");
    (child, daemon.wait_for_run("waiting_for_approval"))
}

pub(crate) fn id(run: &Value) -> &str {
    run["id"].as_str().expect("it has one")
}

/// A request from a process without a terminal of its own; the answer's status and body.
pub(crate) fn request(daemon: &TestDaemon, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let line = format!("{method} {path} HTTP/1.1");
    let body = body.to_string();
    let answer = door::answer(door::send(&daemon.socket(), &line, "", body.as_bytes()));
    let (head, body) = answer.split_once("\r\n\r\n").expect("it is a response");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = body.lines().find(|line| line.starts_with('{'));
    let body = body.and_then(|line| serde_json::from_str(line).ok());
    (status.expect("it has a status"), body.unwrap_or_default())
}

/// A person lets programs have what the entry of a connection allows by now.
pub(crate) fn take_on(daemon: &TestDaemon, connection: &str) {
    let mut session = daemon.terminal(&["policy", "accept", "-c", connection]);
    session.expect("hold for them: ").expect("it asks");
    session.send_line("yes").expect("the terminal is open");
    session.expect("holds for programs now").expect("it holds");
    session.expect(Eof).expect("it ends");
}

/// What a person types at `mm approvals approve`.
pub(crate) fn approve(daemon: &TestDaemon, id: &str, typed: &str) -> String {
    let mut session = daemon.terminal(&["approvals", "approve", id]);
    session.expect("to run it: ").expect("it asks");
    session.send_line(typed).expect("the terminal is open");
    let end = session.expect(Eof).expect("it ends");
    String::from_utf8_lossy(end.as_bytes()).into_owned()
}

#[test]
fn a_program_waits_for_a_person_and_then_runs() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox user3@contoso.com -DisplayName x");
    let approval = &run["approval"];
    assert_eq!(approval["effects"], json!(["writes"]), "{run}");
    assert_eq!(approval["asked_by"], "program", "{run}");
    assert_eq!(run["account"], "ada@contoso.com", "{run}");
    assert_eq!(approval["tenant_name"], "contoso.com", "{run}");
    let listed = daemon.run(&["approvals", "list"]);
    assert!(listed.stdout.contains(id(&run)), "{listed:?}");
    let shown = daemon.run(&["approvals", "show", id(&run)]);
    assert!(shown.stdout.contains("programs ask"), "{shown:?}");
    let said = approve(&daemon, id(&run), "yes");
    assert!(said.contains("approved"), "{said}");
    child.wait().expect("it is our child");
    let run = daemon.wait_for_run("ended");
    assert_ne!(run["end"]["outcome"], "refused", "{run}");
    assert!(run["started_at"].is_string(), "{run}");
}

#[test]
fn who_does_not_want_to_wait_for_a_yes_is_refused_at_once() {
    let daemon = asking();
    let words = [&run("Set-Mailbox x -DisplayName y")[..], &["--no-wait"]].concat();
    let refused = daemon.run(&words);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("needs somebody's yes (writes"),
        "{refused:?}"
    );
    let (_, list) = request(&daemon, "GET", "/v1/approvals", &json!({}));
    assert_eq!(list, json!({"runs": []}));
    // A person is asked where they are.
    let words = [
        &run("Remove-Mailbox user3@contoso.com -Confirm:$false")[..],
        &["--no-wait"],
    ];
    let mut asked = daemon.terminal(&words.concat());
    asked
        .expect("destroys, as ada@contoso.com in contoso.com")
        .expect("it says about what");
    asked.expect("type yes to run it: ").expect("it asks");
    asked.send_line("no").expect("the terminal is open");
    asked.expect(Eof).expect("it ends");
    let rows = daemon.run(&["audit", "list", "--kind", "denied", "--json"]);
    assert!(rows.stdout.contains(r#""client":"cli""#), "{rows:?}");
    let rows = daemon.run(&["audit", "list", "--kind", "refused", "--json"]);
    assert!(
        rows.stdout.contains(r#""client":"cli (program)""#),
        "{rows:?}"
    );
}

#[test]
fn a_program_cannot_say_yes() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let digest = &run["approval"]["digest"];
    let path = format!("/v1/approvals/{}/approve", id(&run));
    for body in [
        json!({"digest": digest}),
        json!({"digest": digest, "client": "cli"}),
        json!({"digest": digest, "client": "mcp", "form": "claude"}),
    ] {
        let (status, answer) = request(&daemon, "POST", &path, &body);
        assert_eq!(status, 403, "{answer}");
        assert_eq!(answer["error"]["code"], "needs_person", "{answer}");
    }
    let (status, answer) = request(
        &daemon,
        "POST",
        &path,
        &json!({"digest": digest, "confirmed": true}),
    );
    assert_eq!(status, 400, "{answer}");
    let refused = daemon.run(&["approvals", "approve", id(&run)]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("terminal"), "{refused:?}");
    assert_eq!(daemon.newest_run()["state"], "waiting_for_approval");
    let denied = daemon.run(&["approvals", "deny", id(&run), "--reason", "not today"]);
    assert_eq!(denied.code, 0, "{denied:?}");
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(4));
    let run = daemon.newest_run();
    assert_eq!(run["end"]["outcome"], "refused", "{run}");
    assert_eq!(run["end"]["reason"], "it was denied: not today", "{run}");
    assert_eq!(run["started_at"], Value::Null, "{run}");
}

#[test]
fn a_yes_is_for_what_was_shown() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let said = approve(&daemon, id(&run), "y");
    assert!(said.contains("still waits"), "{said}");
    let path = format!("/v1/approvals/{}", id(&run));
    let (status, shown) = request(&daemon, "GET", &path, &json!({}));
    assert_eq!((status, &shown["id"]), (200, &run["id"]));
    let (status, answer) = request(&daemon, "GET", "/v1/approvals/rzzzzzzzzz", &json!({}));
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("no_approval"))
    );
    // Signing out ends the session, and what waited in it.
    let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    assert_eq!(child.wait().expect("it is our child").code(), Some(4));
    let run = daemon.newest_run();
    assert_eq!(run["end"]["outcome"], "refused", "{run}");
    let (_, list) = request(&daemon, "GET", "/v1/approvals", &json!({}));
    assert_eq!(list, json!({"runs": []}));
}

#[test]
fn a_run_that_waits_is_stopped() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    let stopped = daemon.run(&["runs", "stop", id(&run)]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert_eq!(child.wait().expect("it is our child").code(), Some(1));
    let run = daemon.wait_for_run("ended");
    assert_eq!(run["end"]["outcome"], "stopped", "{run}");
    assert_eq!(run["started_at"], Value::Null, "{run}");
}

#[test]
fn a_person_is_asked_in_place_about_what_destroys_only() {
    let daemon = asking();
    let mut writes = daemon.terminal(&run("Set-Mailbox x -DisplayName y"));
    let end = writes.expect(Eof).expect("it ends");
    let text = String::from_utf8_lossy(end.as_bytes()).into_owned();
    assert!(!text.contains("to run it"), "{text}");

    let mut destroys = daemon.terminal(&run("Remove-Mailbox user3@contoso.com -Confirm:$false"));
    destroys.expect("does       destroys").expect("it shows");
    destroys.expect("type yes to run it: ").expect("it asks");
    destroys.send_line("no").expect("the terminal is open");
    destroys.expect("did not run").expect("it says so");
    destroys.expect(Eof).expect("it ends");

    let many = "Get-Mailbox | Remove-Mailbox -Confirm:$false";
    let mut destroys = daemon.terminal(&run(many));
    destroys
        .expect("(contoso.com) to run it: ")
        .expect("it asks");
    destroys.send_line("yes").expect("the terminal is open");
    destroys.expect("did not run").expect("it says so");
    destroys.expect(Eof).expect("it ends");

    let mut destroys = daemon.terminal(&run("Remove-Mailbox user3@contoso.com -Confirm:$false"));
    destroys.expect("type yes to run it: ").expect("it asks");
    destroys.send_line("yes").expect("the terminal is open");
    destroys.expect(Eof).expect("it ends");
    let run = daemon.newest_run();
    assert_eq!(run["end"]["outcome"], "succeeded", "{run}");
}

#[test]
fn only_reading_and_only_telling_are_held_to_their_word() {
    let daemon = asking();
    let refused = daemon.run(&[&run("Remove-Mailbox x")[..], &["--only-reads"]].concat());
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("may do more than read"),
        "{refused:?}"
    );
    let body = |command: &str| json!({"connection": "Contoso", "module": "exo", "command": command, "only_reads": true});
    let (status, answer) = request(&daemon, "POST", "/v1/runs", &body("& $x"));
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("not_reading"))
    );
    let read = daemon.run(&[&run("Get-AcceptedDomain")[..], &["--only-reads"]].concat());
    assert_eq!(read.code, 0, "{read:?}");
    for command in [
        "Get-AcceptedDomain",
        "Remove-Mailbox x; Set-Mailbox y",
        "iex x",
    ] {
        let refused = daemon.run(&[&run(command)[..], &["--what-if"]].concat());
        assert_eq!(refused.code, 2, "{command}: {refused:?}");
    }
    daemon.run(&[&run("Remove-Mailbox x")[..], &["--what-if"]].concat());
    let told = daemon.newest_run();
    assert_eq!(told["command"], "Remove-Mailbox -WhatIf x", "{told}");
    assert!(told["started_at"].is_string(), "nobody was asked: {told}");
}

#[test]
fn whoever_waits_for_a_sign_in_is_asked_after_it() {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!("ask"));
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    assert_eq!(run["account"], "ada@contoso.com", "{run}");
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    // It keeps waiting: who asked at the command line may come back.
    wait_for("a run in the list", || {
        let (_, list) = request(&daemon, "GET", "/v1/approvals", &json!({}));
        (list["runs"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
}

/// The kinds of the audit's rows about a run, each with its row.
pub(crate) fn audited(daemon: &TestDaemon, run: &Value) -> Vec<(String, Value)> {
    let database = rusqlite::Connection::open(daemon.path("state/mm.db")).expect("it is there");
    let mut rows = database
        .prepare("SELECT line FROM audit ORDER BY number")
        .expect("it has that table");
    let lines = rows
        .query_map([], |row| row.get::<_, String>(0))
        .expect("it can be read");
    lines
        .map(|line| serde_json::from_str::<Value>(&line.expect("it is text")).expect("it is JSON"))
        .filter(|row| row["run"] == run["id"])
        .map(|row| (row["kind"].as_str().unwrap_or_default().to_owned(), row))
        .collect()
}

#[test]
fn the_record_says_who_asked_and_who_said_yes() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Set-Mailbox x -DisplayName y");
    approve(&daemon, id(&run), "yes");
    child.wait().expect("it is our child");
    daemon.wait_for_run("ended");
    let rows = wait_for("the run's last row", || {
        let rows = audited(&daemon, &run);
        let ended = rows.iter().any(|(kind, _)| kind == "run_ended");
        ended.then_some(rows)
    });
    let kinds: Vec<&str> = rows.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["run_started", "approval_asked", "approved", "run_ended"]
    );
    let approved = &rows[2].1;
    assert_eq!(approved["approval"], run["id"], "{approved}");
    assert_eq!(approved["account"], "ada@contoso.com", "{approved}");
    assert_eq!(approved["effects"], json!(["writes"]), "{approved}");
    assert_eq!(approved["decision"], "ask", "{approved}");
}

#[test]
fn the_connections_own_rules_are_named_with_their_line() {
    let daemon = asking();
    let rules = json!([
        {"who": "program", "effects": ["writes"], "decide": "allow"},
        {"commands": ["Get-MessageTrace*"], "decide": "refuse"},
    ]);
    daemon.set_entry("policyRules", &rules);
    take_on(&daemon, "Contoso");
    daemon.run(&run("Set-Mailbox x -DisplayName y"));
    let ran = daemon.newest_run();
    assert!(ran["started_at"].is_string(), "nobody was asked: {ran}");
    let refused = daemon.run(&run("Get-MessageTrace -SenderAddress a@b.c"));
    assert_eq!(refused.code, 4, "{refused:?}");
    let place = "policyRules[1] of Contoso, line 1 of the connections file";
    assert!(refused.stderr.contains(place), "{refused:?}");
    daemon.set_entry("policyRules", &json!([{"decide": "permit"}]));
    let bad = daemon.run(&run("Get-AcceptedDomain"));
    assert_eq!(bad.code, 9, "{bad:?}");
    assert!(bad.stderr.contains("policyRules[0].decide"), "{bad:?}");
}

#[test]
fn a_policy_that_was_loosened_holds_for_programs_when_a_person_says_so() {
    let daemon = asking();
    let command = "Set-Mailbox user3@contoso.com -DisplayName x";
    daemon.set_entry("policy", &json!("open"));
    let (mut child, waits) = waiting(&daemon, command);
    let rule = waits["approval"]["rule"].as_str().unwrap_or_default();
    assert!(rule.contains("mm policy accept -c 'Contoso'"), "{waits}");
    daemon.run(&["approvals", "deny", id(&waits)]);
    child.wait().expect("it is our child");
    // A program may ask what waits, and no more.
    let body = json!({"connection": "Contoso"});
    let (status, shown) = request(&daemon, "POST", "/v1/policy/accept", &body);
    assert_eq!(status, 200, "{shown}");
    let writes = json!("writes: allow, not ask");
    assert!(
        shown["changes"]
            .as_array()
            .is_some_and(|changes| changes.contains(&writes)),
        "{shown}"
    );
    let body = json!({"connection": "Contoso", "digest": shown["digest"]});
    let (status, refused) = request(&daemon, "POST", "/v1/policy/accept", &body);
    assert_eq!(
        (status, &refused["error"]["code"]),
        (403, &json!("needs_person"))
    );
    let piped = daemon.run(&["policy", "accept", "-c", "Contoso"]);
    assert_eq!(piped.code, 2, "{piped:?}");
    take_on(&daemon, "Contoso");
    let ran = daemon.run(&run(command));
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows = daemon.run(&["audit", "list", "--kind", "changed", "--json"]);
    for said in [
        "does not hold until a person takes it on",
        "a person has taken it on",
    ] {
        assert!(rows.stdout.contains(said), "{rows:?}");
    }
    // What was tightened holds at once, and is not loosened again by itself.
    daemon.set_entry("policy", &json!("read-only"));
    assert_eq!(daemon.run(&run(command)).code, 4);
    daemon.set_entry("policy", &json!("open"));
    let refused = daemon.run(&run(command));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("mm policy accept"), "{refused:?}");
}

#[test]
fn a_ticket_is_wanted_where_the_connection_says_so() {
    let daemon = asking();
    daemon.set_entry("requireTicket", &json!(true));
    let refused = daemon.run(&run("Set-Mailbox x -DisplayName y"));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("--ticket"), "{refused:?}");
    let words = [
        &run("Set-Mailbox x -DisplayName y")[..],
        &["--ticket", "INC-7", "--detach"],
    ];
    let detached = daemon.run(&words.concat());
    assert_eq!(detached.code, 0, "{detached:?}");
    let run = daemon.wait_for_run("waiting_for_approval");
    assert_eq!(run["approval"]["ticket"], "INC-7", "{run}");
}

#[test]
fn a_name_is_what_the_session_says_it_is() {
    let daemon = asking();
    // A function that somebody has defined in the session reads by its name only.
    let refused = daemon.run(&run("Get-OwnMailbox"));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("no module owns"), "{refused:?}");
    let run_of = daemon.newest_run();
    assert_eq!(run_of["end"]["outcome"], "refused", "{run_of}");
    assert_eq!(run_of["started_at"], Value::Null, "{run_of}");
    let read = daemon.run(&run("Get-AcceptedDomain"));
    assert_eq!(read.code, 0, "{read:?}");
    assert!(!read.stdout.contains("GetCommand"), "{read:?}");
    // So is what a variable holds that stands where a block would run.
    let refused = daemon.run(&run("Get-AcceptedDomain | Sort-Object $ownBlock"));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("`$ownblock` may hold code"),
        "{refused:?}"
    );
    // A person may run what cannot be known, so nothing is looked up.
    let mut person = daemon.terminal(&run("Get-OwnMailbox"));
    person.expect(Eof).expect("it ends");
    assert!(daemon.newest_run()["started_at"].is_string());
}

#[test]
fn what_would_simply_act_is_not_told_only_to_say() {
    let daemon = asking();
    let refused = daemon.run(&[&run("Remove-Everything x")[..], &["--what-if"]].concat());
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("would simply act"), "{refused:?}");
    assert_eq!(daemon.newest_run()["started_at"], Value::Null);
}

#[test]
fn a_person_sees_what_the_command_says_it_would_do() {
    let daemon = asking();
    let (mut child, run) = waiting(&daemon, "Remove-Mailbox user3@contoso.com");
    let preview = run["approval"]["preview"].as_str().unwrap_or_default();
    assert!(preview.starts_with("What if: "), "{run}");
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
    let (mut child, run) = waiting(&daemon, "Remove-Everything x");
    assert_eq!(run["approval"]["preview"], Value::Null, "{run}");
    daemon.run(&["approvals", "deny", id(&run)]);
    child.wait().expect("it is our child");
}
