//! What can go wrong with a tenant, a sign-in or a program, through the command line.

use crate::support::{Finished, TestDaemon, wait_for};

fn run(daemon: &TestDaemon, command: &str) -> Finished {
    daemon.run(&["run", "-c", "Contoso", "-m", "exo", command])
}

/// A sign-in that must fail, with its exit code and what it says.
fn refused(scenario: &str, says: &[&str]) -> TestDaemon {
    let daemon = TestDaemon::with_scenario(scenario);
    let login = daemon.run(&["login", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(login.code, 3, "{scenario}: {login:?}");
    for text in says {
        assert!(login.stderr.contains(text), "{scenario}, {text}: {login:?}");
    }
    assert!(login.stderr.contains("help: "), "{scenario}: {login:?}");
    assert_eq!(daemon.session()["account"], serde_json::Value::Null);
    daemon
}

#[test]
fn failed_sign_ins_are_named_and_cost_nothing() {
    refused("declined?approve=200ms", &["AADSTS70018"]);
    refused("expired-code?approve=200ms", &["expired"]);
    refused("blocked?approve=200ms", &["AADSTS53003"]);
    refused("bad-app", &["AADSTS700016"]);
    refused("not-installed", &["is not recognized"]);
    // A run that waits for such a sign-in does not run, and says why.
    let daemon = TestDaemon::with_scenario("declined?approve=200ms");
    let run = run(&daemon, "Get-Mailbox");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("did not run"), "{run:?}");
}

#[test]
fn the_wrong_account_is_refused_with_both_names_and_signed_out() {
    let daemon = refused(
        "wrong-account?approve=200ms",
        &["ada@contoso.com", "is expected"],
    );
    assert_eq!(daemon.session()["state"], "signed_out");
    assert_eq!(daemon.session()["failure"]["name"], "wrong-account");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "--no-wait", "1"]);
    assert_eq!(run.code, 3, "{run:?}");
}

#[test]
fn the_first_identity_is_pinned_where_nothing_is_expected() {
    let daemon = TestDaemon::new();
    let connect = |scenario: &str| {
        let entry = serde_json::json!({"connections": {"Contoso": {"tenant": "contoso.com", "stand_in": scenario}}});
        std::fs::write(daemon.path("connections.json"), entry.to_string())
            .expect("it can be written");
    };
    let login =
        |more: &[&str]| daemon.run(&[&["login", "-c", "Contoso", "-m", "exo"], more].concat());
    connect("exo?approve=100ms");
    assert_eq!(login(&[]).code, 0);
    assert_eq!(
        daemon
            .run(&["disconnect", "-c", "Contoso", "-m", "exo"])
            .code,
        0
    );
    connect("exo?approve=100ms&account=eve@contoso.com");
    let other = login(&[]);
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.stderr.contains("--accept-identity"), "{other:?}");
    daemon.accept_identity();
    assert_eq!(daemon.session()["account"], "eve@contoso.com");
}

#[test]
fn a_program_that_dies_is_a_lost_session_and_the_next_command_starts_anew() {
    for (command, why) in [
        ("Stop-Stand -Code 3", "exit code 3"),
        ("Stop-Stand -Signal 9", "signal"),
        (
            "Stop-Stand -Midway",
            "whether the command took effect is not known",
        ),
    ] {
        let daemon = TestDaemon::with_scenario("crash?approve=100ms");
        daemon.sign_in();
        let lost = run(&daemon, command);
        assert_eq!(lost.code, 7, "{command}: {lost:?}");
        assert!(lost.stderr.contains(why), "{command}: {lost:?}");
        assert_eq!(daemon.session()["state"], "closed", "{command}");
        assert_eq!(run(&daemon, "1").stdout, "1\n", "{command}");
    }
}

#[test]
fn a_killed_program_is_told_while_it_is_idle_too() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let pid = daemon.session()["pid"]
        .as_u64()
        .expect("it has one")
        .to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill is there").success());
    let session = wait_for("a closed session", || {
        let session = daemon.session();
        (session["state"] == "closed").then_some(session)
    });
    assert!(
        session["detail"]
            .as_str()
            .is_some_and(|why| why.contains("signal")),
        "{session}"
    );
    let history = daemon.run(&["status", "--history"]);
    assert!(history.stdout.contains("ada@contoso.com"), "{history:?}");
}

#[test]
fn a_program_that_is_never_ready_says_so() {
    let daemon = TestDaemon::with_scenario("never-ready");
    let folder = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&folder).expect("a new folder");
    let exo = include_str!("../../modules.d/exo.yaml");
    let impatient =
        format!("{exo}\noverrides:\n  ready: {{nonce: boot, within: 300ms, advice: update it}}\n");
    std::fs::write(folder.join("exo.yaml"), impatient).expect("a new file");
    let run = run(&daemon, "1");
    assert_eq!(run.code, 7, "{run:?}");
    assert!(
        run.stderr.contains("did not become ready: update it"),
        "{run:?}"
    );
}

