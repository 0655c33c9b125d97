//! Keeps the books of one session: its history in the store, and the identity that it proved.

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::audit::{Audit, Entry, Kind};
use crate::expect::{Identity, SignInFailure};
use crate::name::SessionKey;
use crate::session::{Admission, SessionEvent, SessionListener};
use crate::store::{Pin, SessionRowId, Store};

/// Writes down what a session tells. Lives in the session's task and waits for nothing: when the session is seen to have
/// ended, its end is on its way to the database before anything that is sent later.
pub(super) struct Bookkeeper {
    key: SessionKey,
    store: Store,
    audit: Audit,
    row: Option<SessionRowId>,
}

impl Bookkeeper {
    pub(super) fn new(key: SessionKey, store: Store, audit: Audit) -> Self {
        Self {
            key,
            store,
            audit,
            row: None,
        }
    }

    /// What the audit says of an event.
    fn audit(&self, event: &SessionEvent<'_>) {
        let entry = match event {
            SessionEvent::Started { pid } => {
                Entry::new(Kind::SessionStarted).because(&format!("process {pid}"))
            }
            SessionEvent::SignedIn(identity) => Entry::new(Kind::SignedIn)
                .proven(Some(&identity.account), Some(&identity.tenant))
                .outcome("succeeded"),
            SessionEvent::SignInFailed(failure) => sign_in_failed(failure),
            SessionEvent::Ended(reason) => Entry::new(Kind::SessionEnded).because(reason),
        };
        self.audit.note(entry.session(&self.key));
    }
}

impl SessionListener for Bookkeeper {
    fn event(&mut self, event: SessionEvent<'_>) {
        self.audit(&event);
        let now = Timestamp::now();
        match event {
            SessionEvent::Started { pid } => {
                self.row = Some(self.store.session_started(self.key.clone(), pid, now));
            }
            SessionEvent::SignedIn(identity) => {
                if let Some(row) = &self.row {
                    let (account, tenant) = (identity.account.clone(), identity.tenant.clone());
                    self.store.session_signed_in(row, now, account, tenant);
                }
            }
            SessionEvent::SignInFailed(failure) => {
                tracing::warn!(session = %self.key, failure = failure.failure.name, "a sign-in failed");
            }
            SessionEvent::Ended(reason) => {
                if let Some(row) = &self.row {
                    self.store.session_ended(row, now, reason.to_owned());
                }
            }
        }
    }

    /// Whoever is proven is pinned: where the connection's entry leaves the account or the tenant open, the next sign-in
    /// is compared with this one. What could not be compared later is not used now.
    fn admit(&mut self, identity: &Identity) -> Option<Admission> {
        let pin = Pin {
            account: identity.account.clone(),
            tenant: identity.tenant.clone(),
            pinned: Timestamp::now(),
        };
        let (verdict, admission) = oneshot::channel();
        let (store, key) = (self.store.clone(), self.key.clone());
        tokio::spawn(async move {
            let written = store.pin(key.clone(), pin).await.map_err(|error| {
                tracing::error!(%error, session = %key, "the identity is not pinned");
                error.to_string()
            });
            // A session that ended meanwhile does not ask any longer.
            verdict.send(written).unwrap_or_default();
        });
        Some(admission)
    }
}

/// Whoever proved to be somebody else was refused; everything else went wrong.
fn sign_in_failed(failure: &SignInFailure) -> Entry {
    let name = failure.failure.name.as_str();
    let kind = match name {
        "wrong-account" | "wrong-tenant" => Kind::SignInRefused,
        _ => Kind::SignInFailed,
    };
    Entry::new(kind).outcome(name).because(&failure.message)
}
