//! Keeps the books of one session: its history in the store, and the identity that its connection is pinned to.

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::audit::{Audit, Entry, Kind};
use crate::expect::{Identity, SignInFailure};
use crate::name::SessionKey;
use crate::session::{SessionEvent, SessionListener};
use crate::store::{Pin, Store};

/// Writes down what a session tells. Lives in the session's task; the writing goes on beside it.
pub(super) struct Bookkeeper {
    notes: mpsc::UnboundedSender<Note>,
    key: SessionKey,
    audit: Audit,
}

enum Note {
    Started(u32, Timestamp),
    SignedIn(Identity, Timestamp),
    Ended(String, Timestamp),
}

impl Bookkeeper {
    /// Needs a tokio runtime. With `pins_identity` the first identity is pinned, because the connection does not say whom
    /// it expects.
    pub(super) fn new(key: SessionKey, store: Store, audit: Audit, pins_identity: bool) -> Self {
        let (notes, inbox) = mpsc::unbounded_channel();
        tokio::spawn(write(key.clone(), store, pins_identity, inbox));
        Self { notes, key, audit }
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
        let note = match event {
            SessionEvent::Started { pid } => Note::Started(pid, now),
            SessionEvent::SignedIn(identity) => Note::SignedIn(identity.clone(), now),
            SessionEvent::SignInFailed(failure) => {
                tracing::warn!(failure = failure.failure.name, "a sign-in failed");
                return;
            }
            SessionEvent::Ended(reason) => Note::Ended(reason.to_owned(), now),
        };
        // The writer lives until this is dropped.
        self.notes.send(note).unwrap_or_default();
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

/// In order and one after the other: the row's number is known only after the first write.
async fn write(
    key: SessionKey,
    store: Store,
    pins_identity: bool,
    mut inbox: mpsc::UnboundedReceiver<Note>,
) {
    let mut row = None;
    while let Some(note) = inbox.recv().await {
        match note {
            Note::Started(pid, at) => match store.session_started(key.clone(), pid, at).await {
                Ok(id) => row = Some(id),
                Err(error) => {
                    tracing::error!(%error, session = %key, "the session's start is not in the history");
                }
            },
            Note::SignedIn(identity, at) => {
                let (account, tenant) = (identity.account, identity.tenant);
                if let Some(row) = row {
                    store.session_signed_in(row, at, account.clone(), tenant.clone());
                }
                if pins_identity
                    && let Err(error) = store
                        .pin(
                            key.clone(),
                            Pin {
                                account,
                                tenant,
                                pinned: at,
                            },
                        )
                        .await
                {
                    tracing::error!(%error, session = %key, "the identity is not pinned");
                }
            }
            Note::Ended(reason, at) => {
                if let Some(row) = row {
                    store.session_ended(row, at, reason);
                }
            }
        }
    }
}
