//! [`Settings`]: what a person wants of the daemon, as meant, with every default in one place.

use std::collections::BTreeMap;
use std::time::Duration;

use super::approvals::{ApprovalRules, ApprovalWishes};
use super::audit::OnAuditFailure;
use crate::name::{ConnectionName, SessionKey};

/// What the settings file says, or the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether a connection is only for what its `mcps` name.
    pub(crate) enforce_mcps: bool,
    pub(super) sessions: SessionRules,
    /// By module name.
    pub(super) modules: BTreeMap<String, SessionWishes>,
    /// By connection name.
    pub(super) connections: BTreeMap<String, SessionWishes>,
    pub(super) approvals: ApprovalRules,
    /// By connection name.
    pub(super) connection_approvals: BTreeMap<String, ApprovalWishes>,
    /// What may run while the audit cannot be written, or was changed.
    pub(crate) on_audit_failure: OnAuditFailure,
}

/// What holds for one session while nobody uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionRules {
    /// How long a session may be idle before it is signed out and ended. `None`: for ever.
    pub(crate) idle_limit: Option<Duration>,
    /// How long before that it is announced.
    pub(crate) announce_before: Duration,
    /// How often an idle session is asked who is signed in. `None`: never.
    pub(crate) check_identity_every: Option<Duration>,
    /// How often an idle session has to prove itself to its service. `None`: never.
    pub(crate) check_service_every: Option<Duration>,
    /// Resident memory of the program and its children, in bytes, above which an idle session is ended. `None`: only shown.
    pub(crate) memory_limit: Option<u64>,
    /// Age above which an idle session is ended. `None`: only shown.
    pub(crate) age_limit: Option<Duration>,
    /// Whether a session that was lost is started again where that needs nobody.
    pub(crate) come_back: bool,
}

/// As [`SessionRules`], with what was left open. The inner `None` of a limit is a written `never`.
#[expect(
    clippy::option_option,
    reason = "left open and `never` are two things, and each is an `Option`"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SessionWishes {
    pub(super) idle_limit: Option<Option<Duration>>,
    pub(super) announce_before: Option<Duration>,
    pub(super) check_identity_every: Option<Option<Duration>>,
    pub(super) check_service_every: Option<Option<Duration>>,
    pub(super) memory_limit: Option<Option<u64>>,
    pub(super) age_limit: Option<Option<Duration>>,
    pub(super) come_back: Option<bool>,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            idle_limit: Some(Duration::from_secs(24 * 60 * 60)),
            announce_before: Duration::from_secs(60 * 60),
            check_identity_every: Some(Duration::from_secs(10 * 60)),
            check_service_every: Some(Duration::from_secs(60 * 60)),
            memory_limit: None,
            age_limit: None,
            come_back: true,
        }
    }
}

impl SessionRules {
    /// These, where `wishes` says nothing else.
    pub(super) fn with(self, wishes: &SessionWishes) -> Self {
        Self {
            idle_limit: wishes.idle_limit.unwrap_or(self.idle_limit),
            announce_before: wishes.announce_before.unwrap_or(self.announce_before),
            check_identity_every: wishes
                .check_identity_every
                .unwrap_or(self.check_identity_every),
            check_service_every: wishes
                .check_service_every
                .unwrap_or(self.check_service_every),
            memory_limit: wishes.memory_limit.unwrap_or(self.memory_limit),
            age_limit: wishes.age_limit.unwrap_or(self.age_limit),
            come_back: wishes.come_back.unwrap_or(self.come_back),
        }
    }
}

impl Settings {
    /// What holds for `session`: what is written for its connection goes before what is written for its module, and that
    /// before what is written for all.
    pub(crate) fn session(&self, session: &SessionKey) -> SessionRules {
        let wishes = [
            self.modules.get(session.module.as_str()),
            self.connections.get(session.connection.as_str()),
        ];
        wishes
            .into_iter()
            .flatten()
            .fold(self.sessions, SessionRules::with)
    }

    /// What holds for the approvals of `connection`.
    pub(crate) fn approvals(&self, connection: &ConnectionName) -> ApprovalRules {
        let all = self.approvals.clone();
        match self.connection_approvals.get(connection.as_str()) {
            Some(wishes) => all.with(wishes),
            None => all,
        }
    }

    /// The clients whose own forms count as a person's word for some connection, each once.
    pub(crate) fn trusted_forms(&self) -> Vec<String> {
        let single = self.connection_approvals.values();
        let single = single.filter_map(|wishes| wishes.trusted_forms.as_ref());
        let mut all: Vec<String> = self.approvals.trusted_forms.clone();
        all.extend(single.flatten().cloned());
        all.sort();
        all.dedup();
        all
    }
}
