//! What a free program is given next: the end that somebody wants, a sign-in, or the next run in the line.

use std::cell::Cell;
use std::time::Instant;

use super::{Current, Leaving, Task};
use crate::expect::{Input, Nonce, RunRequest, State};
use crate::session::inquiry::{self, Inquiring, Inquiry};
use crate::session::mail::{Order, RunEvent, RunResult};

/// What a session's own frames need: the command, twice again, and three that absorb.
const NONCES: usize = 6;

impl Task {
    pub(super) fn next(&mut self) {
        if let Some(Leaving { command, why }) = self.leaving.as_deref().cloned() {
            // The machine signs out only what is signed in.
            self.feed(Input::Close {
                disconnect: command,
                nonces: nonces(NONCES),
                why,
            });
        } else if self.admission.is_some() {
            // Nothing is sent in the name of somebody who is not let in yet.
        } else if *self.engine.state() == State::SignedOut {
            if let Some((request, recorder)) = self.sign_in.take() {
                self.code_lives = request.within;
                self.sign_in_recorder = recorder;
                self.sign_out.clone_from(&request.disconnect);
                self.feed(Input::SignIn(request));
            } else if self.queue.len() > 0 {
                // Their sign-in failed between two letters.
                let failure = self.status.borrow().failure.clone();
                let result = failure.map_or_else(
                    || RunResult::SessionEnded("it is signed out".to_owned()),
                    |failure| RunResult::SignInFailed(*failure),
                );
                self.queue.end_all(&result);
            }
        } else {
            // One that is not sent after all leaves the program to the next.
            while self.engine.is_free()
                && let Some(order) = self.queue.pop()
            {
                self.start(order);
            }
        }
    }

    fn start(&mut self, mut order: Box<Order>) {
        let holds = match order.condition.take() {
            Some(condition) => condition(&self.status.borrow()),
            None => Ok(()),
        };
        if let Err(why) = holds {
            order.listener.ended(RunResult::NotAllowed(why));
            return;
        }
        if let Some(inquiry) = order.inquiry.take() {
            self.inquire(order, inquiry);
            return;
        }
        let request = RunRequest {
            tag: order.tag,
            command: std::mem::take(&mut order.command),
            mode: order.mode,
            depth: order.depth,
            nonces: nonces(NONCES),
            watch: order.watch.take(),
        };
        let deadline = order.deadline.map(|deadline| Instant::now() + deadline);
        let identity = self.status.borrow().identity.clone();
        order.listener.event(RunEvent::Sent {
            account: identity.as_ref().map(|identity| identity.account.as_str()),
            tenant: identity.as_ref().map(|identity| identity.tenant.as_str()),
        });
        self.current = Some(Box::new(Current {
            order,
            deadline,
            stopped: None,
            inquiring: None,
        }));
        self.record(|recorder, now| recorder.marker(now, "run"));
        self.feed(Input::Run(Box::new(request)));
    }

    /// Sends what is asked before `order`. It is in no recording and nothing of its run.
    fn inquire(&mut self, order: Box<Order>, inquiry: Inquiry) {
        let Inquiry {
            command,
            mode,
            verdict,
        } = inquiry;
        let request = RunRequest {
            tag: order.tag,
            command,
            mode,
            depth: 2,
            nonces: nonces(NONCES),
            watch: None,
        };
        self.current = Some(Box::new(Current {
            order,
            deadline: Some(Instant::now() + inquiry::WITHIN),
            stopped: None,
            inquiring: Some(Inquiring::new(verdict)),
        }));
        self.feed(Input::Run(Box::new(request)));
    }
}

/// How many nonces are drawn at once: each draw is a call of the system's.
const DRAW: usize = 64;

thread_local! {
    /// Drawn and not given out yet.
    static DRAWN: Cell<Vec<[u8; 8]>> = const { Cell::new(Vec::new()) };
}

/// Nonces from the system's random numbers, no two of them from the same.
pub(crate) fn nonces(count: usize) -> Vec<Nonce> {
    let mut drawn = DRAWN.take();
    if drawn.len() < count {
        drawn = vec![[0; 8]; count.max(DRAW)];
        getrandom::fill(drawn.as_flattened_mut())
            .expect("the system has random numbers once it runs");
    }
    let nonces = drawn
        .drain(drawn.len() - count..)
        .map(Nonce::from_random)
        .collect();
    DRAWN.set(drawn);
    nonces
}
