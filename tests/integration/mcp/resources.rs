//! Resources, and the one prompt.

use rmcp::ClientLifecycleMode;
use rmcp::model::ReadResourceRequestParams;
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
