//! A stop, and a second one, wherever a run is: it ends once, says so, and the session takes the next one. And a deadline,
//! which counts from when the command is sent.

use serde_json::Value;

use crate::support::{Finished, TestDaemon, wait_for};

fn run(daemon: &TestDaemon, rest: &[&str]) -> Finished {
    daemon.run(&[&["run", "-c", "Contoso", "-m", "exo"], rest].concat())
}

/// Starts a run that nobody waits for; its id.
fn detached(daemon: &TestDaemon, rest: &[&str]) -> String {
    let options = ["--detach", "--on-question", "ask"];
    let started = run(daemon, &[&options, rest].concat());
    assert_eq!(started.code, 0, "{started:?}");
    started.stdout.trim().to_owned()
}

fn shown(daemon: &TestDaemon, id: &str) -> Value {
    let list = daemon.run(&["runs", "list", "--json"]);
    let report: Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    let runs = report["runs"].as_array().expect("a list");
    let run = runs.iter().find(|run| run["id"] == id);
    run.expect("it was accepted").clone()
}

fn wait_until(daemon: &TestDaemon, id: &str, state: &str) -> Value {
    wait_for(&format!("a run that is {state}"), || {
        let run = shown(daemon, id);
        (run["state"] == state).then_some(run)
    })
}

/// Stops it so many times, at once.
fn stop(daemon: &TestDaemon, id: &str, times: usize) {
    let stops: Vec<_> = (0..times)
        .map(|_| daemon.start(&["runs", "stop", id]))
        .collect();
    for mut stop in stops {
        assert!(stop.wait().expect("it is our child").success());
    }
}

/// It ended so, once, and what comes next is not harmed.
fn ended(daemon: &TestDaemon, id: &str, outcome: &str, reason: Option<&str>) {
    let run = wait_until(daemon, id, "ended");
    assert_eq!(run["end"]["outcome"], outcome, "{run}");
    if let Some(reason) = reason {
        let told = run["end"]["reason"].as_str().unwrap_or_default();
        assert!(told.contains(reason), "{run}");
    }
}

fn goes_on(daemon: &TestDaemon) {
    wait_for("a session that takes the next run", || {
        let next = run(daemon, &["'next'"]);
        (next.stdout == "next\n").then_some(())
    });
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
}

#[test]
fn a_run_that_waits_its_turn_is_stopped() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    for times in [1, 2] {
        let first = detached(&daemon, &["Start-Sleep 600"]);
        wait_until(&daemon, &first, "running");
        let second = detached(&daemon, &["'never'"]);
        wait_until(&daemon, &second, "queued");
        stop(&daemon, &second, times);
        ended(&daemon, &second, "stopped", Some("before it was sent"));
        assert_eq!(shown(&daemon, &first)["state"], "running");
        stop(&daemon, &first, times);
        ended(&daemon, &first, "stopped", None);
        goes_on(&daemon);
    }
}

#[test]
fn a_run_whose_program_starts_is_stopped() {
    let daemon = TestDaemon::with_scenario("slow-start?ready=2s&approve=50ms");
    for times in [1, 2] {
        let id = detached(&daemon, &["'never'"]);
        assert_eq!(daemon.session()["state"], "starting");
        stop(&daemon, &id, times);
        ended(&daemon, &id, "stopped", Some("before it was sent"));
        goes_on(&daemon);
        let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
        assert_eq!(gone.code, 0, "{gone:?}");
    }
}

#[test]
fn a_run_that_waits_for_a_sign_in_is_stopped_and_the_sign_in_is_not() {
    let daemon = TestDaemon::with_scenario("exo?approve=4s");
    for times in [1, 2] {
        let id = detached(&daemon, &["'never'"]);
        wait_until(&daemon, &id, "waiting_for_sign_in");
        wait_for("a code", || {
            let session = daemon.session();
            session["challenge"]["user_code"].as_str().map(drop)
        });
        stop(&daemon, &id, times);
        ended(&daemon, &id, "stopped", Some("before it was sent"));
        assert_eq!(daemon.session()["state"], "signing_in");
        goes_on(&daemon);
        let gone = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
        assert_eq!(gone.code, 0, "{gone:?}");
    }
}

