//! The part of the machine that signs in: from the connect command to a proven identity, or to a named failure.

use std::time::Instant;

use super::{Engine, SIGN_IN_GRACE, Timer};
use crate::expect::event::{Effect, Identity, Mode, ReportedError, SignInFailure, SignInRequest};
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
        let watch = ChallengeWatch::new(&request.rules);
        let mut exchange = Exchange::new(
            Purpose::Connect,
            request.connect.clone(),
            Mode::Text,
            request.nonces.clone(),
        )
        .watching(watch);
        exchange.resends_left = self.habits.resends;
        self.signed_in = false;
        self.overdue = false;
        self.go(State::SigningIn(None), now);
        self.set(Timer::SignIn, now + request.within + SIGN_IN_GRACE);
        self.sign_in = Some(request);
        self.send(exchange, now, effects);
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
            let command = request.identity.clone();
            self.go(State::Proving, now);
            self.ask(Purpose::Identity, command, now, effects);
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
            sign_in::identity(&request.rules.identity, &exchange.into_objects())
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
                self.identity = Some(identity);
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
        } else if state == EndState::Ok && errors.is_empty() && !exchange.into_objects().is_empty()
        {
            self.signed_in(identity, now, effects);
        } else {
            self.undo(sign_in::unproven(errors), now, effects);
        }
    }

    pub(super) fn signed_in(
        &mut self,
        identity: Identity,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        self.sign_in = None;
        self.clear(Timer::SignIn);
        self.signed_in = true;
        effects.push(Effect::SignedIn(identity));
        self.rest(now);
    }

    /// Why a sign-in that was interrupted failed.
    pub(super) fn stopped_sign_in(&self) -> SignInFailure {
        if self.overdue {
            sign_in::timed_out()
        } else {
            sign_in::cancelled()
        }
    }

    /// Signs out what proved the wrong thing, then fails.
    pub(super) fn undo(&mut self, failure: SignInFailure, now: Instant, effects: &mut Vec<Effect>) {
        let disconnect = self
            .sign_in
            .as_ref()
            .and_then(|request| request.disconnect.clone());
        match disconnect {
            Some(command) if !self.spare.is_empty() => {
                self.ask(Purpose::Undo(failure), command, now, effects);
            }
            _ => self.sign_in_failed(failure, now, effects),
        }
    }

    pub(super) fn sign_in_failed(
        &mut self,
        failure: SignInFailure,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        self.sign_in = None;
        self.identity = None;
        self.clear(Timer::SignIn);
        self.signed_in = false;
        effects.push(Effect::SignInFailed(failure));
        self.rest(now);
    }
}
