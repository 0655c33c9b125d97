//! The part of the machine that signs in: from the connect command to a proven identity, or to a named failure.

use std::time::Instant;

use super::timers::Timer;
use super::{Engine, PROVING_WITHIN, SIGN_IN_GRACE, SIGN_OUT_WITHIN};
use crate::expect::event::{
    CloseReason, Effect, Identity, Mode, ReportedError, SignInFailure, SignInRequest,
};
use crate::expect::exchange::{Exchange, Purpose};
use crate::expect::sign_in;
use crate::expect::state::State;
use crate::expect::watch::ChallengeWatch;
use crate::script::EndState;

impl Engine {
    pub(super) fn start_sign_in(
        &mut self,
        request: Box<SignInRequest>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if !self.is_free() {
            effects.push(Effect::SignInFailed(sign_in::lost(
                "the session is busy".to_owned(),
            )));
            return;
        }
        self.signed_in = false;
        self.failing = None;
        self.go(State::SigningIn(None), now);
        self.timers
            .set(Timer::SignIn, now + request.within + SIGN_IN_GRACE);
        self.spare.clone_from(&request.nonces);
        let restore = request.restore.clone();
        self.sign_in = Some(request);
        match restore {
            Some(command) => {
                let nonces = std::mem::take(&mut self.spare);
                let mut exchange = Exchange::new(Purpose::Restore, command, Mode::Text, nonces);
                exchange.resends_left = self.habits.resends;
                self.send(exchange, now, effects);
            }
            None => self.connect(now, effects),
        }
    }

    /// What an earlier session left is still good, or somebody has to sign in.
    pub(super) fn restored(
        &mut self,
        exchange: &Exchange,
        state: EndState,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if exchange.interrupted {
            let failure = self.stopped_sign_in();
            self.sign_in_failed(failure, now, effects);
        } else if state == EndState::Ok {
            self.identify(now, effects);
        } else if self
            .sign_in
            .as_ref()
            .is_some_and(|request| request.attended)
        {
            self.connect(now, effects);
        } else {
            let why = "what was left of the sign-in before is not good any more".to_owned();
            self.sign_in_failed(sign_in::disowned(why), now, effects);
        }
    }

    fn connect(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let Some(request) = &self.sign_in else { return };
        let watch = ChallengeWatch::new(&request.rules);
        let until = now + request.within + SIGN_IN_GRACE;
        let command = request.connect.clone();
        let secret = !request.secrets.is_empty();
        let nonces = std::mem::take(&mut self.spare);
        let mut exchange =
            Exchange::new(Purpose::Connect, command, Mode::Text, nonces).watching(watch);
        exchange.secret = secret;
        exchange.resends_left = self.habits.resends;
        self.timers.set(Timer::SignIn, until);
        self.send(exchange, now, effects);
    }

    fn identify(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let Some(request) = &self.sign_in else { return };
        let command = request.identity.clone();
        self.go(State::Proving, now);
        self.timers.set(Timer::SignIn, now + PROVING_WITHIN);
        self.ask(Purpose::Identity, command, now, effects);
    }

    pub(super) fn connected(
        &mut self,
        exchange: &Exchange,
        state: EndState,
        errors: &[ReportedError],
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let Some(request) = &self.sign_in else { return };
        if exchange.interrupted && state == EndState::Ok {
            // It had succeeded before the interrupt reached it.
            let failure = self.stopped_sign_in();
            self.undo(failure, now, effects);
        } else if exchange.interrupted {
            let failure = self.stopped_sign_in();
            self.sign_in_failed(failure, now, effects);
        } else if state != EndState::Ok {
            let failure = sign_in::failure(&request.rules, errors, exchange.tail.as_bytes());
            self.sign_in_failed(failure, now, effects);
        } else {
            self.identify(now, effects);
        }
    }

    /// Sends a command whose objects are read, with the nonces that are left.
    pub(super) fn ask(
        &mut self,
        purpose: Purpose,
        command: String,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let mode = if self.shell.records.is_some() {
            Mode::Records
        } else {
            Mode::Text
        };
        let mut exchange = Exchange::new(purpose, command, mode, std::mem::take(&mut self.spare));
        exchange.resends_left = self.habits.resends;
        self.send(exchange, now, effects);
    }

