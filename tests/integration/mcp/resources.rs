//! Resources, and the one prompt.

use rmcp::ClientLifecycleMode;
use rmcp::model::{ArgumentInfo, CompleteRequestParams, ReadResourceRequestParams, Reference};
use serde_json::json;

use super::client::{Person, Session, exo, modern, run_id};
use crate::support::TestDaemon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_outputs_have_addresses() {
    let daemon = TestDaemon::new();
    tokio::task::block_in_place(|| daemon.sign_in());
    for era in [ClientLifecycleMode::Initialize, modern()] {
        let client = Session::start(&daemon, era, Person::new(None)).await;
        let listed = client.service.list_all_resources().await.expect("it lists");
        let addresses: Vec<&str> = listed.iter().map(|one| one.uri.as_str()).collect();
        assert_eq!(
            addresses,
            ["m365://sessions", "m365://sessions/Contoso/exo"]
        );
        let answer = client.call("run", exo(json!({"command": "'hello'"}))).await;
        let output = format!("m365://runs/{}/output", run_id(&answer));
        for (uri, wanted) in [
            ("m365://sessions", "ada@contoso.com"),
            ("m365://sessions/Contoso/exo", "ada@contoso.com"),
            (&output, "hello\\n"),
        ] {
            let request = ReadResourceRequestParams::new(uri);
            let read = client
                .service
                .read_resource(request)
                .await
                .expect("it reads");
            let text = serde_json::to_string(&read.contents).expect("it is JSON");
            assert!(text.contains(wanted), "{text}");
        }
        for uri in [
            "m365://sessions/Other/exo",
            "m365://runs/raaaaaaaaa/output",
            "m365://x",
        ] {
            let request = ReadResourceRequestParams::new(uri);
            let error = client.service.read_resource(request).await;
            let error = error.expect_err("there is none").to_string();
            assert!(error.contains("no such resource"), "{error}");
        }
        let prompts = client.service.list_all_prompts().await.expect("it lists");
        assert_eq!(prompts.len(), 1);
    }
}

#[tokio::test]
async fn a_person_who_types_a_name_is_offered_what_fits() {
    let daemon = TestDaemon::new();
    for era in [ClientLifecycleMode::Initialize, modern()] {
        let client = Session::start(&daemon, era, Person::new(None)).await;
        let prompt = || Reference::for_prompt("connect");
        let address = || Reference::for_resource("m365://sessions/{connection}/{module}");
        for (reference, argument, typed, wanted) in [
            (prompt(), "connection", "con", &["Contoso"][..]),
            (prompt(), "connection", "x", &[]),
            (prompt(), "module", "pow", &["powerplatform"]),
            (prompt(), "other", "", &[]),
            (address(), "module", "EX", &["exo"]),
        ] {
            let argument = ArgumentInfo::new(argument, typed);
            let request = CompleteRequestParams::new(reference, argument);
            let result = client.service.complete(request).await;
            let completion = result.expect("it completes").completion;
            assert_eq!(completion.values, wanted);
            assert_eq!(completion.has_more, Some(false));
        }
        let other = Reference::for_prompt("other");
        let request = CompleteRequestParams::new(other, ArgumentInfo::new("connection", ""));
        assert!(client.service.complete(request).await.is_err());
    }
}
