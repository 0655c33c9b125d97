//! Keeps the books of one session: its history in the store, and the identity that it proved.

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::expect::Identity;
use crate::name::SessionKey;
use crate::session::{Admission, SessionEvent, SessionListener};
use crate::store::{Pin, SessionRowId, Store};

/// Writes down what a session tells. Lives in the session's task and waits for nothing: when the session is seen to have
/// ended, its end is on its way to the database before anything that is sent later.
pub(super) struct Bookkeeper {
    key: SessionKey,
    store: Store,
    row: Option<SessionRowId>,
}

impl Bookkeeper {
    pub(super) fn new(key: SessionKey, store: Store) -> Self {
        Self {
            key,
            store,
            row: None,
        }
    }
}

impl SessionListener for Bookkeeper {
    fn event(&mut self, event: SessionEvent<'_>) {
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
