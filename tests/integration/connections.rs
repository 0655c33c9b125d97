//! `mm connections` on a real file, without and with a terminal.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use expectrl::{Eof, Expect as _};
use serde_json::Value;

use crate::support::{TestDaemon, finish, told};

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
        (vec!["add"], 2, "mm connections add NAME"),
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

/// Answers questions, each with words that it is known by.
fn answers(terminal: &mut expectrl::session::OsSession, answers: &[(&str, &str)]) {
    for (question, answer) in answers {
        terminal
            .expect(*question)
            .unwrap_or_else(|error| panic!("no `{question}`: {error}"));
        terminal.send_line(answer).expect("it listens");
    }
}

/// A `PATH` that begins with a `pwsh` that registers applications.
fn with_pwsh(daemon: &TestDaemon) -> std::ffi::OsString {
    let programs = daemon.path("programs");
    fs::create_dir(&programs).expect("a new folder");
    let pwsh = programs.join("pwsh");
    let says = format!(
        "#!/bin/sh\necho \"WARNING: $MM_REGISTRATION\"\necho 'AzureAppId/ClientId : {ID}'\n"
    );
    fs::write(&pwsh, says).expect("a new file");
    fs::set_permissions(&pwsh, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut path = programs.into_os_string();
    path.push(":/usr/bin:/bin");
    path
}

#[test]
fn somebody_new_is_led_to_a_session_that_is_signed_in() {
    let daemon = TestDaemon::new();
    fs::remove_file(daemon.path("connections.json")).expect("it is ours");
    let mut command = daemon.mm(&["connections", "add", "--set", "stand_in=exo?approve=200ms"]);
    command.env("PATH", with_pwsh(&daemon));
    let mut terminal = TestDaemon::on_terminal(command);
    answers(
        &mut terminal,
        &[
            ("call the connection", "a/b"),
            ("is not a connection name", ""),
            ("call the connection", "Contoso"),
            ("tenant's domain", "ada@contoso.com"),
            ("is no domain", "contoso.com"),
            ("Who has to sign in", ""),
            ("tenant's id", "contoso"),
            ("is no id", ""),
            ("Is SharePoint", "y"),
            ("NAME.sharepoint.com; empty: contoso", "contosollc"),
            ("id of the application", ""),
        ],
    );
    terminal
        .expect("Allow public client flows")
        .expect("it says what to do in the portal");
    answers(&mut terminal, &[("Run that command here", "y")]);
    terminal
        .expect("-Tenant 'contoso.com' -DeviceLogin")
        .expect("it runs the command");
    terminal
        .expect(format!("the application is {ID}"))
        .expect("it finds the id");
    answers(
        &mut terminal,
        &[
            ("want to remember", "the first one"),
            ("Sign in now", "exo"),
        ],
    );
    terminal.expect("C4NTS7K9Q").expect("it shows the code");
    terminal
        .expect("signed in as ada@contoso.com")
        .expect("it says who that is");
    let tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    let only = format!("expectedEmail ada@contoso.com, tenantId {tenant}?");
    answers(&mut terminal, &[(&only, "")]);
    terminal.expect(Eof).expect("it ends");
    assert_eq!(
        file(&daemon)["connections"]["Contoso"],
        serde_json::json!({
            "tenant": "contoso.com", "sharepoint_host": "contosollc", "description": "the first one",
            "moduleApps": {"pnp": ID}, "mcps": ["mm"], "stand_in": "exo?approve=200ms",
            "expectedEmail": "ada@contoso.com", "tenantId": tenant,
        })
    );
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
}

#[test]
fn an_application_is_registered_without_a_terminal_too() {
    let daemon = TestDaemon::new();
    let add = |name: &str, path: &std::ffi::OsStr| {
        let arguments = [
            "connections",
            "add",
            name,
            "--tenant",
            "it-s.com",
            "--register-app",
        ];
        let mut command = daemon.mm(&arguments);
        command.env("PATH", path);
        crate::support::finish(command, b"")
    };
    let registered = add("Pnp", &with_pwsh(&daemon));
    assert_eq!(registered.code, 0, "{registered:?}");
    let told = "Register-PnPEntraIDAppForInteractiveLogin -ApplicationName 'mm' -Tenant 'it-s.com' -DeviceLogin";
    assert!(registered.stdout.contains(told), "{registered:?}");
    let apps = file(&daemon)["connections"]["Pnp"]["moduleApps"].clone();
    assert_eq!(apps, serde_json::json!({"pnp": ID}));
    let nowhere = add("Nowhere", daemon.path("").as_os_str());
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("--module-app pnp=ID"),
        "{nowhere:?}"
    );
    assert_eq!(file(&daemon)["connections"].get("Nowhere"), None);
}

