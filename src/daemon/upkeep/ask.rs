//! Putting a question to a session, and doing what its answer means: what is shown of the session, and that a sign-in which
//! is gone counts as none.

use std::time::Duration;

use jiff::Timestamp;

use super::health::{ANSWER_WITHIN, Check, Probe, Verdict, judge};
use super::notes::{Noted, Unwell};
use crate::daemon::bind;
use crate::daemon::registry::Entry;
use crate::daemon::service::Service;
use crate::expect::{Mode, SignInFailure};
use crate::session::{Order, Standing};

/// A proof of this age is as good as a new one to whoever wants to sign in.
const PROOF_LASTS: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// How long a session may take until it shows that it is signed out.
const DISOWNED_WITHIN: Duration = Duration::from_secs(5);

/// Puts a question to a session and does what its answer means. `None`: it was not asked. It waits for what the session
/// does now, and for the answer.
pub(super) async fn ask(service: &Service, entry: &Entry, check: Check) -> Option<Verdict> {
    let status = entry.session.status().borrow().clone();
    let rules = entry.module.sign_in.as_ref()?;
    let proven = status.identity.as_ref()?;
    let way = rules.way(status.way.as_deref())?;
    let of_service = check == Check::Service;
    let command = bind::question(&entry.module, &entry.bound(), way, of_service)?;
    let whom = way.identity.as_ref().unwrap_or(&rules.identity);
    let (probe, answer) = Probe::new();
    let order = Order {
        tag: service.next_tag(),
        command,
        mode: if entry.module.shell.records.is_some() {
            Mode::Records
        } else {
            Mode::Text
        },
        depth: 2,
        deadline: Some(ANSWER_WITHIN),
        fails_on_question: true,
        quiet: true,
        watch: None,
        recorder: None,
        condition: None,
        inquiry: None,
        listener: Box::new(probe),
    };
    entry.session.run(order).await.ok()?;
    let verdict = judge(check, answer.await.ok()?, rules, whom, proven);
    match &verdict {
        Verdict::Unknown => {}
        Verdict::Well => entry.notes.change(|notes| {
            let now = Timestamp::now();
            notes.checked_at = Some(now);
            if of_service || rules.proof.is_none() {
                notes.proven_at = Some(now);
            }
            notes.unwell.take_if(|unwell| unwell.what == check.what());
        }),
        Verdict::Unwell(why) | Verdict::Over(SignInFailure { message: why, .. }) => {
            tracing::warn!(session = %entry.key, asked = check.what(), why, "it is not well");
            entry.notes.change(|notes| {
                let since = match notes.unwell.take() {
                    Some(before) if before.what == check.what() => before.since,
                    _ => Timestamp::now(),
                };
                let (what, why) = (check.what(), why.clone());
                notes.unwell = Some(Unwell { what, why, since });
            });
        }
        Verdict::SignedOut(failure) => disown(entry, failure.clone()),
    }
    Some(verdict)
}

fn disown(entry: &Entry, failure: SignInFailure) {
    tracing::warn!(session = %entry.key, why = failure.message, "its sign-in is gone");
    entry.session.disown(failure);
}

/// Lets a session that is free prove itself for somebody who wants to sign in, unless it has just done so. Afterwards it is
/// signed out if its sign-in is gone: if the program says so, or if the service says that it is over. Whatever else the
/// service says may be a network that is away, and costs no sign-in.
pub(in crate::daemon) async fn prove(service: &Service, entry: &Entry) {
    let status = entry.session.status();
    let (free, signed_in_at) = {
        let now = status.borrow();
        let free = now.standing == Standing::Ready && now.queued == 0 && now.identity.is_some();
        (free, now.signed_in_at)
    };
    if !free || is_fresh(signed_in_at, &entry.notes.read(), Timestamp::now()) {
        return;
    }
    let rules = entry.module.sign_in.as_ref();
    let has_proof = rules.is_some_and(|rules| rules.proof.is_some());
    let of_service = if has_proof {
        ask(service, entry, Check::Service).await
    } else {
        None
    };
    match of_service {
        Some(Verdict::Well) => return,
        Some(Verdict::Over(failure)) => disown(entry, failure),
        Some(Verdict::SignedOut(_) | Verdict::Unwell(_) | Verdict::Unknown) | None => {
            let of_program = ask(service, entry, Check::Identity).await;
            if !matches!(of_program, Some(Verdict::SignedOut(_))) {
                return;
            }
        }
    }
    // One that runs something by now keeps what it has, and whoever asked is told so.
    let mut status = status;
    let gone = status.wait_for(|now| now.identity.is_none() || now.is_closed());
    if tokio::time::timeout(DISOWNED_WITHIN, gone).await.is_ok() {
        entry.notes.change(|notes| notes.unwell = None);
    }
}

/// Whether a session has just proven itself, and nothing was wrong with it since.
fn is_fresh(signed_in_at: Option<Timestamp>, noted: &Noted, now: Timestamp) -> bool {
    let last = signed_in_at.max(noted.proven_at);
    noted.unwell.is_none() && last.is_some_and(|last| now.duration_since(last) < PROOF_LASTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_lasts_a_minute_unless_something_is_wrong() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).expect("it is a time");
        let proven = |second: Option<i64>| Noted {
            proven_at: second.map(at),
            ..Noted::default()
        };
        assert!(is_fresh(Some(at(0)), &proven(None), at(59)));
        assert!(!is_fresh(Some(at(0)), &proven(None), at(60)));
        assert!(is_fresh(Some(at(0)), &proven(Some(30)), at(60)));
        assert!(!is_fresh(None, &proven(None), at(0)));
        let unwell = Noted {
            unwell: Some(Unwell {
                what: "the service",
                why: "UnAuthorized".to_owned(),
                since: at(0),
            }),
            ..proven(Some(0))
        };
        assert!(!is_fresh(Some(at(0)), &unwell, at(1)));
    }
}
