//! [`Notes`]: what the upkeep of a session has seen, for whoever shows the session.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// What is wrong with a session that can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unwell {
    /// What was asked: `who is signed in`, `the service`.
    pub(crate) what: &'static str,
    /// What came instead of an answer.
    pub(crate) why: String,
    pub(crate) since: Timestamp,
}

/// What was seen, at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    /// Since when nobody has used it.
    pub(crate) idle_since: Option<Timestamp>,
    /// When it is ended if nobody uses it.
    pub(crate) ends_at: Option<Timestamp>,
    /// When it was last asked who is signed in, or had to prove itself, and did well.
    pub(crate) checked_at: Option<Timestamp>,
    /// When it last proved itself, after its sign-in.
    pub(crate) proven_at: Option<Timestamp>,
    pub(crate) unwell: Option<Unwell>,
}

/// Shared between the upkeep's task, which writes, and the session's views. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Noted>>);

impl Notes {
    /// As it is now.
    pub(crate) fn read(&self) -> Noted {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
