//! The sessions there are: one a key, and one start a key.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::watch;

use super::ServiceError;
use super::hint::hint;
use super::upkeep::Notes;
use super::view::{ChallengeView, FailureView, SessionState, SessionView};
use crate::connection::Connection;
use crate::expect::SignInFailure;
use crate::name::{RunId, SessionKey};
use crate::script::Module;
use crate::secret::Secret;
use crate::session::{Session, SessionStatus, Standing, boot_seconds};

/// A session with what it was started from. An edited file changes the next session, not this one.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: SessionKey,
    pub(super) session: Session,
    pub(super) module: Arc<Module>,
    pub(super) connection: Arc<Connection>,
    /// The connection as it was written when the last sign-in began.
    bound: Arc<Mutex<Arc<Connection>>>,
    pub(super) started: Instant,
    pub(super) started_at: Timestamp,
    /// How often it came back by itself, one loss soon after the other.
    pub(super) returns: Arc<AtomicU32>,
    /// What its upkeep has seen.
    pub(super) notes: Notes,
    pub(super) secrets: KnownSecrets,
}

impl Entry {
    pub(super) fn new(
        key: SessionKey,
        session: Session,
        module: Arc<Module>,
        connection: Arc<Connection>,
    ) -> Self {
        Self {
            key,
            session,
            module,
            bound: Arc::new(Mutex::new(Arc::clone(&connection))),
            connection,
            started: Instant::now(),
            started_at: Timestamp::now(),
            returns: Arc::default(),
            notes: Notes::default(),
            secrets: KnownSecrets::default(),
        }
    }

