//! `mm doctor` with a made-up PATH and home.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Finished, TestDaemon, finish};

/// Runs it with a `pwsh` that says this version, or without one.
fn doctor(daemon: &TestDaemon, pwsh: Option<&str>) -> Finished {
    let bin = daemon.path("bin");
    fs::create_dir_all(&bin).expect("a new folder");
    if let Some(version) = pwsh {
        let file = bin.join("pwsh");
        fs::write(&file, format!("#!/bin/sh\necho PowerShell {version}\n")).expect("a new file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("it is ours");
    }
    let mut command = daemon.mm(&["doctor", "--json"]);
    command.env("PATH", bin);
    finish(command, b"")
}

/// The level and help of the finding about this whose message holds `says`.
fn finding<'f>(report: &'f Value, about: &str, says: &str) -> (&'f str, &'f str) {
    let found = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| {
            one["about"] == about
                && one["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(says))
        });
    let found = found.unwrap_or_else(|| panic!("{about}: {says}: {report:#}"));
    (
        found["level"].as_str().expect("a word"),
        found["help"].as_str().unwrap_or_default(),
    )
}

#[test]
fn it_says_what_is_wrong_and_how_to_mend_it() {
    let daemon = TestDaemon::new();
    let bare = doctor(&daemon, None);
    assert_eq!(bare.code, 1, "{bare:?}");
    let report: Value = serde_json::from_str(&bare.stdout).expect("it is JSON");
    let (level, help) = finding(&report, "pwsh", "not installed");
    assert!(level == "error" && help.contains("7.4"), "{report:#}");
    assert_eq!(finding(&report, "daemon", "not running").0, "ok");

    let modules = daemon.path(".local/share/powershell/Modules");
    for version in [
        "ExchangeOnlineManagement/3.9.2",
        "PnP.PowerShell/3.1.0",
        "Microsoft.Graph.Authentication/2.40.0",
    ] {
        fs::create_dir_all(modules.join(version)).expect("a new folder");
    }
    fs::write(
        daemon.path("connections.json"),
        r#"{"connections": {"A": {"tenant": 7}, "B": {"tenant": "b.com"}}}"#,
    )
    .expect("it is ours");
    let some = doctor(&daemon, Some("7.6.5"));
    assert_eq!(some.code, 1, "{some:?}");
    let report: Value = serde_json::from_str(&some.stdout).expect("it is JSON");
    assert_eq!(finding(&report, "pwsh", "7.6.5").0, "ok");
    assert_eq!(finding(&report, "exo", "3.9.2").0, "ok");
    assert_eq!(finding(&report, "pnp", "needs a desktop").0, "error");
    assert_eq!(finding(&report, "graph", "2.40.0").0, "ok");
    assert_eq!(finding(&report, "teams", "not installed").0, "note");
    assert_eq!(finding(&report, "connections", "A: ").0, "error");
    assert_eq!(finding(&report, "connections", "B: ").0, "warning");
    assert_eq!(finding(&report, "connections", "1 can be used").0, "ok");
}

#[test]
fn a_sound_machine_is_told_so() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let sound = doctor(&daemon, Some("7.6.5"));
    assert_eq!(sound.code, 0, "{sound:?}");
    let report: Value = serde_json::from_str(&sound.stdout).expect("it is JSON");
    assert_eq!(finding(&report, "daemon", "1 signed in").0, "ok");
    fs::set_permissions(daemon.path("state"), fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    let open = doctor(&daemon, Some("7.6.5"));
    assert_eq!(open.code, 1, "{open:?}");
    let report: Value = serde_json::from_str(&open.stdout).expect("it is JSON");
    assert!(
        finding(&report, "state", "others can look")
            .1
            .contains("chmod 700"),
        "{report:#}"
    );
    let old = doctor(&daemon, Some("7.2.0"));
    let report: Value = serde_json::from_str(&old.stdout).expect("it is JSON");
    assert_eq!(finding(&report, "pwsh", "too old").0, "error");
}

/// What `az`, `m365` and `pac` are is read from their packages; they are not started.
#[test]
fn programs_and_their_versions_are_read_from_disk() {
    let daemon = TestDaemon::new();
    let bin = daemon.path("bin");
    let write = |path: &str, text: &str| {
        let file = daemon.path(path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a new folder");
        fs::write(&file, text).expect("a new file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("it is ours");
        file
    };
    // Any of them would fail the test if it were started.
    let program = "#!/bin/sh\ntouch \"$HOME/was-started\"\n";
    fs::create_dir_all(&bin).expect("a new folder");
    let link = |target: std::path::PathBuf, name: &str| {
        std::os::unix::fs::symlink(target, bin.join(name)).expect("a new link");
    };
    link(write("azure/bin/az", program), "az");
    write(
        "azure/lib/python3.12/site-packages/azure_cli-2.91.0.dist-info/METADATA",
        "",
    );
    let m365 = "node_modules/@pnp/cli-microsoft365";
    link(write(&format!("{m365}/dist/index.js"), program), "m365");
    write(
        &format!("{m365}/package.json"),
        r#"{"name": "@pnp/cli-microsoft365", "version": "10.1.0"}"#,
    );
    link(write(".dotnet/tools/pac", program), "pac");
    write(
        ".dotnet/tools/.store/microsoft.powerapps.cli.tool/1.30.3/x",
        "",
    );
    let report = doctor(&daemon, Some("7.6.5"));
    let report: Value = serde_json::from_str(&report.stdout).expect("it is JSON");
    assert_eq!(finding(&report, "az", "2.91.0").0, "ok");
    assert_eq!(finding(&report, "m365", "10.1.0").0, "ok");
    let (level, help) = finding(&report, "pac", "1.30.3");
    assert!(
        level == "warning" && help.contains("dotnet tool update"),
        "{report:#}"
    );
    assert_eq!(finding(&report, "mcp", "with the argument mcp").0, "note");
    assert_eq!(finding(&report, "terminal", "not UTF-8").0, "note");
    assert!(!daemon.path("was-started").exists());
}
