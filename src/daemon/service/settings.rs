//! What the settings file says now, for whatever asks. A file that has changed is read again first, and the audit says so.

use super::{Service, lock};
use crate::config::{ApprovalRules, OnAuditFailure, SessionRules, Settings};
use crate::name::{ConnectionName, SessionKey};

impl Service {
    /// What holds for a session.
    pub(in crate::daemon) fn session_rules(&self, session: &SessionKey) -> SessionRules {
        self.settings(|settings| settings.session(session))
    }

    /// What holds for the approvals of a connection.
    pub(in crate::daemon) fn approval_rules(&self, connection: &ConnectionName) -> ApprovalRules {
        self.settings(|settings| settings.approvals(connection))
    }

    /// What may run while nothing can be written down.
    pub(super) fn on_audit_failure(&self) -> OnAuditFailure {
        self.settings(|settings| settings.on_audit_failure)
    }

    /// Whether a connection is only for what its `mcps` name.
    pub(super) fn enforces_mcps(&self) -> bool {
        self.settings(|settings| settings.enforce_mcps)
    }

    /// The clients whose own forms count as a person's word somewhere.
    pub(super) fn trusted_forms(&self) -> Vec<String> {
        self.settings(Settings::trusted_forms)
    }

    /// What is wrong with the file.
    pub(super) fn settings_trouble(&self) -> Option<String> {
        self.settings(|_| ());
        lock(&self.0.settings).trouble().map(str::to_owned)
    }

    /// Writes down with which settings the daemon begins.
    pub(super) fn note_settings(&self) {
        let file = &self.0.config.settings_file;
        if file.exists() {
            self.note_change("settings", file);
        }
    }

    fn settings<T>(&self, read: impl FnOnce(&Settings) -> T) -> T {
        let mut file = lock(&self.0.settings);
        let changed = file.refresh();
        let value = read(file.settings());
        drop(file);
        if changed {
            self.note_change("settings", &self.0.config.settings_file);
        }
        value
    }
}
