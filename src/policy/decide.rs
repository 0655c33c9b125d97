//! Whether a command may run: who asks, what it does, and what its connection says. The strictest rule that applies wins, and
//! is named.
//!
//! For each thing that a command does, the entry's own `policyRules` go first; where none applies, the guards of the module
//! files and the entry's `policy` decide, whichever is stricter. `read-only` is no default that a rule could soften.

use crate::connection::{Connection, Policy, PolicyRule, Verdict, Who};
use crate::name::ModuleName;
use crate::policy::{Finding, Judgement};
use crate::script::{Effect, Guard};

/// A verdict, the effect that it is for, and the rule that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) effect: Effect,
    /// What in the command has the effect.
    pub(crate) what: String,
    /// The rule in words, with its place where it is one of the entry's own.
    pub(crate) rule: String,
}

/// What a connection says about commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) policy: Policy,
    /// Whether sending needs no question here (`skipSendGuards`).
    pub(crate) sends_freely: bool,
    /// Whether a ticket has to be named for what is asked about (`requireTicket`).
    pub(crate) wants_ticket: bool,
    pub(crate) rules: Vec<PolicyRule>,
}

impl Allowance {
    /// What the entry of a connection says.
    pub(crate) fn of(connection: &Connection) -> Self {
        Self {
            policy: connection.policy(),
            sends_freely: connection.skip_send_guards(),
            wants_ticket: connection.requires_ticket(),
            rules: connection.policy_rules().to_vec(),
        }
    }

    /// Whether `who` may run everything, so that no text has to be judged.
    pub(crate) fn allows_all(&self, who: Who) -> bool {
        let softens = |rule: &PolicyRule| rule.decide == Verdict::Allow;
        self.policy == Policy::Open && who == Who::Person && self.rules.iter().all(softens)
    }

    /// Whether something may be allowed here that `before` asks about or refuses. Where that cannot be told, it may.
    pub(crate) fn is_looser_than(&self, before: &Self) -> bool {
        let rank = |policy: Policy| match policy {
            Policy::ReadOnly => 0,
            Policy::Ask => 1,
            Policy::Open => 2,
        };
        let (now, then) = (self.placeless(), before.placeless());
        let added = now.iter().filter(|rule| !then.contains(rule));
        let removed = then.iter().filter(|rule| !now.contains(rule));
        rank(self.policy) > rank(before.policy)
            || (self.sends_freely && !before.sends_freely)
            || (!self.wants_ticket && before.wants_ticket)
            || added.into_iter().any(|rule| rule.decide != Verdict::Refuse)
            || removed
                .into_iter()
                .any(|rule| rule.decide != Verdict::Allow)
    }

    /// The entry's own rules, wherever they stand: a line above them is no other rule.
    fn placeless(&self) -> Vec<PolicyRule> {
        let mut rules = self.rules.clone();
        for rule in &mut rules {
            rule.place = String::new();
        }
        rules
    }

    /// What programs may here that `before` asks about or refuses, in words; never nothing.
    pub(crate) fn more_than(&self, before: &Self) -> Vec<String> {
        let verdict = |allowance: &Self, effect| {
            let finding = Finding {
                effect,
                ..Finding::of_unknown_code()
            };
            allowance.of_finding(Who::Program, None, &finding).0
        };
        let mut found: Vec<String> = Effect::ALL
            .into_iter()
            .map(|effect| (effect, verdict(before, effect), verdict(self, effect)))
            .filter(|(_, then, now)| then != now)
            .map(|(effect, then, now)| {
                format!("{}: {}, not {}", effect.word(), now.word(), then.word())
            })
            .collect();
        if self.placeless() != before.placeless() {
            found.push("its policyRules are others".to_owned());
        }
        if before.wants_ticket && !self.wants_ticket {
            found.push("no ticket is wanted".to_owned());
        }
        if found.is_empty() {
            found.push("it is written otherwise, and may allow more".to_owned());
        }
        found
    }

