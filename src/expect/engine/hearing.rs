//! The part of the machine that hears: bytes from the terminal, as text and markers of what runs.

use std::time::Instant;

use super::timers::Timer;
use super::{BEGIN_WITHIN, Engine, SETTLE, SIGN_IN_GRACE};
use crate::expect::event::{Effect, Typed};
use crate::expect::exchange::Purpose;
use crate::expect::framing::{Marker, Step};
use crate::expect::state::State;

impl Engine {
    pub(super) fn output(&mut self, bytes: &[u8], now: Instant, effects: &mut Vec<Effect>) {
        if self.scanner.lengthens(bytes) {
            return;
        }
        let joined = self.scanner.join(bytes);
        let mut rest = joined.as_deref().unwrap_or(bytes);
        while !rest.is_empty() {
            let used = match self.scanner.step(rest) {
                Step::Data(length) => {
                    self.text(&rest[..length], now, effects);
                    length
                }
                Step::LineEnd(length) => {
                    if let Some(exchange) = &mut self.exchange {
                        exchange.take_line_end(&rest[..length]);
                    }
                    length
                }
                Step::Marker(marker, length) => {
                    self.marker(marker, &rest[..length], now, effects);
                    length
                }
                Step::Wait => break,
            };
            rest = &rest[used..];
        }
        if !rest.is_empty() {
            self.scanner.keep(rest);
        }
    }

    pub(super) fn text(&mut self, bytes: &[u8], now: Instant, effects: &mut Vec<Effect>) {
        let mut replies = Vec::new();
        let text = self.terminal.feed(bytes, &mut replies);
        if !replies.is_empty() {
            effects.push(Effect::Write(Typed {
                bytes: replies,
                secret: false,
            }));
        }
        if text.is_empty() {
            return;
        }
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        let before = effects.len();
        exchange.take(&text, effects);
        let (mid_line, provisional) = (
            exchange.tail.is_mid_line(),
            exchange.has_provisional_challenge(),
        );
        let asks = matches!(exchange.purpose, Purpose::Run { .. })
            && exchange.began
            && !exchange.interrupted
            && !exchange.awaits_echo()
            && mid_line;
        if asks {
            self.timers.set(Timer::Question, now + SETTLE);
        } else {
            self.timers.clear(Timer::Question);
        }
        if provisional {
            self.timers.set(Timer::Challenge, now + SETTLE);
        }
        if matches!(self.state, State::Asking(_)) {
            self.go(State::Running, now);
        }
        self.note_challenges(before, now, effects);
    }

    /// A challenge among the effects since `before` belongs to the state too, and its code has its whole life before it.
    pub(super) fn note_challenges(&mut self, before: usize, now: Instant, effects: &[Effect]) {
        for effect in &effects[before..] {
            if let (Effect::Challenged(challenge), State::SigningIn(_)) = (effect, &self.state) {
                if let Some(request) = &self.sign_in
                    && self.timers.runs(Timer::SignIn)
                {
                    let life = request.within + SIGN_IN_GRACE;
                    self.timers.set(Timer::SignIn, now + life);
                }
                self.go(State::SigningIn(Some(challenge.clone())), now);
            }
        }
    }

    fn marker(&mut self, marker: Marker, bytes: &[u8], now: Instant, effects: &mut Vec<Effect>) {
        // A control sequence that was left open ends where the program's own words begin.
        self.terminal.reset();
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        match marker {
            Marker::Begin if exchange.began => exchange.pass_begin(),
            Marker::Begin => {
                exchange.began = true;
                exchange.began_at = Some(now);
                let late = exchange.reported && exchange.interrupted;
                let waits = exchange.interrupted && self.shell.interrupt.after_begin.is_some();
                let absorbs = matches!(exchange.purpose, Purpose::Absorb { .. });
                let told = (!exchange.reported).then_some(&exchange.purpose);
                if let Some(Purpose::Run { .. }) = told {
                    effects.push(Effect::Began);
                }
                if absorbs {
                    // It is over within milliseconds, and nobody else looks after it.
                    self.timers.set(Timer::Begin, now + BEGIN_WITHIN);
                } else {
                    self.timers.clear(Timer::Begin);
                }
                if late || waits {
                    // It was stopped before it began: the interrupt waits for this, or was taken by whatever held it up.
                    self.interrupt_when_ready(now, effects);
                }
            }
            Marker::Out => {
                exchange.take_out(bytes, effects);
                self.timers.clear(Timer::Question);
                if matches!(self.state, State::Asking(_)) {
                    self.go(State::Running, now);
                }
            }
            Marker::End {
                state,
                exit,
                report,
            } => self.end(&state, exit, &report, now, effects),
        }
    }
}
