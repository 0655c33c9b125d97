//! Whether a command may run: who asks, what it does, and what its connection allows. The strictest rule that applies
//! wins, and is named.

use crate::connection::{Connection, Policy};
use crate::script::Effect;

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody at a terminal.
    Person,
    /// A program: an assistant, a script that speaks HTTP.
    Program,
}

/// What becomes of it, the strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allow,
    Ask,
    Refuse,
}

impl Verdict {
    /// The word for programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Refuse => "refuse",
        }
    }
}

/// A verdict, the effect that it is for, and the rule that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) effect: Effect,
    pub(crate) rule: &'static str,
}

/// What a connection says about commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) policy: Policy,
    /// Whether sending needs no question here (`skipSendGuards`).
    pub(crate) sends_freely: bool,
}

impl Allowance {
    /// What the entry of a connection says.
    pub(crate) fn of(connection: &Connection) -> Self {
        Self {
            policy: connection.policy(),
            sends_freely: connection.skip_send_guards(),
        }
    }

    /// Whether `who` may run everything, so that no text has to be judged.
    pub(crate) fn allows_all(self, who: Who) -> bool {
        Effect::ALL
            .into_iter()
            .all(|effect| self.of_effect(who, effect).0 == Verdict::Allow)
    }

    /// The strictest decision over all effects. `effects` is never empty: what does nothing reads.
    pub(crate) fn decide(self, who: Who, effects: &[Effect]) -> Decision {
        let mut strictest = Decision {
            verdict: Verdict::Allow,
            effect: Effect::Reads,
            rule: READING,
        };
        for effect in effects.iter().copied() {
            let (verdict, rule) = self.of_effect(who, effect);
            if verdict > strictest.verdict || strictest.effect == Effect::Reads {
                strictest = Decision {
                    verdict,
                    effect,
                    rule,
                };
            }
        }
        strictest
    }

    fn of_effect(self, who: Who, effect: Effect) -> (Verdict, &'static str) {
        if effect == Effect::Reads {
            return (Verdict::Allow, READING);
        }
        match (self.policy, who, effect) {
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
    use super::*;

    #[test]
    fn the_strictest_rule_wins_and_is_named() {
        let ask = Allowance::default();
        let decided = |allowance: Allowance, who, effects: &[Effect]| {
            let decision = allowance.decide(who, effects);
            (decision.verdict, decision.effect)
        };
        let mixed = [Effect::Writes, Effect::Destroys, Effect::RevealsSecret];
        assert_eq!(
            decided(ask, Who::Program, &mixed),
            (Verdict::Refuse, Effect::RevealsSecret)
        );
        assert_eq!(
            decided(ask, Who::Person, &mixed),
            (Verdict::Ask, Effect::Destroys)
        );
        assert_eq!(
            ask.decide(Who::Program, &mixed).rule,
            "programs get no secrets"
        );
        assert_eq!(
            decided(ask, Who::Person, &[Effect::Writes]),
            (Verdict::Allow, Effect::Writes)
        );
        assert_eq!(
            decided(ask, Who::Program, &[Effect::UnknownCode]),
            (Verdict::Ask, Effect::UnknownCode)
        );
        let open = Allowance {
            policy: Policy::Open,
            ..ask
        };
        assert_eq!(
            decided(open, Who::Program, &[Effect::Destroys]),
            (Verdict::Allow, Effect::Destroys)
        );
        assert_eq!(
            decided(open, Who::Program, &[Effect::EndsSession]),
            (Verdict::Refuse, Effect::EndsSession)
        );
        let freely = Allowance {
            sends_freely: true,
            ..ask
        };
        assert_eq!(
            decided(freely, Who::Person, &[Effect::Sends]),
            (Verdict::Allow, Effect::Sends)
        );
    }

    #[test]
    fn read_only_refuses_everybody_all_but_reading() {
        let allowance = Allowance {
            policy: Policy::ReadOnly,
            sends_freely: true,
        };
        for who in [Who::Person, Who::Program] {
            for effect in Effect::ALL {
                let verdict = allowance.decide(who, &[effect]).verdict;
                let reads = effect == Effect::Reads;
                assert_eq!(verdict == Verdict::Allow, reads, "{effect:?}");
                assert_eq!(verdict == Verdict::Refuse, !reads, "{effect:?}");
            }
        }
        let open = Allowance {
            policy: Policy::Open,
            sends_freely: false,
        };
        assert!(open.allows_all(Who::Person) && !open.allows_all(Who::Program));
    }
}
