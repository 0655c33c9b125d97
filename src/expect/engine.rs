//! [`Engine`]: one session's program, as a state machine. [`Engine::handle`] is total: every input is answered in every
//! state, and what is ignored is ignored on purpose.

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::timers::{Timer, Timers};
use super::event::{
    CloseReason, Effect, Identity, Input, Mode, Nonce, SignInFailure, SignInRequest,
};
use super::exchange::{Exchange, Purpose};
use super::framing::Scanner;
use super::sign_in;
use super::state::{State, StopCause};
use super::terminal::Terminal;
use crate::script::Shell;

mod asking;
mod ending;
mod hearing;
mod running;
mod signing;
mod stopping;
mod timers;

/// Silence after which the end of the output may be a question, and a device code is whole.
const SETTLE: Duration = Duration::from_millis(300);

/// A frame is answered by a begin marker within milliseconds of its last byte; a busy machine takes longer, a child that ate
/// it never does.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);

/// A cancelled sign-in that does not listen is killed after this: nothing is lost before it.
const SIGN_IN_KILL: Duration = Duration::from_secs(2);

/// How much longer than its code's life a connect command may take: programs ask every five seconds whether it was entered.
const SIGN_IN_GRACE: Duration = Duration::from_secs(30);

/// How long reading and proving the identity may take together, counted from the end of the connect command. A first call of
/// a big tenant takes a minute at times; a person's time for the code is over by then and says nothing about this.
const PROVING_WITHIN: Duration = Duration::from_secs(300);

/// How long signing out may take before the program is ended all the same.
const SIGN_OUT_WITHIN: Duration = Duration::from_secs(15);

/// How many absorbing commands may follow each other.
const ABSORBS: u8 = 3;

/// What the machine does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// How often a frame that did not run is sent again.
    pub(crate) resends: u8,
    /// Whether an interrupted command is followed by an absorbing one.
    pub(crate) absorbs: bool,
    /// Whether waiting for a sign of life has an end.
    pub(crate) gives_up: bool,
    /// Whether echoes of answers are told from output.
    pub(crate) hides_echo: bool,
}

impl Habits {
    /// For a session with a living program.
    pub(crate) const LIVE: Self = Self {
        resends: 2,
        absorbs: true,
        gives_up: true,
        hides_echo: true,
    };
    /// For a recording: what was sent again or absorbed is in it.
    pub(crate) const REPLAY: Self = Self {
        resends: 0,
        absorbs: false,
        gives_up: false,
        hides_echo: false,
    };
}

/// The machine of one session. Feed it every byte and every request; do what it asks, in order; come back at
/// [`Engine::deadline`].
pub(crate) struct Engine {
    shell: Arc<Shell>,
    habits: Habits,
    state: State,
    since: Instant,
    /// Where it rests between commands: signed in, or signed out.
    signed_in: bool,
    terminal: Terminal,
    scanner: Scanner,
    /// Boxed: a session that rests has none, and it is large.
    exchange: Option<Box<Exchange>>,
    sign_in: Option<Box<SignInRequest>>,
    /// Read, and still to be proven. Boxed, as the other things that only a sign-in has.
    identity: Option<Box<Identity>>,
    /// For an absorbing command.
    spare: Vec<Nonce>,
    /// Why the sign-in that runs will fail, once that is known. What comes later does not replace it.
    failing: Option<SignInFailure>,
    /// Why the program is being ended by us.
    ending: Option<CloseReason>,
    timers: Timers,
}

impl Engine {
    /// The machine of a program that starts now. With `needs_sign_in` it rests signed out once it is ready.
    pub(crate) fn new(
        shell: Arc<Shell>,
        needs_sign_in: bool,
        habits: Habits,
        now: Instant,
    ) -> Self {
        let mut engine = Self {
            terminal: Terminal::new(Arc::clone(&shell)),
            scanner: Scanner::new(Arc::clone(&shell)),
            habits,
            state: State::Starting,
            since: now,
            signed_in: !needs_sign_in,
            exchange: None,
            sign_in: None,
            identity: None,
            spare: Vec::new(),
            failing: None,
            ending: None,
            timers: Timers::default(),
            shell,
        };
        match engine.shell.ready.nonce.clone() {
            None => engine.rest(now),
            Some(nonce) => {
                engine.exchange = Some(Box::new(Exchange::new(
                    Purpose::Boot,
                    String::new(),
                    Mode::Text,
                    Vec::new(),
                )));
                engine.scanner.expect(Some(&nonce));
                if habits.gives_up {
                    let at = now + engine.shell.ready.within;
                    engine.timers.set(Timer::Ready, at);
                }
            }
        }
        engine
    }

    /// Where the session stands.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Since when.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Whether a run or a sign-in can be sent.
    pub(crate) fn is_free(&self) -> bool {
        self.exchange.is_none() && matches!(self.state, State::SignedOut | State::Ready)
    }

    /// Whether it waits for something whose caller was told that it does not listen.
    pub(crate) fn is_stuck(&self) -> bool {
        self.state == State::Stopping(StopCause::Unanswered)
            || matches!(self.state, State::Stopping(_))
                && self
                    .exchange
                    .as_ref()
                    .is_some_and(|exchange| exchange.reported)
    }

    /// When [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The nonce that is looked for, if any.
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.scanner.nonce()
    }

    /// Takes what happened at `now`, which never goes back; says what to do about it, in order.
    #[must_use]
    pub(crate) fn handle(&mut self, input: Input<'_>, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Output(bytes) => self.output(bytes, now, &mut effects),
            Input::Written => self.written(now),
            Input::Tick => self.tick(now, &mut effects),
            Input::Run(request) => self.run(*request, now, &mut effects),
            Input::SignIn(request) => self.start_sign_in(request, now, &mut effects),
            Input::Answer(line) => self.answer(&line, now, &mut effects),
            Input::Interrupt => self.interrupt(now, &mut effects),
            Input::Close {
                disconnect,
                nonces,
                why,
            } => {
                self.ending.get_or_insert(why);
                self.close(disconnect, nonces, now, &mut effects);
            }
            Input::Disown(failure) => {
                if self.is_free() && self.signed_in {
                    self.sign_in_failed(failure, now, &mut effects);
                }
            }
            Input::Ended(reason) => self.ended(reason, now, &mut effects),
        }
        effects
    }

    fn go(&mut self, state: State, now: Instant) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }

    fn rest(&mut self, now: Instant) {
        self.go(
            if self.signed_in {
                State::Ready
            } else {
                State::SignedOut
            },
            now,
        );
    }

    fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Ready => self.kill(CloseReason::NeverReady, now, effects),
                Timer::Begin => self.unanswered(now, effects),
                Timer::Question => self.ask_if_asked(now, effects),
                Timer::Challenge => {
                    let before = effects.len();
                    let exchange = self.exchange.as_deref_mut();
                    let challenge = exchange.and_then(Exchange::settle_watch);
                    effects.extend(challenge.map(Effect::Challenged));
                    self.note_challenges(before, now, effects);
                }
                Timer::Interrupt | Timer::Again => self.type_interrupt(effects),
                Timer::GiveUp => self.give_up(now, effects),
                Timer::Absorb => self.absorb_first(now, effects),
                Timer::SignIn => {
                    let proving = self.state == State::Proving;
                    self.failing
                        .get_or_insert_with(|| sign_in::timed_out(proving));
                    self.interrupt(now, effects);
                }
                Timer::Kill => self.kill(CloseReason::SignInCancelled, now, effects),
                Timer::SignOut => self.signs_out_too_long(now, effects),
            }
        }
    }
}
