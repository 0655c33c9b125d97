//! The socket itself: whatever is thrown at it, it answers and goes on.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use crate::support::{DEADLINE, TestDaemon, door, wait_for};

/// A daemon in the foreground, so that it needs no first verb.
struct Foreground {
    daemon: TestDaemon,
    child: Child,
}

impl Foreground {
    fn start() -> Self {
        let daemon = TestDaemon::new();
        let child = daemon
            .mm(&["daemon", "run"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mm was built");
        wait_for("a socket that answers", || {
            UnixStream::connect(daemon.socket()).ok()
        });
        Self { daemon, child }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.daemon.socket()).expect("the daemon listens");
        stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a socket has a timeout");
        stream
    }

    /// Sends bytes as they are and reads until the daemon closes.
    fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).expect("the daemon reads");
        door::answer(stream)
    }

    fn post(&self, path: &str, body: &[u8]) -> String {
        let line = format!("POST {path} HTTP/1.1");
        door::answer(door::send(&self.daemon.socket(), &line, "", body))
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

const UNKNOWN: &[u8] = b"GET /v2/nope HTTP/1.1\r\nhost: mm\r\nconnection: close\r\n\r\n";

#[test]
fn bad_requests_get_an_error_that_programs_understand() {
    let door = Foreground::start();
    let answer = door.exchange(UNKNOWN);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("\r\nmm-version: "), "{answer}");
    assert!(
        answer.contains(r#"{"error":{"code":"no_such_route","#),
        "{answer}"
    );

    let answer = door.post("/v1/runs", b"{\"connection\":");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains(r#""code":"bad_request""#), "{answer}");

    let answer = door.post(
        "/v1/runs",
        br#"{"connection":"C","module":"exo","command":"1","on_disconect":"stop"}"#,
    );
    assert!(answer.contains("unknown field `on_disconect`"), "{answer}");

    let answer = door.post("/v1/runs/zzz/stop", b"");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains(r#""code":"unknown_run""#), "{answer}");
}

#[test]
fn a_body_that_is_too_large_is_refused_and_read_to_its_end() {
    let door = Foreground::start();
    let answer = door.post("/v1/runs", &vec![b' '; 17 << 20]);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains(r#""code":"too_large""#), "{answer}");
}

#[test]
fn garbage_and_half_requests_hold_nobody_up() {
    let door = Foreground::start();
    let mut half_head = door.connect();
    half_head
        .write_all(b"GET /v1/dae")
        .expect("the daemon reads");
    let mut half_body = door.connect();
    half_body
        .write_all(b"POST /v1/runs HTTP/1.1\r\nhost: mm\r\ncontent-length: 100\r\n\r\n{")
        .expect("the daemon reads");
    let answer = door.exchange(b"\x16\x03\x01 this is not HTTP\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = door.exchange(UNKNOWN);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    // A head that never ends is not waited for: the daemon closes.
    let mut rest = Vec::new();
    half_head
        .read_to_end(&mut rest)
        .expect("the daemon closes in time");
}

#[test]
fn a_second_daemon_says_that_there_is_one() {
    let door = Foreground::start();
    let second = door.daemon.run(&["daemon", "run"]);
    assert_eq!(second.code, 4, "{second:?}");
    assert!(
        second.stderr.contains(&format!(
            "a daemon is running already (pid {})",
            door.child.id()
        )),
        "{second:?}"
    );
    assert!(door.exchange(UNKNOWN).starts_with("HTTP/1.1 404"));
}

#[test]
fn what_a_killed_daemon_left_is_no_obstacle() {
    let mut door = Foreground::start();
    door.child.kill().expect("it is our child");
    door.child.wait().expect("it is our child");
    assert!(door.daemon.socket().exists());
    let status = door.daemon.run(&["daemon", "status"]);
    assert_eq!(status.code, 8, "{status:?}");
    door.child = door
        .daemon
        .mm(&["daemon", "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mm was built");
    wait_for("a socket that answers", || {
        UnixStream::connect(door.daemon.socket()).ok()
    });
}

#[test]
fn two_hundred_clients_at_once_are_all_answered() {
    let door = Foreground::start();
    let status = b"GET /v1/daemon HTTP/1.1\r\nhost: mm\r\nconnection: close\r\n\r\n";
    let barrier = std::sync::Barrier::new(200);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = door.connect();
                    // All are connected before the first asks.
                    barrier.wait();
                    stream.write_all(status).expect("the daemon reads");
                    let mut answer = String::new();
                    stream
                        .read_to_string(&mut answer)
                        .expect("the daemon answers and closes");
                    answer
                })
            })
            .collect();
        for client in clients {
            let answer = client.join().expect("no client fails");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    });
}

#[test]
fn a_client_that_never_reads_holds_up_neither_its_run_nor_others() {
    let door = Foreground::start();
    let connections = serde_json::json!({"connections": {"Contoso": {
        "tenant": "contoso.com", "policy": "open", "stand_in": "flood?approve=50ms",
    }}});
    std::fs::write(
        door.daemon.path("connections.json"),
        connections.to_string(),
    )
    .expect("the folder can be written");
    let body = br#"{"connection":"Contoso","module":"exo","command":"Get-Flood -Megabytes 8"}"#;
    let mut deaf = door.connect();
    deaf.write_all(
        format!(
            "POST /v1/runs HTTP/1.1\r\nhost: mm\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    )
    .expect("the daemon reads");
    deaf.write_all(body).expect("the daemon reads");
    let run = door.daemon.wait_for_run("ended");
    assert_eq!(run["end"]["outcome"], "succeeded", "{run}");
    let next = door
        .daemon
        .run(&["run", "-c", "Contoso", "-m", "exo", "'next'"]);
    assert_eq!((next.code, next.stdout.as_str()), (0, "next\n"), "{next:?}");
    drop(deaf);
}
