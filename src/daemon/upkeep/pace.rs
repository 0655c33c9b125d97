//! [`Pace`]: when an idle session is asked who is signed in, and when it has to prove itself to its service. Pure: the times
//! come in.

use std::time::Instant;

use super::health::Check;
use crate::config::SessionRules;

/// When each question was put last. A session that cannot be asked has nothing due, however long ago that is.
#[derive(Debug)]
pub(super) struct Pace([Instant; 2]);

/// Which questions a session can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Askable {
    /// It is signed in, and its module says how to tell who is.
    pub(super) identity: bool,
    /// Its module has a command that only a living sign-in can answer.
    pub(super) service: bool,
}

impl Pace {
    /// As if both had just been asked.
    pub(super) fn from(now: Instant) -> Self {
        Self([now; 2])
    }

    /// `check` is put now, whatever comes of it.
    pub(super) fn asked(&mut self, check: Check, now: Instant) {
        self.0[check as usize] = now;
    }

    /// The next question and when it is due; both at once are one, the service's, which tells more.
    pub(super) fn next(&self, rules: &SessionRules, askable: Askable) -> Option<(Check, Instant)> {
        let due = |check: Check, every: Option<_>| Some((check, self.0[check as usize] + every?));
        let service = (askable.identity && askable.service)
            .then(|| due(Check::Service, rules.check_service_every))
            .flatten();
        let identity = askable
            .identity
            .then(|| due(Check::Identity, rules.check_identity_every))
            .flatten();
        // The first of two that are equal is taken.
        [service, identity]
            .into_iter()
            .flatten()
            .min_by_key(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const BOTH: Askable = Askable {
        identity: true,
        service: true,
    };

    #[test]
    fn what_cannot_be_asked_is_never_due() {
        let rules = SessionRules::default();
        let pace = Pace::from(Instant::now());
        let nobody = Askable {
            identity: false,
            service: true,
        };
        assert_eq!(pace.next(&rules, nobody), None);
        let (check, _) = pace
            .next(
                &rules,
                Askable {
                    service: false,
                    ..BOTH
                },
            )
            .expect("who is signed in can be asked");
        assert_eq!(check, Check::Identity);
        let never = SessionRules {
            check_identity_every: None,
            check_service_every: None,
            ..rules
        };
        assert_eq!(pace.next(&never, BOTH), None);
    }

    #[test]
    fn each_question_has_its_own_pace() {
        let rules = SessionRules {
            check_identity_every: Some(10 * MINUTE),
            check_service_every: Some(20 * MINUTE),
            ..SessionRules::default()
        };
        let start = Instant::now();
        let mut pace = Pace::from(start);
        let mut asked = Vec::new();
        for _ in 0..4 {
            let (check, at) = pace.next(&rules, BOTH).expect("something is due");
            asked.push((check, at.duration_since(start)));
            pace.asked(check, at);
        }
        assert_eq!(
            asked,
            [
                (Check::Identity, 10 * MINUTE),
                (Check::Service, 20 * MINUTE),
                (Check::Identity, 20 * MINUTE),
                (Check::Identity, 30 * MINUTE),
            ]
        );
    }
}
