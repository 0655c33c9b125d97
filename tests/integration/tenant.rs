//! The built-in modules from sign-in to sign-out, against the stand-in tenant.

use serde_json::{Value, json};

use crate::support::{Finished, TestDaemon};

/// The module, a command that the service has to answer, and what its text shows.
const MODULES: [(&str, &str, &str); 4] = [
    ("azure", "Get-AzSubscription", "Contoso Production"),
    ("teams", "Get-Team", "Team 3"),
    ("pnp", "Get-PnPWeb", "https://contoso.sharepoint.com"),
    (
        "graph",
        "Invoke-MgGraphRequest -Uri /v1.0/organization",
        "@odata.context",
    ),
];

/// A daemon whose connection `Contoso` has an application, and which this scenario stands in for.
fn daemon(scenario: &str) -> TestDaemon {
    let daemon = TestDaemon::new();
    let connections = json!({"connections": {"Contoso": {
        "tenant": "contoso.com",
        "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
        "expectedEmail": "ada@contoso.com",
        "appId": "11111111-2222-3333-4444-555555555555",
        "policy": "open",
        "stand_in": scenario,
    }}});
    std::fs::write(daemon.path("connections.json"), connections.to_string())
        .expect("the folder can be written");
    daemon
}

fn run(daemon: &TestDaemon, module: &str, rest: &[&str]) -> Finished {
    let mut arguments = vec!["run", "-c", "Contoso", "-m", module];
    arguments.extend(rest);
    daemon.run(&arguments)
}

#[test]
fn one_tenant_is_signed_in_to_with_every_module() {
    let daemon = daemon("tenant?approve=100ms");
    for (module, command, shows) in MODULES {
        let first = run(&daemon, module, &[command]);
        assert_eq!(first.code, 0, "{module}: {first:?}");
        assert!(first.stderr.contains("C4NTS7K9Q"), "{module}: {first:?}");
        assert!(first.stdout.contains(shows), "{module}: {first:?}");
        let second = run(&daemon, module, &["--json", command]);
        let report: Value = serde_json::from_str(&second.stdout).expect("it is JSON");
        assert_eq!(report["account"], "ada@contoso.com", "{module}: {report}");
        assert_eq!(report["outcome"], "succeeded", "{module}: {report}");
    }
    for (module, ..) in MODULES {
        let ended = daemon.run(&["disconnect", "-c", "Contoso", "-m", module]);
        assert_eq!(ended.code, 0, "{module}: {ended:?}");
    }
}

#[test]
fn somebody_else_is_refused_by_every_module() {
    let daemon = daemon(
        "tenant?approve=100ms&account=mallory@fabrikam.com&tenant=ffff0000-0000-4000-8000-eeee1111dddd",
    );
    for (module, command, _) in MODULES {
        let refused = run(&daemon, module, &[command]);
        assert_eq!(refused.code, 3, "{module}: {refused:?}");
        assert!(
            refused.stderr.contains("mallory@fabrikam.com")
                && refused.stderr.contains("ada@contoso.com"),
            "{module}: {refused:?}"
        );
        assert_eq!(refused.stdout, "", "{module}: nothing ran");
    }
}

#[test]
fn a_refusal_in_the_browser_is_named_by_every_module() {
    let daemon = daemon("tenant?approve=100ms&outcome=declined");
    for (module, command, _) in MODULES {
        let refused = run(&daemon, module, &[command]);
        assert_eq!(refused.code, 3, "{module}: {refused:?}");
        assert!(refused.stderr.contains("declined"), "{module}: {refused:?}");
    }
}

#[test]
fn a_token_that_dies_is_an_error_of_the_command() {
    let daemon = daemon("tenant?approve=100ms");
    for (module, command, _) in MODULES {
        let died = run(&daemon, module, &["Expire-Fake"]);
        assert_eq!(died.code, 0, "{module}: {died:?}");
        let failed = run(&daemon, module, &["--strict", command]);
        assert_eq!(failed.code, 1, "{module}: {failed:?}");
        assert_ne!(failed.stderr, "", "{module}: it says why");
        // Whoever signs in anew works on.
        let login = daemon.run(&["disconnect", "-c", "Contoso", "-m", module]);
        assert_eq!(login.code, 0, "{module}: {login:?}");
        let again = run(&daemon, module, &[command]);
        assert_eq!(again.code, 0, "{module}: {again:?}");
    }
}

#[test]
fn sharepoint_without_an_application_says_what_is_missing() {
    let daemon = TestDaemon::new();
    let refused = run(&daemon, "pnp", &["Get-PnPWeb"]);
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("`appId`"), "{refused:?}");
}
