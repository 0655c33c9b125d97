//! `mm connections` on a real file, without and with a terminal.

use std::fs;

use expectrl::{Eof, Expect as _};
use serde_json::Value;

use crate::support::TestDaemon;

const ID: &str = "11112222-3333-4444-5555-666677778888";

fn file(daemon: &TestDaemon) -> Value {
    let text = fs::read_to_string(daemon.path("connections.json")).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn connections(daemon: &TestDaemon, rest: &[&str]) -> crate::support::Finished {
    let mut arguments = vec!["connections"];
    arguments.extend(rest);
    daemon.run(&arguments)
}

#[test]
fn a_connection_lives_through_every_verb() {
    let daemon = TestDaemon::new();
    let add = connections(
        &daemon,
        &[
            "add",
            "Fabrikam",
            "--tenant",
            "fabrikam.com",
            "--expected-email",
            "eve@fabrikam.com",
            "--module-app",
            &format!("pnp={ID}"),
        ],
    );
    assert_eq!(add.code, 0, "{add:?}");
    let edit = connections(&daemon, &["edit", "Fabrikam", "skipSendGuards", "true"]);
    assert_eq!(edit.code, 0, "{edit:?}");
    let edit = connections(&daemon, &["edit", "Fabrikam", "mcps", r#"["mm","exo"]"#]);
    assert_eq!(edit.code, 0, "{edit:?}");
    assert_eq!(
        file(&daemon)["connections"]["Fabrikam"],
        serde_json::json!({
            "tenant": "fabrikam.com", "expectedEmail": "eve@fabrikam.com",
            "moduleApps": {"pnp": ID}, "mcps": ["mm", "exo"], "skipSendGuards": true,
        })
    );
    let show = connections(&daemon, &["show", "Fabrikam"]);
    assert!(show.stdout.contains("eve@fabrikam.com"), "{show:?}");
    let show = connections(&daemon, &["show", "Contoso", "--json"]);
    let shown: Value = serde_json::from_str(&show.stdout).expect("it is JSON");
    assert_eq!(
        shown["modules"]["pnp"]["missing"],
        serde_json::json!(["appId"])
    );
    assert_eq!(shown["modules"]["exo"]["missing"], serde_json::json!([]));

    for verb in [
        vec!["rename", "Fabrikam", "Woodgrove"],
        vec!["duplicate", "Woodgrove", "Copy"],
        vec!["edit", "Woodgrove", "skipSendGuards", ""],
        vec!["remove", "Woodgrove", "--yes"],
    ] {
        let done = connections(&daemon, &verb);
        assert_eq!(done.code, 0, "{verb:?}: {done:?}");
    }
    let list = connections(&daemon, &["list"]);
    assert!(
        list.stdout.contains("Copy") && !list.stdout.contains("Woodgrove"),
        "{list:?}"
    );
    assert_eq!(
        file(&daemon)["connections"]["Copy"].get("expectedEmail"),
        None
    );

    // A daemon that runs sees the change.
    daemon.sign_in();
    let edit = connections(&daemon, &["edit", "Copy", "stand_in", "exo?approve=100ms"]);
    assert_eq!(edit.code, 0, "{edit:?}");
    let run = daemon.run(&["run", "-c", "Copy", "-m", "exo", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let daemon = TestDaemon::new();
    let before = file(&daemon);
    for (arguments, code, says) in [
        (
            vec!["add", "Contoso", "--tenant", "x.com"],
            9,
            "already a connection",
        ),
        (vec!["add", "New"], 2, "--tenant contoso.com"),
        (
            vec!["add", "New", "--tenant", "x.com", "--app-id", "mine"],
            9,
            "hexadecimal",
        ),
        (
            vec!["add", "a/b", "--tenant", "x.com"],
            2,
            "is not a connection name",
        ),
        (
            vec!["edit", "Contosso", "tenant", "x"],
            9,
            "did you mean `Contoso`",
        ),
        (
            vec!["edit", "Contoso", "tenant", ""],
            9,
            "expected text, found nothing",
        ),
        (vec!["edit", "Contoso", "mcps", "[mm"], 2, "not JSON"),
        (vec!["remove", "Contoso"], 2, "--yes"),
        (vec!["show", "Nobody"], 9, "there is no connection"),
    ] {
        let refused = connections(&daemon, &arguments);
        assert_eq!(refused.code, code, "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(says), "{arguments:?}: {refused:?}");
    }
    assert_eq!(file(&daemon), before);
}

#[test]
fn a_check_tells_errors_from_doubts() {
    let daemon = TestDaemon::new();
    let sound = connections(&daemon, &["check"]);
    assert_eq!(
        (sound.code, sound.stdout.as_str()),
        (0, "1 connections can be used\n")
    );
    let text = r#"{"connections": {"A": {"tenant": "a.com"}, "B": {"tenant": 7}}}"#;
    fs::write(daemon.path("connections.json"), text).expect("it is ours");
    let broken = connections(&daemon, &["check"]);
    assert_eq!(broken.code, 9, "{broken:?}");
    assert!(
        broken.stdout.contains("error: B: ") && broken.stdout.contains("warning: A: "),
        "{broken:?}"
    );
    let report: Value = serde_json::from_str(&connections(&daemon, &["check", "--json"]).stdout)
        .expect("it is JSON");
    assert_eq!(report["findings"][0]["level"], "error");
    fs::remove_file(daemon.path("connections.json")).expect("it is ours");
    assert_eq!(connections(&daemon, &["list"]).code, 9);
    let first = connections(&daemon, &["add", "First", "--tenant", "a.com"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(file(&daemon)["connections"]["First"]["tenant"], "a.com");
}

#[test]
fn at_a_terminal_what_is_missing_is_asked_for() {
    let daemon = TestDaemon::new();
    let mut terminal = daemon.terminal(&["connections", "add", "Asked", "--app-id", ID]);
    for (question, answer) in [
        ("domain", "woodgrove.com"),
        ("tenant's id", ""),
        ("Who has to sign in", "bob@woodgrove.com"),
        ("remember", "the bank"),
    ] {
        terminal.expect(question).expect("it asks");
        terminal.send_line(answer).expect("it listens");
    }
    terminal.expect(Eof).expect("it ends");
    assert_eq!(
        file(&daemon)["connections"]["Asked"],
        serde_json::json!({
            "tenant": "woodgrove.com", "appId": ID, "expectedEmail": "bob@woodgrove.com",
            "description": "the bank", "mcps": ["mm"],
        })
    );
    let mut terminal = daemon.terminal(&["connections", "remove", "Asked"]);
    terminal.expect("y/N").expect("it asks");
    terminal.send_line("").expect("it listens");
    terminal.expect("nothing was changed").expect("it says so");
    let mut terminal = daemon.terminal(&["connections", "remove", "Asked"]);
    terminal.expect("y/N").expect("it asks");
    terminal.send_line("y").expect("it listens");
    terminal.expect(Eof).expect("it ends");
    assert_eq!(file(&daemon)["connections"].get("Asked"), None);
}

#[test]
fn the_session_managers_tenants_are_taken_over() {
    let daemon = TestDaemon::new();
    let from = daemon.path("mcp_server.py");
    fs::write(
        &from,
        "TENANT_ALIASES = {\n    \"fabrikam\": \"fabrikam.com\",\n}\nSHAREPOINT_TENANTS = {'contoso.com': 'contosollc'}\n",
    )
    .expect("a new file");
    let from = from.to_str().expect("it is UTF-8");
    let before = file(&daemon);
    let tried = connections(&daemon, &["import", "--dry-run", from]);
    assert_eq!(tried.code, 0, "{tried:?}");
    assert_eq!(file(&daemon), before, "nothing was changed");
    let done = connections(&daemon, &["import", from]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (
            0,
            "`fabrikam` is added\n`Contoso` has its SharePoint host\n"
        ),
        "{done:?}"
    );
    let entries = &file(&daemon)["connections"];
    assert_eq!(entries["fabrikam"]["tenant"], "fabrikam.com");
    assert_eq!(entries["Contoso"]["sharepoint_host"], "contosollc");
    let none = connections(&daemon, &["import", "/proc/self/status"]);
    assert_eq!(none.code, 2, "{none:?}");
}

#[test]
fn the_old_commands_name_is_a_link() {
    let daemon = TestDaemon::new();
    let link = daemon.path("mm-connections");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mm"), &link).expect("a new link");
    let old = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&link);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", daemon.path(""))
            .env("MM_STATE_DIR", daemon.path("state"))
            .env("MM_CONNECTIONS", daemon.path("connections.json"));
        crate::support::finish(command, b"")
    };
    let list = old(&["list"]);
    assert!(
        list.code == 0 && list.stdout.contains("ada@contoso.com"),
        "{list:?}"
    );
    let copy = old(&["duplicate", "Contoso", "Contoso Individual"]);
    assert_eq!(copy.code, 0, "{copy:?}");
    let entries = file(&daemon)["connections"].clone();
    assert_eq!(entries["Contoso Individual"]["tenant"], "contoso.com");
    let edit = old(&["edit", "Contoso Individual", "skipSendGuards", "true"]);
    assert_eq!(edit.code, 0, "{edit:?}");
    assert_eq!(
        file(&daemon)["connections"]["Contoso Individual"]["skipSendGuards"],
        true
    );
}
