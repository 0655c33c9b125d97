//! Streams: a run or a session followed as one JSON object a line. Output is pulled page by page and only when the reader
//! has taken the last one, so a slow reader costs the session nothing. Everything that is there at one moment goes out
//! in one write.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::convert;
use super::server::Stopper;
use crate::api::{self, Event, SessionList};
use crate::daemon::{Asker, OutputPage, RunWatch, SessionWatch, SessionsWatch};

/// Bytes of output in one line, at most.
const PAGE: usize = 128 * 1024;

/// Follows `watch` with output from `from` on, until the run has ended and everything was read. An `asker` who does not get
/// it all has left.
pub(super) fn run(watch: RunWatch, from: u64, asker: Option<Asker>) -> Response {
    let (sender, body) = channel();
    tokio::spawn(async move {
        if follow_run(watch, from, &sender).await
            && let Some(asker) = asker
        {
            asker.served();
        }
    });
    body
}

/// Follows `watch` until the sign-in has come to its end.
pub(super) fn session(watch: SessionWatch) -> Response {
    let (sender, body) = channel();
    tokio::spawn(follow_session(watch, sender));
    body
}

/// Follows all sessions, a line with the whole list for each change, until the reader goes or the server stops.
pub(super) fn sessions(watch: SessionsWatch, stopper: Stopper) -> Response {
    let (sender, body) = channel();
    tokio::spawn(async move {
        tokio::select! {
            () = follow_sessions(watch, &sender) => {}
            () = stopper.stopped() => {}
        }
    });
    body
}

type Lines = mpsc::Sender<Result<Bytes, Infallible>>;

fn channel() -> (Lines, Response) {
    // One batch waits at most; the next is only made when it was taken.
    let (sender, receiver) = mpsc::channel(1);
    let body = Body::from_stream(ReceiverStream::new(receiver));
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (sender, (kind, body).into_response())
}

/// Returns whether the reader got everything.
async fn follow_run(mut watch: RunWatch, from: u64, sender: &Lines) -> bool {
    let mut cursor = RunCursor::new(from);
    loop {
        let Ok(permit) = sender.reserve().await else {
            return false;
        };
        // The view comes before the output: when it says that the run has ended, the output is complete.
        let view = convert::run(watch.view());
        let session = watch.session().map(convert::session);
        let page = watch.page(cursor.from, PAGE).await;
        let batch = match page
            .map_err(|error| convert::error(&error))
            .map(|page| cursor.batch(view, session, page))
        {
            Ok(batch) => batch,
            Err(error) => {
                permit.send(Ok(Event::Error(error).encode().into()));
                return false;
            }
        };
        if !batch.lines.is_empty() {
            permit.send(Ok(batch.lines.into()));
        }
        match batch.then {
            Then::End => return true,
            Then::GoOn => {}
            Then::Wait => tokio::select! {
                () = watch.changed() => {}
                () = sender.closed() => return false,
            },
        }
    }
}

async fn follow_session(mut watch: SessionWatch, sender: Lines) {
    let mut told = None;
    loop {
        let session = convert::session(watch.view());
        let ended = session.sign_in_ended();
        if news(&mut told, &session) {
            let line = Event::Session(Box::new(session)).encode();
            if sender.send(Ok(line.into())).await.is_err() {
                return;
            }
        }
        if ended {
            return;
        }
        tokio::select! {
            () = watch.changed() => {}
            () = sender.closed() => return,
        }
    }
}

/// Reads the sessions only when the last line was taken, so that a slow reader is told of many changes at once.
async fn follow_sessions(mut watch: SessionsWatch, sender: &Lines) {
    let mut told = None;
    loop {
        let Ok(permit) = sender.reserve().await else {
            return;
        };
        let sessions: Vec<_> = watch.view().into_iter().map(convert::session).collect();
        let stand: Vec<_> = sessions.iter().map(still).collect();
        if told.as_ref() != Some(&stand) {
            let line = Event::Sessions(SessionList { sessions }).encode();
            permit.send(Ok(line.into()));
            told = Some(stand);
        }
        tokio::select! {
            () = watch.changed() => {}
            () = sender.closed() => return,
        }
    }
}

/// The session without what changes by itself and is no news: the time that its code has left, and how long nobody has
/// used it.
fn still(session: &api::Session) -> api::Session {
    let mut still = session.clone();
    if let Some(challenge) = &mut still.challenge {
        challenge.expires_in = 0;
    }
    (still.idle_since, still.ends_at) = (None, None);
    still
}

/// Whether `session` differs from what was told last.
fn news(told: &mut Option<api::Session>, session: &api::Session) -> bool {
    let still = still(session);
    let news = told.as_ref() != Some(&still);
    *told = Some(still);
    news
}

/// What a reader of a run has been told.
struct RunCursor {
    from: u64,
    run: Option<api::Run>,
    session: Option<api::Session>,
}

/// Lines for one write.
struct Batch {
    lines: Vec<u8>,
    then: Then,
}

#[derive(Debug, PartialEq, Eq)]
enum Then {
    /// There is more already.
    GoOn,
    Wait,
    End,
}

impl RunCursor {
    fn new(from: u64) -> Self {
        Self {
            from,
            run: None,
            session: None,
        }
    }

