//! [`Engine`]: one session's program, as a state machine. [`Engine::handle`] is total: every input is answered in every
//! state, and what is ignored is ignored on purpose.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::{
    AnswerLine, CloseReason, Effect, Finish, Finished, Identity, Input, Mode, Nonce, ReportedError,
    RunRequest, SignInRequest, Typed,
};
use super::exchange::{Exchange, Purpose};
use super::framing::{Marker, Scanner, Step, frame};
use super::state::{State, StopCause};
use super::terminal::Terminal;
use super::watch::ChallengeWatch;
use super::{question, report, sign_in};
use crate::script::{EndState, Shell};

mod signing;

/// Silence after which the end of the output may be a question, and a device code is whole.
const SETTLE: Duration = Duration::from_millis(300);

/// A frame is answered by a begin marker within milliseconds; a busy machine takes longer, a child that ate it never does.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);

/// A cancelled sign-in that does not listen is killed after this: nothing is lost before it.
const SIGN_IN_KILL: Duration = Duration::from_secs(2);

/// How much longer than its code's life a connect command may take.
const SIGN_IN_GRACE: Duration = Duration::from_secs(30);

/// How long signing out may take before the program is ended all the same.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(15);

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    Ready,
    Begin,
    Question,
    Challenge,
    Again,
    GiveUp,
    Absorb,
    SignIn,
    Kill,
    Disconnect,
}