#[test]
fn flags_lead_as_far_as_questions_do() {
    let daemon = TestDaemon::new();
    let add = |name: &str, more: &[&str]| {
        let with = ["add", name, "--tenant", "contoso.com", "--sign-in", "exo"];
        connections(&daemon, &[&with, more].concat())
    };
    let done = add("Flags", &["--set", "stand_in=exo?approve=100ms", "--pin"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("signed in as ada@contoso.com"),
        "{done:?}"
    );
    assert_eq!(
        file(&daemon)["connections"]["Flags"]["expectedEmail"],
        "ada@contoso.com"
    );
    let declined = add("No", &["--set", "stand_in=declined?approve=100ms", "--pin"]);
    assert_eq!(declined.code, 3, "{declined:?}");
    assert_eq!(
        file(&daemon)["connections"]["No"].get("expectedEmail"),
        None
    );
    let other = connections(
        &daemon,
        &[
            "add",
            "Other",
            "--tenant",
            "contoso.com",
            "--expected-email",
            "eve@contoso.com",
        ],
    );
    assert!(
        other.stderr.contains("one tenant and two accounts"),
        "{other:?}"
    );
}

#[test]
fn at_a_terminal_what_is_missing_is_asked_for() {
    let daemon = TestDaemon::new();
    let mut terminal = daemon.terminal(&["connections", "add", "Asked", "--app-id", ID]);
    answers(
        &mut terminal,
        &[
            ("domain", "woodgrove.com"),
            ("Who has to sign in", "bob@woodgrove.com"),
            ("tenant's id", ""),
            ("remember", "the bank"),
            ("Sign in now", ""),
        ],
    );
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
fn many_who_write_at_once_lose_nothing() {
    let daemon = TestDaemon::new();
    let text = "{\r\n    \"_note\": [ 1.50 ],\r\n    \"connections\": {\r\n        \"Contoso\": {\"tenant\":   \"contoso.com\"}\r\n    }\r\n}\r\n";
    fs::write(daemon.path("connections.json"), text).expect("it is ours");
    let writers: Vec<_> = (0..12)
        .map(|number| {
            let name = format!("W{number}");
            daemon.start(&["connections", "add", &name, "--tenant", "w.com"])
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().expect("it is our child").success());
    }
    let after = fs::read_to_string(daemon.path("connections.json")).expect("it is there");
    let untouched = text.trim_end_matches("\r\n    }\r\n}\r\n");
    assert!(after.starts_with(untouched), "{after}");
    assert!(!after.replace("\r\n", "").contains('\n'), "{after}");
    let entries = file(&daemon)["connections"].clone();
    assert_eq!(entries.as_object().map(serde_json::Map::len), Some(13));
    let left: Vec<_> = fs::read_dir(daemon.path(""))
        .expect("it is ours")
        .map(|entry| entry.expect("it can be read").file_name())
        .filter(|name| name.to_string_lossy().ends_with(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_session_outlives_its_entry_and_runs_only_while_there_is_one() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let run = |name: &str| daemon.run(&["run", "-c", name, "-m", "exo", "1"]);
    let before = fs::read_to_string(daemon.path("connections.json")).expect("it is there");
    assert_eq!(
        connections(&daemon, &["rename", "Contoso", "Woodgrove"]).code,
        0
    );
    let old = run("Contoso");
    assert_eq!(old.code, 9, "{old:?}");
    assert!(
        old.stderr.contains("there is no connection `Contoso`"),
        "{old:?}"
    );
    let new = run("Woodgrove");
    assert_eq!(new.code, 0, "{new:?}");
    assert!(new.stderr.contains("enter"), "its own sign-in: {new:?}");
    assert_eq!(
        connections(&daemon, &["remove", "Woodgrove", "--yes"]).code,
        0
    );
    assert_eq!(run("Woodgrove").code, 9);
    let gone = daemon.run(&["disconnect", "-c", "Woodgrove", "-m", "exo"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    // What was signed in under a name is that name's again when its entry is.
    fs::write(daemon.path("connections.json"), before).expect("it is ours");
    let back = run("Contoso");
    assert_eq!(back.code, 0, "{back:?}");
    assert!(!back.stderr.contains("enter"), "no code: {back:?}");
    for (key, value) in [
        ("cloud", "us_gov_dod"),
        ("delegatedOrganization", "fabrikam.com"),
    ] {
        assert_eq!(
            connections(&daemon, &["edit", "Contoso", key, value]).code,
            0
        );
        let refused = run("Contoso");
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(
            refused.stderr.contains(&format!("with the {key}")),
            "{refused:?}"
        );
        assert_eq!(connections(&daemon, &["edit", "Contoso", key, ""]).code, 0);
    }
    assert_eq!(run("Contoso").code, 0);
}

#[test]
fn a_broken_file_is_pointed_at() {
    let daemon = TestDaemon::new();
    let path = daemon.path("connections.json");
    for (text, says) in [
        (
            "{\n  // mine\n  \"connections\": {}\n}",
            "2 |   // mine\n  |   ^",
        ),
        (
            "{\"connections\": {\"A\": {}, \"A\": {}}}",
            "connections.A is there more than once",
        ),
    ] {
        fs::write(&path, text).expect("it is ours");
        for verb in [&["check"][..], &["edit", "A", "tenant", "a.com"]] {
            let told = connections(&daemon, verb);
            assert_eq!(told.code, 9, "{told:?}");
            let all = told.stdout + &told.stderr;
            assert!(all.contains(says), "{all}");
        }
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
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

#[test]
fn the_applications_id_may_come_later() {
    let daemon = TestDaemon::new();
    let mut command = daemon.mm(&["connections", "add", "Later"]);
    command.env("PATH", with_pwsh(&daemon));
    let mut terminal = TestDaemon::on_terminal(command);
    answers(
        &mut terminal,
        &[
            ("tenant's domain", "later.com"),
            ("Who has to sign in", "ada@later.com"),
            ("tenant's id", ""),
            ("Is SharePoint", "y"),
            ("NAME.sharepoint.com; empty: later", ""),
            ("id of the application", ""),
            ("Run that command here", "n"),
            ("application's id; empty: later", "mine"),
            ("is no id", ""),
        ],
    );
    terminal
        .expect("once there is one: mm connections edit 'Later' moduleApps.pnp ID")
        .expect("it says how to add it");
    answers(&mut terminal, &[("remember", ""), ("Sign in now", "")]);
    terminal.expect(Eof).expect("it ends");
    assert_eq!(
        file(&daemon)["connections"]["Later"],
        serde_json::json!({"tenant": "later.com", "expectedEmail": "ada@later.com", "mcps": ["mm"]})
    );
    let missing = |daemon: &TestDaemon| {
        let show = connections(daemon, &["show", "Later", "--json"]);
        let shown: Value = serde_json::from_str(&show.stdout).expect("it is JSON");
        shown["modules"]["pnp"]["missing"].clone()
    };
    assert_eq!(missing(&daemon), serde_json::json!(["appId"]));
    let edit = connections(&daemon, &["edit", "Later", "moduleApps.pnp", ID]);
    assert_eq!(edit.code, 0, "{edit:?}");
    assert_eq!(missing(&daemon), serde_json::json!([]));
}

/// As a container has it: the file alone is mounted, and nothing can be put in its place.
#[test]
fn a_file_that_is_mounted_by_itself_is_left_as_it_is() {
    let daemon = TestDaemon::new();
    let before = fs::read(daemon.path("connections.json")).expect("it is there");
    let edit = daemon.mm(&["connections", "edit", "Contoso", "description", "x"]);
    for rights in [&[][..], &["--map-root-user"]] {
        let mut command = Command::new("unshare");
        command.args(rights).args(["--mount", "sh", "-c"]);
        command.arg("mount --bind \"$0\" \"$0\" || exit 99; exec \"$@\"");
        command.arg(daemon.path("connections.json"));
        command.arg(edit.get_program()).args(edit.get_args());
        command.env_clear();
        for (name, value) in edit.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let said = finish(command, b"");
        if said.code == 9 {
            assert!(said.stderr.contains("cannot be written"), "{said:?}");
            assert!(said.stderr.contains("mount its folder instead"), "{said:?}");
            let after = fs::read(daemon.path("connections.json")).expect("it is there");
            assert_eq!(after, before);
            assert!(!daemon.path(".connections.json.new").exists());
            return;
        }
        assert!(said.code == 99 || said.code == 1, "{said:?}");
    }
    told("a mount namespace needs rights that there are not here (unshare --mount)");
}

#[test]
fn a_file_of_somebody_else_stays_theirs() {
    let daemon = TestDaemon::new();
    let path = daemon.path("connections.json");
    if chown(&path, Some(12_345), Some(12_345)).is_err() {
        told("only root gives a file away");
        return;
    }
    let edit = ["connections", "edit", "Contoso", "description", "x"];
    let done = daemon.run(&edit);
    assert_eq!(done.code, 0, "{done:?}");
    let about = fs::metadata(&path).expect("it is there");
    assert_eq!((about.uid(), about.gid()), (12_345, 12_345));

    // Somebody who may write it, and everything around it.
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    open(&daemon.path(""), 0o777);
    open(&path, 0o666);
    let before = fs::read(&path).expect("it is there");
    fs::remove_file(daemon.path("connections.json.lock")).expect("it was made");
    // Their program: the tests' own may lie where only root can go.
    let mm = daemon.path("mm");
    fs::copy(env!("CARGO_BIN_EXE_mm"), &mm).expect("it can be copied");
    let like = daemon.mm(&[]);
    let mut command = Command::new(mm);
    command.args(edit).uid(12_346).gid(12_346).env_clear();
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let refused = finish(command, b"");
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("belongs to the user with the number 12345"),
        "{refused:?}"
    );
    assert_eq!(fs::read(&path).expect("it is there"), before);
}
