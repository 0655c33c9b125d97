//! Both kinds of subscription.

use std::time::{Duration, Instant};

use rmcp::model::{ServerNotification, SubscriptionFilter};
use serde_json::{Value, json};

use super::client::{Person, Session, exo, modern, run_id};
use super::raw::Raw;
use crate::support::{DEADLINE, TestDaemon, is_gone, wait_for};

const SESSIONS: &str = "m365://sessions";
const SESSION: &str = "m365://sessions/Contoso/exo";

/// Whether a line says that `uri` has changed.
fn is_update(uri: &str) -> impl Fn(&Value) -> bool {
    move |line| line["params"]["uri"] == uri
}

fn answers(id: u32) -> impl Fn(&Value) -> bool {
    move |line| line["id"] == id
}

#[test]
fn a_client_with_a_handshake_is_told_of_what_it_subscribed_to() {
    let daemon = TestDaemon::new();
    let mut raw = Raw::start(&daemon, "off");
    raw.request(1, "resources/subscribe", &json!({"uri": SESSIONS}));
    raw.updates_until(answers(1));
    assert_eq!(daemon.pid(), None, "nothing is started for a subscription");
    daemon.sign_in();
    raw.updates_until(is_update(SESSIONS));

    raw.request(2, "resources/unsubscribe", &json!({"uri": SESSIONS}));
    raw.updates_until(answers(2));
    raw.request(3, "resources/subscribe", &json!({"uri": SESSION}));
    let (updates, _) = raw.updates_until(is_update(SESSION));
    assert_eq!(updates, [SESSION]);
    let run = daemon.run(&["run", "-c", "Contoso", "-m", "exo", "1"]);
    assert_eq!(run.code, 0, "{run:?}");
    let (updates, _) = raw.updates_until(is_update(SESSION));
    assert_eq!(updates, [SESSION]);

    let ended = daemon.run(&["disconnect", "-c", "Contoso", "-m", "exo"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    raw.updates_until(is_update(SESSION));

    raw.request(4, "resources/subscribe", &json!({"uri": "m365://other"}));
    let (_, refused) = raw.updates_until(answers(4));
    assert_eq!(refused["error"]["data"]["uri"], "m365://other", "{refused}");
    raw.end();
}

#[test]
fn a_runs_output_is_told_of_until_its_end() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    let slow = "1..40 | ForEach-Object { $_; Start-Sleep -Milliseconds 50 }";
    raw.call(1, "run", &exo(json!({"command": slow, "wait_seconds": 0})));
    let (_, answer) = raw.updates_until(answers(1));
    let id = run_id(
        answer["result"]["content"][0]["text"]
            .as_str()
            .expect("a text"),
    );
    let uri = format!("m365://runs/{id}/output");
    raw.request(2, "resources/subscribe", &json!({"uri": uri}));
    raw.updates_until(answers(2));
    raw.updates_until(is_update(&uri));
    raw.call(3, "wait", &json!({"run_id": id}));
    let (updates, answer) = raw.updates_until(answers(3));
    assert!(answer.to_string().contains("succeeded"), "{answer}");
    // The end itself is told of too, at the latest after the answer.
    if updates.is_empty() {
        raw.updates_until(is_update(&uri));
    }
    raw.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_stays_open_is_told_and_outlives_the_daemon() {
    let daemon = TestDaemon::new();
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let wanted = [SESSIONS, SESSION, "m365://other"];
    let filter = SubscriptionFilter::builder()
        .resource_subscriptions(wanted)
        .build();
    let listening = client.service.listen(filter);
    let mut subscription = listening.await.expect("it is granted");
    let granted = subscription.acknowledged().resource_subscriptions.clone();
    assert_eq!(granted.expect("some are"), [SESSIONS, SESSION]);
    let mut told = async |uri: &str| {
        let until = tokio::time::Instant::now() + DEADLINE;
        loop {
            let next = tokio::time::timeout_at(until, subscription.next()).await;
            let next = next.expect("it is told in time");
            let next = next.expect("it is no failure").expect("it goes on");
            if let ServerNotification::ResourceUpdatedNotification(update) = next
                && update.params.uri == uri
            {
                return;
            }
        }
    };
    tokio::task::block_in_place(|| daemon.sign_in());
    told(SESSIONS).await;
    told(SESSION).await;
    tokio::task::block_in_place(|| {
        assert_eq!(daemon.run(&["daemon", "stop", "--force"]).code, 0);
    });
    told(SESSION).await;
    tokio::task::block_in_place(|| daemon.sign_in());
    told(SESSION).await;
}

#[test]
fn open_subscriptions_do_not_keep_a_server_whose_client_left() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let mut raw = Raw::start(&daemon, "off");
    raw.request(1, "resources/subscribe", &json!({"uri": SESSIONS}));
    raw.updates_until(answers(1));
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let filter = json!({"resourceSubscriptions": [SESSION]});
    let params = json!({"_meta": modern, "notifications": filter});
    raw.request(2, "subscriptions/listen", &params);
    raw.updates_until(is_update(SESSION));
    let began = Instant::now();
    raw.end();
    // The library waits five seconds for what does not end by itself.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn open_subscriptions_do_not_keep_a_daemon_from_its_end() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let pid = daemon.pid().expect("it runs");
    let mut raw = Raw::start(&daemon, "off");
    raw.request(1, "resources/subscribe", &json!({"uri": SESSIONS}));
    raw.updates_until(is_update(SESSIONS));
    assert_eq!(daemon.run(&["daemon", "stop", "--force"]).code, 0);
    wait_for("the daemon's end", || is_gone(pid).then_some(()));
    let log = std::fs::read_to_string(daemon.path("state/daemon.log")).expect("it has one");
    assert!(!log.contains("broken off"), "{log}");
    raw.end();
}
