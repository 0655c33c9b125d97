//! What comes of a sign-in: the code that it shows, who was proven, and whether they are let in.

use jiff::Timestamp;

use super::{Leaving, Task};
use crate::expect::{Challenge, CloseReason, Identity, SignInFailure, State, not_admitted};
use crate::session::mail::{Admission, RunEvent, RunResult, SessionEvent};
use crate::session::status::{LiveChallenge, boot_seconds};

impl Task {
    pub(super) fn challenged(&mut self, challenge: Challenge) {
        // A run that shows a code is somebody's own sign-in; only the session's goes into its status.
        self.tell(RunEvent::Challenged(&challenge));
        if matches!(self.engine.state(), State::SigningIn(_)) {
            let shown_at = boot_seconds();
            let live = LiveChallenge {
                challenge,
                shown_at,
                dies_at: shown_at + self.code_lives.as_secs(),
            };
            self.status
                .send_modify(|status| status.challenge = Some(Box::new(live)));
        }
    }

    pub(super) fn signed_in(&mut self, identity: Identity) {
        self.listener.event(SessionEvent::SignedIn(&identity));
        self.status.send_modify(|status| {
            status.challenge = None;
            status.failure = None;
            status.identity = Some(identity);
            status.signed_in_at = Some(Timestamp::now());
        });
    }

    pub(super) fn sign_in_failed(&mut self, failure: SignInFailure) {
        self.listener.event(SessionEvent::SignInFailed(&failure));
        self.queue
            .end_all(&RunResult::SignInFailed(failure.clone()));
        self.status.send_modify(|status| {
            status.challenge = None;
            status.identity = None;
            status.signed_in_at = None;
            status.failure = Some(Box::new(failure));
        });
    }

    /// Whoever was proven is let in, or signed out again.
    pub(super) fn admitted(&mut self, verdict: Result<(), String>) {
        let Some(admission) = self.admission.take() else {
            return;
        };
        let (identity, _) = *admission;
        match verdict {
            Ok(()) => self.signed_in(identity),
            Err(why) => {
                let failure = not_admitted(&why);
                let why = CloseReason::Told(failure.message.clone());
                self.sign_in_failed(failure);
                let command = self.sign_out.take();
                self.leaving
                    .get_or_insert_with(|| Box::new(Leaving { command, why }));
            }
        }
    }
}

/// The answer to who was proven. One that never comes is no leave to enter.
pub(super) async fn verdict(admission: Option<&mut (Identity, Admission)>) -> Result<(), String> {
    match admission {
        Some((_, answer)) => answer
            .await
            .unwrap_or_else(|_| Err("nobody answered".to_owned())),
        None => std::future::pending().await,
    }
}
