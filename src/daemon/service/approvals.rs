//! The service's verbs for approvals: which runs wait for a yes, and saying yes or no.

use super::Service;
use crate::daemon::ServiceError;
use crate::daemon::approvals::{Approvals, Said};
use crate::daemon::view::{Approve, RunView};
use crate::name::{RunId, SessionKey};
use crate::policy::Who;
use crate::redact::mask;

/// Why a second word is not heard.
const FASTER: &str = "somebody was faster, or it does not wait any longer";

impl Service {
    pub(in crate::daemon) fn audit(&self) -> &crate::audit::Audit {
        &self.0.audit
    }

    pub(in crate::daemon) fn approvals(&self) -> &Approvals {
        &self.0.approvals
    }

    /// The runs that wait for a yes, the oldest first.
    pub(crate) fn runs_to_approve(&self) -> Vec<RunView> {
        let pending = self.0.approvals.all();
        pending
            .iter()
            .map(|pending| pending.run.view())
            .filter(|view| view.approval.is_some())
            .collect()
    }

    /// The run `id`, if it waits for a yes.
    pub(crate) fn run_to_approve(&self, id: &RunId) -> Result<RunView, ServiceError> {
        self.0
            .approvals
            .get(id)
            .map(|pending| pending.run.view())
            .filter(|view| view.approval.is_some())
            .ok_or_else(|| ServiceError::NoApproval { id: id.clone() })
    }

    /// Says yes: a person does, to exactly what was shown to them. Returns the run as it is then.
    pub(crate) fn approve(&self, id: &RunId, yes: &Approve) -> Result<RunView, ServiceError> {
        let none = || ServiceError::NoApproval { id: id.clone() };
        let pending = self.0.approvals.get(id).ok_or_else(none)?;
        let asked = pending.run.asked().ok_or_else(none)?;
        if yes.who != Who::Person && !self.trusts_form(&pending.run.session, yes.form.as_deref()) {
            return Err(ServiceError::NeedsPerson { id: id.clone() });
        }
        let changed = |why: &str| {
            Err(ServiceError::ApprovalChanged {
                id: id.clone(),
                why: why.to_owned(),
            })
        };
        if yes.digest != asked.digest {
            return changed("what was shown is not what waits");
        }
        let typed = yes.tenant.as_deref().unwrap_or_default().trim();
        if asked.type_tenant && !typed.eq_ignore_ascii_case(&asked.tenant_name) {
            return changed("the tenant's name does not fit");
        }
        let by = match &yes.form {
            Some(form) if yes.who != Who::Person => format!("form of {form}"),
            Some(_) | None => yes.client.clone(),
        };
        if !pending.say(Said::Yes(by.clone())) {
            return changed(FASTER);
        }
        tracing::info!(run = %id, by, "approved");
        Ok(pending.run.view())
    }

    /// Says no; anybody may, because nothing runs then. Returns the run as it is then.
    pub(crate) fn deny(
        &self,
        id: &RunId,
        reason: Option<String>,
        client: String,
    ) -> Result<RunView, ServiceError> {
        let none = || ServiceError::NoApproval { id: id.clone() };
        let pending = self.0.approvals.get(id).ok_or_else(none)?;
        pending.run.asked().ok_or_else(none)?;
        let reason = reason.map(|reason| mask(&reason).into());
        if !pending.say(Said::No(client, reason)) {
            let why = FASTER.to_owned();
            return Err(ServiceError::ApprovalChanged {
                id: id.clone(),
                why,
            });
        }
        tracing::info!(run = %id, "denied");
        Ok(pending.run.view())
    }

    /// Whether the settings take the word of this client that a person has filled in its form.
    fn trusts_form(&self, session: &SessionKey, client: Option<&str>) -> bool {
        let trusted = self.approval_rules(&session.connection).trusted_forms;
        client.is_some_and(|client| trusted.iter().any(|name| name == client))
    }
}
