//! `mcps` where `enforce_mcps` is on: what an entry does not name is refused at every door, a living session included.

use serde_json::{Value, json};

use crate::support::{TestDaemon, wait_for};

/// A daemon that heeds `mcps`, with these in the entry of `Contoso`.
pub(crate) fn enforcing(mcps: &Value) -> TestDaemon {
    let daemon = TestDaemon::new();
    enforce(&daemon, true);
    daemon.set_entry("mcps", mcps);
    daemon
}

fn enforce(daemon: &TestDaemon, on: bool) {
    let folder = daemon.path(".config/mm");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(
        folder.join("config.yaml"),
        format!("enforce_mcps: {on}   # as it was agreed\n"),
    )
    .expect("the folder can be written");
}

const WHY: &str = "the connection `Contoso` may not be used with `exo`: its `mcps` are only `onenote`, `pnp-m365`";

#[test]
fn what_is_not_named_is_refused_at_every_door() {
    let daemon = enforcing(&json!(["onenote", "pnp-m365"]));
    let session = ["-c", "Contoso", "-m", "exo"];
    for verb in [vec!["login"], vec!["run"]] {
        let command = if verb == ["run"] { &["1"][..] } else { &[] };
        let refused = daemon.run(&[&verb[..], &session, command].concat());
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains(WHY), "{refused:?}");
        let how = r#"mm connections edit 'Contoso' mcps '["onenote","pnp-m365","exo"]'"#;
        assert!(refused.stderr.contains(how), "{refused:?}");
        assert!(refused.stderr.contains("config.yaml"), "{refused:?}");
    }
    let exo = json!({"connection": "Contoso", "module": "exo"});
    let run = json!({"connection": "Contoso", "module": "exchange", "command": "1"});
    for (path, body) in [("/v1/sessions/login", &exo), ("/v1/runs", &run)] {
        let answer = daemon.post(path, body);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains(r#""code":"refused""#), "{answer}");
        assert!(answer.contains(WHY), "{answer}");
    }
    let audit = daemon.run(&["audit", "list", "--kind", "refused", "--json"]);
    assert!(audit.stdout.contains("may not be used"), "{audit:?}");
    assert_eq!(daemon.session(), Value::Null, "nothing was started");
    // An older server's name opens what does its work here.
    daemon.set_entry("stand_in", &json!("pnp?approve=100ms"));
    daemon.set_entry("appId", &json!("11112222-3333-4444-5555-666677778888"));
    let pnp = daemon.run(&["login", "-c", "Contoso", "-m", "sharepoint"]);
    assert_eq!(pnp.code, 0, "{pnp:?}");
}

#[test]
fn it_is_heeded_only_where_that_is_wanted_and_from_then_on() {
    let daemon = enforcing(&json!(["mm"]));
    daemon.sign_in();
    let run = || daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(run().code, 0);
    // A session that lives is no way around what the file says now.
    daemon.set_entry("mcps", &json!(null));
    let refused = run();
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("its entry has no `mcps`"),
        "{refused:?}"
    );
    enforce(&daemon, false);
    let back = wait_for("settings that were read again", || {
        Some(run()).filter(|run| run.code == 0)
    });
    assert!(!back.stderr.contains("enter"), "no code: {back:?}");
}

#[test]
fn whoever_looks_is_told() {
    let daemon = enforcing(&json!(["Microsoft-Graph"]));
    let show = daemon.run(&["connections", "show", "Contoso", "--json"]);
    let shown: Value = serde_json::from_str(&show.stdout).expect("it is JSON");
    assert_eq!(shown["modules"]["exo"]["allowed"], false, "{shown}");
    assert_eq!(shown["modules"]["graph"]["allowed"], true, "{shown}");
    let show = daemon.run(&["connections", "show", "Contoso"]);
    let line = show.stdout.lines().find(|line| line.starts_with("  exo "));
    assert!(
        line.is_some_and(|line| line.contains("`mcps` does not name it")),
        "{show:?}"
    );
    let explain = |module: &str| {
        let session = ["-c", "Contoso", "-m", module, "--json"];
        let told = daemon.run(&[&["policy", "explain"][..], &session, &["Get-Mailbox"]].concat());
        let told: Value = serde_json::from_str(&told.stdout).expect("it is JSON");
        told["decisions"].clone()
    };
    for decided in explain("exo").as_array().expect("one for each") {
        assert_eq!(decided["decision"], "refuse", "{decided}");
        let rule = decided["rule"].as_str().unwrap_or_default();
        assert!(rule.contains("enforce_mcps"), "{decided}");
    }
    assert_eq!(explain("graph")[0]["decision"], "allow");
    let check = || daemon.run(&["connections", "check"]).stdout;
    assert!(!check().contains("warning"), "{}", check());
    daemon.set_entry("mcps", &json!(["onenote"]));
    assert!(check().contains("no module may use it"), "{}", check());
    enforce(&daemon, false);
    assert!(!check().contains("warning"), "{}", check());
}