    /// The connection as it was written when the last sign-in began.
    pub(super) fn bound(&self) -> Arc<Connection> {
        Arc::clone(&self.bound.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A sign-in has begun with this connection.
    pub(super) fn bind(&self, connection: Connection) {
        *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(connection);
    }

    /// Whether its program is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.session.status().borrow().is_closed()
    }

    /// Whether it is signed in.
    pub(super) fn is_signed_in(&self) -> bool {
        self.module.sign_in.is_some() && self.session.status().borrow().is_signed_in()
    }

    /// Whether its sign-in ends with it: nothing on disk brings it back.
    pub(super) fn loses_sign_in(&self) -> bool {
        let rules = self.module.sign_in.as_ref();
        rules.is_some_and(|rules| rules.restore.is_none())
    }
}

/// The secrets that a session was given. They are kept as long as the session is, because its recordings must not hold
/// them, whatever a command makes its program say.
#[derive(Clone, Default)]
pub(super) struct KnownSecrets(Arc<Mutex<Vec<Secret>>>);

impl KnownSecrets {
    /// Adds what is not known yet.
    pub(super) fn add(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            if !known.contains(&secret) {
                known.push(secret);
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Secret> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// All sessions. Those whose program is gone stay until they are started again or disconnected, so that people see why.
#[derive(Default)]
pub(super) struct Registry {
    sessions: Mutex<Sessions>,
    /// Told of whatever happens to any of them.
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Sessions {
    entries: HashMap<SessionKey, Entry>,
    /// Whether none is started any more.
    shut: bool,
}

impl Registry {
    /// The living session of `key`, or the one that `start` makes. Nobody else starts one in between. Once it is shut
    /// there is none to be had.
    pub(super) fn find_or_start(
        &self,
        key: &SessionKey,
        start: impl FnOnce() -> Result<Entry, ServiceError>,
    ) -> Result<Entry, ServiceError> {
        let mut sessions = self.lock();
        if sessions.shut {
            return Err(ServiceError::ShuttingDown);
        }
        if let Some(entry) = sessions.entries.get(key)
            && !entry.is_closed()
        {
            return Ok(entry.clone());
        }
        let entry = start()?;
        sessions.entries.insert(key.clone(), entry.clone());
        self.changes.send_replace(());
        let mut status = entry.session.status();
        let changes = self.changes.clone();
        // It ends with the session's own task.
        tokio::spawn(async move {
            while status.changed().await.is_ok() {
                changes.send_replace(());
            }
        });
        Ok(entry)
    }

    /// Hears of every session that starts, changes or is forgotten.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Starts no session any more and returns those that live, unless `may` refuses to lose them. Nobody starts one in
    /// between.
    pub(super) fn shut(
        &self,
        may: impl FnOnce(&[Entry]) -> Result<(), ServiceError>,
    ) -> Result<Vec<Entry>, ServiceError> {
        let mut sessions = self.lock();
        let living = sessions.entries.values().filter(|entry| !entry.is_closed());
        let mut living: Vec<Entry> = living.cloned().collect();
        living.sort_by(|a, b| a.key.cmp(&b.key));
        may(&living)?;
        sessions.shut = true;
        Ok(living)
    }

    /// Whether none is started any more.
    pub(super) fn is_shut(&self) -> bool {
        self.lock().shut
    }

    pub(super) fn get(&self, key: &SessionKey) -> Option<Entry> {
        self.lock().entries.get(key).cloned()
    }

    /// Forgets a session whose program is gone.
    pub(super) fn forget_closed(&self, key: &SessionKey) {
        let mut sessions = self.lock();
        if sessions.entries.get(key).is_some_and(Entry::is_closed) {
            sessions.entries.remove(key);
            self.changes.send_replace(());
        }
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = self.lock().entries.values().cloned().collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sign-in's failure, for people.
pub(super) fn failure_view(failure: &SignInFailure) -> FailureView {
    FailureView {
        name: failure.failure.name.clone(),
        message: failure.message.clone(),
        advice: failure.failure.advice.clone(),
        retry: failure.failure.retry,
    }
}

/// How a session looks now; `run_of` knows the run behind a number.
pub(super) fn session_view(entry: &Entry, run_of: impl Fn(u64) -> Option<RunId>) -> SessionView {
    let status = entry.session.status().borrow().clone();
    let challenge = status.challenge.as_ref().map(|live| ChallengeView {
        user_code: live.challenge.user_code.clone(),
        verification_uri: live.challenge.verification_uri.clone(),
        uri_assumed: live.challenge.uri_assumed,
        left: std::time::Duration::from_secs(live.dies_at.saturating_sub(boot_seconds())),
        expected_account: entry.connection.expected_email().map(str::to_owned),
        hint: entry.module.sign_in.as_ref().and_then(|rules| {
            hint(
                &entry.key,
                rules,
                status.way.as_deref(),
                live.age(),
                live.lives(),
            )
        }),
    });
    let identity = status.identity.as_ref();
    let (state, detail) = standing_view(&status);
    let noted = entry.notes.read();
    SessionView {
        key: entry.key.clone(),
        module_title: entry.module.title.clone(),
        state,
        since: status.since,
        detail,
        pid: (!status.is_closed()).then_some(status.pid),
        account: identity.map(|identity| identity.account.clone()),
        tenant: identity.map(|identity| identity.tenant.clone()),
        way: status.way.clone(),
        signed_in_at: status.signed_in_at,
        challenge,
        failure: status.failure.as_deref().map(failure_view),
        current: status.current.and_then(&run_of),
        last: status
            .last
            .and_then(|(tag, at): (u64, Timestamp)| Some((run_of(tag)?, at))),
        queued: status.queued,
        started_at: entry.started_at,
        idle_since: noted.idle_since,
        ends_at: noted.ends_at,
        checked_at: noted.checked_at,
        unwell: noted.unwell,
        recording: status.recording.clone(),
        memory: None,
    }
}

fn standing_view(status: &SessionStatus) -> (SessionState, Option<String>) {
    match &status.standing {
        Standing::Starting => (SessionState::Starting, None),
        Standing::SignedOut => (SessionState::SignedOut, None),
        Standing::SigningIn => {
            let waits = if status.challenge.is_some() {
                "waits for somebody to enter the code"
            } else {
                "waits for a code"
            };
            (SessionState::SigningIn, Some(waits.to_owned()))
        }
        Standing::Proving => (SessionState::Proving, None),
        Standing::Ready => (SessionState::Ready, None),
        Standing::Running => (SessionState::Running, None),
        Standing::Asking(question) => (
            SessionState::Asking,
            Some(format!("asks: {}", question.text)),
        ),
        Standing::Stopping(_) if status.stuck => {
            (SessionState::Stopping, Some(status.why_stuck().to_owned()))
        }
        Standing::Stopping(_) => (SessionState::Stopping, None),
        Standing::Closing => (SessionState::Closing, None),
        Standing::Closed(reason) => (SessionState::Closed, Some(reason.to_string())),
    }
}
