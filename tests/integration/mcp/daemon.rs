//! Daemons that go away, or are of another version.

use std::fs::DirBuilder;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use serde_json::json;

use super::client::{Person, Session, exo, modern, settings};
use crate::support::TestDaemon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_went_away_is_told_and_heals() {
    let daemon = TestDaemon::new();
    daemon.sign_in();
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let running = client.call("run", exo(json!({"command": "Start-Sleep 60"})));
    let killed = async {
        let pid = tokio::task::block_in_place(|| {
            daemon.wait_for_run("running");
            daemon.pid().expect("it runs")
        });
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("it is small"));
        rustix::process::kill_process(pid.expect("it is no 0"), rustix::process::Signal::KILL)
            .expect("it is ours");
    };
    let (answer, ()) = tokio::join!(running, killed);
    assert!(
        answer.contains("[run failed]") && answer.contains("went away"),
        "{answer}"
    );
    let status = client.call("status", json!({})).await;
    assert!(status.contains("No session lives"), "{status}");
}

/// Answers one request after the other on the daemon's socket with what is given, then is gone.
fn stand_in(
    daemon: &TestDaemon,
    answers: &'static [(&'static str, &'static str)],
) -> JoinHandle<()> {
    let mut folder = DirBuilder::new();
    // As the daemon wants it.
    let made = folder.mode(0o700).create(daemon.path("run"));
    made.expect("the folder is ours");
    let listener = UnixListener::bind(daemon.socket()).expect("nobody listens");
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("it asks");
                request.push(byte[0]);
            }
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nmm-version: 0.0.1\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .expect("it listens");
        }
    })
}

#[tokio::test]
async fn a_daemon_of_another_version_is_told_and_heals() {
    let daemon = TestDaemon::new();
    let older = stand_in(
        &daemon,
        &[
            (
                "404 Not Found",
                r#"{"error":{"code":"no_such_route","message":"this daemon (0.0.1) has no GET /v1/connections"}}"#,
            ),
            ("200 OK", r#"{"weather":"rain"}"#),
            (
                "400 Bad Request",
                r#"{"error":{"code":"bad_request","message":"unknown field `unless_used`, expected `connection`"}}"#,
            ),
        ],
    );
    let client = Session::start(&daemon, modern(), Person::new(None)).await;
    let mut told = client.call("connections", json!({})).await;
    told.push_str(&client.call("connections", json!({})).await);
    told.push_str(&client.call("disconnect", exo(json!({}))).await);
    older.join().expect("it was asked three times");
    settings("versions").bind(|| insta::assert_snapshot!("mcp", told));
    let healed = client.call("connections", json!({})).await;
    assert!(healed.contains("[connections answered]"), "{healed}");
}
