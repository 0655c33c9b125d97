//! Signing out over the protocol: never under a run, and old runs do not claim a sign-in that is gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Person, Session, exo, modern, run_id};
use super::raw::Raw;
use crate::support::TestDaemon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_a_run_is_not_signed_out() {
    let daemon = TestDaemon::new();
    tokio::task::block_in_place(|| daemon.sign_in());
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let old = ["mcp", "--legacy", "all"];
    let old = Session::start_with(&daemon, &old, modern(), Person::new(None)).await;
    let order = exo(json!({"command": "Start-Sleep 60", "wait_seconds": 0}));
    let id = run_id(&client.call("run", order).await);
    let this = json!({"run_id": id});

    let refused = client.call("disconnect", exo(json!({}))).await;
    assert!(refused.starts_with("[disconnect failed]"), "{refused}");
    for named in [
        format!("has the run {id}"),
        format!("`wait` with {this}"),
        format!("`stop` with {this}"),
    ] {
        assert!(refused.contains(&named), "{refused}");
    }
    let confirmed = exo(json!({"confirmation": "DISCONNECT"}));
    for tool in ["mm_disconnect", "pwsh_disconnect"] {
        let refused = old.call(tool, confirmed.clone()).await;
        assert!(
            refused.contains(&format!("Error: Contoso/exo has the run {id}")),
            "{refused}"
        );
    }

    let stopped = client.call("stop", this.clone()).await;
    assert!(
        stopped.contains("Its session stays signed in."),
        "{stopped}"
    );
    let signed_out = client.call("disconnect", exo(json!({}))).await;
    assert!(
        signed_out.starts_with("[disconnect answered]"),
        "{signed_out}"
    );
    for tool in ["wait", "stop"] {
        let told = client.call(tool, this.clone()).await;
        assert!(
            told.contains("Its session is not signed in any longer."),
            "{told}"
        );
    }
}

/// A run and a sign-out in one moment, over and over: one of the two is refused, or the run was over before.
#[test]
fn a_sign_out_never_stops_a_run_that_just_began() {
    let daemon = TestDaemon::new();
    let modules = daemon.path(".config/mm/modules.d");
    std::fs::create_dir_all(&modules).expect("the folder can be made");
    let tool = "module: tool\ntitle: A shell\nshell: bash\n";
    std::fs::write(modules.join("tool.yaml"), tool).expect("the folder can be written");
    let (mut runs, mut leaves) = (Raw::start(&daemon, "off"), Raw::start(&daemon, "off"));
    let session = json!({"connection": "Contoso", "module": "tool"});
    let said = |answer: &Value| answer["result"]["content"].to_string();
    let order =
        |command: &str| json!({"connection": "Contoso", "module": "tool", "command": command});
    let (mut refused, mut signed_out) = (0, 0);
    for trial in 0..120 {
        runs.call(trial, "run", &order("echo there"));
        let there = said(&runs.answer());
        assert!(there.contains("succeeded"), "{trial}: {there}");
        // Each trial meets the run at another moment: before, with, or after its beginning.
        let moment = trial % 12;
        if moment < 4 {
            leaves.call(trial, "disconnect", &session);
        }
        runs.call(trial, "run", &order("sleep 0.02; echo done"));
        if moment >= 4 {
            std::thread::sleep(Duration::from_millis(u64::from(moment) - 4));
            leaves.call(trial, "disconnect", &session);
        }
        let (run, left) = (said(&runs.answer()), said(&leaves.answer()));
        let did_all = run.contains("succeeded") && run.contains("done\\n");
        // It was told that it may be sent again, which is only true of what never began.
        let did_nothing = run.contains("ended before it was sent") || run.contains("try again");
        assert!(did_all != did_nothing, "{trial}: {run} {left}");
        if left.contains("which signing out would stop") {
            assert!(did_all, "{trial}: {run} {left}");
            refused += 1;
        } else {
            assert!(left.contains("is signed out"), "{trial}: {left}");
            signed_out += 1;
        }
    }
    assert!(refused > 0 && signed_out > 0, "{refused} and {signed_out}");
}

#[tokio::test]
async fn a_number_out_of_its_range_is_refused() {
    let daemon = TestDaemon::new();
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let order = exo(json!({"command": "1", "wait_seconds": 301}));
    let refused = client.call("run", order).await;
    assert!(refused.starts_with("[run failed]"), "{refused}");
    assert!(
        refused.contains(
            "`wait_seconds`: invalid value: integer `301`, expected a whole number from 0 to 300"
        ),
        "{refused}"
    );
}
