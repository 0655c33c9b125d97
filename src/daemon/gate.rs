//! The gate: what a run that needs a yes goes through before it is handed to its session. First its sign-in, because a yes
//! is for an account and a tenant; then somebody's yes; then, with nothing changed in between, its place in the queue.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::approvals::{Asked, Pending, Said, SignedIn, Words, until};
use super::bind;
use super::preview::preview;
use super::registry::Entry;
use super::service::Service;
use super::view::RunOrder;
use crate::audit::{self, Kind};
use crate::config::ApprovalRules;
use crate::expect::SignInFailure;
use crate::policy::{Decision, Finding, Judgement, Verdict, Who};
use crate::redact::mask;
use crate::session::{Order, RunListener as _, RunResult, SessionStatus, StopWhy};

/// Why a run does not get through.
enum Held {
    Stopped(StopWhy),
    /// With the kind of row that the audit gets of it, and who brought it about.
    Refused(Kind, audit::Who, String),
    Ended(RunResult),
}

impl Held {
    /// Nobody's word: the sign-in or a file is another one than it was.
    fn voided(why: String) -> Self {
        Self::Refused(Kind::ApprovalVoided, audit::Who::default(), why)
    }
}

/// A run on its way through the gate.
pub(super) struct Gate {
    pub(super) service: Service,
    pub(super) entry: Entry,
    pub(super) pending: Arc<Pending>,
    pub(super) wanted: RunOrder,
    pub(super) judged: Judgement,
    pub(super) decision: Decision,
}

impl Gate {
    /// Waits for the sign-in and the yes, and hands `order` to the session. Ends the run where it does not get that far.
    pub(super) async fn pass(self, mut order: Order) {
        let run = &self.pending.run;
        let session = &self.entry.session;
        let signed_in = match self.wait().await {
            Ok(signed_in) => signed_in,
            Err(held) => {
                self.pending.close();
                self.service.approvals().remove(&run.id);
                order.listener.ended(match held {
                    Held::Stopped(why) => RunResult::Dropped(why),
                    Held::Refused(kind, who, why) => {
                        let row = self.row(kind).by(who).because(&why);
                        self.service.audit().note(row);
                        RunResult::NotAllowed(why)
                    }
                    Held::Ended(result) => result,
                });
                return;
            }
        };
        run.is_approved();
        order.condition = Some(Box::new(move |status| still(&signed_in, status)));
        let tag = order.tag;
        let accepted = session.run(order).await;
        // A stop that came in between is its session's business from here on.
        let stop = self.service.approvals().remove(&run.id);
        match (accepted, stop) {
            (Ok(()), Some(why)) => session.stop(tag, why),
            (Ok(()), None) => {}
            (Err(error), _) => {
                let scribe = self.service.scribe(run, &self.wanted, &self.entry);
                Box::new(scribe).ended(RunResult::NotAccepted(error));
            }
        }
    }

    async fn wait(&self) -> Result<SignedIn, Held> {
        let (mut words, mut answers) = (self.pending.words(), self.pending.words());
        let mut status = self.entry.session.status();
        let signed_in = tokio::select! {
            biased;
            why = stopped(&mut words) => return Err(Held::Stopped(why)),
            signed_in = self.signed_in(&mut status) => signed_in?,
        };
        let preview = tokio::select! {
            biased;
            why = stopped(&mut words) => return Err(Held::Stopped(why)),
            said = preview(&self.service, &self.entry, &self.wanted) => said,
        };
        let rules = self.service.approval_rules(&self.entry.key.connection);
        let asked = self.asked(&signed_in, preview, &rules);
        let expires = Instant::from_std(asked.expires);
        let run = &self.pending.run;
        let (account, tenant) = (signed_in.account.clone(), signed_in.tenant.clone());
        let notice = rules.notice.filter(|_| asked.who == Who::Program);
        run.asks_for_approval(asked, account, tenant);
        tracing::info!(run = %run.id, session = %self.entry.key, "waits for approval");
        if let Some(notice) = notice {
            self.service.announce(run, notice);
        }
        let row = self.row(Kind::ApprovalAsked).text(run.command());
        let reason = self.wanted.reason.as_deref().unwrap_or_default();
        self.service.audit().note(row.because(reason));
        let said = tokio::select! {
            biased;
            why = stopped(&mut words) => return Err(Held::Stopped(why)),
            why = changed(&signed_in, &mut status) => return Err(Held::voided(why)),
            said = said(&mut answers) => said,
            // Whoever was told that their word is taken is heard.
            () = sleep_until(expires) => self.pending.close().ok_or_else(|| {
                let why = "nobody approved it in time".to_owned();
                Held::Refused(Kind::ApprovalExpired, audit::Who::default(), why)
            })?,
        };
        match said {
            Said::No(by, reason) => {
                let why = match reason {
                    None => "it was denied".to_owned(),
                    Some(reason) => format!("it was denied: {reason}"),
                };
                Err(Held::Refused(Kind::Denied, audit::Who::client(&by), why))
            }
            Said::Yes(by) => {
                self.still_allowed().await?;
                // What cannot be written down does not happen.
                let row = self.row(Kind::Approved).by(audit::Who::client(&by));
                let recorded = self.service.audit().record(row.text(run.command())).await;
                recorded.map_err(|error| Held::voided(error.to_string()))?;
                Ok(signed_in)
            }
        }
    }

