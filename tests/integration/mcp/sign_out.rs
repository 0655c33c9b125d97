//! Signing out over the protocol: never under a run, and old runs do not claim a sign-in that is gone.

use serde_json::json;

use super::client::{Person, Session, exo, modern, run_id};
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

#[tokio::test]
async fn a_number_out_of_its_range_is_refused() {
    let daemon = TestDaemon::new();
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let order = exo(json!({"command": "1", "wait_seconds": 301}));
    let refused = client.call("run", order).await;
    assert!(refused.starts_with("[run failed]"), "{refused}");
    assert!(
        refused.contains("`wait_seconds` is 301 and has to be from 0 to 300"),
        "{refused}"
    );
}
