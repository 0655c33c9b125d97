//! The end of the daemon.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Service;
use super::sessions::Parting;
use crate::audit::{Entry as AuditEntry, Kind};
use crate::daemon::ServiceError;
use crate::daemon::registry::Entry;
use crate::script::Module;

/// How long a session may take to sign out when the daemon stops, before it is ended.
const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(6);

impl Service {
    /// Begins to stop: refuses where sign-ins would be lost and `force` is not given; else signs out, ends every session
    /// and closes the state. Returns when that is done. A sign-in that its program keeps on disk is not lost, and stays.
    pub(crate) async fn shut_down(&self, force: bool) -> Result<(), ServiceError> {
        let living: Vec<Entry> = self
            .0
            .sessions
            .all()
            .into_iter()
            .filter(|entry| !entry.session.status().borrow().is_closed())
            .collect();
        let signed_in = |entry: &&Entry| {
            loses_sign_in(&entry.module) && entry.session.status().borrow().is_signed_in()
        };
        let sessions: Vec<String> = living
            .iter()
            .filter(signed_in)
            .map(|entry| entry.key.to_string())
            .collect();
        if !force && !sessions.is_empty() {
            return Err(ServiceError::WouldLoseSignIns { sessions });
        }
        self.0.stopping.store(true, Ordering::Relaxed);
        tracing::info!(
            sessions = living.len(),
            "stopping: sessions are signed out and ended"
        );
        let ends = living.into_iter().map(|entry| {
            let service = self.clone();
            tokio::spawn(async move {
                let key = entry.key.clone();
                let parting = if loses_sign_in(&entry.module) {
                    Parting::SignOut
                } else {
                    Parting::KeepSignIn
                };
                if service.end_session(&entry, parting, SHUT_DOWN_WITHIN).await {
                    return;
                }
                tracing::warn!(session = %key, "it does not end in time and is killed");
                let killed = service.end_session(&entry, Parting::Kill, SHUT_DOWN_WITHIN);
                if !killed.await {
                    tracing::error!(session = %key, "it does not end; it ends with the daemon");
                }
            })
        });
        // From here on nothing keeps the daemon alive: what fails is told to the log.
        for end in ends.collect::<Vec<_>>() {
            if let Err(error) = end.await {
                tracing::error!(%error, "a session could not be ended");
            }
        }
        self.0.audit.note(AuditEntry::new(Kind::DaemonStopped));
        if let Err(error) = self.0.audit.flush().await {
            tracing::error!(%error, "the audit could not be brought up to date");
        }
        if let Err(error) = self.0.store.flush().await {
            tracing::error!(%error, "the database could not be brought up to date");
        }
        Ok(())
    }
}

/// Whether a sign-in with this module ends with its session: nothing on disk brings it back.
fn loses_sign_in(module: &Module) -> bool {
    let rules = module.sign_in.as_ref();
    rules.is_some_and(|rules| rules.restore.is_none())
}