    /// Whom the session is signed in as, once it is.
    async fn signed_in(
        &self,
        status: &mut watch::Receiver<SessionStatus>,
    ) -> Result<SignedIn, Held> {
        let needs = self.entry.module.sign_in.is_some();
        let settled = |status: &SessionStatus| {
            !needs || status.identity.is_some() || status.failure.is_some() || status.is_closed()
        };
        if !settled(&status.borrow()) {
            self.pending.run.waits_for_sign_in();
        }
        let Ok(status) = status.wait_for(settled).await else {
            return Err(Held::Ended(RunResult::SessionEnded(
                "its program is gone".to_owned(),
            )));
        };
        match &status.failure {
            _ if status.is_closed() => Err(Held::Ended(RunResult::SessionEnded(
                "its program is gone".to_owned(),
            ))),
            Some(failure) if status.identity.is_none() => {
                let failure = SignInFailure::clone(failure);
                Err(Held::Ended(RunResult::SignInFailed(failure)))
            }
            Some(_) | None => Ok(SignedIn::of(&status)),
        }
    }

    /// A row of the audit about this approval.
    fn row(&self, kind: Kind) -> audit::Entry {
        let effects = self.judged.effects();
        self.pending
            .run
            .audited(kind)
            .approval(&self.pending.run.id)
            .effects(effects.iter().map(|effect| effect.word().to_owned()))
            .decided(self.decision.verdict.word(), &self.decision.rule)
    }

    fn asked(&self, signed_in: &SignedIn, preview: Option<String>, rules: &ApprovalRules) -> Asked {
        let run = &self.pending.run;
        let (wanted, judged) = (&self.wanted, &self.judged);
        let reads = crate::script::Effect::Reads;
        Asked {
            effects: judged
                .effects()
                .iter()
                .map(|effect| effect.word())
                .collect(),
            findings: judged
                .findings
                .iter()
                .filter(|finding| finding.effect != reads)
                .cloned()
                .collect(),
            rule: self.decision.rule.clone(),
            who: wanted.who,
            client: wanted.client.clone(),
            reason: wanted.reason.clone(),
            ticket: wanted.ticket.clone(),
            preview,
            type_tenant: judged.destroys_many(),
            hides_something: mask(&wanted.command).hides_something(),
            tenant_name: self.entry.connection.tenant().to_owned(),
            since: Timestamp::now(),
            trusted_forms: rules.trusted_forms.clone(),
            expires: until(rules.valid_for),
            digest: signed_in.digest(&self.entry.key, run.command()),
        }
    }

    /// A yes does not go before what the files say now.
    async fn still_allowed(&self) -> Result<(), Held> {
        let refused = |error: super::ServiceError| Held::voided(error.to_string());
        let connection = self
            .service
            .connection(self.entry.key.connection.as_str())
            .map_err(refused)?;
        self.service
            .check_mcps(&connection, &self.entry.module)
            .map_err(refused)?;
        let identity = self.entry.session.status().borrow().identity.clone();
        if let Some(identity) = identity {
            bind::still_expected(&self.entry, &connection, &identity).map_err(refused)?;
        }
        // Not the session's own: that one is as its file was when the session began.
        let module = self.service.module(&self.wanted.module).map_err(refused)?;
        let judging = self.service.judge(&self.wanted, &module);
        let (judged, decision) = judging.await.map_err(refused)?;
        match decision.verdict {
            Verdict::Refuse => Err(Held::voided(decision.rule)),
            Verdict::Allow | Verdict::Ask if !self.is_as_shown(&judged, &decision) => {
                let why = "its policy or a module's rules were changed, and say of it something else than was shown";
                Err(Held::voided(why.to_owned()))
            }
            Verdict::Allow | Verdict::Ask => Ok(()),
        }
    }

    /// Whether the files still say of the command what they said when somebody was asked. On which line they do is no matter.
    fn is_as_shown(&self, judged: &Judgement, decision: &Decision) -> bool {
        let found = |judged: &Judgement| -> Vec<Finding> {
            let mut findings = judged.findings.clone();
            for finding in &mut findings {
                finding.rule = None;
            }
            findings
        };
        let decided =
            |decision: &Decision| (decision.verdict, decision.effect, decision.what.clone());
        found(judged) == found(&self.judged) && decided(decision) == decided(&self.decision)
    }
}

/// Returns when somebody wants the run stopped.
async fn stopped(words: &mut watch::Receiver<Words>) -> StopWhy {
    let stop = words.wait_for(|words| words.stop.is_some()).await;
    match stop.map(|words| words.stop.clone()) {
        Ok(Some(why)) => why,
        // The sender lives in what the gate holds.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

/// Returns when somebody has said something.
async fn said(words: &mut watch::Receiver<Words>) -> Said {
    let said = words.wait_for(|words| words.said.is_some()).await;
    match said.map(|words| words.said.clone()) {
        Ok(Some(said)) => said,
        // As above.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

/// Returns when the session is no longer the one that a yes would be for.
async fn changed(signed_in: &SignedIn, status: &mut watch::Receiver<SessionStatus>) -> String {
    let other = |status: &SessionStatus| still(signed_in, status).is_err();
    match status.wait_for(other).await {
        Ok(status) => still(signed_in, &status).err().unwrap_or_default(),
        Err(_) => "its session has ended".to_owned(),
    }
}

/// Whether the session is still the one that a yes was for.
fn still(signed_in: &SignedIn, status: &SessionStatus) -> Result<(), String> {
    if status.is_closed() {
        Err("its session has ended, and the approval with it".to_owned())
    } else if SignedIn::of(status) == *signed_in {
        Ok(())
    } else {
        Err(
            "its session was signed in anew, and the approval was for the sign-in before"
                .to_owned(),
        )
    }
}