    pub(super) fn identified(
        &mut self,
        exchange: Exchange,
        state: EndState,
        errors: &[ReportedError],
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let Some(request) = &self.sign_in else { return };
        let verdict = if exchange.interrupted {
            Err(self.stopped_sign_in())
        } else if state == EndState::Ok {
            let rule = &request.rules.identity;
            sign_in::identity(rule, &exchange.into_objects(rule.text.as_ref()))
                .map_err(sign_in::unknown_identity)
                .and_then(|identity| {
                    sign_in::compare(&request.expected, &identity).map(|()| identity)
                })
        } else {
            Err(sign_in::failure(
                &request.rules,
                errors,
                exchange.tail.as_bytes(),
            ))
        };
        match (verdict, request.proof.clone()) {
            (Err(failure), _) => self.undo(failure, now, effects),
            (Ok(identity), Some(proof)) => {
                self.identity = Some(Box::new(identity));
                self.ask(Purpose::Proof, proof, now, effects);
            }
            (Ok(identity), None) => self.signed_in(identity, now, effects),
        }
    }

    pub(super) fn proven(
        &mut self,
        exchange: Exchange,
        state: EndState,
        errors: &[ReportedError],
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let Some(identity) = self.identity.take() else {
            return;
        };
        if exchange.interrupted {
            let failure = self.stopped_sign_in();
            self.undo(failure, now, effects);
        } else if state == EndState::Ok && errors.is_empty() && exchange.gave_something() {
            self.signed_in(*identity, now, effects);
        } else {
            let failure = self.sign_in.as_ref().map_or_else(
                || sign_in::unproven(errors),
                |request| {
                    sign_in::known_failure(&request.rules, errors, exchange.tail.as_bytes())
                        .unwrap_or_else(|| sign_in::unproven(errors))
                },
            );
            self.undo(failure, now, effects);
        }
    }

    pub(super) fn signed_in(
        &mut self,
        identity: Identity,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        self.sign_in = None;
        self.failing = None;
        self.timers.clear(Timer::SignIn);
        self.signed_in = true;
        effects.push(Effect::SignedIn(identity));
        self.rest(now);
    }

    /// Why a sign-in that was interrupted failed.
    fn stopped_sign_in(&self) -> SignInFailure {
        self.failing.clone().unwrap_or_else(sign_in::cancelled)
    }

    /// Signs out what proved the wrong thing, then fails. Where that cannot be done the program is ended: nobody may meet an
    /// identity in it that was refused.
    fn undo(&mut self, failure: SignInFailure, now: Instant, effects: &mut Vec<Effect>) {
        self.timers.clear(Timer::SignIn);
        self.failing = Some(failure);
        let disconnect = self
            .sign_in
            .as_ref()
            .and_then(|request| request.disconnect.clone());
        match disconnect {
            Some(command) if !self.spare.is_empty() => {
                self.timers.set(Timer::SignOut, now + SIGN_OUT_WITHIN);
                self.ask(Purpose::Undo, command, now, effects);
            }
            _ => self.kill(CloseReason::NotSignedOut, now, effects),
        }
    }

    /// The disconnect command of a refused sign-in is over.
    pub(super) fn undone(&mut self, state: EndState, now: Instant, effects: &mut Vec<Effect>) {
        self.timers.clear(Timer::SignOut);
        if state == EndState::Ok {
            let failure = self.stopped_sign_in();
            self.sign_in_failed(failure, now, effects);
        } else {
            self.kill(CloseReason::NotSignedOut, now, effects);
        }
    }

    /// A disconnect command takes too long.
    pub(super) fn signs_out_too_long(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.state == State::Closing {
            self.hang_up(CloseReason::Asked, now, effects);
        } else {
            self.kill(CloseReason::NotSignedOut, now, effects);
        }
    }

    pub(super) fn sign_in_failed(
        &mut self,
        mut failure: SignInFailure,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(request) = self.sign_in.take() {
            failure.hide(&request.secrets);
        }
        self.failing = None;
        self.identity = None;
        self.timers.clear(Timer::SignIn);
        self.signed_in = false;
        effects.push(Effect::SignInFailed(failure));
        self.rest(now);
    }
}
