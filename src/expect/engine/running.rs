//! The part of the machine that runs commands: a frame out, perhaps again, and what comes after its end marker.

use std::time::Instant;

use super::timers::Timer;
use super::{BEGIN_WITHIN, Engine};
use crate::expect::event::{
    CloseReason, Effect, Finish, Finished, ReportedError, RunRequest, Typed,
};
use crate::expect::exchange::{Exchange, Purpose};
use crate::expect::framing::frame;
use crate::expect::report;
use crate::expect::state::{State, StopCause};
use crate::expect::watch::ChallengeWatch;
use crate::script::EndState;

impl Engine {
    pub(super) fn run(&mut self, request: RunRequest, now: Instant, effects: &mut Vec<Effect>) {
        if !self.habits.gives_up && self.exchange.is_some() {
            // A recording whose last command never ended goes on with the next one.
            self.abandon(now, effects);
        }
        if !self.is_free() {
            let finished = Finished {
                tag: request.tag,
                finish: Finish::NotFree,
                errors: Vec::new(),
                interrupted: false,
            };
            effects.push(Effect::Finished(finished));
            return;
        }
        let purpose = Purpose::Run { tag: request.tag };
        let watch = request.watch.as_ref().and_then(ChallengeWatch::new);
        let mut exchange =
            Exchange::new(purpose, request.command, request.mode, request.nonces).watching(watch);
        exchange.depth = request.depth;
        exchange.resends_left = self.habits.resends;
        self.go(State::Running, now);
        self.send(exchange, now, effects);
    }

    /// Sends the frame of `exchange` with its next nonce.
    pub(super) fn send(&mut self, mut exchange: Exchange, now: Instant, effects: &mut Vec<Effect>) {
        if exchange.nonces.is_empty() {
            self.exchange = Some(Box::new(exchange));
            self.unanswered(now, effects);
            return;
        }
        let nonce = exchange.nonces.remove(0);
        exchange.sent(&self.shell, nonce.as_str());
        let bytes = frame(
            &self.shell,
            exchange.command.expose(),
            nonce.as_str(),
            exchange.mode,
            exchange.depth,
        );
        self.scanner.expect(Some(nonce.as_str()));
        effects.push(Effect::Write(Typed {
            bytes,
            secret: exchange.secret,
        }));
        if self.habits.gives_up && !exchange.began {
            self.timers.set(Timer::Begin, now + BEGIN_WITHIN);
        }
        self.exchange = Some(Box::new(exchange));
    }

    /// The terminal took a part of a frame: its answer is waited for from here on. A long command on its way into a slow
    /// reader is no command that nobody answers.
    pub(super) fn written(&mut self, now: Instant) {
        if self.timers.runs(Timer::Begin) {
            self.timers.set(Timer::Begin, now + BEGIN_WITHIN);
        }
    }

    /// The end marker of what runs.
    pub(super) fn end(
        &mut self,
        state: &str,
        exit: Option<i32>,
        report: &str,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let known = self
            .shell
            .states
            .iter()
            .find(|(name, _)| name == state)
            .map(|(_, meaning)| *meaning);
        // A shell without states says only that it is over; a state that no file names is one of a newer bootstrap.
        let meaning = known.unwrap_or(if state.is_empty() {
            EndState::Ok
        } else {
            EndState::Failed
        });
        let errors = report::errors(report);
        for timer in [
            Timer::Begin,
            Timer::Question,
            Timer::Challenge,
            Timer::Interrupt,
            Timer::Again,
            Timer::GiveUp,
            Timer::Kill,
        ] {
            self.timers.clear(timer);
        }
        self.scanner.expect(None);
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        let before = effects.len();
        exchange.end(effects);
        if let Some(challenge) = exchange.settle_watch() {
            effects.push(Effect::Challenged(challenge));
        }
        self.note_challenges(before, now, effects);
        // At most once does not rest on the program's word alone.
        let nothing_ran = matches!(meaning, EndState::Garbled | EndState::Unstarted)
            && (!exchange.began || self.shell.markers.begin.is_none());
        if nothing_ran
            && !exchange.interrupted
            && exchange.resends_left > 0
            && !exchange.nonces.is_empty()
        {
            exchange.resends_left -= 1;
            self.send(*exchange, now, effects);
            return;
        }
        let interrupted = exchange.interrupted;
        self.spare = std::mem::take(&mut exchange.nonces);
        self.over(*exchange, meaning, exit, errors, now, effects);
        if self.exchange.is_some() {
            return;
        }
        if interrupted
            && self.habits.absorbs
            && !matches!(self.state, State::Closing | State::Closed(_))
        {
            self.begin_absorbing(now);
        } else {
            // What comes next brings its own, and a session that rests keeps no room for them.
            self.spare = Vec::new();
        }
    }

    /// What comes after a command is over depends on what it was for.
    fn over(
        &mut self,
        exchange: Exchange,
        state: EndState,
        exit: Option<i32>,
        errors: Vec<ReportedError>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        match exchange.purpose {
            Purpose::Boot => {
                self.timers.clear(Timer::Ready);
                self.rest(now);
            }
            Purpose::Run { tag } => {
                if !exchange.reported {
                    let finish = Finish::Ended {
                        state,
                        exit,
                        began: exchange.began,
                        marked: exchange.is_marked(&self.shell),
                    };
                    effects.push(Effect::Finished(Finished {
                        tag,
                        finish,
                        errors,
                        interrupted: exchange.interrupted,
                    }));
                }
                self.rest(now);
            }
            Purpose::Restore => self.restored(&exchange, state, now, effects),
            Purpose::Connect => self.connected(&exchange, state, &errors, now, effects),
            Purpose::Identity => self.identified(exchange, state, &errors, now, effects),
            Purpose::Proof => self.proven(exchange, state, &errors, now, effects),
            Purpose::Undo => self.undone(state, now, effects),
            Purpose::Disconnect => self.hang_up(CloseReason::Asked, now, effects),
            Purpose::Absorb { left } => {
                // One that was hit took a cancel; another may still be on its way.
                if state == EndState::Ok || left == 0 || self.spare.is_empty() {
                    self.rest(now);
                } else {
                    self.absorb(left - 1, now, effects);
                }
            }
        }
    }

    /// Neither begin nor end came. Whether it ran cannot be known, so it is never sent again.
    pub(super) fn unanswered(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.report(Finish::Unanswered, effects);
        match self.state {
            State::SigningIn(_) | State::Proving => {
                self.kill(CloseReason::Unresponsive, now, effects);
            }
            State::Closing => self.hang_up(CloseReason::Asked, now, effects),
            State::Starting
            | State::SignedOut
            | State::Ready
            | State::Running
            | State::Asking(_)
            | State::Stopping(_)
            | State::Closed(_) => self.go(State::Stopping(StopCause::Unanswered), now),
        }
    }

    /// Tells the caller of a run that it is over for him.
    pub(super) fn report(&mut self, finish: Finish, effects: &mut Vec<Effect>) {
        if let Some(exchange) = &mut self.exchange
            && let Purpose::Run { tag } = exchange.purpose
            && !exchange.reported
        {
            exchange.cut(effects);
            exchange.reported = true;
            let interrupted = exchange.interrupted;
            effects.push(Effect::Finished(Finished {
                tag,
                finish,
                errors: Vec::new(),
                interrupted,
            }));
        }
    }

    fn abandon(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.report(Finish::Unanswered, effects);
        self.exchange = None;
        self.rest(now);
    }
}
