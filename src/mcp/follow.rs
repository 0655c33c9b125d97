//! Following a run or a sign-in for as long as a call may take, with progress. Nothing is ended by no longer following a
//! sign-in; what becomes of a run was said when it was ordered.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::call::Call;
use super::reply::{Refusal, a_call};
use super::{clean, tell};
use crate::api::{Challenge, Event, Run, RunState, Session};
use crate::client::{ClientError, Events};

/// Between two messages of progress.
const TICK: Duration = Duration::from_secs(2);

/// Where a run stands when the following ends.
pub(super) enum Stands {
    Ended(Box<Run>),
    Asks(Box<Run>),
    /// A person has to approve it, and nothing has run.
    NeedsYes(Box<Run>),
    /// The time is up.
    GoesOn(Box<Run>),
}

/// Which stops on its way end the following of a run, besides its end and that of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopsAt {
    question: bool,
    approval: bool,
}

impl StopsAt {
    /// For a run that was just ordered.
    pub(super) const NEWS: Self = Self {
        question: true,
        approval: true,
    };
    /// For a run that its caller knows: who waits for its approval waits.
    pub(super) const QUESTION: Self = Self {
        question: true,
        approval: false,
    };
    /// For a run that was ordered to fail when it asks: its question stands for a moment.
    pub(super) const APPROVAL: Self = Self {
        question: false,
        approval: true,
    };
    /// For a run that was told to stop: what it asked for may stand for another moment.
    pub(super) const END: Self = Self {
        question: false,
        approval: false,
    };
}

/// Follows a run to where it stops, its end, or the end of the time.
pub(super) async fn run(
    call: &Call,
    mut events: Events,
    within: Duration,
    stops: StopsAt,
) -> Result<(Stands, Events), Refusal> {
    let began = Instant::now();
    let until = began + within;
    let mut ticks = ticks();
    let mut latest: Option<Box<Run>> = None;
    let mut last_line = String::new();
    loop {
        tokio::select! {
            event = events.next() => match heard(event, latest.as_deref())? {
                Event::Run(run) => match run.state {
                    RunState::Ended => return Ok((Stands::Ended(run), events)),
                    RunState::Asking if stops.question => return Ok((Stands::Asks(run), events)),
                    RunState::WaitingForApproval if stops.approval => {
                        return Ok((Stands::NeedsYes(run), events));
                    }
                    RunState::Queued
                    | RunState::WaitingForSignIn
                    | RunState::WaitingForApproval
                    | RunState::Running
                    | RunState::Asking
                    | RunState::Stopping => latest = Some(run),
                },
                Event::Output(output) => {
                    let text = clean::text(&output.bytes);
                    if let Some(line) = text.lines().rev().find(|line| !line.trim().is_empty()) {
                        line.clone_into(&mut last_line);
                    }
                }
                Event::Session(_) | Event::Sessions(_) | Event::Error(_) | Event::Unknown => {}
            },
            // The first event says which run it is; it is always there at once.
            () = sleep_until(until), if latest.is_some() => {
                let run = latest.take().expect("it was looked at");
                let needs_yes = stops.approval && run.state == RunState::WaitingForApproval;
                let stands = if needs_yes { Stands::NeedsYes(run) } else { Stands::GoesOn(run) };
                return Ok((stands, events));
            }
            _ = ticks.tick() => {
                if let Some(run) = latest.as_deref() {
                    call.progress(&progress(run, began.elapsed(), &last_line)).await;
                }
            }
            () = call.left() => return Err(Refusal::caller_left()),
        }
    }
}

/// An event of a run, of which this was known before.
fn heard(
    event: Result<Option<Event>, ClientError>,
    before: Option<&Run>,
) -> Result<Event, Refusal> {
    match (event, before) {
        (Ok(Some(event)), _) => Ok(event),
        (Ok(None) | Err(ClientError::Gone), Some(run)) => Err(gone(run)),
        (Ok(None), None) => Err(ClientError::Gone.into()),
        (Err(error), _) => Err(error.into()),
    }
}

/// The daemon is gone, and a new one knows the run and what is certain of it.
fn gone(run: &Run) -> Refusal {
    let what = if run.started_at.is_some() {
        "what it did is not known"
    } else {
        "nothing was heard of its beginning"
    };
    Refusal::new(
        format!("the daemon went away during run {}; {what}", run.id),
        format!(
            "{} says what is certain; look at what the command changed before running it again",
            a_call("wait", &json!({"run_id": run.id}))
        ),
    )
}

/// How a run stands, short enough to be seen whole. What it wrote last is a tenant's words.
fn progress(run: &Run, waited: Duration, last_line: &str) -> String {
    let id = &run.id;
    match run.state {
        RunState::WaitingForApproval => {
            format!("run {id} waits for a person's yes: `mm approvals approve {id}` in a terminal")
        }
        RunState::Running if last_line.is_empty() => {
            format!("run {id} goes on, {}", tell::span(waited.as_secs()))
        }
        RunState::Running => format!(
            "run {id} goes on, {}; its output (data): {last_line}",
            tell::span(waited.as_secs())
        ),
        RunState::Queued
        | RunState::WaitingForSignIn
        | RunState::Asking
        | RunState::Stopping
        | RunState::Ended => tell::run(run),
    }
}

/// Follows a sign-in until `enough`, its end, or the end of the time; `None` where nothing was heard by then.
pub(super) async fn sign_in(
    call: &Call,
    mut events: Events,
    within: Duration,
    enough: impl Fn(&Session) -> bool,
) -> Result<Option<Session>, Refusal> {
    let until = Instant::now() + within;
    let mut ticks = ticks();
    let mut latest: Option<Heard> = None;
    loop {
        tokio::select! {
            event = events.next() => {
                if let Event::Session(session) = event?.ok_or(ClientError::Gone)? {
                    if session.sign_in_ended() || enough(&session) {
                        return Ok(Some(*session));
                    }
                    latest = Some(Heard { session: *session, at: Instant::now() });
                }
            }
            () = sleep_until(until) => return Ok(latest.map(Heard::now)),
            _ = ticks.tick() => {
                if let Some(heard) = &latest {
                    call.progress(&heard.progress()).await;
                }
            }
            () = call.left() => return Err(Refusal::caller_left()),
        }
    }
}

/// A session as it was told of; a code's age is no news and is counted here.
struct Heard {
    session: Session,
    at: Instant,
}

impl Heard {
    fn left(&self, challenge: &Challenge) -> u64 {
        challenge
            .expires_in
            .saturating_sub(self.at.elapsed().as_secs())
    }

    fn progress(&self) -> String {
        match &self.session.challenge {
            Some(challenge) => format!(
                "code {} at {}, {} left",
                challenge.user_code,
                challenge.verification_uri,
                tell::span(self.left(challenge))
            ),
            None => format!("{} is getting ready", tell::key(&self.session)),
        }
    }

    fn now(mut self) -> Session {
        let left = self
            .session
            .challenge
            .as_ref()
            .map(|challenge| self.left(challenge));
        if let (Some(challenge), Some(left)) = (&mut self.session.challenge, left) {
            challenge.expires_in = left;
        }
        self.session
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
