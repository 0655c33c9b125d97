//! What the upkeep of sessions asks of the service.

use std::sync::atomic::Ordering;

use super::{Service, lock};
use crate::config::SessionRules;
use crate::daemon::bind;
use crate::daemon::registry::Entry;
use crate::expect::CloseReason;
use crate::name::SessionKey;

impl Service {
    /// What holds for a session now. Reads the settings again where they changed.
    pub(in crate::daemon) fn session_rules(&self, session: &SessionKey) -> SessionRules {
        lock(&self.0.settings).current().session(session)
    }

    /// A number for what is put to a session.
    pub(in crate::daemon) fn next_tag(&self) -> u64 {
        self.0.next_tag.fetch_add(1, Ordering::Relaxed)
    }

    /// The command that asks who is signed in, or (`of_service`) the service. `None` where the module has none, or the
    /// connection no longer fills it.
    pub(in crate::daemon) fn question(&self, entry: &Entry, of_service: bool) -> Option<String> {
        bind::question(&entry.module, &entry.bound(), of_service)
    }

    /// Signs out and ends a session that nobody uses; one that is used meanwhile stays.
    pub(in crate::daemon) fn let_go(&self, entry: &Entry, why: CloseReason) {
        let command = bind::disconnect(&entry.module, &entry.bound());
        entry.session.let_go(command, why);
    }
}
