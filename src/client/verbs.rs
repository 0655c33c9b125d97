//! [`Client`]: the verbs.

use std::sync::Mutex;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::start::{connect, connect_or_start};
use super::transport::{collect, encode, json, send};
use super::{ClientError, Events, Place};
use crate::api::{
    AcceptPolicyRequest, AnswerRequest, ApprovalList, ApproveRequest, DaemonInfo, DemoRequest,
    DenyRequest, DisconnectRequest, LoosenedPolicy, Offers, PAGE_HEADERS, PastSession,
    PastSessionList, Run, RunList, RunRequest, Session, SessionList, ShutdownRequest,
    VERSION_HEADER, WatchRequest,
};
use crate::name::SessionKey;

/// A piece of a run's output, as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct RawPage {
    /// Offset of the first byte; later than asked for where bytes were not kept.
    pub(crate) from: u64,
    pub(crate) bytes: Bytes,
    /// Where to go on.
    pub(crate) next: u64,
    /// Whether the run is over and this is its end.
    pub(crate) last: bool,
}

/// A daemon, as its clients see it. Each request has a connection of its own.
#[derive(Debug)]
pub(crate) struct Client {
    place: Place,
    /// The daemon's process, as the kernel names it; `None` where it is not seen from here.
    pid: Option<i32>,
    /// Whether a daemon is started where there is none.
    starts: bool,
    /// The connection that proved that the daemon is there; the first request takes it.
    first: Mutex<Option<UnixStream>>,
    /// What it calls itself.
    name: &'static str,
    /// The connections file that is meant, where a person named one.
    connections: Option<String>,
    /// The daemon's version, from its last answer.
    version: Mutex<Option<String>>,
}

impl Client {
    /// The same client, which calls itself `name` and not `cli`.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The same client, which means this connections file: a daemon that reads another one refuses.
    pub(crate) fn meaning(mut self, connections: Option<String>) -> Self {
        self.connections = connections;
        self
    }

    /// Finds the daemon that is running; [`ClientError::NoDaemon`] where there is none.
    pub(crate) async fn find(place: Place) -> Result<Self, ClientError> {
        let stream = connect(&place).await?;
        Ok(Self::over(place, false, stream))
    }

    /// Finds the daemon, or starts it; takes up to ten seconds.
    pub(crate) async fn find_or_start(place: Place) -> Result<Self, ClientError> {
        let stream = connect_or_start(&place).await?;
        Ok(Self::over(place, true, stream))
    }

    fn over(place: Place, starts: bool, stream: UnixStream) -> Self {
        Self {
            place,
            pid: stream.peer_cred().ok().and_then(|peer| peer.pid()),
            starts,
            first: Mutex::new(Some(stream)),
            name: "cli",
            connections: None,
            version: Mutex::new(None),
        }
    }

    /// The daemon's version where it is another than ours; known after the first answer.
    pub(crate) fn other_version(&self) -> Option<String> {
        let version = self.version.lock().expect("nobody panics with it").clone();
        version.filter(|version| version != env!("CARGO_PKG_VERSION"))
    }

    /// Whether the daemon is of our version and runs other code all the same: it was started before this program was built.
    /// Known after the first answer. Blocks.
    pub(crate) fn is_other_build(&self) -> bool {
        self.other_version().is_none() && self.pid.and_then(super::build::is_another) == Some(true)
    }

    /// The daemon itself.
    pub(crate) async fn daemon(&self) -> Result<DaemonInfo, ClientError> {
        self.get("/v1/daemon").await
    }

    /// Ends the daemon; returns when its sessions have ended.
    pub(crate) async fn shut_down(&self, force: bool) -> Result<(), ClientError> {
        let response = self
            .post("/v1/daemon/shutdown", &ShutdownRequest { force })
            .await?;
        collect(response).await.map(drop)
    }

    /// What can be signed in to, and with what. A daemon older than API version 2 has no such verb.
    pub(crate) async fn offers(&self) -> Result<Offers, ClientError> {
        self.get("/v1/connections").await
    }

    /// Sessions, of one connection or module where given.
    pub(crate) async fn sessions(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
    ) -> Result<Vec<Session>, ClientError> {
        let path = query(
            "/v1/sessions",
            &[("connection", connection), ("module", module)],
        );
        let list: SessionList = self.get(&path).await?;
        Ok(list.sessions)
    }

    /// The newest sessions there have been.
    pub(crate) async fn past_sessions(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
    ) -> Result<Vec<PastSession>, ClientError> {
        let path = query(
            "/v1/sessions/history",
            &[("connection", connection), ("module", module)],
        );
        let list: PastSessionList = self.get(&path).await?;
        Ok(list.sessions)
    }

