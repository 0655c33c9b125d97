//! What a connection allows, from outside: refused before anything is started, and told why.

use serde_json::{Value, json};

use crate::support::TestDaemon;

/// A daemon whose connection `Contoso` has this policy.
fn with_policy(policy: &str) -> TestDaemon {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!(policy));
    daemon
}

/// A run that a program asks for, and the daemon's whole answer.
fn ask(daemon: &TestDaemon, command: &str) -> String {
    let body = json!({
        "connection": "Contoso", "module": "exo", "command": command, "on_signed_out": "refuse",
    });
    daemon.post("/v1/runs", &body)
}

#[test]
fn a_read_only_connection_only_reads() {
    let daemon = with_policy("read-only");
    for command in [
        "Remove-Mailbox x",
        "& $x",
        "Get-Mailbox | % { Set-Mailbox $_ -ForwardingAddress x }",
        "Get-Mailbox &",
    ] {
        let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", command]);
        assert_eq!(refused.code, 4, "{command}: {refused:?}");
        assert!(refused.stderr.contains("`read-only`"), "{refused:?}");
        assert!(refused.stderr.contains("mm policy explain"), "{refused:?}");
    }
    assert_eq!(daemon.session(), Value::Null, "nothing was started");
    let read = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "Get-AcceptedDomain"]);
    assert_eq!(read.code, 0, "{read:?}");
}

#[test]
fn a_program_gets_no_secret_and_ends_no_session() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    for command in [
        "Get-AzAccessToken",
        "1; exit 3",
        "if (1) { Stop-Process -Id $PID }",
    ] {
        let answer = ask(&daemon, command);
        assert!(
            answer.contains(r#""code":"refused""#),
            "{command}: {answer}"
        );
    }
    let answer = ask(&daemon, "Get-AcceptedDomain");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("succeeded"), "{answer}");
}

#[test]
fn a_command_is_explained_without_a_daemon() {
    let daemon = with_policy("read-only");
    let words = ["policy", "explain", "-c", "Contoso", "-m", "exo", "--json"];
    let explained = daemon.run(&[&words[..], &["Remove-Mailbox x"]].concat());
    let report: Value = serde_json::from_str(&explained.stdout).expect("it is JSON");
    assert_eq!(report["effects"], json!(["destroys"]));
    assert_eq!(report["decisions"][0]["decision"], "refuse");
    assert!(daemon.pid().is_none(), "no daemon was needed");

    let lines = "{\"text\": \"Get-Mailbox\"}\n\n{\"text\": \"Get-Mailbox --% x\", \"id\": 1}\n";
    let answers = daemon.run_with(&["policy", "explain", "--jsonl"], lines.as_bytes());
    let answers: Vec<Value> = answers
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    assert_eq!(
        answers,
        [
            json!({"commands": ["Get-Mailbox"], "effects": ["reads"], "understood": true}),
            json!({"commands": ["Get-Mailbox"], "effects": ["unknown_code"], "understood": false}),
        ]
    );
    let bad = daemon.run_with(&["policy", "explain", "--jsonl"], b"Get-Mailbox\n");
    assert_eq!(bad.code, 2, "{bad:?}");
}

/// A text of the corpus, and the commands that the real parser names in it.
#[derive(serde::Deserialize)]
struct Judged {
    text: String,
    errors: Vec<String>,
    commands: Vec<JudgedCommand>,
}

#[derive(serde::Deserialize)]
struct JudgedCommand {
    name: Option<String>,
}

#[test]
fn many_are_explained_and_no_command_of_the_corpus_is_missed() {
    let daemon = TestDaemon::new();
    let corpus = include_str!("../../fixtures/policy/guard-corpus.jsonl");
    let answers = daemon.run_with(&["policy", "explain", "--jsonl"], corpus.as_bytes());
    assert_eq!(answers.code, 0, "{}", answers.stderr);
    let answers: Vec<Value> = answers
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    let texts: Vec<Judged> = corpus
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is one text"))
        .collect();
    assert_eq!(answers.len(), texts.len());
    let (mut plain, mut beyond) = (0_usize, 0_usize);
    for (judged, answer) in texts.iter().zip(&answers) {
        let understood = answer["understood"] == true;
        let mut ours: Vec<&str> = answer["commands"]
            .as_array()
            .expect("it is a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for name in judged
            .commands
            .iter()
            .filter_map(|command| command.name.as_deref())
        {
            match ours.iter().position(|ours| *ours == name) {
                Some(at) => drop(ours.swap_remove(at)),
                None => assert!(!understood, "{name} of {:?}", judged.text),
            }
        }
        let is_dynamic = judged.commands.iter().any(|command| command.name.is_none());
        if judged.errors.is_empty() && !is_dynamic && !judged.text.trim_end().ends_with('&') {
            plain += 1;
            beyond += usize::from(!understood);
        } else {
            let reads = answer["effects"] == json!(["reads"]);
            assert!(
                !(is_dynamic && reads) || only_blocks(&judged.text),
                "{:?}",
                judged.text
            );
        }
    }
    assert!(plain > 400 && beyond * 50 <= plain, "{beyond} of {plain}");
}

/// Whether what is called without a name is a block of the text, as in `& { … }`.
fn only_blocks(text: &str) -> bool {
    text.contains("& {") || text.contains(". {")
}

#[test]
fn a_policy_that_is_none_takes_the_connection_out() {
    let daemon = with_policy("readonly");
    let refused = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("`read-only`"), "{refused:?}");
}
