//! [`Timers`]: what the machine waits for, and until when. It has no clock; the times come in with its inputs.

use std::time::Instant;

/// Something that happens unless something else comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The program is not ready in time.
    Ready,
    /// A frame got no sign of life.
    Begin,
    /// The output has been silent: its end may be a question.
    Question,
    /// The output has been silent: a device code at its end is whole.
    Challenge,
    /// The program is ready for the interrupt that waits.
    Interrupt,
    /// An interrupt may have been missed.
    Again,
    /// An interrupted command does not listen.
    GiveUp,
    /// The pause before the absorbing command is over.
    Absorb,
    /// The sign-in takes too long.
    SignIn,
    /// An interrupted sign-in does not listen.
    Kill,
    /// Signing out takes too long.
    SignOut,
}

const ALL: [Timer; 11] = [
    Timer::Ready,
    Timer::Begin,
    Timer::Question,
    Timer::Challenge,
    Timer::Interrupt,
    Timer::Again,
    Timer::GiveUp,
    Timer::Absorb,
    Timer::SignIn,
    Timer::Kill,
    Timer::SignOut,
];

/// When each timer is due, where it runs.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: [Option<Instant>; ALL.len()],
}

impl Timers {
    /// Starts a timer, or starts it anew.
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer as usize] = Some(at);
    }

    /// Stops a timer.
    pub(super) fn clear(&mut self, timer: Timer) {
        self.due[timer as usize] = None;
    }

    /// Stops them all.
    pub(super) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// Whether a timer runs.
    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.due[timer as usize].is_some()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Takes one that is due, in their order above.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let timer = ALL
            .into_iter()
            .find(|timer| self.due[*timer as usize].is_some_and(|at| at <= now))?;
        self.clear(timer);
        Some(timer)
    }
}
