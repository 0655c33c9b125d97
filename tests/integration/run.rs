//! `mm run` and what belongs to it, without a terminal.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{TestDaemon, finish};

const SESSION: [&str; 4] = ["-c", "Contoso", "-m", "exo"];

fn run<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run"];
    arguments.extend(SESSION);
    arguments.extend(rest);
    arguments
}

#[test]
fn the_first_command_signs_in() {
    let daemon = TestDaemon::new();
    let first = daemon.run(&run(&["Get-Mailbox -ResultSize 3"]));
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stderr.contains("C4NTS7K9Q"), "{first:?}");
    assert!(
        first.stderr.contains("https://login.microsoft.com/device"),
        "{first:?}"
    );
    assert!(first.stdout.contains("User 3"), "{first:?}");
    let second = daemon.run(&run(&["1"]));
    assert_eq!(
        (second.stdout.as_str(), second.stderr.as_str()),
        ("1\n", "")
    );
}

#[test]
fn json_is_one_object_whatever_happens() {
    let daemon = TestDaemon::new();
    let good = daemon.run(&run(&["--json", "Get-AcceptedDomain"]));
    assert_eq!(good.stdout.lines().count(), 1, "{good:?}");
    let report: Value = serde_json::from_str(&good.stdout).expect("it is JSON");
    assert_eq!(report["session"]["connection"], "Contoso");
    assert_eq!(report["account"], "ada@contoso.com");
    assert_eq!(report["state"], "ended");
    assert_eq!(report["outcome"], "succeeded");
    assert_eq!(report["end_state"], "ok");
    assert_eq!(report["objects"][0]["DomainName"], "contoso.com");
    assert_eq!(report["objects"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["truncated"], false);

    let error = daemon.run(&run(&["--json", "Get-Mailbox nobody@contoso.com"]));
    let report: Value = serde_json::from_str(&error.stdout).expect("it is JSON");
    let message = report["errors"][0]["message"].as_str();
    assert!(
        message.is_some_and(|text| text.contains("couldn't be found")),
        "{report}"
    );

    let refused = daemon.run(&["run", "-c", "Contosso", "-m", "exo", "--json", "1"]);
    assert_eq!(refused.code, 9, "{refused:?}");
    let report: Value = serde_json::from_str(&refused.stdout).expect("it is JSON");
    assert_eq!(report["error"]["code"], "unknown_name");
}

#[test]
fn errors_without_failure_are_told_and_count_when_strict() {
    let daemon = TestDaemon::new();
    let command = "Get-Mailbox nobody@contoso.com";
    let lenient = daemon.run(&run(&[command]));
    assert_eq!(lenient.code, 0, "{lenient:?}");
    assert!(
        lenient.stderr.contains("succeeded with 1 error: "),
        "{lenient:?}"
    );
    let strict = daemon.run(&run(&["--strict", command]));
    assert_eq!(strict.code, 1, "{strict:?}");
}

#[test]
fn a_parse_error_has_a_place() {
    let daemon = TestDaemon::new();
    let finished = daemon.run(&run(&["if ("]));
    assert_eq!(finished.code, 1, "{finished:?}");
    assert!(finished.stderr.contains("error: 1:"), "{finished:?}");
    assert!(finished.stderr.contains("nothing ran"), "{finished:?}");
}

#[test]
fn wrong_names_are_helped_with() {
    let daemon = TestDaemon::new();
    let connection = daemon.run(&["run", "-c", "Contosso", "-m", "exo", "1"]);
    assert_eq!(connection.code, 9, "{connection:?}");
    assert!(connection.stderr.contains("`Contosso`"), "{connection:?}");
    assert!(connection.stderr.contains("Contoso"), "{connection:?}");
    let module = daemon.run(&["run", "-c", "Contoso", "-m", "exp", "1"]);
    assert_eq!(module.code, 9, "{module:?}");
    assert!(module.stderr.contains("exo"), "{module:?}");
    for verb in [["runs", "show"], ["runs", "stop"], ["runs", "output"]] {
        let run = daemon.run(&[verb[0], verb[1], "raaaaaaaaa"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(
            run.stderr.contains("there is no run `raaaaaaaaa`"),
            "{run:?}"
        );
    }
}

#[test]
fn commands_that_cannot_be_sent_are_refused() {
    let daemon = TestDaemon::new();
    let empty = daemon.run(&run(&[""]));
    assert_eq!(empty.code, 2, "{empty:?}");
    let huge = daemon.run_with(&run(&["-"]), &vec![b'#'; 16 << 20]);
    assert_eq!(huge.code, 2, "{huge:?}");
    assert!(huge.stderr.contains("16 MiB"), "{huge:?}");
    let large = format!("#{}\n'large'", "x".repeat(5 << 20));
    let large = daemon.run_with(&run(&["-"]), large.as_bytes());
    assert_eq!(large.code, 0, "{large:?}");
    assert_eq!(large.stdout, "large\n");
}

#[test]
fn not_waiting_for_a_sign_in_has_an_exit_code() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    let refused = daemon.run(&run(&["--no-wait", "1"]));
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("mm login"), "{refused:?}");
    assert!(daemon.session().is_null(), "no program was started for it");
    let mut login = vec!["login", "--no-wait"];
    login.extend(SESSION);
    let login = daemon.run(&login);
    assert_eq!(login.code, 3, "{login:?}");
    assert!(login.stderr.contains("C4NTS7K9Q"), "{login:?}");
}

#[test]
fn a_timeout_ends_the_run_and_not_the_sign_in() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let late = daemon.run(&run(&["--timeout", "300ms", "Start-Sleep 60"]));
    assert_eq!(late.code, 5, "{late:?}");
    assert!(late.stderr.contains("timed out"), "{late:?}");
    assert_eq!(daemon.run(&run(&["1"])).stdout, "1\n");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mm = env!("CARGO_BIN_EXE_mm");
    let command = "1..400 | ForEach-Object { $_; Start-Sleep -Milliseconds 5 }";
    let line = format!("set -o pipefail; '{mm}' run -c Contoso -m exo '{command}' | head -1");
    let mut shell = Command::new("bash");
    let environment = daemon.mm(&[]);
    shell.args(["-c", &line]).env_clear();
    shell.envs(
        environment
            .get_envs()
            .filter_map(|(name, value)| value.map(|value| (name, value))),
    );
    let finished = finish(shell, b"");
    assert_eq!(
        (finished.stdout.as_str(), finished.stderr.as_str()),
        ("1\n", "")
    );
    assert_eq!(finished.code, 0);
    let run = daemon.wait_for_run("ended");
    assert_eq!(
        run["end"]["outcome"], "succeeded",
        "the run goes on without its reader"
    );
}