    /// The strictest decision over all that was found. What does nothing reads.
    pub(crate) fn decide(
        &self,
        who: Who,
        module: Option<&ModuleName>,
        judged: &Judgement,
    ) -> Decision {
        let mut strictest = Decision {
            verdict: Verdict::Allow,
            effect: Effect::Reads,
            what: String::new(),
            rule: READING.to_owned(),
        };
        for finding in &judged.findings {
            let (verdict, rule) = self.of_finding(who, module, finding);
            let says_more = strictest.effect == Effect::Reads && finding.effect != Effect::Reads;
            if verdict > strictest.verdict || (verdict == strictest.verdict && says_more) {
                strictest = Decision {
                    verdict,
                    effect: finding.effect,
                    what: finding.what.clone(),
                    rule,
                };
            }
        }
        strictest
    }

    /// What would be decided about code that cannot be known.
    pub(crate) fn of_unknown_code(&self, who: Who, module: Option<&ModuleName>) -> Verdict {
        self.of_finding(who, module, &Finding::of_unknown_code()).0
    }

    fn of_finding(
        &self,
        who: Who,
        module: Option<&ModuleName>,
        finding: &Finding,
    ) -> (Verdict, String) {
        let effect = finding.effect;
        let own = self
            .rules
            .iter()
            .filter(|rule| rule.applies(who, module, effect, &finding.what))
            .max_by_key(|rule| rule.decide);
        // What a person reads of their own machine is no matter of the tenant's, and what an object holds besides is none of
        // what they look for.
        let is_no_matter = effect.only_looks() || finding.guard == Some(Guard::Programs);
        let looks = effect == Effect::Reads || (who == Who::Person && is_no_matter);
        if self.policy == Policy::ReadOnly && !looks {
            let rule = "the connection's policy is `read-only`";
            return (Verdict::Refuse, rule.to_owned());
        }
        if let Some(own) = own {
            return (own.decide, own.place.clone());
        }
        if who == Who::Person && finding.guard == Some(Guard::Programs) {
            return (
                Verdict::Allow,
                "people may see what objects hold".to_owned(),
            );
        }
        let (verdict, rule) = self.of_effect(who, effect);
        match self.of_guard(who, finding.guard) {
            Some((guarded, rule)) if guarded > verdict => (guarded, rule.to_owned()),
            Some(_) | None => (verdict, rule.to_owned()),
        }
    }

    /// What a guard wants at least. Under `open` only what is kept from programs is kept from them.
    fn of_guard(&self, who: Who, guard: Option<Guard>) -> Option<(Verdict, &'static str)> {
        match (guard?, who, self.policy) {
            (Guard::Refuse | Guard::Programs, Who::Program, _) => Some((
                Verdict::Refuse,
                "programs may not run this; a rule of the connection can let them",
            )),
            (Guard::Ask, _, Policy::Open)
            | (Guard::Refuse, Who::Person, Policy::Open)
            | (Guard::Programs, Who::Person, _) => None,
            (Guard::Ask, _, _) | (Guard::Refuse, Who::Person, _) => {
                Some((Verdict::Ask, "everybody is asked about this"))
            }
        }
    }

    fn of_effect(&self, who: Who, effect: Effect) -> (Verdict, &'static str) {
        if effect == Effect::Reads {
            return (Verdict::Allow, READING);
        }
        match (self.policy, who, effect) {
            (_, Who::Person, Effect::ReadsLocalFiles) => {
                (Verdict::Allow, "people may read their own machine")
            }
            (Policy::ReadOnly, _, _) => (Verdict::Refuse, "the connection's policy is `read-only`"),
            (_, Who::Program, Effect::RevealsSecret) => {
                (Verdict::Refuse, "programs get no secrets")
            }
            (_, Who::Program, Effect::EndsSession) => {
                (Verdict::Refuse, "programs do not end sessions")
            }
            (Policy::Open, _, _) => (Verdict::Allow, "the connection's policy is `open`"),
            (Policy::Ask, _, Effect::Sends) if self.sends_freely => {
                (Verdict::Allow, "the connection has `skipSendGuards`")
            }
            (Policy::Ask, Who::Program, _) => {
                (Verdict::Ask, "programs ask for what does more than read")
            }
            (
                Policy::Ask,
                Who::Person,
                Effect::Destroys | Effect::ChangesRights | Effect::ForwardsMail | Effect::Sends,
            ) => (
                Verdict::Ask,
                "people are asked before something is destroyed, sent, forwarded or permitted",
            ),
            (Policy::Ask, Who::Person, _) => (Verdict::Allow, "people may"),
        }
    }
}

