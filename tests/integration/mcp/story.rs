//! Every tool and every error, as a client shows them.

use rmcp::ClientLifecycleMode;
use serde_json::json;

use super::client::{Person, Session, exo, modern, run_id, settings};
use crate::support::TestDaemon;

/// One person's day: every tool, with every kind of answer.
#[expect(clippy::too_many_lines, reason = "it is one list of calls")]
async fn story(era: ClientLifecycleMode) -> String {
    let daemon = TestDaemon::with_scenario("question?approve=2s");
    let client = Session::start(&daemon, era, Person::new(None)).await;
    let mut told = String::new();
    for (tool, arguments) in [
        ("connections", json!({})),
        ("status", json!({})),
        ("wait", exo(json!({}))),
        ("wait", json!({"run_id": "raaaaaaaaa"})),
        ("wait", json!({})),
        ("run", exo(json!({"command": "1"}))),
        ("wait", exo(json!({}))),
        ("login", exo(json!({}))),
        ("status", json!({"connection": "Contoso"})),
        ("status", json!({"module": "teams"})),
        ("run", exo(json!({"command": "Get-AcceptedDomain"}))),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "format": "json", "first": 1})),
        ),
        (
            "run",
            exo(
                json!({"command": "Get-AcceptedDomain", "format": "csv", "select": ["domainname"]}),
            ),
        ),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "format": "count"})),
        ),
        (
            "run",
            exo(json!({"command": "Get-AcceptedDomain", "select": ["Default"]})),
        ),
        (
            "run",
            exo(json!({"command": "Get-Mailbox nobody@contoso.com"})),
        ),
        (
            "run",
            exo(json!({"command": "Get-Mailbox nobody@contoso.com", "format": "json"})),
        ),
        (
            "read",
            exo(json!({"command": "Get-AcceptedDomain", "format": "count"})),
        ),
        ("read", exo(json!({"command": "Remove-Mailbox x"}))),
        ("read", exo(json!({"command": "& $x"}))),
        ("read", exo(json!({"command": "1", "what_if": true}))),
        ("run", exo(json!({"command": "1; 2", "what_if": true}))),
        (
            "run",
            exo(json!({"command": "Remove-Mailbox a; Remove-Mailbox b", "what_if": true})),
        ),
        ("run", exo(json!({"command": "if ("}))),
        ("run", exo(json!({"command": ""}))),
        ("run", exo(json!({"command": "exit"}))),
        (
            "run",
            exo(json!({"command": "Start-Sleep 60", "timeout_seconds": 1})),
        ),
        ("run", exo(json!({"command": "1", "confirmed": true}))),
        ("run", exo(json!({"command": ["1"], "select": "Name"}))),
        (
            "run",
            json!({"connection": "Contosso", "module": "exo", "command": "1"}),
        ),
        (
            "run",
            json!({"connection": "Contoso", "module": "exp", "command": "1"}),
        ),
        ("answer", json!({"run_id": "raaaaaaaaa", "text": "Y"})),
        ("stop", json!({"run_id": "../x"})),
        ("no_such_tool", json!({})),
    ] {
        told.push_str(&client.call(tool, arguments).await);
    }

    let asks = client
        .call(
            "run",
            exo(json!({"command": "Remove-Mailbox user3@contoso.com"})),
        )
        .await;
    let id = run_id(&asks);
    told.push_str(&asks);
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "Y"}))
            .await,
    );
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "Y"}))
            .await,
    );

    let choice = client
        .call("run", exo(json!({"command": "Select-Color"})))
        .await;
    told.push_str(&choice);
    let id = run_id(&choice);
    for text in ["maybe", "blue"] {
        let answer = json!({"run_id": id, "text": text});
        told.push_str(&client.call("answer", answer).await);
    }

    let secret = client
        .call("run", exo(json!({"command": "Unlock-Thing"})))
        .await;
    let id = run_id(&secret);
    told.push_str(&secret);
    told.push_str(
        &client
            .call("answer", json!({"run_id": id, "text": "hunter2"}))
            .await,
    );
    told.push_str(&client.call("stop", json!({"run_id": id})).await);

    let long = client
        .call("run", exo(json!({"command": "1..300", "max_chars": 500})))
        .await;
    let id = run_id(&long);
    told.push_str(&long.replace('\n', " "));
    told.push('\n');
    let tail = json!({"run_id": id, "part": "tail", "max_chars": 500});
    told.push_str(&client.call("output", tail).await.replace('\n', " "));
    told.push('\n');
    let page = json!({"run_id": id, "from": 300, "max_chars": 500});
    told.push_str(&client.call("output", page).await.replace('\n', " "));
    told.push('\n');
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "search": "99"}))
            .await,
    );
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "format": "csv"}))
            .await,
    );
    told.push_str(
        &client
            .call("output", json!({"run_id": id, "export": true}))
            .await,
    );
    let file = daemon.path(&format!("state/exports/{id}.txt"));
    let text = std::fs::read_to_string(file).expect("it was written");
    assert!(
        text.starts_with("1\n2\n") && text.ends_with("300\n"),
        "{text}"
    );

    let later = client
        .call(
            "run",
            exo(json!({"command": "Start-Sleep 60", "wait_seconds": 1})),
        )
        .await;
    let id = run_id(&later);
    told.push_str(&later);
    told.push_str(
        &client
            .call("wait", json!({"run_id": id, "wait_seconds": 0}))
            .await,
    );
    told.push_str(&client.call("status", json!({})).await);
    told.push_str(&client.call("stop", json!({"run_id": id})).await);
    told.push_str(&client.call("disconnect", exo(json!({}))).await);
    told.push_str(&client.call("disconnect", exo(json!({}))).await);
    told
}

#[tokio::test]
async fn the_story_is_the_same_in_both_eras() {
    let first = story(ClientLifecycleMode::Initialize);
    let second = story(modern());
    let (first, second) = tokio::join!(first, second);
    for told in [first, second] {
        settings("story").bind(|| insta::assert_snapshot!("mcp", told));
    }
}
