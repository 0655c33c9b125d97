//! The task that watches over one session.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ask::ask;
use super::health::Check;
use super::idle::{Idle, IdleStep};
use super::pace::{Askable, Pace};
use super::resident::resident;
use crate::config::SessionRules;
use crate::daemon::bind;
use crate::daemon::registry::Entry;
use crate::daemon::service::Service;
use crate::expect::CloseReason;
use crate::session::{SessionStatus, Standing};

/// The settings are looked at, and memory is measured, at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// After an order to end: how long until it is given again.
const ENDING: Duration = Duration::from_secs(60);

/// Watches over `entry` until its program is gone.
pub(in crate::daemon) async fn attend(service: Service, entry: Entry) {
    let mut upkeep = Upkeep {
        pace: Pace::from(Instant::now()),
        last_run: None,
        proven: false,
        renews: false,
        idle: Idle::default(),
        service,
        entry,
    };
    let mut status = upkeep.entry.session.status();
    loop {
        let now = status.borrow_and_update().clone();
        if now.is_closed() {
            break;
        }
        let wake = upkeep.round(&now).await;
        tokio::select! {
            changed = status.changed() => if changed.is_err() { break },
            () = tokio::time::sleep_until(wake.into()) => {}
        }
    }
    upkeep.entry.notes.change(|notes| {
        (notes.idle_since, notes.ends_at, notes.unwell) = (None, None, None);
    });
    if upkeep.is_lost() {
        upkeep.service.come_back(&upkeep.entry).await;
    }
}

struct Upkeep {
    service: Service,
    entry: Entry,
    idle: Idle,
    /// The last run that was seen to have ended: a short one may come and go between two looks.
    last_run: Option<u64>,
    /// Whether it has been signed in.
    proven: bool,
    /// Whether it was ended for what a new program does not have: age, memory.
    renews: bool,
    pace: Pace,
}

impl Upkeep {
    /// Does what is due, and says when to look again.
    async fn round(&mut self, status: &SessionStatus) -> Instant {
        let rules = self.service.session_rules(&self.entry.key);
        let now = Instant::now();
        let free =
            matches!(status.standing, Standing::Ready | Standing::SignedOut) && status.queued == 0;
        self.idle.observe(free, now);
        let last_run = status.last.map(|(run, _)| run);
        if last_run != self.last_run {
            self.last_run = last_run;
            self.idle.used(now);
        }
        self.proven |= status.identity.is_some();
        self.note(&rules);
        if status.identity.is_none() {
            // What was wrong with a sign-in is gone with it.
            self.entry.notes.change(|notes| notes.unwell = None);
        }
        if !free {
            // A sign-in that ends now was just proven.
            self.pace = Pace::from(now);
            return now + LOOK_EVERY;
        }
        if let Some(reason) = self.reason_to_end(&rules, now) {
            tracing::warn!(session = %self.entry.key, reason, "it is signed out and ended");
            let command = bind::disconnect(&self.entry.module, &self.entry.bound());
            let why = CloseReason::Told(reason);
            self.entry.session.let_go(command, why);
            return now + ENDING;
        }
        if let Some((check, at)) = self.pace.next(&rules, self.askable(status))
            && at <= now
        {
            self.check(check).await;
        }
        self.next(&rules, status)
    }

    /// Whether it ended although somebody would want it back.
    fn is_lost(&self) -> bool {
        let lost = match &self.entry.session.status().borrow().standing {
            Standing::Closed(reason) => match reason {
                CloseReason::Exited(_)
                | CloseReason::Signalled(_)
                | CloseReason::Unresponsive
                | CloseReason::TerminalLost => true,
                CloseReason::Told(_) => self.renews,
                CloseReason::Asked
                | CloseReason::NeverReady
                | CloseReason::SignInCancelled
                | CloseReason::NotSignedOut => false,
            },
            // Its task is gone without a word.
            _ => false,
        };
        lost && self.proven
    }

    /// Shows since when it is idle and when that ends it.
    fn note(&self, rules: &SessionRules) {
        let ago =
            |then: Instant| jiff::SignedDuration::try_from(then.elapsed()).unwrap_or_default();
        let ahead = |then: Instant| {
            let left = then.saturating_duration_since(Instant::now());
            jiff::SignedDuration::try_from(left).unwrap_or(jiff::SignedDuration::MAX)
        };
        let now = Timestamp::now();
        let since = self.idle.since().map(|since| now - ago(since));
        let ends = self.idle.ends(rules);
        let ends = ends.and_then(|ends| now.checked_add(ahead(ends)).ok());
        self.entry.notes.change(|notes| {
            (notes.idle_since, notes.ends_at) = (since, ends);
        });
    }

    fn reason_to_end(&mut self, rules: &SessionRules, now: Instant) -> Option<String> {
        match self.idle.step(rules, now) {
            IdleStep::Nothing => {}
            IdleStep::Announce(left) => {
                tracing::warn!(session = %self.entry.key, left = %words(left), "it is idle and ends by its idle limit");
            }
            IdleStep::End => {
                let limit = words(rules.idle_limit.unwrap_or_default());
                return Some(format!("it was idle for {limit}, its limit"));
            }
        }
        if let Some(limit) = rules.age_limit
            && self.entry.started.elapsed() >= limit
        {
            self.renews = true;
            return Some(format!("it was {} old, its limit", words(limit)));
        }
        let limit = rules.memory_limit?;
        let pid = self.entry.session.status().borrow().pid;
        let found = resident(pid).filter(|found| *found > limit)?;
        self.renews = true;
        Some(format!(
            "its program took {} MiB of memory, and its limit is {} MiB",
            found >> 20,
            limit >> 20
        ))
    }

    fn askable(&self, status: &SessionStatus) -> Askable {
        let rules = self.entry.module.sign_in.as_ref();
        Askable {
            identity: rules.is_some() && status.identity.is_some(),
            service: rules.is_some_and(|rules| rules.proof.is_some()),
        }
    }

    /// Puts a question to the session and does what its answer means.
    async fn check(&mut self, check: Check) {
        self.pace.asked(check, Instant::now());
        ask(&self.service, &self.entry, check).await;
    }

    /// When there is something to do again. Nothing that is past and was not done may be named here: the loop would never rest.
    fn next(&self, rules: &SessionRules, status: &SessionStatus) -> Instant {
        let question = self.pace.next(rules, self.askable(status));
        let due = [
            question.map(|(_, at)| at),
            rules.age_limit.map(|limit| self.entry.started + limit),
            self.idle.due(rules),
        ];
        let look = Instant::now() + LOOK_EVERY;
        due.into_iter()
            .flatten()
            .min()
            .map_or(look, |due| due.min(look))
    }
}

/// A length of time as people wrote it: whole units.
fn words(time: Duration) -> String {
    let millis = time.as_millis();
    for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if millis >= length && millis.is_multiple_of(length) {
            return format!("{}{unit}", millis / length);
        }
    }
    if millis >= 120_000 {
        return format!("{}m", millis / 60_000);
    }
    format!("{millis}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_whole_units() {
        let words = |millis| words(Duration::from_millis(millis));
        assert_eq!(words(86_400_000), "24h");
        assert_eq!(words(5_400_000), "90m");
        assert_eq!(words(3_599_123), "59m");
        assert_eq!(words(300), "300ms");
    }
}
