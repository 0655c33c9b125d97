//! [`Idle`]: how long nobody has used a session, and what follows from it. Pure: the times come in.

use std::time::{Duration, Instant};

use crate::config::SessionRules;

/// The idle time of one session. It counts on a clock that stands still while the machine sleeps: a laptop that was closed
/// overnight has not been idle for so long.
#[derive(Debug, Default)]
pub(super) struct Idle {
    since: Option<Instant>,
    announced: bool,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IdleStep {
    Nothing,
    /// Say that it ends so soon.
    Announce(Duration),
    /// End it.
    End,
}

impl Idle {
    /// The session is free, or is used. Returns whether that is news.
    pub(super) fn observe(&mut self, free: bool, now: Instant) -> bool {
        match (free, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(_)) => *self = Self::default(),
            (true, Some(_)) | (false, None) => return false,
        }
        true
    }

    /// It was used in between, although it was never seen at it.
    pub(super) fn used(&mut self, now: Instant) {
        if self.since.is_some() {
            (self.since, self.announced) = (Some(now), false);
        }
    }

    /// Since when nobody has used it.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// When it is to be ended.
    pub(super) fn ends(&self, rules: &SessionRules) -> Option<Instant> {
        self.since?.checked_add(rules.idle_limit?)
    }

    /// What is to be done at `now`. An announcement is made once.
    pub(super) fn step(&mut self, rules: &SessionRules, now: Instant) -> IdleStep {
        let Some(ends) = self.ends(rules) else {
            return IdleStep::Nothing;
        };
        if ends <= now {
            return IdleStep::End;
        }
        let left = ends.duration_since(now);
        if left <= rules.announce_before && !self.announced {
            self.announced = true;
            return IdleStep::Announce(left);
        }
        IdleStep::Nothing
    }

    /// When [`step`](Self::step) has something to do next.
    pub(super) fn due(&self, rules: &SessionRules) -> Option<Instant> {
        let ends = self.ends(rules)?;
        if self.announced {
            return Some(ends);
        }
        ends.checked_sub(rules.announce_before).or(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_day_without_use_is_announced_an_hour_before_its_end() {
        let rules = SessionRules::default();
        let start = Instant::now();
        let mut idle = Idle::default();
        assert_eq!(idle.due(&rules), None);
        assert!(idle.observe(true, start));
        assert!(!idle.observe(true, start + HOUR));
        assert_eq!(idle.due(&rules), Some(start + 23 * HOUR));
        assert_eq!(idle.step(&rules, start + 22 * HOUR), IdleStep::Nothing);
        assert_eq!(
            idle.step(&rules, start + 23 * HOUR),
            IdleStep::Announce(HOUR)
        );
        assert_eq!(idle.step(&rules, start + 23 * HOUR), IdleStep::Nothing);
        assert_eq!(idle.due(&rules), Some(start + 24 * HOUR));
        assert_eq!(idle.step(&rules, start + 24 * HOUR), IdleStep::End);
    }

    #[test]
    fn use_begins_the_time_anew_and_never_is_never() {
        let mut rules = SessionRules::default();
        let start = Instant::now();
        let mut idle = Idle::default();
        idle.observe(true, start);
        idle.step(&rules, start + 23 * HOUR);
        idle.observe(false, start + 23 * HOUR);
        assert_eq!(idle.step(&rules, start + 30 * HOUR), IdleStep::Nothing);
        idle.observe(true, start + 30 * HOUR);
        assert_eq!(
            idle.step(&rules, start + 53 * HOUR),
            IdleStep::Announce(HOUR)
        );
        idle.used(start + 53 * HOUR);
        assert_eq!(idle.step(&rules, start + 54 * HOUR), IdleStep::Nothing);
        rules.idle_limit = None;
        assert_eq!(idle.step(&rules, start + 900 * HOUR), IdleStep::Nothing);
        assert_eq!(idle.due(&rules), None);
    }

    #[test]
    fn a_limit_shorter_than_its_announcement_is_announced_at_once() {
        let rules = SessionRules {
            idle_limit: Some(HOUR / 2),
            ..SessionRules::default()
        };
        let start = Instant::now();
        let mut idle = Idle::default();
        idle.observe(true, start);
        assert!(idle.due(&rules).is_some_and(|due| due <= start));
        assert_eq!(idle.step(&rules, start), IdleStep::Announce(HOUR / 2));
    }
}
