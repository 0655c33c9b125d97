//! Sessions that last: idle limits, health while nobody uses them, memory and age.

use serde_json::Value;

use crate::support::{TestDaemon, wait_for};

/// Writes the settings file. The daemon reads it again when it next looks at a session.
fn settle(daemon: &TestDaemon, settings: &str) {
    let folder = daemon.path(".config/mm");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("config.yaml"), settings).expect("the folder can be written");
}

fn wait_for_session(daemon: &TestDaemon, what: &str, test: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || {
        let session = daemon.session();
        test(&session).then_some(session)
    })
}

fn ended_because(daemon: &TestDaemon, why: &str) {
    let session = wait_for_session(daemon, "an ended session", |session| {
        session["state"] == "closed"
    });
    let detail = session["detail"].as_str().expect("it says why");
    assert!(detail.contains(why), "{detail}");
    let past = daemon.run(&["status", "--history", "--json"]);
    assert!(past.stdout.contains(detail), "{past:?}");
}

fn run(daemon: &TestDaemon, command: &str) -> crate::support::Finished {
    daemon.run(&["run", "-c", "Contoso", "-m", "exo", command])
}

#[test]
fn an_idle_session_is_announced_and_then_ended() {
    let daemon = TestDaemon::new();
    settle(&daemon, "sessions: {idle_limit: 3s, announce_before: 1h}\n");
    daemon.sign_in();
    let session = daemon.session();
    assert!(session["idle_since"].is_string(), "{session}");
    assert!(session["ends_at"].is_string(), "{session}");
    ended_because(&daemon, "it was idle for 3s, its limit");
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).expect("it keeps a log");
    let announced = log
        .find("ends by its idle limit")
        .expect("it was announced");
    let ended = log
        .find("it is signed out and ended")
        .expect("it was ended");
    assert!(announced < ended, "{log}");
    // The next command signs in anew.
    assert_eq!(run(&daemon, "1").code, 0);
}

#[test]
fn a_session_that_is_used_is_not_idle_and_never_is_never() {
    let daemon = TestDaemon::new();
    settle(&daemon, "sessions: {idle_limit: 1s}\n");
    let long = run(&daemon, "Start-Sleep 3; 'done'");
    assert_eq!((long.code, long.stdout.as_str()), (0, "done\n"), "{long:?}");
    settle(
        &daemon,
        "sessions: {idle_limit: 1s}\nconnections:\n  Contoso: {idle_limit: never}\n",
    );
    assert_eq!(run(&daemon, "1").code, 0);
    let session = wait_for_session(&daemon, "an idle session", |session| {
        session["idle_since"].is_string()
    });
    assert_eq!(session["ends_at"], Value::Null, "{session}");
}

#[test]
fn a_service_that_refuses_is_shown_and_costs_no_sign_in() {
    let daemon = TestDaemon::with_scenario("token-dies?approve=100ms");
    settle(
        &daemon,
        "sessions: {check_service_every: 200ms, check_identity_every: never}\n",
    );
    daemon.sign_in();
    wait_for_session(&daemon, "a session that was checked", |session| {
        session["checked_at"].is_string()
    });
    assert_eq!(run(&daemon, "Expire-Fake").code, 0);
    let session = wait_for_session(&daemon, "a session that is not well", |session| {
        session["unwell"].is_object()
    });
    assert_eq!(session["unwell"]["what"], "the service");
    assert_eq!(session["unwell"]["why"], "UnAuthorized");
    assert_eq!(session["account"], "ada@contoso.com");
    assert!(daemon.run(&["status"]).stdout.contains("not well"));
    assert_eq!(run(&daemon, "1").code, 0);
}