    /// What is new, with at most one page of output. The ended run is the last line, after all output.
    fn batch(&mut self, run: api::Run, session: Option<api::Session>, page: OutputPage) -> Batch {
        let mut lines = Vec::new();
        let ended = run.state == api::RunState::Ended;
        if let Some(session) = session
            && news(&mut self.session, &session)
        {
            lines.extend(Event::Session(Box::new(session)).encode());
        }
        if !ended {
            self.tell(&run, &mut lines);
        }
        let page_next = page.next;
        let whole = whole_characters(&page.bytes);
        // The rest of a character may still come; from a run that has ended it does not.
        let take = if page.last || (ended && whole == 0) {
            page.bytes.len()
        } else {
            whole
        };
        let left = page.bytes.len() - take;
        let mut bytes = page.bytes;
        bytes.truncate(take);
        let read_something = !bytes.is_empty();
        if read_something {
            let from = page.from;
            lines.extend(Event::Output(api::Output { from, bytes }).encode());
        }
        self.from = page_next - left as u64;
        let then = if ended && (page.last || !read_something) {
            lines.extend(Event::Run(Box::new(run)).encode());
            Then::End
        } else if read_something {
            Then::GoOn
        } else {
            Then::Wait
        };
        Batch { lines, then }
    }

    /// Tells about the run unless only its output has grown and time has passed.
    fn tell(&mut self, run: &api::Run, lines: &mut Vec<u8>) {
        let mut still = run.clone();
        still.output_length = 0;
        still.output_skipped = 0;
        if let Some(approval) = &mut still.approval {
            // It changes by itself and is no news.
            approval.expires_in = 0;
        }
        if self.run.as_ref() != Some(&still) {
            lines.extend(Event::Run(Box::new(run.clone())).encode());
            self.run = Some(still);
        }
    }
}

/// How many bytes can go out without cutting a character. Bytes that are no UTF-8 at all go out as they are.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_run(state: api::RunState) -> api::Run {
        serde_json::from_value(serde_json::json!({
            "id": "rabcdefghj", "connection": "Contoso", "module": "exo", "command": "1",
            "state": state, "submitted_at": "2026-01-02T03:04:05Z",
        }))
        .expect("it is a run")
    }

    fn page(from: u64, bytes: &[u8], last: bool) -> OutputPage {
        OutputPage {
            from,
            bytes: bytes.to_vec(),
            next: from + bytes.len() as u64,
            last,
        }
    }

    fn keys(batch: &Batch) -> Vec<String> {
        batch
            .lines
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| {
                let value: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_slice(line).expect("it is an object");
                value.keys().cloned().collect::<String>()
            })
            .collect()
    }

    #[test]
    fn a_short_run_is_one_write() {
        let mut cursor = RunCursor::new(0);
        let batch = cursor.batch(
            a_run(api::RunState::Ended),
            None,
            page(cursor.from, b"1\n", true),
        );
        assert_eq!(keys(&batch), ["output", "run"]);
        assert_eq!(batch.then, Then::End);
    }

    #[test]
    fn growing_output_is_no_news_of_the_run() {
        let mut cursor = RunCursor::new(0);
        let mut run = a_run(api::RunState::Running);
        let batch = cursor.batch(run.clone(), None, page(cursor.from, b"one\n", false));
        assert_eq!(keys(&batch), ["run", "output"]);
        assert_eq!(batch.then, Then::GoOn);
        run.output_length = 8;
        assert_eq!(cursor.from, 4);
        let batch = cursor.batch(run.clone(), None, page(cursor.from, b"", false));
        assert_eq!(keys(&batch), [""; 0]);
        assert_eq!(batch.then, Then::Wait);
    }

    #[test]
    fn a_character_is_not_cut() {
        let mut cursor = RunCursor::new(0);
        let run = a_run(api::RunState::Running);
        let batch = cursor.batch(run.clone(), None, page(cursor.from, b"a\xc3", false));
        assert!(String::from_utf8(batch.lines).is_ok_and(|lines| lines.contains(r#""text":"a""#)));
        assert_eq!(cursor.from, 1);
        let batch = cursor.batch(run, None, page(cursor.from, b"\xc3", false));
        assert_eq!(batch.then, Then::Wait);
        let batch = cursor.batch(
            a_run(api::RunState::Ended),
            None,
            page(cursor.from, b"\xc3", true),
        );
        assert_eq!(keys(&batch), ["output", "run"]);
    }

    #[test]
    fn all_pages_of_an_ended_run_come_before_its_end() {
        let mut cursor = RunCursor::new(0);
        let ended = || a_run(api::RunState::Ended);
        let batch = cursor.batch(ended(), None, page(cursor.from, b"first", false));
        assert_eq!(
            (keys(&batch), batch.then),
            (vec!["output".to_owned()], Then::GoOn)
        );
        let batch = cursor.batch(ended(), None, page(cursor.from, b"second", true));
        assert_eq!(keys(&batch), ["output", "run"]);
    }

    #[test]
    fn a_code_that_ages_is_no_news() {
        let mut session: api::Session = serde_json::from_value(serde_json::json!({
            "connection": "Contoso", "module": "exo", "state": "signing_in",
            "since": "2026-01-02T03:04:05Z",
            "challenge": {"user_code": "A", "verification_uri": "https://x.test", "expires_in": 9},
        }))
        .expect("it is a session");
        let mut told = None;
        assert!(news(&mut told, &session));
        session.challenge.as_mut().expect("it has one").expires_in = 8;
        assert!(!news(&mut told, &session));
        session.state = api::SessionState::Proving;
        assert!(news(&mut told, &session));
    }
}
