//! An entry that does not name a module, as a client sees it.

use serde_json::json;

use super::client::{Person, Session, exo, modern};

#[tokio::test]
async fn a_client_is_told_which_modules_may_use_a_connection() {
    let daemon = crate::mcps::enforcing(&json!(["graph"]));
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let listed = client.call("connections", json!({})).await;
    assert!(listed.contains("only with graph"), "{listed}");
    let command = |command: &str| exo(json!({"command": command}));
    for (tool, arguments) in [
        ("login", exo(json!({}))),
        ("run", command("1")),
        ("read", command("Get-AcceptedDomain")),
    ] {
        let refused = client.call(tool, arguments).await;
        let failed = format!("[{tool} failed]");
        assert!(refused.starts_with(&failed), "{refused}");
        assert!(refused.contains("may not be used with `exo`"), "{refused}");
    }
    daemon.set_entry("mcps", &json!(["exo"]));
    let begun = client.call("login", exo(json!({}))).await;
    assert!(begun.starts_with("[login answered]"), "{begun}");
}

#[tokio::test]
async fn an_old_name_is_refused_as_well() {
    let daemon = crate::mcps::enforcing(&json!(["graph"]));
    let start = ["mcp", "--legacy", "all"];
    let client = Session::start_with(&daemon, &start, modern(), Person::new(None)).await;
    for (tool, arguments) in [
        ("run", exo(json!({"command": "1"}))),
        ("mm_run", exo(json!({"command": "1"}))),
        ("pwsh_run", exo(json!({"command": "1"}))),
        ("pwsh_login", exo(json!({}))),
    ] {
        let refused = client.call(tool, arguments).await;
        let text = format!("[{tool} answered]\nError: ");
        assert!(refused.starts_with(&text), "{refused}");
        assert!(refused.contains("may not be used with `exo`"), "{refused}");
    }
}
