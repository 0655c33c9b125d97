//! Sign-ins that fail, and pages shown to a person.

use rmcp::ClientLifecycleMode;
use rmcp::model::ElicitationAction;
use serde_json::json;

use super::client::{Person, Session, exo, modern, settings};
use crate::support::TestDaemon;

#[tokio::test]
async fn failed_sign_ins_say_what_to_do() {
    let mut told = String::new();
    for scenario in [
        "wrong-account?approve=200ms",
        "declined?approve=200ms",
        "blocked?approve=200ms",
        "bad-app",
    ] {
        let daemon = TestDaemon::with_scenario(scenario);
        let client = Session::start(&daemon, modern(), Person::new(None)).await;
        told.push_str("# ");
        told.push_str(scenario);
        told.push('\n');
        client.call("login", exo(json!({}))).await;
        told.push_str(&client.call("wait", exo(json!({}))).await);
    }
    settings("failures").bind(|| insta::assert_snapshot!("mcp", told));
}

#[tokio::test]
async fn a_code_is_told_again_while_it_lives_and_never_after() {
    let code = |scenario: &str, code: &str| json!(format!("{scenario}&code={code}"));
    let daemon = TestDaemon::with_scenario("exo?approve=15m&code=F1RSTC0D3");
    let login = async |wanted: &str| {
        // Each call comes from a server of its own.
        let client = Session::start(&daemon, modern(), Person::new(None)).await;
        let answer = client.call("login", exo(json!({}))).await;
        assert!(answer.contains(&format!("Code: {wanted}\n")), "{answer}");
        client
    };
    login("F1RSTC0D3").await;
    daemon.set_entry("stand_in", &code("exo?approve=15m", "S3C0NDC0D"));
    login("F1RSTC0D3").await;

    let client = login("F1RSTC0D3").await;
    client.call("disconnect", exo(json!({}))).await;
    daemon.set_entry("stand_in", &code("expired-code?approve=2s", "TH1RDC0DE"));
    let client = login("TH1RDC0DE").await;
    let first = daemon.session();
    let answer = client.call("wait", exo(json!({}))).await;
    assert!(answer.contains("[wait failed]"), "{answer}");
    assert!(answer.contains("has expired"), "{answer}");
    // Its program lives on, and shows the code of its next sign-in.
    login("TH1RDC0DE").await;
    let next = daemon.session();
    assert_eq!(next["state"], "signing_in", "{next}");
    assert_ne!(next["since"], first["since"], "{next}");
}

#[tokio::test]
async fn a_page_is_shown_to_clients_that_can_and_the_code_is_told_all_the_same() {
    for era in [ClientLifecycleMode::Initialize, modern()] {
        for action in [ElicitationAction::Accept, ElicitationAction::Decline] {
            let daemon = TestDaemon::with_scenario("exo?approve=15m");
            let person = Person::new(Some(action.clone()));
            let client = Session::start(&daemon, era.clone(), person.clone()).await;
            let answer = client.call("login", exo(json!({}))).await;
            assert!(answer.starts_with("[login answered]"), "{answer}");
            assert!(answer.contains("Code: C4NTS7K9Q"), "{answer}");
            let wanted = if action == ElicitationAction::Accept {
                "does not mean that they are done"
            } else {
                "did not want to open the page"
            };
            assert!(answer.contains(wanted), "{answer}");
            assert_eq!(
                person.shown(),
                [
                    "Sign in to Contoso/exo as ada@contoso.com: enter the code C4NTS7K9Q on the page. https://login.microsoft.com/device"
                ]
            );
        }
    }
}
