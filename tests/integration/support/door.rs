//! Requests that no program of ours makes: text on the daemon's socket, and the daemon's answer as it is.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use super::{DEADLINE, TestDaemon};

/// A request under way. `line` is its first one, `headers` are lines with their ends. It is sent in one piece: who is refused
/// by the head alone may be gone before the body.
pub(crate) fn send(socket: &Path, line: &str, headers: &str, body: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(socket).expect("the daemon listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a socket has a timeout");
    let head = format!(
        "{line}\r\nhost: mm\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(&[head.as_bytes(), body].concat())
        .expect("the daemon reads");
    stream
}

/// What the daemon answers until it closes.
pub(crate) fn answer(mut stream: UnixStream) -> String {
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the daemon answers and closes");
    answer
}

impl TestDaemon {
    /// The whole answer to a process without a terminal that sends this.
    pub(crate) fn post(&self, path: &str, body: &Value) -> String {
        self.post_with("", path, body)
    }

    /// The same for one that calls itself so.
    pub(crate) fn post_as(&self, client: &str, path: &str, body: &Value) -> String {
        self.post_with(&format!("mm-client: {client}\r\n"), path, body)
    }

    fn post_with(&self, headers: &str, path: &str, body: &Value) -> String {
        let line = format!("POST {path} HTTP/1.1");
        let body = body.to_string();
        answer(send(&self.socket(), &line, headers, body.as_bytes()))
    }
}