    /// Starts a sign-in, or joins the one under way, and follows it to its end.
    pub(crate) async fn watch_sign_in(
        &self,
        request: &WatchRequest,
    ) -> Result<Events, ClientError> {
        let path = "/v1/sessions/watch";
        let response = match self.post(path, request).await {
            // As for a question: a sign-in that a daemon has begun ends with it, and the next one begins its own.
            Err(ClientError::Gone) if self.starts => {
                self.find_again().await?;
                self.post(path, request).await?
            }
            other => other?,
        };
        Ok(Events::new(response))
    }

    /// Follows all sessions: each event has the whole list, the first one comes at once, and there is no last one. A daemon
    /// older than API version 3 has no such verb.
    pub(crate) async fn watch_sessions(&self) -> Result<Events, ClientError> {
        let response = self
            .request(Method::GET, "/v1/sessions/events", Vec::new())
            .await?;
        Ok(Events::new(response))
    }

    /// Signs out and ends a session.
    pub(crate) async fn disconnect(
        &self,
        request: &DisconnectRequest,
    ) -> Result<SessionKey, ClientError> {
        json(self.post("/v1/sessions/disconnect", request).await?).await
    }

    /// Asks for a run and follows it. `request.wait` must be set.
    pub(crate) async fn run(&self, request: &RunRequest) -> Result<Events, ClientError> {
        let response = self.post("/v1/runs", request).await?;
        Ok(Events::new(response))
    }

    /// Asks for a run and leaves it to itself. `request.wait` must not be set.
    pub(crate) async fn submit(&self, request: &RunRequest) -> Result<Run, ClientError> {
        json(self.post("/v1/runs", request).await?).await
    }

    /// The newest runs first.
    pub(crate) async fn runs(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Run>, ClientError> {
        let limit = limit.to_string();
        let path = query(
            "/v1/runs",
            &[
                ("connection", connection),
                ("module", module),
                ("limit", Some(&limit)),
            ],
        );
        let list: RunList = self.get(&path).await?;
        Ok(list.runs)
    }

    /// One run, with its whole command. `id` is as it was typed.
    pub(crate) async fn show(&self, id: &str) -> Result<Run, ClientError> {
        self.get(&format!("/v1/runs/{}", encode(id))).await
    }

    /// Follows a run that was asked for before, with its output from `from` on.
    pub(crate) async fn follow(&self, id: &str, from: u64) -> Result<Events, ClientError> {
        let path = format!("/v1/runs/{}/events?from={from}", encode(id));
        let response = self.request(Method::GET, &path, Vec::new()).await?;
        Ok(Events::new(response))
    }

    /// Output that is there now, from `from` on.
    pub(crate) async fn output(&self, id: &str, from: u64) -> Result<RawPage, ClientError> {
        let path = format!("/v1/runs/{}/output?from={from}", encode(id));
        let response = self.request(Method::GET, &path, Vec::new()).await?;
        let [from, next, last] = PAGE_HEADERS;
        let from = header(&response, from)?;
        let next = header(&response, next)?;
        let last = header(&response, last)?;
        let bytes = collect(response).await?;
        Ok(RawPage {
            from,
            bytes,
            next,
            last,
        })
    }

    /// Tells a run to stop; returns at once.
    pub(crate) async fn stop(&self, id: &str) -> Result<Run, ClientError> {
        let path = format!("/v1/runs/{}/stop", encode(id));
        json(self.request(Method::POST, &path, Vec::new()).await?).await
    }

    /// From now on the run no longer ends with the stream that asked for it. A daemon older than API version 2 has no
    /// such verb.
    pub(crate) async fn keep(&self, id: &str) -> Result<Run, ClientError> {
        let path = format!("/v1/runs/{}/keep", encode(id));
        json(self.request(Method::POST, &path, Vec::new()).await?).await
    }

    /// Answers a run's question.
    pub(crate) async fn answer(
        &self,
        id: &str,
        request: &AnswerRequest,
    ) -> Result<Run, ClientError> {
        let path = format!("/v1/runs/{}/answer", encode(id));
        json(self.post(&path, request).await?).await
    }

    /// The runs that wait for a yes, the oldest first. A daemon older than API version 3 has no such verb, nor the next three.
    pub(crate) async fn approvals(&self) -> Result<Vec<Run>, ClientError> {
        let list: ApprovalList = self.get("/v1/approvals").await?;
        Ok(list.runs)
    }

    /// A run that waits for a yes, with its whole command.
    pub(crate) async fn approval(&self, id: &str) -> Result<Run, ClientError> {
        self.get(&format!("/v1/approvals/{}", encode(id))).await
    }

    /// Says yes to what was shown. Only taken from a person's process, or for a trusted client's form.
    pub(crate) async fn approve(
        &self,
        id: &str,
        request: &ApproveRequest,
    ) -> Result<Run, ClientError> {
        let path = format!("/v1/approvals/{}/approve", encode(id));
        json(self.post(&path, request).await?).await
    }

    /// Says no: the run ends without having run.
    pub(crate) async fn deny(&self, id: &str, request: &DenyRequest) -> Result<Run, ClientError> {
        let path = format!("/v1/approvals/{}/deny", encode(id));
        json(self.post(&path, request).await?).await
    }

    /// What waits to be taken on, of a connection's policy or of what modules say; with a digest, a person takes that on.
    pub(crate) async fn accept_policy(
        &self,
        connection: Option<&str>,
        digest: Option<&str>,
    ) -> Result<LoosenedPolicy, ClientError> {
        let request = AcceptPolicyRequest {
            connection: connection.map(str::to_owned),
            digest: digest.map(str::to_owned),
        };
        json(self.post("/v1/policy/accept", &request).await?).await
    }

    /// Adds the built-in connection `Demo` with this scenario, or removes it.
    pub(crate) async fn keep_demo(&self, scenario: Option<&str>) -> Result<(), ClientError> {
        let scenario = scenario.map(str::to_owned);
        let response = self.post("/v1/demo", &DemoRequest { scenario }).await?;
        collect(response).await.map(drop)
    }

    /// Asks, and asks once more where the daemon hung up: one that is being killed may still have taken the connection,
    /// and a question changes nothing.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        match self.ask(path).await {
            Err(ClientError::Gone) if self.starts => {
                self.find_again().await?;
                self.ask(path).await
            }
            other => other,
        }
    }

    /// Finds a daemon, or starts it, once the one that was found has hung up.
    async fn find_again(&self) -> Result<(), ClientError> {
        let stream = connect_or_start(&self.place).await?;
        *self.first.lock().expect("nobody panics with it") = Some(stream);
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        json(self.request(Method::GET, path, Vec::new()).await?).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response<Incoming>, ClientError> {
        let body = serde_json::to_vec(body).expect("a request has string keys only");
        self.request(Method::POST, path, body).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, ClientError> {
        let first = self.first.lock().expect("nobody panics with it").take();
        let stream = match first {
            Some(stream) => stream,
            None => connect(&self.place).await?,
        };
        let response = send(
            stream,
            method,
            path,
            body,
            self.name,
            self.connections.as_deref(),
        )
        .await?;
        let version = response.headers().get(VERSION_HEADER);
        let version = version.and_then(|value| value.to_str().ok());
        *self.version.lock().expect("nobody panics with it") = version.map(str::to_owned);
        Ok(response)
    }
}

fn header<T: std::str::FromStr>(
    response: &Response<Incoming>,
    name: &str,
) -> Result<T, ClientError> {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| ClientError::Garbled {
            why: format!("there is no header `{name}`"),
        })
}

