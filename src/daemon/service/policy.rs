//! What a connection says about a command, before anything is started for it.

use std::sync::Arc;

use super::loosened::stricter;
use super::{Service, lock, state};
use crate::daemon::ServiceError;
use crate::daemon::view::RunOrder;
use crate::policy::{self, Allowance, Decision, Judgement, Lookup, NoWhatIf, Verdict, WhatIf, Who};
use crate::script::{Effect, EffectRules, Module};

/// A command of so many bytes is judged within a millisecond, which is no reason to change threads.
const AT_ONCE: usize = 4096;

/// A command that was judged and is not refused.
pub(super) struct Checked {
    pub(super) judged: Judgement,
    pub(super) decision: Decision,
    /// What has to be looked up in the session before it is sent, where it passes because it reads.
    pub(super) lookup: Option<Lookup>,
}

impl Service {
    /// Makes the command say only what it would do where that is asked for, and judges it. Refuses what is refused to
    /// whoever asks, and what may do more than read where only that is wanted; what has to be asked about passes.
    pub(super) async fn check_policy(
        &self,
        order: &mut RunOrder,
        module: &Arc<Module>,
    ) -> Result<Checked, ServiceError> {
        let mut told = Vec::new();
        if order.what_if {
            let what_if = self.what_if(order, module).await?;
            (order.command, told) = (what_if.text, what_if.commands);
        }
        let (judged, decision) = self.judge(order, module).await?;
        if order.only_reads {
            only_reads(order, &judged)
                .inspect_err(|error| self.note_refusal(order, error, Some((&judged, &decision))))?;
        }
        if decision.verdict == Verdict::Refuse {
            let error = refused(order, &judged, &decision);
            self.note_refusal(order, &error, Some((&judged, &decision)));
            return Err(error);
        }
        if decision.verdict == Verdict::Ask && order.refuse_if_asked && order.who == Who::Program {
            let error = ServiceError::Refused {
                message: format!(
                    "`{}` needs somebody's yes ({}: {}), and this does not wait for one",
                    decision.what,
                    decision.effect.word(),
                    decision.rule
                ),
                help: Some("without `--no-wait` it waits, and is approved at a terminal: mm approvals list".to_owned()),
            };
            self.note_refusal(order, &error, Some((&judged, &decision)));
            return Err(error);
        }
        // A command's own `-WhatIf` is not taken at its word either.
        told.extend(judged.told.iter().cloned());
        let lookup = if self.passes_as_reading(order, module, &judged)? || !told.is_empty() {
            self.with_rules(order, module, |text, module, rules| {
                Lookup::new(text, module, rules.clone(), told)
            })
            .await?
        } else {
            None
        };
        Ok(Checked {
            judged,
            decision,
            lookup,
        })
    }

    /// What the command does, and what is decided about that by what the files say now.
    pub(in crate::daemon) async fn judge(
        &self,
        order: &RunOrder,
        module: &Arc<Module>,
    ) -> Result<(Judgement, Decision), ServiceError> {
        let connection = self.connection(&order.connection)?;
        let allowance = Allowance::of(&connection);
        if allowance.allows_all(order.who) && !order.only_reads {
            let nothing = Judgement::default();
            let decision = allowance.decide(order.who, Some(&module.name), &nothing);
            return Ok((nothing, decision));
        }
        let mut judged = self.understand(order, module).await?;
        if order.who == Who::Program
            && let Some(rules) = self.rules_before(module)
        {
            judged.also(judge_by(order, module, rules).await?);
        }
        let decision = allowance.decide(order.who, Some(&module.name), &judged);
        let before = self.held_back_from(order.who, &connection);
        let decision = stricter(decision, &connection, before.as_ref(), module, &judged);
        let asks = decision.verdict == Verdict::Ask;
        let wants_ticket =
            allowance.wants_ticket || before.is_some_and(|before| before.wants_ticket);
        if asks && wants_ticket && order.ticket.is_none() {
            return Err(ServiceError::TicketNeeded {
                rule: decision.rule,
            });
        }
        Ok((judged, decision))
    }

    /// Whether it is allowed only because it reads: code that cannot be known would be asked about, or refused.
    fn passes_as_reading(
        &self,
        order: &RunOrder,
        module: &Module,
        judged: &Judgement,
    ) -> Result<bool, ServiceError> {
        if judged.findings.is_empty() || !judged.only_reads() {
            return Ok(false);
        }
        let connection = self.connection(&order.connection)?;
        let before = self.held_back_from(order.who, &connection);
        let mut allowances = [Some(Allowance::of(&connection)), before]
            .into_iter()
            .flatten();
        let asks = |allowance: Allowance| {
            allowance.of_unknown_code(order.who, Some(&module.name)) != Verdict::Allow
        };
        Ok(order.only_reads || allowances.any(asks))
    }

