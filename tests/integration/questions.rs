//! What a command asks, kind by kind: reported with its text and default, answered from elsewhere, cancelled, or failed at
//! once where nobody is to answer.

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon};

/// A command, what it asks one after the other (kind, text, default, answer), and what it says at the end.
struct Asks {
    command: &'static str,
    questions: &'static [(
        &'static str,
        &'static str,
        Option<&'static str>,
        &'static str,
    )],
    says: &'static str,
}

const KINDS: [Asks; 7] = [
    Asks {
        command: "Remove-Thing one",
        questions: &[("confirm", "Are you sure", Some("Y"), "Y")],
        says: "removed one",
    },
    Asks {
        command: "Select-Color",
        questions: &[("choice", "Which one?", Some("G"), "B")],
        says: "blue",
    },
    Asks {
        command: "New-Thing",
        questions: &[("parameter", "Name", None, "table")],
        says: "made table",
    },
    Asks {
        command: "Rename-Thing",
        questions: &[("text", "New name", None, "chair")],
        says: "renamed to chair",
    },
    Asks {
        command: "Unlock-Thing",
        questions: &[("secret", "Password", None, "hunter2")],
        says: "unlocked",
    },
    Asks {
        command: "Read-Host 'Your name'",
        questions: &[("text", "Your name", None, "ada")],
        says: "ada",
    },
    Asks {
        command: "Register-Thing",
        questions: &[
            ("text", "User", None, "ada"),
            ("secret", "Password for user ada", None, "hunter2"),
        ],
        says: "registered with a credential",
    },
];

fn daemon() -> TestDaemon {
    let daemon = TestDaemon::with_scenario("question?approve=100ms");
    daemon.sign_in();
    daemon
}

fn run(daemon: &TestDaemon, rest: &[&str]) -> Finished {
    let mut arguments = vec!["run", "-c", "Contoso", "-m", "exo"];
    arguments.extend(rest);
    daemon.run(&arguments)
}

/// Starts a run that may ask; its id.
fn detached(daemon: &TestDaemon, command: &str) -> String {
    let started = run(daemon, &["--detach", "--on-question", "ask", command]);
    assert_eq!(started.code, 0, "{started:?}");
    started.stdout.trim().to_owned()
}

fn is_asked(run: &Value, kind: &str, text: &str, default: Option<&str>) {
    let question = &run["question"];
    assert_eq!(question["kind"], kind, "{run}");
    let told = question["text"].as_str().unwrap_or_default();
    assert!(told.contains(text), "{run}");
    assert_eq!(question["default"], json!(default), "{run}");
    let keys: Vec<&Value> = question["choices"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|choice| &choice["key"])
        .collect();
    assert!(
        !keys.contains(&&json!("S")),
        "it would strand the session: {run}"
    );
}

#[test]
fn every_kind_is_reported_and_answered() {
    let daemon = daemon();
    for Asks {
        command,
        questions,
        says,
    } in KINDS
    {
        let id = detached(&daemon, command);
        for (kind, text, default, answer) in questions {
            let asking = daemon.wait_for_question(text);
            is_asked(&asking, kind, text, *default);
            let answered = daemon.run_with(&["answer", &id], format!("{answer}\n").as_bytes());
            assert_eq!(answered.code, 0, "{command}: {answered:?}");
        }
        let ended = daemon.wait_for_run("ended");
        assert_eq!(ended["end"]["outcome"], "succeeded", "{ended}");
        let output = daemon.run(&["runs", "output", &id]);
        assert!(output.stdout.contains(says), "{command}: {output:?}");
        assert!(!output.stdout.contains("hunter2"), "{command}: {output:?}");
    }
}

#[test]
fn every_kind_fails_at_once_where_nobody_is_to_answer() {
    let daemon = daemon();
    for Asks {
        command, questions, ..
    } in KINDS
    {
        let (kind, text, ..) = questions[0];
        // Standard input is no terminal, so nobody said that somebody answers.
        let failed = run(&daemon, &[command]);
        assert_eq!(failed.code, 1, "{command}: {failed:?}");
        assert!(
            failed.stderr.contains(text) && failed.stderr.contains("so that it may ask"),
            "{command}: {failed:?}"
        );
        let ended = daemon.newest_run();
        assert_eq!(ended["end"]["outcome"], "stopped", "{ended}");
        assert_eq!(ended["end"]["question"]["kind"], kind, "{ended}");
    }
    assert_eq!(run(&daemon, &["1"]).stdout, "1\n");
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
}

#[test]
fn every_kind_is_cancelled_on_request() {
    let daemon = daemon();
    for Asks {
        command, questions, ..
    } in KINDS
    {
        let (_, text, ..) = questions[0];
        let id = detached(&daemon, command);
        daemon.wait_for_question(text);
        let stopped = daemon.run(&["runs", "stop", &id]);
        assert_eq!(stopped.code, 0, "{command}: {stopped:?}");
        let ended = daemon.wait_for_run("ended");
        assert_eq!(ended["end"]["outcome"], "stopped", "{ended}");
        assert_eq!(run(&daemon, &["1"]).stdout, "1\n", "{command}");
    }
}

#[test]
fn a_choice_that_is_not_offered_is_refused_and_the_question_stands() {
    let daemon = daemon();
    for (command, text, not_offered, answer) in [
        (
            "Remove-Thing one",
            "Are you sure",
            ["S", "Suspend", "X"],
            "y",
        ),
        (
            "Select-Color",
            "Which one?",
            ["S", "Suspend", "Purple"],
            "Blue",
        ),
    ] {
        let id = detached(&daemon, command);
        daemon.wait_for_question(text);
        for wrong in not_offered {
            let refused = daemon.run(&["answer", &id, wrong]);
            assert_eq!(refused.code, 2, "{command}, {wrong}: {refused:?}");
            assert!(
                refused.stderr.contains("none of the choices"),
                "{refused:?}"
            );
            assert_eq!(daemon.newest_run()["state"], "asking", "{command}, {wrong}");
        }
        assert_eq!(daemon.run(&["answer", &id, answer]).code, 0, "{command}");
        let ended = daemon.wait_for_run("ended");
        assert_eq!(ended["end"]["outcome"], "succeeded", "{ended}");
    }
}

#[test]
fn what_only_looks_like_a_question_is_none() {
    let daemon = daemon();
    let shown = run(&daemon, &["Show-Form"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (0, "Name: Ada\n"));
}
