//! Signing in without a code: every way in of every module, its secrets by reference, against the stand-in tenant.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon, wait_for};

const APP: &str = "11111111-2222-3333-4444-555555555555";

/// What the stand-in tenant takes for the right secret. Its quotes would end a literal that is not well quoted.
const SECRET: &str = "correct horse’s battery";

/// A daemon with the connection `Contoso`, whose `signIn` this is. A file `secret`, and one that is no certificate, are its
/// owner's alone.
fn daemon(sign_in: impl Fn(&TestDaemon) -> Value) -> TestDaemon {
    let daemon = TestDaemon::new();
    for (name, text) in [("secret", SECRET), ("app.pfx", "no certificate")] {
        std::fs::write(daemon.path(name), text).expect("it can be written");
        allow(&daemon, name, 0o600);
    }
    let sign_in = sign_in(&daemon);
    write(&daemon, &json!({"signIn": sign_in}));
    daemon
}

fn allow(daemon: &TestDaemon, name: &str, mode: u32) {
    std::fs::set_permissions(daemon.path(name), std::fs::Permissions::from_mode(mode))
        .expect("it is ours");
}

/// Writes `Contoso` with these keys besides the usual ones.
fn write(daemon: &TestDaemon, more: &Value) {
    let mut entry = json!({
        "tenant": "contoso.com",
        "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
        "expectedEmail": "ada@contoso.com",
        "appId": APP,
        "stand_in": "tenant",
    });
    for (key, value) in more.as_object().expect("they are keys") {
        entry[key] = value.clone();
    }
    let file = json!({"connections": {"Contoso": entry}});
    std::fs::write(daemon.path("connections.json"), file.to_string()).expect("it can be written");
}

fn file(daemon: &TestDaemon, name: &str) -> String {
    daemon.path(name).to_string_lossy().into_owned()
}

fn login(daemon: &TestDaemon, module: &str, way: &str) -> Finished {
    daemon.run(&[
        "login", "-c", "Contoso", "-m", module, "--way", way, "--json",
    ])
}

fn all_secrets(daemon: &TestDaemon) -> Value {
    let secret = format!("file:{}", file(daemon, "secret"));
    json!({
        "certificateFile": file(daemon, "app.pfx"),
        "certificatePassword": secret, "clientSecret": secret, "federatedToken": secret,
        "accessToken": format!("command:cat {}", file(daemon, "secret")), "graphAccessToken": secret,
        "managedIdentityId": APP,
    })
}