    /// What the command does.
    pub(super) async fn understand(
        &self,
        order: &RunOrder,
        module: &Arc<Module>,
    ) -> Result<Judgement, ServiceError> {
        judge_by(order, module, self.rules(module)).await
    }

    /// The command with `-WhatIf` in its one command that does more than read.
    async fn what_if(
        &self,
        order: &RunOrder,
        module: &Arc<Module>,
    ) -> Result<WhatIf, ServiceError> {
        let no = |message: String| ServiceError::NoWhatIf { message };
        let told = self
            .with_rules(order, module, |text, module, rules| {
                policy::what_if(text, Some(module), rules.iter())
            })
            .await?
            .map_err(|error: NoWhatIf| no(error.to_string()))?;
        match told.commands.as_slice() {
            [_one] => Ok(told),
            several => Err(no(format!(
                "`-WhatIf` is for one command that does something; this has {}: {}",
                several.len(),
                several.join(", ")
            ))),
        }
    }

    /// The command with `-WhatIf` in everything that does more than read, and what has to be looked up before it is sent.
    /// `None` where some of it would act all the same.
    pub(in crate::daemon) async fn trial(
        &self,
        order: &RunOrder,
        module: &Arc<Module>,
    ) -> Option<(String, Lookup)> {
        let trial = self.with_rules(order, module, |text, module, rules| {
            let told = policy::what_if(text, Some(module), rules.iter()).ok()?;
            let lookup = Lookup::new(&told.text, module, rules.clone(), told.commands)?;
            Some((told.text, lookup))
        });
        trial.await.ok().flatten()
    }

    /// Works on the command's text with the rules of every module and of its own.
    async fn with_rules<T: Send + 'static>(
        &self,
        order: &RunOrder,
        module: &Arc<Module>,
        work: impl FnOnce(&str, &Module, &EffectRules) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        work_on(order, module, self.rules(module), work).await
    }

    fn rules(&self, module: &Module) -> EffectRules {
        let shared = lock(&self.0.catalog).effects();
        EffectRules::new(shared, Arc::clone(&module.effects))
    }
}

/// What the command does, by these rules.
async fn judge_by(
    order: &RunOrder,
    module: &Arc<Module>,
    rules: EffectRules,
) -> Result<Judgement, ServiceError> {
    work_on(order, module, rules, |text, module, rules| {
        policy::judge(&policy::parse(text, Some(module)), rules.iter())
    })
    .await
}

/// Works on the command's text. A long one is worked on by a thread of its own: a command may have megabytes.
async fn work_on<T: Send + 'static>(
    order: &RunOrder,
    module: &Arc<Module>,
    rules: EffectRules,
    work: impl FnOnce(&str, &Module, &EffectRules) -> T + Send + 'static,
) -> Result<T, ServiceError> {
    if order.command.len() <= AT_ONCE {
        return Ok(work(&order.command, module, &rules));
    }
    let (module, text) = (Arc::clone(module), order.command.clone());
    tokio::task::spawn_blocking(move || work(&text, &module, &rules))
        .await
        .map_err(|error| state(format!("the command cannot be judged: {error}")))
}

fn refused(order: &RunOrder, judged: &Judgement, decision: &Decision) -> ServiceError {
    let is_it = |one: &&policy::Finding| one.effect == decision.effect && one.what == decision.what;
    let reason = judged.findings.iter().find(is_it);
    ServiceError::Refused {
        message: format!(
            "`{}` is refused: {} ({}, {})",
            decision.what,
            decision.rule,
            decision.effect.word(),
            reason.map_or("", |one| one.reason.as_str()),
        ),
        help: Some(explain(order)),
    }
}

fn only_reads(order: &RunOrder, judged: &Judgement) -> Result<(), ServiceError> {
    let more = |finding: &&policy::Finding| finding.effect != Effect::Reads;
    let Some(finding) = judged.findings.iter().find(more) else {
        return Ok(());
    };
    Err(ServiceError::NotReading {
        message: format!(
            "`{}` may do more than read: {} ({})",
            finding.what,
            finding.reason,
            finding.effect.word()
        ),
        help: explain(order),
    })
}

fn explain(order: &RunOrder) -> String {
    format!(
        "`mm policy explain -c '{}' -m {}` shows what the command does and what is decided for whom",
        order.connection, order.module,
    )
}