#[test]
fn a_run_outlives_a_killed_client() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let command = "1..40 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }";
    let mut client = daemon.start(&run(&[command]));
    daemon.wait_for_run("running");
    client.kill().expect("it is our child");
    client.wait().expect("it is our child");
    let ended = daemon.wait_for_run("ended");
    assert_eq!(ended["end"]["outcome"], "succeeded");
    let id = ended["id"].as_str().expect("it has one");
    let output = daemon.run(&["runs", "output", id]);
    assert!(output.stdout.ends_with("40\n"), "{output:?}");
}

#[test]
fn a_detached_run_is_followed_later() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let command = "1..10 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }";
    let detached = daemon.run(&run(&["--detach", command]));
    let id = detached.stdout.trim();
    let followed = daemon.run(&["runs", "output", id, "--follow"]);
    assert_eq!(followed.code, 0, "{followed:?}");
    assert!(followed.stdout.ends_with("10\n"), "{followed:?}");
    let tail = daemon.run(&["runs", "output", id, "--from", "2"]);
    assert_eq!(followed.stdout[2..], tail.stdout);
}

#[test]
fn two_terminals_at_once_take_turns() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let arguments = run(&["Start-Sleep -Milliseconds 500"]);
    let mut first = daemon.start(&arguments);
    daemon.wait_for_run("running");
    let second = daemon.run(&run(&["2"]));
    assert_eq!((second.code, second.stdout.as_str()), (0, "2\n"));
    assert!(second.stderr.contains("1 run goes first"), "{second:?}");
    assert!(first.wait().expect("it is our child").success());
}

#[test]
fn a_question_is_answered_from_elsewhere() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut asking = daemon
        .mm(&run(&[
            "--on-question",
            "ask",
            "Remove-Mailbox user3@contoso.com",
        ]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("mm was built");
    let run = daemon.wait_for_run("asking");
    let id = run["id"].as_str().expect("it has one");
    let answered = daemon.run(&["answer", id, "Y"]);
    assert_eq!(answered.code, 0, "{answered:?}");
    assert!(asking.wait().expect("it is our child").success());
    let again = daemon.run(&["answer", id, "Y"]);
    assert_eq!(again.code, 4, "{again:?}");
}

#[test]
fn a_secret_is_not_taken_from_an_argument() {
    let daemon = TestDaemon::with_scenario("question?approve=200ms");
    daemon.sign_in();
    let detached = daemon.run(&run(&["--detach", "--on-question", "ask", "Unlock-Thing"]));
    let id = detached.stdout.trim().to_owned();
    daemon.wait_for_run("asking");
    let refused = daemon.run(&["answer", &id, "hunter2"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("this is a secret"), "{refused:?}");
    let answered = daemon.run_with(&["answer", &id], b"hunter2\n");
    assert_eq!(answered.code, 0, "{answered:?}");
    daemon.wait_for_run("ended");
    let output = daemon.run(&["runs", "output", &id]);
    assert!(output.stdout.contains("unlocked"), "{output:?}");
    assert!(!output.stdout.contains("hunter2"), "{output:?}");
}

#[test]
fn an_answered_question_is_not_asked_again() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let command = "Read-Host 'Your name'; Start-Sleep -Milliseconds 900";
    let detached = daemon.run(&run(&["--detach", "--on-question", "ask", command]));
    let id = detached.stdout.trim().to_owned();
    daemon.wait_for_run("asking");
    assert_eq!(daemon.run(&["answer", &id, "bob"]).code, 0);
    loop {
        let run = daemon.newest_run();
        assert_ne!(run["state"], "asking", "{run}");
        if run["state"] == "ended" {
            assert_eq!(run["end"]["outcome"], "succeeded", "{run}");
            break;
        }
    }
}
