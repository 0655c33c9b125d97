//! [`Approvals`]: the runs that somebody has to say yes to. It knows what was asked and what was said; who waits for it, and
//! what follows, is the gate's business.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::run::Run;
use super::view::ApprovalView;
use crate::name::{RunId, SessionKey};
use crate::policy::{Finding, Who};
use crate::session::{SessionStatus, StopWhy};

/// Runs that may wait for a yes in one session; a person who is asked more often says yes to anything.
pub(super) const AT_MOST: usize = 8;

/// What somebody is asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) effects: Vec<&'static str>,
    pub(super) findings: Vec<Finding>,
    pub(super) rule: String,
    pub(super) who: Who,
    pub(super) client: String,
    pub(super) reason: Option<String>,
    pub(super) ticket: Option<String>,
    pub(super) preview: Option<String>,
    pub(super) type_tenant: bool,
    /// Whether the command is shown without something that looks like a secret.
    pub(super) hides_something: bool,
    pub(super) tenant_name: String,
    /// The clients whose own forms count as a person's word.
    pub(super) trusted_forms: Vec<String>,
    pub(super) since: Timestamp,
    /// On monotonic time: an approval must not live longer because a clock was set back.
    pub(super) expires: Instant,
    pub(super) digest: String,
}

impl Asked {
    pub(super) fn view(&self) -> ApprovalView {
        ApprovalView {
            effects: self.effects.clone(),
            findings: self.findings.clone(),
            rule: self.rule.clone(),
            who: self.who,
            client: self.client.clone(),
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            preview: self.preview.clone(),
            type_tenant: self.type_tenant,
            hides_something: self.hides_something,
            tenant_name: self.tenant_name.clone(),
            trusted_forms: self.trusted_forms.clone(),
            asked_at: self.since,
            left: self.expires.saturating_duration_since(Instant::now()),
            digest: self.digest.clone(),
        }
    }
}

/// A session's sign-in, as far as a yes is bound to it: another program or another sign-in, also of the same account, is
/// another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pid: u32,
    at: Option<Timestamp>,
    pub(super) account: Option<String>,
    pub(super) tenant: Option<String>,
}

impl SignedIn {
    pub(super) fn of(status: &SessionStatus) -> Self {
        let identity = status.identity.as_ref();
        Self {
            pid: status.pid,
            at: status.signed_in_at,
            account: identity.map(|identity| identity.account.clone()),
            tenant: identity.map(|identity| identity.tenant.clone()),
        }
    }

    /// SHA-256 in hex digits of what a yes is for. Each part goes in with its length before it, so that no two wholes have
    /// the same bytes.
    pub(super) fn digest(&self, session: &SessionKey, command: &str) -> String {
        let at = self.at.map(|at| at.to_string()).unwrap_or_default();
        let pid = self.pid.to_string();
        let session = session.to_string();
        let parts = [
            session.as_str(),
            pid.as_str(),
            at.as_str(),
            self.account.as_deref().unwrap_or_default(),
            self.tenant.as_deref().unwrap_or_default(),
            command,
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            use std::fmt::Write as _;
            write!(hex, "{byte:02x}").expect("a string takes everything");
        }
        hex
    }
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// By this client, or in its form.
    Yes(String),
    /// By this client, with the reason if one was given.
    No(String, Option<String>),
}

/// What was said so far, and whether the run is wanted at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    pub(super) said: Option<Said>,
    pub(super) stop: Option<StopWhy>,
    /// Nothing that is said from here on is heard.
    closed: bool,
}

/// One run that waits.
pub(super) struct Pending {
    pub(super) run: Arc<Run>,
    words: watch::Sender<Words>,
}

impl Pending {
    pub(super) fn words(&self) -> watch::Receiver<Words> {
        self.words.subscribe()
    }

    /// Whether this is the first thing that is said; the second is not heard.
    pub(super) fn say(&self, said: Said) -> bool {
        self.words.send_if_modified(|words| {
            let first = words.said.is_none() && words.stop.is_none() && !words.closed;
            if first {
                words.said = Some(said);
            }
            first
        })
    }

    /// From now on nothing that is said is heard: whoever says something later is told so. Returns what was said before.
    pub(super) fn close(&self) -> Option<Said> {
        self.words.send_modify(|words| words.closed = true);
        self.words.borrow().said.clone()
    }
}

/// All runs that wait, the oldest first.
#[derive(Default)]
pub(super) struct Approvals {
    pending: Mutex<Vec<Arc<Pending>>>,
}

impl Approvals {
    /// Adds one; `None` where enough wait for its session already.
    pub(super) fn add(&self, run: &Arc<Run>) -> Option<Arc<Pending>> {
        let mut all = self.lock();
        let waiting = all
            .iter()
            .filter(|pending| pending.run.session == run.session)
            .count();
        if waiting >= AT_MOST {
            return None;
        }
        let pending = Arc::new(Pending {
            run: Arc::clone(run),
            words: watch::Sender::default(),
        });
        all.push(Arc::clone(&pending));
        Some(pending)
    }

    pub(super) fn get(&self, id: &RunId) -> Option<Arc<Pending>> {
        self.lock()
            .iter()
            .find(|pending| pending.run.id == *id)
            .cloned()
    }

    /// The oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Pending>> {
        self.lock().clone()
    }

    /// Takes note of a stop. `false`: the run does not wait here, and its session has to be told.
    pub(super) fn stop(&self, id: &RunId, why: &StopWhy) -> bool {
        let all = self.lock();
        let found = all.iter().find(|pending| pending.run.id == *id);
        if let Some(pending) = found {
            pending.words.send_modify(|words| {
                words.stop.get_or_insert_with(|| why.clone());
            });
        }
        found.is_some()
    }

    /// Takes one away: from now on stops are its session's business. Returns one that came before.
    pub(super) fn remove(&self, id: &RunId) -> Option<StopWhy> {
        let mut all = self.lock();
        let at = all.iter().position(|pending| pending.run.id == *id)?;
        let pending = all.remove(at);
        pending.words.borrow().stop.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a yes may take from now.
pub(super) fn until(within: Duration) -> Instant {
    // A time that no clock can tell is as good as a day.
    let day = Duration::from_secs(24 * 60 * 60);
    Instant::now() + within.min(day)
}
