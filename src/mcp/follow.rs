//! Following a run or a sign-in for as long as a call may take, with progress. Nothing is ended by no longer following a
//! sign-in; what becomes of a run was said when it was ordered.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::call::Call;
use super::reply::Refusal;
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
            event = events.next() => match event?.ok_or(ClientError::Gone)? {
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
                return Ok((Stands::GoesOn(run), events));
            }
            _ = ticks.tick() => {
                let seconds = began.elapsed().as_secs();
                let message = match latest.as_deref() {
                    Some(run) if run.state == RunState::WaitingForApproval => tell::run(run),
                    _ => format!("{seconds} s: {last_line}"),
                };
                call.progress(&message).await;
            }
            () = call.left() => return Err(Refusal::caller_left()),
        }
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
