//! Every recording of a real PowerShell plays to its end, and gives the same commands each time.

use std::path::Path;
use std::process::Command;

use crate::support::TestDaemon;

fn show(arguments: &[&str]) -> String {
    let shown = Command::new(env!("CARGO_BIN_EXE_mm"))
        .args(["recording", "show"])
        .args(arguments)
        .output()
        .expect("mm was built");
    assert!(shown.status.success(), "{arguments:?}: {shown:?}");
    String::from_utf8(shown.stdout).expect("it prints text")
}

#[test]
fn every_recording_plays_to_the_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the recordings are there")
        .map(|entry| entry.expect("an entry").path().display().to_string())
        .collect();
    names.sort();
    assert!(names.len() >= 20, "{} recordings", names.len());
    for path in names {
        let name = Path::new(&path)
            .file_stem()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        insta::assert_snapshot!(format!("recording-{name}"), show(&["--json", &path]));
    }
}

#[test]
fn a_session_is_readable() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh/exo-session.cast");
    insta::assert_snapshot!(show(&[path.to_str().expect("it is text")]));
}

#[test]
fn a_redacted_recording_plays_like_its_original() {
    let folder = tempfile::tempdir().expect("a folder");
    let original =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh/exo-session.cast");
    let original = original.to_str().expect("it is text");
    let copy = folder.path().join("copy.cast");
    let copy = copy.to_str().expect("it is text");
    let redacted = Command::new(env!("CARGO_BIN_EXE_mm"))
        .args(["recording", "redact", original, copy])
        .output();
    assert!(redacted.expect("mm was built").status.success());
    let text = std::fs::read_to_string(copy).expect("it was written");
    assert!(!text.contains("C4NTS7K9Q"), "the code is gone");
    let states = |text: String| -> Vec<(String, String)> {
        let line = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
            (value["state"].to_string(), value["mode"].to_string())
        };
        text.lines().map(line).collect()
    };
    assert_eq!(
        states(show(&["--json", copy])),
        states(show(&["--json", original]))
    );
}

#[test]
fn a_run_is_recorded_without_its_tenant() {
    let daemon = TestDaemon::new();
    let entry = serde_json::json!({"connections": {"Contoso": {
        "tenant": "woodgrove.test", "expectedEmail": "eve@woodgrove.test",
        "stand_in": "exo?approve=100ms&account=eve@woodgrove.test&domain=woodgrove.test",
    }}});
    std::fs::write(daemon.path("connections.json"), entry.to_string()).expect("it can be written");
    daemon.sign_in();
    let file = daemon.path("run.cast");
    let path = file.to_str().expect("it is text");
    let command = "'to eve@woodgrove.test with code H3K9CBPDE'; Get-Mailbox nobody@woodgrove.test";
    let recorded = daemon.run(&[
        "run", "-c", "Contoso", "-m", "exo", "--record", path, command,
    ]);
    assert_eq!(recorded.code, 0, "{recorded:?}");
    let text = std::fs::read_to_string(&file).expect("it was written");
    assert!(!text.contains("woodgrove"), "{text}");
    let shown: serde_json::Value =
        serde_json::from_str(show(&["--json", path]).trim()).expect("one command");
    assert_eq!(shown["state"], "ok");
    let said = shown.to_string();
    assert!(
        !said.contains("woodgrove") && said.contains("@example.com"),
        "{said}"
    );
    // A recording is never written over.
    let again = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "--record", path, "1"]);
    assert_eq!(again.code, 4, "{again:?}");
}
