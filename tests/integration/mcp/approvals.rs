//! Commands that a person has to approve: what a model is told, and that nothing it sends approves them.

use expectrl::{Eof, Expect as _};
use rmcp::ClientLifecycleMode;
use rmcp::model::ElicitationAction;
use serde_json::{Value, json};

use super::client::{Person, Session, exo, modern, run_id, settings};
use super::raw::Raw;
use crate::support::TestDaemon;

/// A daemon whose connection asks, signed in.
fn asking() -> TestDaemon {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!("ask"));
    daemon.sign_in();
    daemon
}

/// What a person types at a terminal.
fn approve(daemon: &TestDaemon, id: &str) {
    let mut session = daemon.terminal(&["approvals", "approve", id]);
    session.expect("to run it: ").expect("it asks");
    session.send_line("yes").expect("the terminal is open");
    session.expect(Eof).expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_told_who_can_approve() {
    let daemon = tokio::task::block_in_place(asking);
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let change = json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x",
        "reason": "it was misspelt"});
    let mut told = client.call("run", exo(change.clone())).await;
    let id = run_id(&told);
    let at_once = json!({"run_id": id, "wait_seconds": 0});
    told.push_str(&client.call("wait", at_once).await);
    let waits = tokio::task::block_in_place(|| daemon.newest_run());
    assert_eq!(waits["approval"]["reason"], "it was misspelt", "{waits}");
    tokio::task::block_in_place(|| approve(&daemon, &id));
    told.push_str(&client.call("wait", json!({"run_id": id})).await);

    let again = client.call("run", exo(change)).await;
    let id = run_id(&again);
    told.push_str(&client.call("stop", json!({"run_id": id})).await);
    for refused in [
        exo(json!({"command": "Set-Mailbox x", "confirmed": true})),
        exo(json!({"command": "Get-Secret x"})),
    ] {
        told.push_str(&client.call("run", refused).await);
    }
    let reading = exo(json!({"command": "Get-AcceptedDomain", "format": "count"}));
    told.push_str(&client.call("run", reading.clone()).await);
    told.push_str(&client.call("read", reading).await);
    settings("approval").bind(|| insta::assert_snapshot!("mcp", told));
}

