//! Policies that allow more than they did, and modules that say other things of commands. Files say what programs may, and
//! programs can write files: what was loosened while the daemon runs holds for people at once, and for programs when a
//! person has taken it on. What was tightened holds at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Service, lock};
use crate::audit::{self, Kind};
use crate::connection::{Connection, Registry as Connections};
use crate::daemon::ServiceError;
use crate::name::{ConnectionName, ModuleName};
use crate::policy::{Allowance, Decision, Judgement, Who};
use crate::script::{EffectRule, EffectRules, Module};
use crate::spec::Catalog;

/// What the files said when it was last taken on.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Of each entry of the connections file. `None` until that was read once: what stands in it then is what the daemon
    /// begins with.
    allowances: Option<BTreeMap<ConnectionName, Allowance>>,
    rules: Rules,
}

/// What modules say of commands.
#[derive(Debug, Clone, Default)]
struct Rules {
    of_all: Arc<[EffectRule]>,
    own: BTreeMap<ModuleName, Arc<[EffectRule]>>,
}

impl Known {
    /// What a daemon begins with.
    pub(super) fn new(catalog: &Catalog) -> Self {
        Self {
            allowances: None,
            rules: Rules::of(catalog),
        }
    }
}

impl Rules {
    fn of(catalog: &Catalog) -> Self {
        let own = catalog.modules().filter_map(|listed| {
            let module = listed.value?;
            Some((module.name.clone(), Arc::clone(&module.effects)))
        });
        Self {
            own: own.collect(),
            of_all: catalog.effects(),
        }
    }
}

/// Whether rules say the same, wherever they stand: a line above one makes no other one of it. Where they do, `known` becomes
/// `now`, and the next look is a short one.
fn same(known: &mut Arc<[EffectRule]>, now: &Arc<[EffectRule]>) -> bool {
    if Arc::ptr_eq(known, now) {
        return true;
    }
    let placeless = |rule: &EffectRule| EffectRule {
        place: String::new(),
        ..rule.clone()
    };
    let same = known.iter().map(placeless).eq(now.iter().map(placeless));
    if same {
        *known = Arc::clone(now);
    }
    same
}

/// What waits to be taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loosened {
    /// Whose entry it is. `None`: it is about modules.
    pub(crate) connection: Option<ConnectionName>,
    /// What programs may more, in words. Empty: nothing waits.
    pub(crate) changes: Vec<String>,
    /// Of what the entry says now.
    pub(crate) digest: String,
}

impl Service {
    /// Takes note of what the file says now. To be called whenever it was read anew.
    pub(super) fn compare_policies(&self, connections: &Connections) {
        let mut known = lock(&self.0.known);
        let begins = known.allowances.is_none();
        let allowances = known.allowances.get_or_insert_default();
        for connection in connections.connections() {
            let now = Allowance::of(connection);
            let name = connection.name();
            if begins || connections.is_built_in(name) {
                allowances.insert(name.clone(), now);
                continue;
            }
            // A new entry is one that said nothing before.
            let before = allowances.entry(name.clone()).or_default();
            if !now.is_looser_than(before) {
                *before = now;
                continue;
            }
            let changes = now.more_than(before).join("; ");
            tracing::warn!(connection = %name, changes, "its policy was loosened; for programs a person has to take that on");
            let row = audit::Entry::new(Kind::Changed)
                .text(&format!("policy of {name}, for programs: {changes}"))
                .because("it does not hold until a person takes it on");
            self.0.audit.note(row);
        }
    }

    /// What a connection allowed before, where that still holds for programs.
    fn held_back(&self, connection: &Connection) -> Option<Allowance> {
        let known = lock(&self.0.known);
        let before = known.allowances.as_ref()?.get(connection.name())?;
        let now = Allowance::of(connection);
        now.is_looser_than(before).then(|| before.clone())
    }

    /// The same, of whoever asks: a person is held to what the entry says now.
    pub(super) fn held_back_from(&self, who: Who, connection: &Connection) -> Option<Allowance> {
        let of_programs = || self.held_back(connection);
        (who == Who::Program).then(of_programs).flatten()
    }

