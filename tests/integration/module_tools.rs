//! What a person who writes a module has: `mm modules test` and `mm modules new`.

use std::fs;
use std::path::Path;

use crate::support::TestDaemon;

#[test]
fn recordings_are_accepted_and_then_compared() {
    let daemon = TestDaemon::new();
    let folder = daemon.path("casts");
    fs::create_dir(&folder).expect("a new folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh");
    for name in ["exo-declined.cast", "graph-session.cast"] {
        fs::copy(root.join(name), folder.join(name)).expect("it is there");
    }
    let folder = folder.to_str().expect("it is UTF-8");
    let test = |rest: &[&str]| {
        let mut arguments = vec!["modules", "test", "--recordings", folder];
        arguments.extend(rest);
        daemon.run(&arguments)
    };
    let new = test(&[]);
    assert_eq!(new.code, 1, "{new:?}");
    assert!(new.stdout.contains("failure declined"), "{new:?}");
    let accepted = test(&["--update"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let same = test(&["graph"]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (0, "ok      graph-session\n1 passed, 0 failed\n")
    );
    let written = daemon.path("casts/exo-declined.txt");
    let before = fs::read_to_string(&written).expect("it was written");
    fs::write(
        &written,
        before.replace("failure declined", "failure refused"),
    )
    .expect("it is ours");
    let differs = test(&[]);
    assert_eq!(differs.code, 1, "{differs:?}");
    assert!(
        differs.stdout.contains("\n-   failure refused: ")
            && differs.stdout.contains("\n+   failure declined: "),
        "{differs:?}"
    );
    let none = daemon.run(&["modules", "test", "exo"]);
    assert_eq!(none.code, 2, "{none:?}");
}

#[test]
fn a_new_module_is_written_and_works() {
    let daemon = TestDaemon::new();
    let made = daemon.run(&[
        "modules",
        "new",
        "shop",
        "--title",
        "The shop's own",
        "--connect",
        "Connect-ExchangeOnline -Device -ShowBanner:$false",
        "--identity",
        "Get-ConnectionInformation | Select-Object State, UserPrincipalName, TenantID",
        "--account",
        "UserPrincipalName",
        "--tenant",
        "TenantID",
        "--proof",
        "Get-AcceptedDomain",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let show = daemon.run(&["modules", "show", "shop"]);
    assert!(show.stdout.contains("The shop's own"), "{show:?}");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "shop", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
    let again = daemon.run(&["modules", "new", "shop"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("already a file"), "{again:?}");
    let half = daemon.run(&["modules", "new", "half", "--connect", "Connect-Half"]);
    assert!(
        half.code == 2 && half.stderr.contains("--identity"),
        "{half:?}"
    );
    let faulty = daemon.run(&["modules", "new", "faulty", "--shell", "zsh"]);
    assert_eq!(faulty.code, 9, "{faulty:?}");
    assert!(faulty.stdout.contains("zsh"), "{faulty:?}");
    // A program that takes a command as an argument runs in bash, and is what has to be installed.
    let lister = daemon.run(&["modules", "new", "lister", "--run", "ls -1 {command}"]);
    assert_eq!(lister.code, 0, "{lister:?}");
    let file = daemon.path(".config/mm/modules.d/lister.yaml");
    let text = std::fs::read_to_string(&file).expect("it was written");
    assert!(text.contains("shell: 'bash'"), "{text}");
    // What it shows in comments can be used as it is.
    let used = text.replace("# needs:", "needs:").replace("#   ", "    ");
    std::fs::write(&file, used).expect("the home is ours");
    let show = daemon.run(&["modules", "show", "lister"]);
    assert!(show.stdout.contains("the program ls\n"), "{show:?}");
}

#[test]
fn at_a_terminal_a_module_is_asked_for() {
    use expectrl::{Eof, Expect as _};
    let daemon = TestDaemon::new();
    let mut terminal = daemon.terminal(&["modules", "new", "words"]);
    for (question, answer) in [
        ("people call it", "Words"),
        ("pwsh or bash", "bash"),
        ("signs in", ""),
        ("is put into", "echo said {command}"),
    ] {
        terminal.expect(question).expect("it asks");
        terminal.send_line(answer).expect("it listens");
    }
    terminal.expect(Eof).expect("it ends");
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "words", "it's"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "said it's\n"),
        "{run:?}"
    );
}

/// Records `Contoso/exo` into a folder, with these arguments besides.
fn record<'a>(folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["modules", "record", "exo", "-c", "Contoso", "--to", folder];
    arguments.extend(more);
    arguments
}

#[test]
fn what_was_recorded_can_be_played_against_the_module() {
    let daemon = TestDaemon::new();
    let folder = daemon.path("casts");
    let folder = folder.to_str().expect("it is UTF-8");
    let made = daemon.run(&record(folder, &["--command", "Get-AcceptedDomain"]));
    assert_eq!(made.code, 0, "{made:?}");
    for case in ["sign-in", "1"] {
        assert!(
            made.stdout.contains(&format!("exo-{case}.cast")),
            "{made:?}"
        );
    }
    let cast = fs::read_to_string(daemon.path("casts/exo-sign-in.cast")).expect("it was written");
    assert!(!cast.contains("C4NTS7K9Q"), "the code is in the recording");
    let accepted = daemon.run(&["modules", "test", "exo", "--recordings", folder, "--update"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let told = fs::read_to_string(daemon.path("casts/exo-sign-in.txt")).expect("it was written");
    for role in ["connect", "identity", "proof"] {
        assert!(told.contains(role), "{role}: {told}");
    }
    // A session that is signed in has no sign-in to record, and a recording is never written over.
    let again = daemon.run(&record(folder, &[]));
    assert_eq!(again.code, 2, "{again:?}");
    let other = daemon.path("other");
    let other = other.to_str().expect("it is UTF-8");
    let begun = daemon.run(&record(other, &[]));
    assert!(
        begun.code == 4 && begun.stderr.contains("mm disconnect"),
        "{begun:?}"
    );
}

#[test]
fn at_a_terminal_commands_are_asked_for_and_their_questions_answered() {
    use expectrl::{Eof, Expect as _};
    let daemon = TestDaemon::new();
    let folder = daemon.path("casts");
    let folder = folder.to_str().expect("it is UTF-8");
    let mut terminal = daemon.terminal(&record(folder, &[]));
    terminal.expect("(empty to end)> ").expect("it asks");
    terminal
        .send_line("Remove-Mailbox user1@contoso.com")
        .expect("it listens");
    terminal.expect("Removing mailbox").expect("the question");
    terminal.send_line("y").expect("it listens");
    terminal
        .expect("removed user1")
        .expect("the answer went in");
    terminal.expect("(empty to end)> ").expect("it asks again");
    terminal.send_line("").expect("it listens");
    terminal.expect(Eof).expect("it ends");
    let shown = daemon.run(&["recording", "show", &format!("{folder}/exo-1.cast")]);
    assert!(
        shown.stdout.contains("asked: "),
        "the question is in it: {shown:?}"
    );
}