#[test]
fn a_sign_in_that_is_gone_is_noticed_while_nobody_looks() {
    let daemon = TestDaemon::new();
    settle(
        &daemon,
        "sessions: {check_service_every: never, check_identity_every: 200ms}\n",
    );
    daemon.sign_in();
    assert_eq!(
        run(&daemon, "Disconnect-ExchangeOnline -Confirm:$false").code,
        0
    );
    let session = wait_for_session(&daemon, "a session that is signed out", |session| {
        session["state"] == "signed_out"
    });
    assert_eq!(session["failure"]["name"], "signed-out", "{session}");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "--no-wait", "1"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    daemon.sign_in();
}

/// A module whose service is a file: without it, nothing proves the sign-in, and nothing says that it is over.
const FRAIL: &str = r#"
module: frail
title: Frail
shell: bash
sign_in:
  ways:
    - {name: token, connect: 'touch "$HOME/service"', within: 1m}
  identity:
    command: printf '{"account":"ada@contoso.com","tenant":"aaaabbbb-0000-cccc-1111-dddd2222eeee"}'
    account: account
    tenant: tenant
  proof: test -e "$HOME/service" && echo yes
"#;

#[test]
fn a_login_says_what_a_sign_in_cannot_prove_and_keeps_it() {
    let daemon = TestDaemon::new();
    settle(
        &daemon,
        "sessions: {check_service_every: 200ms, check_identity_every: never}\n",
    );
    add_module(&daemon, "frail", FRAIL);
    let login = || daemon.run(&["login", "-c", "Contoso", "-m", "frail"]);
    let run = |command: &str| daemon.run(&["run", "-c", "Contoso", "-m", "frail", command]);
    assert_eq!(login().code, 0);
    let first = daemon.session()["signed_in_at"].clone();
    let away = run(r#"mv "$HOME/service" "$HOME/away""#);
    assert_eq!(away.code, 0, "{away:?}");
    wait_for_session(&daemon, "a session that is not well", |session| {
        session["unwell"].is_object()
    });
    let refused = login();
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("asking the service"), "{refused:?}");
    assert!(refused.stderr.contains("mm disconnect"), "{refused:?}");
    let back = run(r#"mv "$HOME/away" "$HOME/service""#);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(login().code, 0);
    assert_eq!(daemon.session()["signed_in_at"], first);
}

#[test]
fn a_login_signs_in_anew_where_the_sign_in_is_gone() {
    let daemon = TestDaemon::with_scenario("token-dies?approve=100ms");
    settle(
        &daemon,
        "sessions: {check_service_every: 200ms, check_identity_every: never}\n",
    );
    daemon.sign_in();
    let gone = run(&daemon, "Expire-Fake");
    assert_eq!(gone.code, 0, "{gone:?}");
    wait_for_session(&daemon, "a session that is not well", |session| {
        session["unwell"].is_object()
    });
    let login = daemon.run(&["login", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(login.code, 0, "{login:?}");
    assert!(login.stderr.contains("enter"), "a new code: {login:?}");
    assert_eq!(run(&daemon, "Get-AcceptedDomain").code, 0);
}

#[test]
fn questions_of_the_upkeep_come_between_runs_and_never_into_one() {
    let daemon = TestDaemon::new();
    settle(
        &daemon,
        "sessions: {check_service_every: 50ms, check_identity_every: 50ms}\n",
    );
    daemon.sign_in();
    for number in 0..10 {
        let text = number.to_string();
        let finished = run(&daemon, &text);
        assert_eq!((finished.code, finished.stdout), (0, format!("{text}\n")));
    }
    wait_for_session(&daemon, "a session that was checked", |session| {
        session["checked_at"].is_string()
    });
    let long = run(
        &daemon,
        "1..5 | ForEach-Object { $_; Start-Sleep -Milliseconds 200 }",
    );
    assert_eq!((long.code, long.stdout.as_str()), (0, "1\n2\n3\n4\n5\n"));
    let list = daemon.run(&["runs", "list", "--json"]);
    let runs: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(11), "{runs}");
}

#[test]
fn memory_is_shown_and_ends_a_session_only_where_that_is_written() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let memory = daemon.session()["memory_bytes"].as_u64();
    assert!(memory.is_some_and(|bytes| bytes > 1 << 20), "{memory:?}");
    settle(&daemon, "sessions: {memory_limit: 1MiB}\n");
    // It looks when something happens, and now and then.
    assert_eq!(run(&daemon, "1").code, 0);
    ended_because(&daemon, "and its limit is 1 MiB");
}

#[test]
fn an_old_session_is_ended_where_that_is_written() {
    let daemon = TestDaemon::new();
    settle(&daemon, "sessions: {age_limit: 2s}\n");
    daemon.sign_in();
    ended_because(&daemon, "it was 2s old, its limit");
}

#[test]
fn settings_that_are_wrong_are_told_with_their_place() {
    let daemon = TestDaemon::new();
    settle(&daemon, "sessions:\n  idle_limit: soon\n");
    let start = daemon.run(&["daemon", "start"]);
    assert_eq!(start.code, 8, "{start:?}");
    assert!(start.stderr.contains("config.yaml:2"), "{start:?}");
    settle(&daemon, "sessions:\n  idle_limit: 8h\n");
    assert_eq!(daemon.run(&["daemon", "start"]).code, 0);
    settle(&daemon, "sessions:\n  idle_limit: later\n");
    let status = daemon.run(&["daemon", "status"]);
    assert!(status.stderr.contains("`later`"), "{status:?}");
}

/// A module whose sign-in lies in its home and outlives its program.
const KEPT: &str = r#"
module: kept
title: Kept
shell: bash
sign_in:
  ways:
    - {name: token, connect: 'touch "$HOME/token"', within: 1m}
  restore: test -e "$HOME/token"
  identity:
    command: printf '{"account":"ada@contoso.com","tenant":"aaaabbbb-0000-cccc-1111-dddd2222eeee"}'
    account: account
    tenant: tenant
"#;

#[test]
fn a_lost_session_comes_back_where_that_needs_nobody() {
    let daemon = TestDaemon::new();
    add_module(&daemon, "kept", KEPT);
    let login = daemon.run(&["login", "-c", "Contoso", "-m", "kept"]);
    assert_eq!(login.code, 0, "{login:?}");
    let first = daemon.session()["pid"].clone();
    kill(&first);
    let back = wait_for_session(&daemon, "a session that came back", |session| {
        session["state"] == "ready" && session["pid"] != first
    });
    assert_eq!(back["account"], "ada@contoso.com");
    // What it lives from is gone now, and nobody is there to sign in.
    let home = daemon.path("state/homes");
    for home in std::fs::read_dir(home).expect("it is there").flatten() {
        std::fs::remove_file(home.path().join("token")).expect("it is there");
    }
    kill(&back["pid"]);
    let gone = wait_for_session(&daemon, "a session that is signed out", |session| {
        session["state"] == "signed_out"
    });
    assert_eq!(gone["failure"]["name"], "signed-out", "{gone}");
}

#[test]
fn a_lost_session_that_needs_somebody_waits_with_its_reason() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    kill(&daemon.session()["pid"]);
    let lost = wait_for_session(&daemon, "a lost session", |session| {
        session["state"] == "closed"
    });
    let detail = lost["detail"].as_str().expect("it says why");
    assert!(detail.contains("a signal ended the program"), "{detail}");
}

/// Adds a module, and a connection that is no stand-in's.
fn add_module(daemon: &TestDaemon, name: &str, text: &str) {
    let modules = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&modules).expect("the folder can be made");
    std::fs::write(modules.join(format!("{name}.yaml")), text).expect("the folder can be written");
    let connections = serde_json::json!({"connections": {"Contoso": {
        "tenant": "contoso.com", "expectedEmail": "ada@contoso.com", "policy": "open",
    }}});
    std::fs::write(daemon.path("connections.json"), connections.to_string())
        .expect("the folder can be written");
}

fn kill(pid: &Value) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.expect("there is a kill").success());
}