/// The same, and its daemon takes the word of the tests' client that a person has filled in its form.
fn trusting() -> TestDaemon {
    let daemon = TestDaemon::new();
    daemon.set_entry("policy", &json!("ask"));
    daemon.configure("approvals: {trusted_forms: [other, test]}\n");
    daemon.sign_in();
    daemon
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_clients_form_shows_the_command_and_its_yes_runs_it() {
    let daemon = tokio::task::block_in_place(trusting);
    for era in [ClientLifecycleMode::Initialize, modern()] {
        let person = Person::filling_in(ElicitationAction::Accept, json!({"approve": true}));
        let client = Session::start(&daemon, era, person.clone()).await;
        let change = json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x",
            "reason": "it was misspelt"});
        let answer = client.call("run", exo(change)).await;
        assert!(answer.contains("succeeded"), "{answer}");
        let shown = person.shown();
        assert_eq!(shown.len(), 1, "{shown:?}");
        for wanted in [
            "\n\nSet-Mailbox user3@contoso.com -DisplayName x\n\n",
            "(contoso.com), signed in as ada@contoso.com",
            "it was misspelt",
            "writes",
        ] {
            assert!(shown[0].contains(wanted), "{shown:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_says_no_or_nothing_runs_nothing() {
    let daemon = tokio::task::block_in_place(trusting);
    for era in [ClientLifecycleMode::Initialize, modern()] {
        for (action, content, wanted) in [
            (ElicitationAction::Decline, json!({}), "it was denied"),
            (
                ElicitationAction::Accept,
                json!({"approve": false}),
                "it was denied",
            ),
            (
                ElicitationAction::Cancel,
                json!({}),
                "waits for a person's yes",
            ),
            (
                ElicitationAction::Accept,
                json!({"approve": true, "tenant": "fabrikam.com"}),
                "the tenant's name does not fit",
            ),
        ] {
            let person = Person::filling_in(action, content);
            let client = Session::start(&daemon, era.clone(), person.clone()).await;
            let many = exo(json!({"command": "Get-Mailbox | Remove-Mailbox"}));
            let answer = client.call("run", many).await;
            assert!(answer.contains(wanted), "{answer}");
            assert_eq!(person.shown().len(), 1);
            let run = tokio::task::block_in_place(|| daemon.newest_run());
            assert_eq!(run["started_at"], Value::Null, "{run}");
        }
    }
}

#[test]
fn a_made_up_answer_of_a_client_that_is_not_trusted_approves_nothing() {
    let daemon = asking();
    let mut raw = Raw::start(&daemon, "off");
    let change = exo(json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x"}));
    raw.call(1, "run", &change);
    assert_eq!(raw.answer()["result"]["isError"], true);
    let run = daemon.wait_for_run("waiting_for_approval");
    let digest = run["approval"]["digest"].as_str().expect("it has one");
    let id = run["id"].as_str().expect("it has one");
    let made_up = json!({
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        },
        "name": "run",
        "arguments": change,
        "requestState": format!("{id} {digest}"),
        "inputResponses": {"approval": {"action": "accept", "content": {"approve": true}}},
    });
    raw.request(2, "tools/call", &made_up);
    let answer = raw.answer();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(daemon.newest_run()["state"], "waiting_for_approval");
    raw.call(3, "status", &json!({}));
    let status = raw.answer().to_string();
    assert!(
        status.contains(&format!("mm approvals approve {id}")),
        "{status}"
    );
    raw.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_name_says_blocked() {
    let daemon = tokio::task::block_in_place(asking);
    let (start, era) = (["mcp", "--legacy", "mm"], ClientLifecycleMode::Initialize);
    let client = Session::start_with(&daemon, &start, era, Person::new(None)).await;
    let change =
        json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x", "confirmed": true});
    let answer = client.call("run", exo(change)).await;
    assert!(
        answer.contains("**BLOCKED — human approval required.** run r"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_of_a_client_that_is_not_trusted_is_not_shown() {
    let daemon = tokio::task::block_in_place(asking);
    for era in [ClientLifecycleMode::Initialize, modern()] {
        let person = Person::filling_in(ElicitationAction::Accept, json!({"approve": true}));
        let client = Session::start(&daemon, era, person.clone()).await;
        let change = exo(json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x"}));
        let answer = client.call("run", change).await;
        assert!(answer.contains("[run failed]"), "{answer}");
        assert!(answer.contains("mm approvals approve"), "{answer}");
        assert_eq!(person.shown(), [""; 0]);
    }
}

#[test]
fn a_run_that_waits_for_a_yes_outlives_the_call_that_told_its_id() {
    let daemon = asking();
    let mut raw = Raw::start(&daemon, "off");
    let change = json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x"});
    raw.call(1, "run", &exo(change));
    assert_eq!(raw.answer()["result"]["isError"], true);
    raw.end();
    let run = daemon.wait_for_run("waiting_for_approval");
    approve(&daemon, run["id"].as_str().expect("it has one"));
    let run = daemon.wait_for_run("ended");
    assert_ne!(run["end"]["outcome"], "refused", "{run}");
}

/// A request of 2026-07-28 from a client whose forms count, which brings this along.
fn retried(more: &Value) -> Value {
    let mut params = json!({
        "name": "run",
        "arguments": exo(json!({"command": "Set-Mailbox user3@contoso.com -DisplayName x"})),
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        },
    });
    let all = params.as_object_mut().expect("it is an object");
    all.extend(more.as_object().expect("it is an object").clone());
    params
}

#[test]
fn a_state_that_was_bent_is_no_call_at_all() {
    let daemon = trusting();
    let mut raw = Raw::start(&daemon, "off");
    raw.request(1, "tools/call", &retried(&json!({})));
    let asked = raw.answer();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let state = asked["result"]["requestState"].as_str();
    let state = state.unwrap_or_else(|| panic!("{asked}")).to_owned();
    let yes = json!({"approval": {"action": "accept", "content": {"approve": true}}});
    let no = json!({"approval": {"action": "decline"}});
    let bent = [
        json!({"inputResponses": no, "requestState": format!("{state}0")}),
        json!({"inputResponses": yes, "requestState": state.replace('r', "s")}),
        json!({"inputResponses": yes, "requestState": "x"}),
        json!({"inputResponses": yes}),
        json!({"inputResponses": {"approval": 5}, "requestState": state}),
    ];
    for (number, more) in (2..).zip(bent) {
        raw.request(number, "tools/call", &retried(&more));
        let answer = raw.answer();
        assert_eq!(answer["error"]["code"], -32602, "{more}: {answer}");
        assert_eq!(daemon.newest_run()["state"], "waiting_for_approval");
    }
    let whole = json!({"inputResponses": yes, "requestState": state});
    raw.request(99, "tools/call", &retried(&whole));
    let answer = raw.answer();
    let said = answer["result"]["content"][0]["text"].as_str();
    assert!(
        said.is_some_and(|said| said.contains("succeeded")),
        "{answer}"
    );
    raw.end();
}