#[test]
fn a_command_that_does_not_listen_is_reported_and_its_session_recovers() {
    let daemon = TestDaemon::with_scenario("deaf?approve=100ms");
    daemon.sign_in();
    let late = daemon.run(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "--timeout",
        "200ms",
        "Get-Deaf -Seconds 4",
    ]);
    assert_eq!(late.code, 5, "{late:?}");
    assert!(late.stdout.contains("asking the service"), "{late:?}");
    assert!(late.stderr.contains("does not listen"), "{late:?}");
    assert_eq!(daemon.session()["state"], "stopping");
    let refused = run(&daemon, "1");
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.stderr.contains("does not listen"), "{refused:?}");
    wait_for("a session that is ready again", || {
        (daemon.session()["state"] == "ready").then_some(())
    });
    assert_eq!(run(&daemon, "1").stdout, "1\n");
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
}

#[test]
fn a_flood_is_kept_with_head_and_tail() {
    let daemon = TestDaemon::with_scenario("flood?approve=100ms");
    daemon.sign_in();
    let flood = daemon.run(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "--detach",
        "Get-Flood -Megabytes 70",
    ]);
    let id = flood.stdout.trim().to_owned();
    let run = daemon.wait_for_run("ended");
    assert_eq!(run["end"]["outcome"], "succeeded", "{run}");
    let (length, skipped) = (
        run["output_length"].as_u64().expect("a number"),
        run["output_skipped"].as_u64().expect("a number"),
    );
    assert_eq!(length - skipped, 64 << 20, "{run}");
    let output = daemon.run(&["runs", "output", &id]);
    assert_eq!(output.stdout.len() as u64, length - skipped);
}

#[test]
fn a_living_session_is_refused_when_its_connection_expects_somebody_else() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let entry = serde_json::json!({"connections": {"Contoso": {
        "tenant": "contoso.com", "expectedEmail": "zoe@contoso.com", "stand_in": "exo?approve=100ms",
    }}});
    std::fs::write(daemon.path("connections.json"), entry.to_string()).expect("it can be written");
    let refused = run(&daemon, "1");
    assert_eq!(refused.code, 4, "{refused:?}");
    for text in ["ada@contoso.com", "zoe@contoso.com", "mm disconnect"] {
        assert!(refused.stderr.contains(text), "{text}: {refused:?}");
    }
    // Nothing was lost: the sign-in is still there for who takes the change back.
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
}

#[test]
fn accepting_who_is_signed_in_pins_them() {
    let daemon = TestDaemon::new();
    let connect = |scenario: &str| {
        let entry = serde_json::json!({"connections": {"Contoso": {"tenant": "contoso.com", "stand_in": scenario}}});
        std::fs::write(daemon.path("connections.json"), entry.to_string())
            .expect("it can be written");
    };
    connect("exo?approve=100ms");
    daemon.sign_in();
    let accepted = daemon.accept_identity();
    assert!(accepted.contains("is signed in as"), "{accepted}");
    assert_eq!(
        daemon
            .run(&["disconnect", "-c", "Contoso", "-m", "exo"])
            .code,
        0
    );
    connect("exo?approve=100ms&account=eve@contoso.com");
    assert_eq!(run(&daemon, "1").code, 3);
}

#[test]
fn a_caller_who_means_another_connections_file_is_refused() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut other = daemon.mm(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    other.env("MM_CONNECTIONS", daemon.path("other.json"));
    let refused = crate::support::finish(other, b"");
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("other.json"), "{refused:?}");
}

#[test]
fn a_frame_that_something_else_took_is_told_as_such() {
    let daemon = TestDaemon::with_scenario("eats-frames?approve=100ms");
    daemon.sign_in();
    assert_eq!(run(&daemon, "Start-Eater").code, 0);
    let eaten = daemon.run(&[
        "run",
        "-c",
        "Contoso",
        "-m",
        "exo",
        "--timeout",
        "200ms",
        "1",
    ]);
    assert_eq!(eaten.code, 5, "{eaten:?}");
    assert!(eaten.stderr.contains("nothing answered"), "{eaten:?}");
    assert_eq!(daemon.session()["state"], "stopping");
    // A daemon that is told to stop does, whatever its sessions do.
    let stopped = daemon.run(&["daemon", "stop", "--force"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert_eq!(daemon.run(&["daemon", "status"]).code, 8);
}