const TIMERS: [Timer; 10] = [
    Timer::Ready,
    Timer::Begin,
    Timer::Question,
    Timer::Challenge,
    Timer::Again,
    Timer::GiveUp,
    Timer::Absorb,
    Timer::SignIn,
    Timer::Kill,
    Timer::Disconnect,
];

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
    exchange: Option<Exchange>,
    sign_in: Option<Box<SignInRequest>>,
    /// Read, and still to be proven.
    identity: Option<Identity>,
    /// For an absorbing command.
    spare: Vec<Nonce>,
    /// Whether the sign-in was stopped because its time was over.
    overdue: bool,
    /// Why the program is being ended by us.
    ending: Option<CloseReason>,
    timers: [Option<Instant>; TIMERS.len()],
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
            overdue: false,
            ending: None,
            timers: [None; TIMERS.len()],
            shell,
        };
        match engine.shell.ready.nonce.clone() {
            None => engine.rest(now),
            Some(nonce) => {
                engine.exchange = Some(Exchange::new(
                    Purpose::Boot,
                    String::new(),
                    Mode::Text,
                    Vec::new(),
                ));
                engine.scanner.expect(Some(&nonce));
                if habits.gives_up {
                    engine.set(Timer::Ready, now + engine.shell.ready.within);
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
        self.timers.iter().flatten().min().copied()
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
            Input::Tick => self.tick(now, &mut effects),
            Input::Run(request) => self.run(*request, now, &mut effects),
            Input::SignIn(request) => self.start_sign_in(request, now, &mut effects),
            Input::Answer(line) => self.answer(&line, now, &mut effects),
            Input::Interrupt => self.interrupt(now, &mut effects),
            Input::Close { disconnect, nonces } => {
                self.close(disconnect, nonces, now, &mut effects);
            }
            Input::Ended(reason) => self.ended(reason, now, &mut effects),
        }
        effects
    }

    fn set(&mut self, timer: Timer, at: Instant) {
        self.timers[timer as usize] = Some(at);
    }

    fn clear(&mut self, timer: Timer) {
        self.timers[timer as usize] = None;
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

    // ── bytes ───────────────────────────────────────────────────────────────

    fn output(&mut self, bytes: &[u8], now: Instant, effects: &mut Vec<Effect>) {
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

    fn text(&mut self, bytes: &[u8], now: Instant, effects: &mut Vec<Effect>) {
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
            self.set(Timer::Question, now + SETTLE);
        } else {
            self.clear(Timer::Question);
        }
        if provisional {
            self.set(Timer::Challenge, now + SETTLE);
        }
        if matches!(self.state, State::Asking(_)) {
            self.go(State::Running, now);
        }
        self.note_challenges(before, now, effects);
    }

    /// A challenge among the effects since `before` belongs to the state too.
    fn note_challenges(&mut self, before: usize, now: Instant, effects: &[Effect]) {
        for effect in &effects[before..] {
            if let (Effect::Challenged(challenge), State::SigningIn(_)) = (effect, &self.state) {
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
            Marker::Begin if exchange.began => {}
            Marker::Begin => {
                exchange.began = true;
                let late = exchange.reported && exchange.interrupted;
                let told = (!exchange.reported).then_some(&exchange.purpose);
                if let Some(Purpose::Run { .. }) = told {
                    effects.push(Effect::Began);
                }
                self.clear(Timer::Begin);
                if late {
                    // It was stopped before it began, and whatever held it up took the interrupt.
                    self.type_interrupt(effects);
                }
            }
            Marker::Out => {
                exchange.take_out(bytes, effects);
                self.clear(Timer::Question);
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

    // ── commands ────────────────────────────────────────────────────────────

    fn run(&mut self, request: RunRequest, now: Instant, effects: &mut Vec<Effect>) {
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
    fn send(&mut self, mut exchange: Exchange, now: Instant, effects: &mut Vec<Effect>) {
        if exchange.nonces.is_empty() {
            self.exchange = Some(exchange);
            self.unanswered(now, effects);
            return;
        }
        let nonce = exchange.nonces.remove(0);
        exchange.sent(&self.shell, nonce.as_str());
        let bytes = frame(
            &self.shell,
            &exchange.command,
            nonce.as_str(),
            exchange.mode,
            exchange.depth,
        );
        self.scanner.expect(Some(nonce.as_str()));
        effects.push(Effect::Write(Typed {
            bytes,
            secret: false,
        }));
        if self.habits.gives_up && !exchange.began {
            self.set(Timer::Begin, now + BEGIN_WITHIN);
        }
        self.exchange = Some(exchange);
    }

    /// The end marker of what runs.
    fn end(
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
            Timer::Again,
            Timer::GiveUp,
            Timer::Kill,
        ] {
            self.clear(timer);
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
            self.send(exchange, now, effects);
            return;
        }
        let interrupted = exchange.interrupted;
        self.spare.clone_from(&exchange.nonces);
        self.over(exchange, meaning, exit, errors, now, effects);
        if interrupted
            && self.exchange.is_none()
            && self.habits.absorbs
            && !matches!(self.state, State::Closing | State::Closed(_))
        {
            self.begin_absorbing(now);
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
                self.clear(Timer::Ready);
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
            Purpose::Connect => self.connected(&exchange, state, &errors, now, effects),
            Purpose::Identity => self.identified(exchange, state, &errors, now, effects),
            Purpose::Proof => self.proven(exchange, state, &errors, now, effects),
            Purpose::Undo(failure) => self.sign_in_failed(failure, now, effects),
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

    fn begin_absorbing(&mut self, now: Instant) {
        if let Some(absorb) = &self.shell.interrupt.absorb
            && !self.spare.is_empty()
        {
            let at = now + absorb.after;
            self.go(State::Stopping(StopCause::Interrupted), now);
            self.set(Timer::Absorb, at);
        }
    }

    fn absorb(&mut self, left: u8, now: Instant, effects: &mut Vec<Effect>) {
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

    fn answer(&mut self, line: &AnswerLine, now: Instant, effects: &mut Vec<Effect>) {
        // Without a question an answer would become the next frame's beginning; a recording holds some that had none.
        let asked = matches!(self.state, State::Asking(_));
        if !asked && self.habits.gives_up {
            return;
        }
        let mut bytes = line.text.expose().as_bytes().to_vec();
        bytes.push(b'\n');
        effects.push(Effect::Write(Typed {
            bytes,
            secret: line.secret,
        }));
        if let Some(exchange) = &mut self.exchange
            && self.habits.hides_echo
            && self.shell.echoes_answers
        {
            exchange.answered(line.text.expose());
        }
        if asked {
            self.go(State::Running, now);
        }
    }

    fn interrupt(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        match &self.state {
            // A Ctrl-C before the first end marker can leave a program that looks ready and is not.
            State::Starting => self.kill(CloseReason::Asked, now, effects),
            State::SigningIn(_) | State::Proving => {
                if let Some(exchange) = &mut self.exchange
                    && !exchange.interrupted
                {
                    exchange.interrupted = true;
                    self.type_interrupt(effects);
                    self.set(Timer::Kill, now + SIGN_IN_KILL);
                }
            }
            State::Running | State::Asking(_) => {
                let Some(exchange) = &mut self.exchange else {
                    return;
                };
                exchange.interrupted = true;
                self.type_interrupt(effects);
                self.clear(Timer::Question);
                if self.habits.gives_up {
                    self.set(Timer::GiveUp, now + self.shell.interrupt.give_up_after);
                    if let Some(again) = self.shell.interrupt.again_after {
                        self.set(Timer::Again, now + again);
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

    fn type_interrupt(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Typed {
            bytes: self.shell.interrupt.send.clone(),
            secret: false,
        }));
    }

    // ── time ────────────────────────────────────────────────────────────────

    fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        for timer in TIMERS {
            if self.timers[timer as usize].is_some_and(|at| at <= now) {
                self.clear(timer);
                self.expired(timer, now, effects);
            }
        }
    }

    fn expired(&mut self, timer: Timer, now: Instant, effects: &mut Vec<Effect>) {
        match timer {
            Timer::Ready => self.kill(CloseReason::NeverReady, now, effects),
            Timer::Begin => self.unanswered(now, effects),
            Timer::Question => {
                let Some(exchange) = &self.exchange else {
                    return;
                };
                if self.state == State::Running
                    && let Some(question) = question::find(&self.shell, exchange.tail.as_bytes())
                {
                    effects.push(Effect::Asked(question.clone()));
                    self.go(State::Asking(question), now);
                }
            }
            Timer::Challenge => {
                let challenge = self.exchange.as_mut().and_then(Exchange::settle_watch);
                if let Some(challenge) = challenge {
                    effects.push(Effect::Challenged(challenge));
                    self.note_challenges(effects.len() - 1, now, effects);
                }
            }
            Timer::Again => self.type_interrupt(effects),
            Timer::GiveUp => {
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
            Timer::Absorb => self.absorb(ABSORBS - 1, now, effects),
            Timer::SignIn => {
                self.overdue = true;
                self.interrupt(now, effects);
            }
            Timer::Kill => self.kill(CloseReason::SignInCancelled, now, effects),
            Timer::Disconnect => self.hang_up(CloseReason::Asked, now, effects),
        }
    }

    /// Neither begin nor end came. Whether it ran cannot be known, so it is never sent again.
    fn unanswered(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.report(Finish::Unanswered, effects);
        match self.state {
            State::SigningIn(_) | State::Proving => {
                self.kill(CloseReason::Unresponsive, now, effects);
            }
            State::Closing => self.hang_up(CloseReason::Asked, now, effects),
            _ => self.go(State::Stopping(StopCause::Unanswered), now),
        }
    }

    /// Tells the caller of a run that it is over for him.
    fn report(&mut self, finish: Finish, effects: &mut Vec<Effect>) {
        if let Some(exchange) = &mut self.exchange
            && let Purpose::Run { tag } = exchange.purpose
            && !exchange.reported
        {
            exchange.end(effects);
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

    // ── the end ─────────────────────────────────────────────────────────────

    fn close(
        &mut self,
        disconnect: Option<String>,
        nonces: Vec<Nonce>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        match disconnect {
            Some(command) if self.state == State::Ready && self.exchange.is_none() => {
                self.go(State::Closing, now);
                self.set(Timer::Disconnect, now + DISCONNECT_WITHIN);
                self.send(
                    Exchange::new(Purpose::Disconnect, command, Mode::Text, nonces),
                    now,
                    effects,
                );
            }
            _ => self.hang_up(CloseReason::Asked, now, effects),
        }
    }

    fn hang_up(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        self.ending.get_or_insert(reason);
        self.timers = [None; TIMERS.len()];
        self.go(State::Closing, now);
        effects.push(Effect::HangUp);
    }

    fn kill(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        self.ending.get_or_insert(reason);
        self.timers = [None; TIMERS.len()];
        self.go(State::Closing, now);
        effects.push(Effect::Kill);
    }

    fn ended(&mut self, reason: CloseReason, now: Instant, effects: &mut Vec<Effect>) {
        let reason = self.ending.take().unwrap_or(reason);
        let kept = self.scanner.take_kept();
        if !kept.is_empty() {
            self.text(&kept, now, effects);
        }
        self.timers = [None; TIMERS.len()];
        self.report(Finish::Lost(reason.clone()), effects);
        if self.sign_in.take().is_some() {
            let failure = match reason {
                CloseReason::SignInCancelled | CloseReason::Asked => self.stopped_sign_in(),
                _ => sign_in::lost(reason.to_string()),
            };
            effects.push(Effect::SignInFailed(failure));
        }
        self.exchange = None;
        self.go(State::Closed(reason), now);
    }
}
