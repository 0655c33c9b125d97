//! The part of the machine that ends the program, and takes in that it has ended.

use std::time::Instant;

use super::timers::Timer;
use super::{Engine, SIGN_OUT_WITHIN};
use crate::expect::event::{CloseReason, Effect, Finish, Mode, Nonce};
use crate::expect::exchange::{Exchange, Purpose};
use crate::expect::sign_in;
use crate::expect::state::State;

impl Engine {
    pub(super) fn close(
        &mut self,
        disconnect: Option<String>,
        nonces: Vec<Nonce>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        match disconnect {
            Some(command) if self.state == State::Ready && self.exchange.is_none() => {
                self.go(State::Closing, now);
                self.timers.set(Timer::SignOut, now + SIGN_OUT_WITHIN);
                self.send(
                    Exchange::new(Purpose::Disconnect, command, Mode::Text, nonces),
                    now,
                    effects,
                );
            }
            _ => self.hang_up(CloseReason::Asked, now, effects),
        }
    }

    pub(super) fn hang_up(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        self.ending.get_or_insert(reason);
        self.timers.clear_all();
        self.go(State::Closing, now);
        effects.push(Effect::HangUp);
    }

    pub(super) fn kill(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        self.ending.get_or_insert(reason);
        self.timers.clear_all();
        self.go(State::Closing, now);
        effects.push(Effect::Kill);
    }

    pub(super) fn ended(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        let reason = self.ending.take().unwrap_or(reason);
        let kept = self.scanner.take_kept();
        if !kept.is_empty() {
            self.text(&kept, now, effects);
        }
        self.timers.clear_all();
        self.report(Finish::Lost(reason.clone()), effects);
        if self.sign_in.take().is_some() {
            let failing = self.failing.take();
            let failure = failing.unwrap_or_else(|| match reason {
                CloseReason::Asked => sign_in::cancelled(),
                _ => sign_in::lost(reason.to_string()),
            });
            effects.push(Effect::SignInFailed(failure));
        }
        self.exchange = None;
        self.go(State::Closed(reason), now);
    }
}
