//! `mm` as a person has it: on a terminal.

use std::process::Command;

use expectrl::process::unix::WaitStatus;
use expectrl::{Eof, Expect as _};

use crate::support::{TestDaemon, is_gone, wait_for};

fn run(command: &str) -> [&str; 6] {
    ["run", "-c", "Contoso", "-m", "exo", command]
}

/// Reads to the end and returns the exit code.
fn exit_code(mut session: expectrl::session::OsSession) -> i32 {
    session.expect(Eof).expect("it ends");
    match session.get_process().wait().expect("it is our child") {
        WaitStatus::Exited(_, code) => code,
        other => panic!("it did not exit: {other:?}"),
    }
}

#[test]
fn ctrl_c_stops_the_command_and_keeps_the_sign_in() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut session = daemon.terminal(&run("Start-Sleep 60"));
    daemon.wait_for_run("running");
    session.send("\u{3}").expect("the terminal is open");
    session
        .expect("Contoso/exo was not signed out")
        .expect("it says what became of it");
    assert_eq!(exit_code(session), 1);
    assert_eq!(daemon.run(&run("1")).stdout, "1\n");
}

#[test]
fn a_second_ctrl_c_leaves_the_run_alone() {
    let daemon = TestDaemon::with_scenario("deaf?approve=200ms");
    daemon.sign_in();
    let mut session = daemon.terminal(&run("Get-Deaf -Seconds 3"));
    session.expect("asking the service").expect("it runs");
    session.send("\u{3}").expect("the terminal is open");
    session.expect("stopping").expect("the first one stops");
    session.send("\u{3}").expect("the terminal is open");
    session
        .expect("the run goes on: mm runs show")
        .expect("the second one leaves");
    assert_eq!(exit_code(session), 1);
    wait_for("a session that has recovered", || {
        (daemon.session()["state"] == "ready").then_some(())
    });
}

#[test]
fn ctrl_c_while_signing_in_keeps_the_code() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    let mut session = daemon.terminal(&run("1"));
    session.expect("C4NTS7K9Q").expect("the code is shown");
    session.send("\u{3}").expect("the terminal is open");
    session
        .expect("the sign-in of Contoso/exo goes on")
        .expect("it says so");
    assert_eq!(exit_code(session), 1);
    assert_eq!(daemon.session()["challenge"]["user_code"], "C4NTS7K9Q");
}

#[test]
fn a_question_is_answered_where_it_is_asked() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut session = daemon.terminal(&run("Remove-Mailbox user3@contoso.com"));
    session.expect("Are you sure").expect("it asks");
    daemon.wait_for_run("asking");
    session.send_line("Y").expect("the terminal is open");
    session
        .expect("removed user3@contoso.com")
        .expect("it was answered");
    assert_eq!(exit_code(session), 0);
}

#[test]
fn a_secret_is_typed_unseen() {
    let daemon = TestDaemon::with_scenario("question?approve=200ms");
    daemon.sign_in();
    let mut session = daemon.terminal(&run("Unlock-Thing"));
    // Terminals echo; the one that the test is given does not.
    session
        .get_process_mut()
        .set_echo(true, None)
        .expect("the terminal is open");
    session.expect("Password").expect("it asks");
    wait_for("a hidden prompt", || {
        session
            .get_process()
            .get_echo()
            .is_ok_and(|echo| !echo)
            .then_some(())
    });
    session.send_line("hunter2").expect("the terminal is open");
    let seen = session.expect("unlocked").expect("it was answered");
    let seen = String::from_utf8_lossy(seen.before()).into_owned();
    assert!(!seen.contains("hunter2"), "{seen}");
    assert_eq!(exit_code(session), 0);
}

#[test]
fn a_closed_terminal_does_not_end_the_run() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let session = daemon.terminal(&run(
        "1..20 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }",
    ));
    daemon.wait_for_run("running");
    // What the kernel sends when a terminal closes. Dropping the session would send an interrupt soon after.
    let client = session.get_process().pid().to_string();
    let hung_up = Command::new("kill").args(["-HUP", &client]).status();
    assert!(hung_up.expect("there is a kill").success());
    let client = client.parse().expect("it is a number");
    wait_for("the client's end", || is_gone(client).then_some(()));
    drop(session);
    assert_eq!(daemon.wait_for_run("ended")["end"]["outcome"], "succeeded");
    assert_eq!(daemon.session()["account"], "ada@contoso.com");
}

#[test]
fn what_a_tenant_says_does_not_move_the_cursor() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut session = daemon.terminal(&run("'a' + [char]27 + ']0;x' + [char]7 + 'b'"));
    let seen = session.expect(Eof).expect("it ends");
    let seen = String::from_utf8_lossy(seen.as_bytes()).into_owned();
    assert!(!seen.contains("\u{1b}]0;"), "{seen:?}");
}

#[test]
fn the_demo_tells_the_whole_story() {
    let daemon = TestDaemon::new();
    let mut session = daemon.terminal(&["demo", "--fast"]);
    for word in [
        "C4NTS7K9Q",
        "is signed in as ada@contoso.com",
        "User 3",
        "DomainName",
        "couldn't be found",
        "removed user3@contoso.com",
        "was not signed out",
        "user1@contoso.com",
        "With a real tenant",
    ] {
        session
            .expect(word)
            .unwrap_or_else(|error| panic!("{word}: {error}"));
    }
    assert_eq!(exit_code(session), 0);
}

#[test]
fn tables_are_as_wide_as_the_terminal_and_cut_nothing() {
    let daemon = TestDaemon::new();
    let program = env!("CARGO_BIN_EXE_mm");
    let shown = |columns: usize| {
        let text = format!("stty cols {columns}; '{program}' modules");
        let shell = daemon.shell(&daemon.mm(&[]), &text);
        let mut session = TestDaemon::on_terminal(shell);
        let seen = session.expect(Eof).expect("it ends");
        String::from_utf8_lossy(seen.as_bytes()).replace('\r', "")
    };
    let narrow = shown(70);
    for line in narrow.lines() {
        assert!(line.chars().count() <= 70, "{narrow}");
    }
    for word in ["powerplatform", "(PnP.PowerShell)", "microsoft-graph"] {
        assert!(narrow.contains(word), "{word}: {narrow}");
    }
    let piped = daemon.run(&["modules"]).stdout;
    assert_eq!(shown(200), piped);
    assert!(piped.lines().count() < narrow.lines().count(), "{narrow}");
}

#[test]
fn what_has_a_list_lists_without_a_verb() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    assert_eq!(daemon.run(&run("1")).stdout, "1\n");
    for verb in ["runs", "approvals", "audit", "connections", "modules"] {
        let alone = daemon.run(&[verb]);
        assert_eq!(alone.code, 0, "{verb}: {alone:?}");
        assert_eq!(alone.stdout, daemon.run(&[verb, "list"]).stdout, "{verb}");
    }
    let of_one = daemon.run(&["runs", "-c", "Contoso", "--json"]);
    assert!(of_one.stdout.contains("\"command\":\"1\""), "{of_one:?}");
    let both = daemon.run(&["runs", "--json", "list"]);
    assert_eq!(both.code, 2, "{both:?}");
}
