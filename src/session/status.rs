//! What a session shows of itself: a snapshot by value.

use std::time::Duration;

use jiff::Timestamp;

use crate::expect::{Challenge, CloseReason, Identity, Question, SignInFailure, State, StopCause};

/// Where a session stands; the machine's state, in the session's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Starting,
    SignedOut,
    SigningIn,
    Proving,
    Ready,
    Running,
    Asking(Question),
    Stopping(StopCause),
    Closing,
    Closed(CloseReason),
}

impl From<&State> for Standing {
    fn from(state: &State) -> Self {
        match state {
            State::Starting => Self::Starting,
            State::SignedOut => Self::SignedOut,
            State::SigningIn(_) => Self::SigningIn,
            State::Proving => Self::Proving,
            State::Ready => Self::Ready,
            State::Running => Self::Running,
            State::Asking(question) => Self::Asking(question.clone()),
            State::Stopping(cause) => Self::Stopping(*cause),
            State::Closing => Self::Closing,
            State::Closed(reason) => Self::Closed(reason.clone()),
        }
    }
}

/// A device code and the end of its life, on a clock that goes on while the machine sleeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveChallenge {
    pub(crate) challenge: Challenge,
    /// Seconds of boot time (`CLOCK_BOOTTIME`).
    pub(crate) shown_at: u64,
    /// On the same clock.
    pub(crate) dies_at: u64,
}

impl LiveChallenge {
    /// How long it has been shown, while the machine slept included.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_secs(boot_seconds().saturating_sub(self.shown_at))
    }

    /// How long it can be used at all.
    pub(crate) fn lives(&self) -> Duration {
        Duration::from_secs(self.dies_at.saturating_sub(self.shown_at))
    }
}

/// A session, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct SessionStatus {
    pub(crate) standing: Standing,
    /// Since when.
    pub(crate) since: Timestamp,
    pub(crate) pid: u32,
    /// Boxed, as what most sessions have not at most times.
    pub(crate) challenge: Option<Box<LiveChallenge>>,
    pub(crate) identity: Option<Identity>,
    /// The way in of the last sign-in that began.
    pub(crate) way: Option<String>,
    pub(crate) signed_in_at: Option<Timestamp>,
    /// Of the last sign-in.
    pub(crate) failure: Option<Box<SignInFailure>>,
    /// Why the recording of that sign-in is not whole.
    pub(crate) recording: Option<String>,
    /// The run it has now.
    pub(crate) current: Option<u64>,
    /// The last that ended, and when.
    pub(crate) last: Option<(u64, Timestamp)>,
    /// How many wait.
    pub(crate) queued: usize,
    /// Whether it waits for something that does not listen.
    pub(crate) stuck: bool,
}

impl SessionStatus {
    pub(super) fn new(pid: u32) -> Self {
        Self {
            standing: Standing::Starting,
            since: Timestamp::now(),
            pid,
            challenge: None,
            identity: None,
            way: None,
            signed_in_at: None,
            failure: None,
            recording: None,
            current: None,
            last: None,
            queued: 0,
            stuck: false,
        }
    }

    /// Whether its program is gone.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.standing, Standing::Closed(_))
    }

    /// Whether ending it would lose a sign-in.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.identity.is_some() && !self.is_closed()
    }

    /// Why it is stuck, for people.
    pub(crate) fn why_stuck(&self) -> &'static str {
        match self.standing {
            Standing::Stopping(StopCause::Unanswered) => {
                "a command was sent and nothing answered; something in the session may have taken its input"
            }
            _ => "a command was told to stop and does not listen",
        }
    }
}

/// Seconds since the machine was booted, its sleep included.
pub(crate) fn boot_seconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(time.tv_sec).unwrap_or_default()
}
