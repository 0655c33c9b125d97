//! The part of the machine that stops what runs: the interrupt, once more, giving up, and the command that takes a cancel
//! which comes late.

use std::time::Instant;

use super::timers::Timer;
use super::{ABSORBS, Engine, SIGN_IN_KILL};
use crate::expect::event::{CloseReason, Effect, Finish, Mode, Typed};
use crate::expect::exchange::{Exchange, Purpose};
use crate::expect::sign_in;
use crate::expect::state::{State, StopCause};

impl Engine {
    pub(super) fn interrupt(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        match &self.state {
            // A Ctrl-C before the first end marker can leave a program that looks ready and is not.
            State::Starting => self.kill(CloseReason::Asked, now, effects),
            State::SigningIn(_) | State::Proving => self.interrupt_sign_in(now, effects),
            State::Running | State::Asking(_) => {
                let Some(exchange) = &mut self.exchange else {
                    return;
                };
                exchange.interrupted = true;
                self.interrupt_when_ready(now, effects);
                self.timers.clear(Timer::Question);
                if self.habits.gives_up {
                    self.timers
                        .set(Timer::GiveUp, now + self.shell.interrupt.give_up_after);
                    if let Some(again) = self.shell.interrupt.again_after {
                        self.timers.set(Timer::Again, now + again);
                    }
                }
                self.go(State::Stopping(StopCause::Interrupted), now);
            }
            // Nothing runs, or it is being stopped already.
            State::SignedOut
            | State::Ready
            | State::Stopping(_)
            | State::Closing
            | State::Closed(_) => {}
        }
    }

    fn interrupt_sign_in(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if let Some(exchange) = &mut self.exchange
            && !exchange.interrupted
            // It has failed, and is being signed out of: that is not to be stopped half-way, and has an end of its own.
            && !matches!(exchange.purpose, Purpose::Undo)
        {
            exchange.interrupted = true;
            self.failing.get_or_insert_with(sign_in::cancelled);
            self.interrupt_when_ready(now, effects);
            self.timers.set(Timer::Kill, now + SIGN_IN_KILL);
        }
    }

    /// Types the interrupt, now or as soon as the program is ready for it.
    pub(super) fn interrupt_when_ready(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let ready_at = match (self.shell.interrupt.after_begin, &self.exchange) {
            // The begin marker brings it back here; if that does not come, the second interrupt goes out all the same.
            (Some(_), Some(exchange)) if !exchange.began => return,
            (Some(after), Some(exchange)) => exchange.began_at.map_or(now, |began| began + after),
            (None, _) | (_, None) => now,
        };
        if ready_at > now {
            self.timers.set(Timer::Interrupt, ready_at);
        } else {
            self.type_interrupt(effects);
        }
    }

    pub(super) fn type_interrupt(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Typed {
            bytes: self.shell.interrupt.send.clone(),
            secret: false,
        }));
    }

    /// An interrupted command does not listen.
    pub(super) fn give_up(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        // What never began cannot be told to stop: something else took its frame.
        if self
            .exchange
            .as_ref()
            .is_some_and(|exchange| exchange.began)
        {
            self.report(Finish::GaveUp, effects);
        } else {
            self.unanswered(now, effects);
        }
    }

    pub(super) fn begin_absorbing(&mut self, now: Instant) {
        if let Some(absorb) = &self.shell.interrupt.absorb
            && !self.spare.is_empty()
        {
            let at = now + absorb.after;
            self.go(State::Stopping(StopCause::Interrupted), now);
            self.timers.set(Timer::Absorb, at);
        }
    }

    /// Sends the first absorbing command.
    pub(super) fn absorb_first(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.absorb(ABSORBS - 1, now, effects);
    }

    pub(super) fn absorb(&mut self, left: u8, now: Instant, effects: &mut Vec<Effect>) {
        let Some(absorb) = &self.shell.interrupt.absorb else {
            return;
        };
        let exchange = Exchange::new(
            Purpose::Absorb { left },
            absorb.command.clone(),
            Mode::Text,
            std::mem::take(&mut self.spare),
        );
        self.send(exchange, now, effects);
    }
}