pub(super) fn query(path: &str, values: &[(&str, Option<&str>)]) -> String {
    let mut text = path.to_owned();
    let given = values
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    for (n, (name, value)) in given.enumerate() {
        text.push(if n == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(&encode(value));
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    use super::*;

    /// A client of a daemon that takes a connection and dies, and of the next one, which gives this answer.
    async fn killed_once<T>(answer: &str, ask: impl AsyncFnOnce(Client) -> T) -> T {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let place = Place {
            socket: folder.path().join("mm.sock"),
            state_dir: folder.path().to_owned(),
        };
        let daemon = UnixListener::bind(&place.socket).expect("the path is free");
        let client = Client::find_or_start(place).await.expect("it listens");
        let answers = async {
            let (dying, _) = daemon.accept().await.expect("it was connected");
            drop(dying);
            let (mut living, _) = daemon.accept().await.expect("it was connected");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(living.read_u8().await.expect("a request comes"));
            }
            let length = answer.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}");
            let written = living.write_all(answer.as_bytes()).await;
            written.expect("it is read");
        };
        let (asked, ()) = tokio::join!(ask(client), answers);
        asked
    }

    #[tokio::test]
    async fn a_question_is_asked_again_where_the_daemon_hung_up() {
        let ask = async |client: Client| client.sessions(None, None).await;
        let sessions = killed_once("{\"sessions\":[]}", ask).await;
        assert_eq!(sessions.expect("it was answered").len(), 0);
    }

    #[tokio::test]
    async fn a_sign_in_is_asked_for_again_where_the_daemon_hung_up() {
        let ask = async |client: Client| {
            let request = WatchRequest {
                connection: "Contoso".to_owned(),
                module: "exo".to_owned(),
                way: None,
                forget_identity: false,
                record: None,
            };
            client.watch_sign_in(&request).await?.next().await
        };
        let first = killed_once("", ask).await;
        assert!(first.expect("it was answered").is_none());
    }

    #[test]
    fn a_query_has_what_was_given() {
        assert_eq!(query("/v1/runs", &[("module", None)]), "/v1/runs");
        assert_eq!(
            query(
                "/v1/runs",
                &[
                    ("connection", Some("A B")),
                    ("module", None),
                    ("limit", Some("5"))
                ]
            ),
            "/v1/runs?connection=A%20B&limit=5"
        );
    }
}