#[test]
fn a_session_that_is_signing_in_is_ended_and_its_runs_with_it() {
    let daemon = TestDaemon::with_scenario("deaf?approve=15m");
    let id = detached(&daemon, &["'never'"]);
    wait_for("a code", || {
        let session = daemon.session();
        session["challenge"]["user_code"].as_str().map(drop)
    });
    // Twice at once; its program does not hear the Ctrl-C, and is killed for it.
    let mut first = daemon.start(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    let second = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert!(first.wait().expect("it is our child").success() || second.code == 0);
    let run = wait_until(&daemon, &id, "ended");
    assert_ne!(run["end"]["outcome"], "succeeded", "{run}");
    assert!(run["started_at"].is_null(), "{run}");
}

#[test]
fn a_run_that_asks_is_stopped() {
    let daemon = TestDaemon::with_scenario("question?approve=50ms");
    daemon.sign_in();
    for times in [1, 2] {
        let id = detached(&daemon, &["Remove-Thing one"]);
        wait_until(&daemon, &id, "asking");
        stop(&daemon, &id, times);
        ended(&daemon, &id, "stopped", None);
        let late = daemon.run(&["answer", &id, "Y"]);
        assert_ne!(late.code, 0, "{late:?}");
        goes_on(&daemon);
    }
}

#[test]
fn a_run_that_is_being_stopped_stays_so_however_often_it_is_told() {
    let daemon = TestDaemon::with_scenario("deaf?approve=50ms");
    daemon.sign_in();
    let id = detached(&daemon, &["Get-Deaf -Seconds 5"]);
    wait_until(&daemon, &id, "running");
    stop(&daemon, &id, 1);
    wait_until(&daemon, &id, "stopping");
    stop(&daemon, &id, 2);
    ended(&daemon, &id, "stopped", Some("does not listen"));
    let output = daemon.run(&["runs", "output", &id]);
    assert!(output.stdout.contains("asking the service"), "{output:?}");
    let session = daemon.session();
    assert_eq!(session["state"], "stopping", "{session}");
    let why = session["detail"].as_str().unwrap_or_default();
    assert!(why.contains("does not listen"), "{session}");
    stop(&daemon, &id, 1);
    goes_on(&daemon);
}

#[test]
fn a_deadline_counts_from_when_the_command_is_sent() {
    let daemon = TestDaemon::with_scenario("slow-start?ready=1s&approve=1s");
    // Longer than its deadline it waits: for the program, the sign-in, and another run.
    let first = detached(
        &daemon,
        &["--timeout", "900ms", "Start-Sleep -Milliseconds 100"],
    );
    let second = detached(&daemon, &["--timeout", "900ms", "Start-Sleep 600"]);
    let third = detached(&daemon, &["--timeout", "900ms", "'done'"]);
    ended(&daemon, &first, "succeeded", None);
    ended(&daemon, &second, "timed_out", None);
    ended(&daemon, &third, "succeeded", None);
    goes_on(&daemon);
}

#[test]
fn a_deadline_ends_what_asks_and_what_does_not_listen() {
    let daemon = TestDaemon::with_scenario("question?approve=50ms");
    daemon.sign_in();
    let id = detached(&daemon, &["--timeout", "1500ms", "Remove-Thing one"]);
    wait_until(&daemon, &id, "asking");
    ended(&daemon, &id, "timed_out", None);
    goes_on(&daemon);
    // A stop that came first is what it ended by, whatever passes meanwhile.
    let daemon = TestDaemon::with_scenario("deaf?approve=50ms");
    daemon.sign_in();
    let id = detached(&daemon, &["--timeout", "1s", "Get-Deaf -Seconds 4"]);
    wait_until(&daemon, &id, "running");
    stop(&daemon, &id, 1);
    ended(&daemon, &id, "stopped", Some("does not listen"));
    goes_on(&daemon);
}
