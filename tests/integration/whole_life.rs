//! Each PowerShell module's life against the stand-in tenant, through the command line: signed in and proven, declined,
//! expired, blocked, the wrong account, a token that dies, a session that ends, and disconnected. `programs.rs` has the same for the
//! programs that run in bash, `ways_in.rs` for the ways in that need no code.

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon};

/// The module, and a command that only a living sign-in can answer.
const MODULES: [(&str, &str); 5] = [
    (
        "exo",
        "Get-AcceptedDomain | Select-Object DomainName, Default",
    ),
    (
        "azure",
        "Get-AzSubscription | Select-Object -First 1 Id, TenantId, State",
    ),
    (
        "teams",
        "Get-CsTenant | Select-Object TenantId, DisplayName",
    ),
    ("pnp", "Get-PnPWeb | Select-Object Title, Url"),
    (
        "graph",
        "Invoke-MgGraphRequest -Method GET -Uri \"/v1.0/organization?`$select=id,displayName\"",
    ),
];

const CODE: &str = "C4NTS7K9Q";

/// A connection for each thing that may happen.
fn world() -> TestDaemon {
    let daemon = TestDaemon::new();
    let entry = |more: &str| {
        json!({
            "tenant": "contoso.com",
            "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
            "expectedEmail": "ada@contoso.com",
            "appId": "11111111-2222-3333-4444-555555555555",
            "stand_in": format!("tenant?approve=50ms{more}"),
            "policy": "open",
        })
    };
    let connections = json!({"connections": {
        "Living": entry(""),
        "Declined": entry("&outcome=declined"),
        "Expired": entry("&outcome=expired"),
        "Blocked": entry("&outcome=blocked"),
        "Mallory": entry("&account=mallory@contoso.com"),
    }});
    std::fs::write(daemon.path("connections.json"), connections.to_string())
        .expect("the folder can be written");
    daemon
}

fn mm(daemon: &TestDaemon, verb: &str, connection: &str, module: &str, rest: &[&str]) -> Finished {
    let start = [verb, "-c", connection, "-m", module];
    daemon.run(&[&start, rest].concat())
}

/// The state and the failure of a session.
fn session(daemon: &TestDaemon, connection: &str, module: &str) -> Value {
    let status = daemon.run(&["status", "-c", connection, "-m", module, "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("it is JSON");
    status["sessions"][0].clone()
}

#[test]
fn every_module_says_why_nobody_is_signed_in() {
    let daemon = world();
    for (module, proof) in MODULES {
        for (connection, failure, says) in [
            ("Declined", "declined", "AADSTS70018"),
            ("Expired", "code-expired", "AADSTS70020"),
            ("Blocked", "blocked-by-policy", "AADSTS53003"),
            ("Mallory", "wrong-account", "mallory@contoso.com"),
        ] {
            let login = mm(&daemon, "login", connection, module, &[]);
            assert_eq!(login.code, 3, "{module} {connection}: {login:?}");
            for says in [CODE, says, "help: "] {
                assert!(
                    login.stderr.contains(says),
                    "{module} {connection}: {login:?}"
                );
            }
            let left = session(&daemon, connection, module);
            assert_eq!(left["state"], "signed_out", "{module} {connection}: {left}");
            assert_eq!(left["failure"]["name"], failure, "{module}: {left}");
            let run = mm(&daemon, "run", connection, module, &["--no-wait", proof]);
            assert_eq!(run.code, 3, "{module} {connection}: {run:?}");
        }
    }
}

#[test]
fn every_module_lives_until_it_is_told_to_end() {
    let daemon = world();
    for (module, proof) in MODULES {
        let login = mm(&daemon, "login", "Living", module, &[]);
        assert_eq!(login.code, 0, "{module}: {login:?}");
        let told = mm(&daemon, "run", "Living", module, &["--json", proof]);
        assert_eq!(told.code, 0, "{module}: {told:?}");
        let report: Value = serde_json::from_str(&told.stdout).expect("it is JSON");
        assert_eq!(report["account"], "ada@contoso.com", "{module}");
        assert_ne!(report["objects"], json!([]), "{module}: {report}");

        // The token dies: the module still says who it was, and its service no longer answers.
        let died = mm(&daemon, "run", "Living", module, &["Expire-Fake"]);
        assert_eq!(died.code, 0, "{module}: {died:?}");
        let refused = mm(&daemon, "run", "Living", module, &["--strict", proof]);
        assert_eq!(refused.code, 1, "{module}: {refused:?}");
        let ended = mm(&daemon, "disconnect", "Living", module, &[]);
        assert_eq!(ended.code, 0, "{module}: {ended:?}");
        let again = mm(&daemon, "login", "Living", module, &[]);
        assert_eq!(again.code, 0, "{module}: {again:?}");
        assert!(again.stderr.contains(CODE), "{module}: {again:?}");
        let answered = mm(&daemon, "run", "Living", module, &["--strict", proof]);
        assert_eq!(answered.code, 0, "{module}: {answered:?}");

        // Signed out, only a new code brings it back: these modules keep their sign-in in the process.
        let ended = mm(&daemon, "disconnect", "Living", module, &[]);
        assert_eq!(ended.code, 0, "{module}: {ended:?}");
        let nobody = mm(&daemon, "run", "Living", module, &["--no-wait", proof]);
        assert_eq!(nobody.code, 3, "{module}: {nobody:?}");
        assert!(nobody.stderr.contains("mm login"), "{module}: {nobody:?}");
    }
}

#[test]
fn the_module_that_is_windows_only_says_so_and_waits_for_nobody() {
    let daemon = world();
    let login = mm(&daemon, "login", "Living", "ipps", &[]);
    assert_eq!(login.code, 3, "{login:?}");
    assert!(
        login
            .stderr
            .contains("not available in PowerShell 7 on Linux")
            && login.stderr.contains("on Windows only"),
        "{login:?}"
    );
    let left = session(&daemon, "Living", "ipps");
    assert_eq!(left["failure"]["name"], "not-on-this-system", "{left}");
}