const READING: &str = "everybody may read";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(effects: &[(Effect, &str, Option<Guard>)]) -> Judgement {
        let finding = |(effect, what, guard): &(Effect, &str, Option<Guard>)| Finding {
            effect: *effect,
            what: (*what).to_owned(),
            many: false,
            line: 1,
            reason: "x".to_owned(),
            rule: None,
            guard: *guard,
        };
        Judgement {
            findings: effects.iter().map(finding).collect(),
            understood: true,
            told: Vec::new(),
        }
    }

    fn allowance(entry: Value) -> Allowance {
        let mut entry = entry;
        entry["tenant"] = json!("t");
        let name = "C".parse().expect("it is a name");
        let connection =
            Connection::read(name, entry, &std::sync::Arc::default()).expect("it is an entry");
        Allowance::of(&connection)
    }

    fn decided(allowance: &Allowance, who: Who, effects: &[Effect]) -> (Verdict, Effect) {
        let effects: Vec<_> = effects.iter().map(|one| (*one, "Do-It", None)).collect();
        let decision = allowance.decide(who, None, &judged(&effects));
        (decision.verdict, decision.effect)
    }

    #[test]
    fn the_strictest_rule_wins_and_is_named() {
        let ask = Allowance::default();
        let mixed = [Effect::Writes, Effect::Destroys, Effect::RevealsSecret];
        assert_eq!(
            decided(&ask, Who::Program, &mixed),
            (Verdict::Refuse, Effect::RevealsSecret)
        );
        assert_eq!(
            decided(&ask, Who::Person, &mixed),
            (Verdict::Ask, Effect::Destroys)
        );
        let secret = judged(&[(Effect::RevealsSecret, "Get-Key", None)]);
        let decision = ask.decide(Who::Program, None, &secret);
        assert_eq!(decision.rule, "programs get no secrets");
        assert_eq!(decision.what, "Get-Key");
        assert_eq!(
            decided(&ask, Who::Person, &[Effect::Writes]),
            (Verdict::Allow, Effect::Writes)
        );
        assert_eq!(
            decided(&ask, Who::Program, &[Effect::UnknownCode]),
            (Verdict::Ask, Effect::UnknownCode)
        );
        let open = allowance(json!({"policy": "open"}));
        assert_eq!(
            decided(&open, Who::Program, &[Effect::Destroys]),
            (Verdict::Allow, Effect::Destroys)
        );
        assert_eq!(
            decided(&open, Who::Program, &[Effect::EndsSession]),
            (Verdict::Refuse, Effect::EndsSession)
        );
        let freely = allowance(json!({"skipSendGuards": true}));
        assert_eq!(
            decided(&freely, Who::Person, &[Effect::Sends]),
            (Verdict::Allow, Effect::Sends)
        );
    }

    #[test]
    fn read_only_refuses_everybody_all_but_reading() {
        let read_only = allowance(json!({
            "policy": "read-only", "skipSendGuards": true, "policyRules": [{"decide": "allow"}],
        }));
        for who in [Who::Person, Who::Program] {
            for effect in Effect::ALL {
                let (verdict, _) = decided(&read_only, who, &[effect]);
                let reads = effect == Effect::Reads || (who == Who::Person && effect.only_looks());
                assert_eq!(verdict == Verdict::Allow, reads, "{effect:?}");
                assert_eq!(verdict == Verdict::Refuse, !reads, "{effect:?}");
            }
            assert!(!read_only.allows_all(who));
        }
    }

    #[test]
    fn an_entrys_own_rules_go_before_what_holds_for_all() {
        let own = allowance(json!({"policyRules": [
            {"who": "program", "effects": ["writes"], "decide": "allow"},
            {"commands": ["Do-It"], "effects": ["writes"], "decide": "ask"},
            {"who": "program", "commands": ["Get-Key"], "decide": "allow"},
            {"commands": ["Get-Log"], "decide": "refuse"},
        ]}));
        let decide = |who, effect, what| own.decide(who, None, &judged(&[(effect, what, None)]));
        let allowed = decide(Who::Program, Effect::Writes, "Set-X");
        assert_eq!(allowed.verdict, Verdict::Allow);
        assert_eq!(allowed.rule, "policyRules[0] of C");
        // The strictest of those that apply, whatever their order.
        let asked = decide(Who::Program, Effect::Writes, "Do-It");
        assert_eq!(
            (asked.verdict, asked.rule.as_str()),
            (Verdict::Ask, "policyRules[1] of C")
        );
        assert_eq!(
            decide(Who::Person, Effect::Writes, "Do-It").verdict,
            Verdict::Ask
        );
        assert_eq!(
            decide(Who::Program, Effect::RevealsSecret, "Get-Key").verdict,
            Verdict::Allow
        );
        assert_eq!(
            decide(Who::Person, Effect::Reads, "Get-Log").verdict,
            Verdict::Refuse
        );
        assert_eq!(
            decide(Who::Program, Effect::Destroys, "Set-X").verdict,
            Verdict::Ask
        );
    }

    #[test]
    fn what_may_allow_more_is_looser() {
        let of = |entry: Value| allowance(entry);
        let writes =
            |decide: &str| json!({"policyRules": [{"effects": ["writes"], "decide": decide}]});
        for (before, now) in [
            (json!({"policy": "ask"}), json!({"policy": "open"})),
            (json!({"policy": "read-only"}), json!({})),
            (json!({}), json!({"skipSendGuards": true})),
            (json!({"requireTicket": true}), json!({})),
            (json!({}), writes("allow")),
            // It goes before what would refuse.
            (json!({}), writes("ask")),
            (writes("refuse"), json!({})),
            (writes("ask"), writes("allow")),
        ] {
            let (before, now) = (of(before), of(now));
            assert!(now.is_looser_than(&before), "{now:?}");
            assert!(!now.more_than(&before).is_empty());
            assert!(!now.is_looser_than(&now));
        }
        for (before, now) in [
            (json!({"policy": "open"}), json!({"policy": "ask"})),
            (json!({}), writes("refuse")),
            (writes("allow"), json!({})),
            (json!({}), json!({"requireTicket": true})),
        ] {
            assert!(!of(now).is_looser_than(&of(before)));
        }
        let (open, asks) = (of(json!({"policy": "open"})), of(json!({})));
        let more = open.more_than(&asks);
        assert_eq!(more[0], "writes: allow, not ask");
        assert!(
            more.len() == 9 && !more.iter().any(|one| one.contains("secret")),
            "{more:?}"
        );
    }

    #[test]
    fn what_an_object_holds_besides_is_kept_from_programs_only() {
        let held = judged(&[(Effect::RevealsSecret, "Get-It", Some(Guard::Programs))]);
        for policy in ["read-only", "ask", "open"] {
            let allowance = allowance(json!({"policy": policy}));
            let verdict = |who| allowance.decide(who, None, &held).verdict;
            assert_eq!(verdict(Who::Person), Verdict::Allow, "{policy}");
            assert_eq!(verdict(Who::Program), Verdict::Refuse, "{policy}");
        }
    }

    #[test]
    fn guards_hold_where_the_policy_would_allow() {
        let decide = |entry: Value, who, guard| {
            let judged = judged(&[(Effect::Writes, "New-X", Some(guard))]);
            allowance(entry).decide(who, None, &judged).verdict
        };
        let open = || json!({"policy": "open"});
        assert_eq!(
            decide(json!({}), Who::Program, Guard::Refuse),
            Verdict::Refuse
        );
        assert_eq!(decide(json!({}), Who::Person, Guard::Refuse), Verdict::Ask);
        assert_eq!(decide(json!({}), Who::Person, Guard::Ask), Verdict::Ask);
        assert_eq!(decide(open(), Who::Program, Guard::Refuse), Verdict::Refuse);
        assert_eq!(decide(open(), Who::Program, Guard::Ask), Verdict::Allow);
        assert_eq!(decide(open(), Who::Person, Guard::Refuse), Verdict::Allow);
        let rule = json!({"policyRules": [{"commands": ["New-*"], "decide": "allow"}]});
        assert_eq!(decide(rule, Who::Program, Guard::Refuse), Verdict::Allow);
    }

    #[test]
    fn only_a_person_on_an_open_connection_may_all() {
        let open = allowance(json!({"policy": "open"}));
        assert!(open.allows_all(Who::Person) && !open.allows_all(Who::Program));
        assert!(!Allowance::default().allows_all(Who::Person));
        let but = allowance(json!({"policy": "open", "policyRules": [{"decide": "ask"}]}));
        assert!(!but.allows_all(Who::Person));
    }
}