    /// The rules by which a module's commands were judged before, where those still count for programs.
    pub(super) fn rules_before(&self, module: &Module) -> Option<EffectRules> {
        let shared = lock(&self.0.catalog).effects();
        let mut known = lock(&self.0.known);
        let Rules { of_all, own } = &mut known.rules;
        // A module that is new has no session that somebody else has signed in.
        let before = own.get_mut(&module.name);
        let of_module = before.and_then(|before| {
            let is_other = !same(before, &module.effects);
            is_other.then(|| Arc::clone(before))
        });
        if of_module.is_none() && same(of_all, &shared) {
            return None;
        }
        let own = of_module.unwrap_or_else(|| Arc::clone(&module.effects));
        Some(EffectRules::new(Arc::clone(of_all), own))
    }

    /// What waits to be taken on: of a connection's policy, or of what modules say.
    pub(crate) fn loosened(&self, connection: Option<&str>) -> Result<Loosened, ServiceError> {
        Ok(self.waiting(connection)?.0)
    }

    /// A person takes on what the files say, if that still is what they were shown. `false`: it is not.
    pub(crate) async fn take_on(
        &self,
        connection: Option<&str>,
        digest: &str,
        who: &audit::Who,
    ) -> Result<bool, ServiceError> {
        let (shown, now) = self.waiting(connection)?;
        if shown.digest != digest {
            return Ok(false);
        }
        let of = match &shown.connection {
            Some(name) => format!("policy of {name}"),
            None => "rules of modules".to_owned(),
        };
        let row = audit::Entry::new(Kind::Changed)
            .text(&format!("{of}, for programs: {}", shown.changes.join("; ")))
            .by(who.clone())
            .because("a person has taken it on");
        self.record_change(row).await?;
        let mut known = lock(&self.0.known);
        match now {
            Now::Allows(name, allowance) => {
                known
                    .allowances
                    .get_or_insert_default()
                    .insert(name, allowance);
            }
            Now::Says(rules) => known.rules = rules,
        }
        Ok(true)
    }

    fn waiting(&self, connection: Option<&str>) -> Result<(Loosened, Now), ServiceError> {
        let digest = |now: &dyn std::fmt::Debug| audit::digest(format!("{now:?}").as_bytes());
        if let Some(connection) = connection {
            let connection = self.connection(connection)?;
            let now = Allowance::of(&connection);
            let before = self.held_back(&connection);
            let waits = Loosened {
                connection: Some(connection.name().clone()),
                changes: before
                    .map(|before| now.more_than(&before))
                    .unwrap_or_default(),
                digest: digest(&now),
            };
            return Ok((waits, Now::Allows(connection.name().clone(), now)));
        }
        let now = Rules::of(&self.catalog());
        let mut known = lock(&self.0.known);
        let mut changes = Vec::new();
        if !same(&mut known.rules.of_all, &now.of_all) {
            changes.push("the rules for the commands of all modules are others".to_owned());
        }
        for (name, before) in &mut known.rules.own {
            if now.own.get(name).is_some_and(|now| !same(before, now)) {
                changes.push(format!("the rules for the commands of {name} are others"));
            }
        }
        let waits = Loosened {
            connection: None,
            changes,
            digest: digest(&now),
        };
        Ok((waits, Now::Says(now)))
    }
}

/// What the files say now.
enum Now {
    Allows(ConnectionName, Allowance),
    Says(Rules),
}

/// The stricter of what an entry says now and of what it said before.
pub(super) fn stricter(
    now: Decision,
    connection: &Connection,
    before: Option<&Allowance>,
    module: &Module,
    judged: &Judgement,
) -> Decision {
    let before = before.map(|before| before.decide(Who::Program, Some(&module.name), judged));
    match before {
        Some(before) if before.verdict > now.verdict => Decision {
            rule: format!(
                "{}; its entry allows more by now, which holds for programs once a person has said so: mm policy accept -c '{}'",
                before.rule,
                connection.name()
            ),
            ..before
        },
        Some(_) | None => now,
    }
}
