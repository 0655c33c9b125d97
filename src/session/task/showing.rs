//! What the task shows of itself: its snapshot, where the runs in the line stand, and its end.

use jiff::Timestamp;

use super::Task;
use crate::expect::{CloseReason, State};
use crate::session::mail::{RunEvent, RunResult, SessionEvent};
use crate::session::status::Standing;

impl Task {
    pub(super) fn publish(&mut self) {
        let standing = match self.engine.state() {
            // Seen only when its books are written: see `leave`.
            State::Closed(_) if !self.gone => return,
            State::Ready if self.admission.is_some() => Standing::Proving,
            State::Running if self.is_quiet() => Standing::Ready,
            state => Standing::from(state),
        };
        let was_asking = matches!(self.status.borrow().standing, Standing::Asking(_));
        if was_asking && standing == Standing::Running {
            self.tell(RunEvent::Asks(None));
        }
        let (current, queued, stuck) = (
            self.current
                .as_ref()
                .filter(|current| !current.order.quiet)
                .map(|current| current.order.tag),
            self.queue.len(),
            self.engine.is_stuck(),
        );
        let changed = self.status.send_if_modified(|status| {
            let moved = status.standing != standing;
            if moved {
                status.standing = standing;
                // The machine's clock has no dates; what it says is how long ago that was.
                let ago = jiff::SignedDuration::try_from(self.engine.since().elapsed());
                status.since = Timestamp::now() - ago.unwrap_or_default();
            }
            let changed = moved
                || status.current != current
                || status.queued != queued
                || status.stuck != stuck;
            (status.current, status.queued, status.stuck) = (current, queued, stuck);
            changed
        });
        if changed {
            let ready = !matches!(
                self.engine.state(),
                State::Starting | State::SignedOut | State::SigningIn(_) | State::Proving
            );
            self.queue
                .announce(ready, usize::from(self.current.is_some()));
        }
    }

    /// Whether what runs is nobody's run.
    fn is_quiet(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.order.quiet)
    }

    fn never_ready(&self) -> String {
        let reason = CloseReason::NeverReady;
        match &self.shell.ready.advice {
            Some(advice) => format!("{reason}: {advice}"),
            None => reason.to_string(),
        }
    }

    pub(super) fn leave(&mut self) {
        let reason = match self.engine.state() {
            State::Closed(CloseReason::NeverReady) => self.never_ready(),
            State::Closed(reason) => reason.to_string(),
            _ => CloseReason::TerminalLost.to_string(),
        };
        for mail in self.inbox.close() {
            self.mail(*mail);
        }
        self.queue.end_all(&RunResult::SessionEnded(reason.clone()));
        self.listener.event(SessionEvent::Ended(&reason));
        self.gone = true;
        self.publish();
    }
}