#[test]
fn every_way_in_of_every_module_signs_in_and_leaves_no_secret_behind() {
    let daemon = daemon(all_secrets);
    let user = ["access_token"].as_slice();
    for (module, ways) in [
        (
            "exo",
            ["certificate", "managed_identity", "access_token"].as_slice(),
        ),
        (
            "azure",
            &[
                "certificate",
                "client_secret",
                "federated_token",
                "managed_identity",
                "access_token",
            ],
        ),
        (
            "graph",
            &[
                "certificate",
                "client_secret",
                "managed_identity",
                "access_token",
            ],
        ),
        ("pnp", &["certificate", "managed_identity", "access_token"]),
        (
            "teams",
            &["certificate", "managed_identity", "access_token"],
        ),
    ] {
        for way in ways {
            let login = login(&daemon, module, way);
            assert_eq!(login.code, 0, "{module} {way}: {login:?}");
            let session: Value = serde_json::from_str(&login.stdout).expect("it is JSON");
            let account = if user.contains(way) {
                "ada@contoso.com"
            } else {
                APP
            };
            assert_eq!(session["account"], account, "{module} {way}");
            assert_eq!(session["way"], *way, "{module}");
            assert!(
                !login.stderr.contains("C4NTS7K9Q"),
                "{module} {way}: no code"
            );
            let ended = daemon.run(&["disconnect", "-c", "Contoso", "-m", module]);
            assert_eq!(ended.code, 0, "{module} {way}: {ended:?}");
        }
    }
    // Log, database and kept output.
    let left = std::process::Command::new("grep")
        .args(["-rlaF", SECRET])
        .arg(daemon.path("state"))
        .output()
        .expect("grep is there");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn the_connection_says_which_way_to_take_and_a_run_takes_it() {
    let daemon = daemon(|daemon| {
        json!({
            "way": "certificate", "certificateFile": file(daemon, "app.pfx"),
            "modules": {"graph": {"way": "client_secret", "clientSecret": format!("file:{}", file(daemon, "secret"))}},
        })
    });
    for (module, command, way) in [
        ("exo", "Get-AcceptedDomain", "certificate"),
        (
            "graph",
            "Invoke-MgGraphRequest -Uri /v1.0/organization",
            "client_secret",
        ),
    ] {
        let run = daemon.run(&["run", "-c", "Contoso", "-m", module, "--json", command]);
        assert_eq!(run.code, 0, "{module}: {run:?}");
        let report: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
        assert_eq!(report["account"], APP, "{module}");
        let status = daemon.run(&["status", "-m", module, "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
        assert_eq!(status["sessions"][0]["way"], way, "{module}");
    }
    let shown = daemon.run(&["connections", "show", "Contoso"]);
    assert!(
        shown.stdout.contains("can be used, by certificate"),
        "{shown:?}"
    );
    assert!(
        shown.stdout.contains("can be used, by client secret"),
        "{shown:?}"
    );
}

#[test]
fn a_recording_of_the_session_does_not_hold_the_secret() {
    let daemon = daemon(
        |daemon| json!({"way": "client_secret", "clientSecret": format!("file:{}", file(daemon, "secret"))}),
    );
    let cast = file(&daemon, "run.cast");
    let command = format!("Write-Output \"{SECRET}\"");
    let run = daemon.run(&[
        "run", "-c", "Contoso", "-m", "graph", "--record", &cast, &command,
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let shown = daemon.run(&["recording", "show", &cast]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.contains("Write-Output"), "{shown:?}");
    assert!(!shown.stdout.contains("battery"), "{shown:?}");
}

#[test]
fn a_secret_that_is_not_to_be_had_is_told_without_its_text() {
    let daemon = daemon(|_| json!({}));
    std::fs::write(daemon.path("wrong"), "hunter2").expect("it can be written");
    allow(&daemon, "wrong", 0o600);
    std::fs::write(daemon.path("open"), "hunter2").expect("it can be written");
    allow(&daemon, "open", 0o644);
    let wrong = format!("file:{}", file(&daemon, "wrong"));
    let open = format!("file:{}", file(&daemon, "open"));
    for (reference, code, says) in [
        (wrong.as_str(), 3, "AADSTS7000215"),
        (&open, 9, "everybody may read"),
        ("file:/nowhere/at/all", 9, "cannot be read"),
        ("env:MM_NOT_SET", 9, "no `MM_NOT_SET`"),
        (
            "command:sh -c 'echo hunter2; echo hunter2 >&2; exit 7'",
            9,
            "exit status: 7",
        ),
        ("hunter2", 9, "env:NAME"),
    ] {
        write(&daemon, &json!({"signIn": {"clientSecret": reference}}));
        let refused = login(&daemon, "azure", "client_secret");
        assert_eq!(refused.code, code, "{reference}: {refused:?}");
        let told = format!("{}{}", refused.stdout, refused.stderr);
        assert!(told.contains(says), "{reference}: {told}");
        assert!(
            told.contains("help: ") || told.contains("advice"),
            "{reference}: {told}"
        );
        assert!(!told.contains("hunter2"), "{reference}: {told}");
    }
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).unwrap_or_default();
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn what_a_way_in_needs_and_what_there_is_not_are_said() {
    let daemon = daemon(|_| json!({}));
    for (module, way, says) in [
        ("exo", "certificate", "signIn.certificateFile"),
        ("azure", "client_secret", "signIn.clientSecret"),
        (
            "exo",
            "client_secret",
            "device_code, certificate, managed_identity, access_token",
        ),
    ] {
        let refused = login(&daemon, module, way);
        assert_eq!(refused.code, 9, "{module} {way}: {refused:?}");
        assert!(refused.stderr.contains(says), "{module} {way}: {refused:?}");
    }
    let shown = daemon.run(&["connections", "show", "Contoso", "--json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("it is JSON");
    let ways = &shown["modules"]["azure"]["ways"];
    assert_eq!(ways[0], json!({"way": "device_code", "missing": []}));
    assert_eq!(
        ways[2],
        json!({"way": "client_secret", "missing": ["signIn.clientSecret"]})
    );
    assert_eq!(shown["modules"]["azure"]["unattended"], false);
}

#[test]
fn another_application_is_refused() {
    let daemon = daemon(|_| json!({"way": "managed_identity"}));
    write(
        &daemon,
        &json!({
            "signIn": {"way": "managed_identity", "managedIdentityId": "99999999-2222-3333-4444-555555555555"},
        }),
    );
    let refused = daemon.run(&["login", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.stderr.contains(APP) && refused.stderr.contains("99999999"),
        "{refused:?}"
    );
}

#[test]
fn clouds_and_partners_are_parameters_of_the_module() {
    let daemon = daemon(|_| json!({}));
    write(&daemon, &json!({"cloud": "china"}));
    let refused = daemon.run(&["login", "-c", "Contoso", "-m", "teams"]);
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("`china`"), "{refused:?}");
    // The customer's domain has to be one of the tenant that was signed in to.
    for (customer, code) in [
        ("contoso.onmicrosoft.com", 0),
        ("fabrikam.onmicrosoft.com", 3),
    ] {
        write(
            &daemon,
            &json!({"delegatedOrganization": customer, "stand_in": "tenant?approve=50ms"}),
        );
        let login = daemon.run(&["login", "-c", "Contoso", "-m", "exo"]);
        assert_eq!(login.code, code, "{customer}: {login:?}");
        if code == 0 {
            let ended = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
    }
}

#[test]
fn a_code_that_nobody_enters_says_what_that_may_mean() {
    let daemon = TestDaemon::with_scenario("exo?approve=15m");
    let folder = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&folder).expect("a new folder");
    let module = include_str!("../../modules.d/exo.yaml")
        .replace("module: exo", "module: brief")
        .replace("aliases: [exchange]", "aliases: []")
        .replace("within: 15m", "within: 20s");
    std::fs::write(folder.join("brief.yaml"), module).expect("a new file");
    let login = daemon.run(&["login", "-c", "Contoso", "-m", "brief", "--no-wait"]);
    assert_eq!(login.code, 3, "{login:?}");
    let hint = wait_for("a hint about the code", || {
        let hint = daemon.session()["challenge"]["hint"].as_str()?.to_owned();
        Some(hint)
    });
    assert!(
        hint.contains("53003") && hint.contains("certificate, managed_identity"),
        "{hint}"
    );
}
