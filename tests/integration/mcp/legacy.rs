//! The old names and their texts.

use rmcp::ClientLifecycleMode;
use serde_json::{Value, json};

use super::client::{Person, Session, exo, settings};
use crate::support::{TestDaemon, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_names_answer_with_old_texts() {
    let daemon = TestDaemon::with_scenario("exo?approve=3s");
    let start = ["mcp", "--legacy", "all"];
    let client = Session::start_with(
        &daemon,
        &start,
        ClientLifecycleMode::Initialize,
        Person::new(None),
    )
    .await;
    let pwsh = |more: Value| {
        let mut arguments = json!({"tenant": "contoso.com", "module": "exo"});
        let all = arguments.as_object_mut().expect("it is an object");
        all.extend(more.as_object().expect("it is an object").clone());
        arguments
    };
    let mut told = String::new();
    for (tool, arguments) in [
        ("run", json!({})),
        ("run", json!({"connection": "Contoso"})),
        ("pwsh_list_connections", json!({})),
        ("pwsh_run", pwsh(json!({"command": "1"}))),
        ("run", exo(json!({"command": "1"}))),
        ("pwsh_status", json!({"connectionName": "Contoso"})),
        ("graph_request", json!({"connection": "Contoso"})),
        (
            "graph_request",
            json!({"connection": "Contoso", "endpoint": "/me", "resource": "flow"}),
        ),
        (
            "graph_request",
            json!({"connection": "Contoso", "endpoint": "https://example.org/v1.0/me"}),
        ),
        ("pwsh_session_history", json!({"limit": 0})),
        ("connections", json!({})),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }
    tokio::task::block_in_place(|| daemon.sign_in());
    for (tool, arguments) in [
        ("run", exo(json!({"command": "1..3", "confirmed": true}))),
        (
            "mm_run",
            exo(json!({"command": "Set-Mailbox user1@contoso.com -Hidden 1"})),
        ),
        ("mm_run", exo(json!({"command": "if ("}))),
        (
            "mm_run",
            exo(json!({"command": "Remove-Mailbox user3@contoso.com"})),
        ),
        ("pwsh_run", pwsh(json!({"command": "1..3"}))),
        (
            "pwsh_run",
            json!({"connectionName": "Contoso", "module": "exo", "command": "'x'"}),
        ),
        (
            "pwsh_run",
            pwsh(json!({"command": "Set-Mailbox user1@contoso.com -Hidden 1"})),
        ),
        ("pwsh_login", pwsh(json!({"account": "1"}))),
        ("pwsh_sessions", json!({})),
        ("mm_status", json!({})),
        ("pwsh_disconnect", pwsh(json!({}))),
        (
            "pwsh_disconnect",
            pwsh(json!({"confirmation": "DISCONNECT"})),
        ),
        ("mm_disconnect", exo(json!({}))),
        ("pwsh_session_history", json!({"tenant": "contoso.com"})),
        (
            "pwsh_session_history",
            json!({"module": "exo", "event": "authenticated", "limit": 1}),
        ),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }
    settings("legacy").bind(|| insta::assert_snapshot!("mcp", told));
}

#[tokio::test]
async fn a_graph_request_is_a_command_of_the_graph_session() {
    let daemon = TestDaemon::with_scenario("graph?approve=2s");
    let start = ["mcp", "--legacy", "mm"];
    let era = ClientLifecycleMode::Initialize;
    let client = Session::start_with(&daemon, &start, era, Person::new(None)).await;
    let organization =
        json!({"connection": "Contoso", "endpoint": "organization", "method": "GET"});
    let mut told = client.call("graph_request", organization.clone()).await;
    wait_for("a sign-in", || {
        daemon.session()["signed_in_at"].is_string().then_some(())
    });
    told.push_str(&client.call("graph_request", organization).await);
    let write = json!({"connection": "Contoso", "endpoint": "/users", "method": "POST",
        "body": {"displayName": "O'Hara"}, "confirmed": true});
    told.push_str(&client.call("graph_request", write).await);
    settings("graph").bind(|| insta::assert_snapshot!("mcp", told));
}
