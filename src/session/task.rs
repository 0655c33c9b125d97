//! The task of one session. Its loop turns what is ready into an input of the machine and does what the machine asks, in
//! one place each.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::SessionError;
use super::alarm::Alarm;
use super::inquiry::{self, Inquiring, Inquiry};
use super::mail::{
    Admission, Mail, Order, RunEvent, RunResult, SessionEvent, SessionListener, StopWhy,
};
use super::outbox::Outbox;
use super::queue::Queue;
use super::status::{LiveChallenge, SessionStatus, Standing, boot_seconds};
use crate::expect::{
    AnswerLine, Challenge, CloseReason, Effect, Engine, Finish, Finished, Habits, Identity, Input,
    Nonce, Question, RunRequest, SignInFailure, SignInRequest, State, not_admitted,
};
use crate::pty::{Child, Ended, Master};
use crate::recording::{WriteError, Writer};
use crate::script::Shell;

/// As much as is read before anything else is looked at: about a millisecond of a flood.
const READ_SIZE: usize = 64 * 1024;

/// As much as a terminal gives at once.
const READ_AT_LEAST: usize = 4096;

thread_local! {
    /// What was read last. Sessions of one thread take turns with it, so that a thousand idle ones hold no buffer.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// After the program's end its output is read for so long; a grandchild may hold the terminal open for ever.
const DRAIN: Duration = Duration::from_secs(2);

/// From the hang-up to the kill.
const GRACE: Duration = Duration::from_secs(2);

/// What a session's own frames need: the command, twice again, and three that absorb.
const NONCES: usize = 6;

/// The run that the program has.
struct Current {
    order: Box<Order>,
    deadline: Option<Instant>,
    stopped: Option<StopWhy>,
    /// What is asked before the command itself is sent, while that is under way.
    inquiring: Option<Inquiring>,
}

/// The wish that the session ends, with the command that signs out.
#[derive(Clone)]
struct Leaving {
    command: Option<String>,
    why: CloseReason,
}

/// How the program and its terminal end; both have to.
#[derive(Default)]
struct Ending {
    exit: Option<CloseReason>,
    end_of_file: bool,
    /// When to go on without the other half.
    at_most: Option<Instant>,
    /// When a program that was hung up is killed.
    kill_at: Option<Instant>,
}

pub(super) struct Task {
    master: Master,
    child: Child,
    engine: Engine,
    alarm: Alarm,
    shell: Arc<Shell>,
    /// Boxed: a channel makes room for 32 letters at once, which would be a session's largest part.
    inbox: mpsc::UnboundedReceiver<Box<Mail>>,
    outbox: Outbox,
    queue: Queue,
    current: Option<Current>,
    /// Waits for the program to be free.
    sign_in: Option<(Box<SignInRequest>, Option<Box<Writer>>)>,
    /// Of the sign-in that runs.
    sign_in_recorder: Option<Writer>,
    /// How long the code of the sign-in that runs lives.
    code_lives: Duration,
    /// What signs the sign-in that runs out again.
    sign_out: Option<String>,
    /// Who was proven and is still to be let in.
    admission: Option<(Identity, Admission)>,
    /// Somebody wants the session to end.
    leaving: Option<Leaving>,
    ending: Ending,
    listener: Box<dyn SessionListener>,
    /// Whether everybody was told of its end.
    gone: bool,
    status: watch::Sender<SessionStatus>,
}

enum Ready {
    Mail(Option<Box<Mail>>),
    Readable(std::io::Result<()>),
    Written(std::io::Result<usize>),
    Exited(std::io::Result<Ended>),
    Admitted(Result<(), String>),
    Time,
}

impl Task {
    pub(super) fn new(
        master: Master,
        child: Child,
        shell: Arc<Shell>,
        needs_sign_in: bool,
        listener: Box<dyn SessionListener>,
        inbox: mpsc::UnboundedReceiver<Box<Mail>>,
    ) -> (Box<Self>, watch::Receiver<SessionStatus>) {
        let now = Instant::now();
        let (status, watched) = watch::channel(SessionStatus::new(child.id()));
        let task = Self {
            engine: Engine::new(Arc::clone(&shell), needs_sign_in, Habits::LIVE, now),
            alarm: Alarm::default(),
            master,
            child,
            shell,
            inbox,
            outbox: Outbox::default(),
            queue: Queue::default(),
            current: None,
            sign_in: None,
            sign_in_recorder: None,
            code_lives: Duration::ZERO,
            sign_out: None,
            admission: None,
            leaving: None,
            ending: Ending::default(),
            listener,
            gone: false,
            status,
        };
        (Box::new(task), watched)
    }

    /// Lives until the program and its terminal are gone.
    pub(super) async fn live(mut self: Box<Self>) {
        self.listener.event(SessionEvent::Started {
            pid: self.child.id(),
        });
        self.settle();
        while !matches!(self.engine.state(), State::Closed(_)) {
            match self.ready().await {
                Ready::Mail(Some(mail)) => self.mail(*mail),
                // Every handle is gone, which does not end a sign-in: the program decides when it is over.
                Ready::Mail(None) => {}
                Ready::Readable(Ok(())) => self.read(),
                Ready::Readable(Err(_)) => self.end_of_file(),
                Ready::Written(Ok(count)) => {
                    self.outbox.advance(count);
                    self.feed(Input::Written);
                }
                // The terminal is gone; reading says so too, and ends the session.
                Ready::Written(Err(_)) => self.outbox = Outbox::default(),
                Ready::Exited(status) => self.exited(status),
                Ready::Admitted(verdict) => self.admitted(verdict),
                Ready::Time => self.time(),
            }
            self.settle();
        }
        self.leave();
    }

    async fn ready(&mut self) -> Ready {
        let deadline = self.next_deadline();
        let (exited, at_end) = (self.ending.exit.is_some(), self.ending.end_of_file);
        let mail_open = !self.inbox.is_closed() || !self.inbox.is_empty();
        tokio::select! {
            // In this order: a program that floods must not keep a stop, a deadline, an interrupt or its own end waiting. Its
            // end ends nothing by itself: what it said is still read.
            biased;
            mail = self.inbox.recv(), if mail_open => Ready::Mail(mail),
            () = self.alarm.wait(deadline) => Ready::Time,
            written = self.master.write(self.outbox.front()), if !self.outbox.is_empty() && !at_end => Ready::Written(written),
            status = self.child.wait(), if !exited => Ready::Exited(status),
            verdict = verdict(self.admission.as_mut()), if self.admission.is_some() => Ready::Admitted(verdict),
            read = self.master.readable(), if !at_end => Ready::Readable(read),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let run = self
            .current
            .as_ref()
            .filter(|current| current.stopped.is_none())
            .and_then(|current| current.deadline);
        [
            self.engine.deadline(),
            run,
            self.ending.at_most,
            self.ending.kill_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── inputs ──────────────────────────────────────────────────────────────

    fn mail(&mut self, mail: Mail) {
        // A caller that does not wait for the reply has its reasons.
        match mail {
            Mail::Run(order, reply) => {
                let verdict = self.accept(order);
                reply.send(verdict).unwrap_or_default();
            }
            Mail::SignIn {
                request,
                recorder,
                reply,
            } => {
                let gone = matches!(self.engine.state(), State::Closing | State::Closed(_));
                let verdict = if self.leaving.is_some() || gone {
                    Err(SessionError::Ended)
                } else {
                    Ok(self.sign_in.is_none() && self.may_sign_in())
                };
                if verdict == Ok(true) {
                    let way = request.way.clone();
                    self.sign_in = Some((request, recorder));
                    // How the last one failed must not pass for how this one ended.
                    self.status.send_modify(|status| {
                        (status.failure, status.recording) = (None, None);
                        status.way = Some(way);
                    });
                }
                reply.send(verdict).unwrap_or_default();
            }
            Mail::Answer { tag, line, reply } => {
                let verdict = self.answer(tag, line);
                reply.send(verdict).unwrap_or_default();
            }
            Mail::Stop { tag, why } => self.stop(tag, why),
            Mail::Disconnect {
                command,
                force,
                why,
            } => self.disconnect(command, force, why),
            Mail::LetGo { command, why } => {
                if self.is_unused() {
                    self.leaving.get_or_insert(Leaving { command, why });
                }
            }
            Mail::Disown(failure) => {
                if self.is_unused() {
                    self.feed(Input::Disown(failure));
                }
            }
        }
    }

    /// Whether nothing is under way or waits here.
    fn is_unused(&self) -> bool {
        self.engine.is_free()
            && self.queue.len() == 0
            && self.current.is_none()
            && self.sign_in.is_none()
            && self.admission.is_none()
    }

    fn may_sign_in(&self) -> bool {
        matches!(
            self.engine.state(),
            State::Starting | State::SignedOut | State::Stopping(_)
        ) && self.status.borrow().identity.is_none()
    }

    fn accept(&mut self, order: Box<Order>) -> Result<(), SessionError> {
        if self.leaving.is_some()
            || matches!(self.engine.state(), State::Closing | State::Closed(_))
        {
            Err(SessionError::Ended)
        } else if self.engine.is_stuck() {
            Err(SessionError::Stuck)
        } else if self.queue.is_full() {
            Err(SessionError::Busy {
                queued: self.queue.len(),
            })
        } else {
            self.queue.push(order);
            Ok(())
        }
    }

    fn answer(&mut self, tag: u64, line: AnswerLine) -> Result<(), SessionError> {
        let State::Asking(question) = self.engine.state() else {
            return Err(SessionError::NothingAsked);
        };
        let current = self.current.as_ref();
        if current.is_none_or(|current| current.order.tag != tag) {
            return Err(SessionError::NothingAsked);
        }
        if !question.takes(line.text.expose()) {
            return Err(SessionError::NotOffered(question.choices.clone()));
        }
        if line.secret {
            self.record(|recorder, now| recorder.secret_answer(now, &line.text));
        }
        self.feed(Input::Answer(line));
        Ok(())
    }

    fn stop(&mut self, tag: u64, why: StopWhy) {
        if let Some(order) = self.queue.remove(tag) {
            order.listener.ended(RunResult::Dropped(why));
        } else if let Some(current) = &mut self.current
            && current.order.tag == tag
            && current.stopped.is_none()
        {
            current.stopped = Some(why);
            current.order.listener.event(RunEvent::Stopping);
            self.feed(Input::Interrupt);
        }
    }

    fn disconnect(&mut self, command: Option<String>, force: bool, why: CloseReason) {
        self.leaving = Some(Leaving {
            command,
            why: why.clone(),
        });
        if force {
            self.feed(Input::Close {
                disconnect: None,
                nonces: Vec::new(),
                why,
            });
            return;
        }
        if let Some(tag) = self.current.as_ref().map(|current| current.order.tag) {
            self.stop(tag, StopWhy::Asked);
        } else {
            self.feed(Input::Interrupt);
        }
    }

    /// What the terminal has now. What comes together is handled together: on a busy machine each wake-up of the machine costs
    /// more than the bytes do.
    fn read(&mut self) {
        let mut buffer = BUFFER.take();
        buffer.resize(READ_SIZE, 0);
        let mut count = 0;
        let ended = loop {
            match self.master.try_read(&mut buffer[count..]) {
                Ok(None) => break false,
                Ok(Some(0)) | Err(_) => break true,
                Ok(Some(more)) => count += more,
            }
            if READ_SIZE - count < READ_AT_LEAST {
                break false;
            }
        };
        if count > 0 {
            self.record(|recorder, now| recorder.output(now, &buffer[..count]));
            self.feed(Input::Output(&buffer[..count]));
        }
        BUFFER.set(buffer);
        if ended {
            self.end_of_file();
        }
    }

    fn end_of_file(&mut self) {
        self.ending.end_of_file = true;
        self.ending.at_most.get_or_insert(Instant::now() + GRACE);
        self.check_ended();
    }

    fn exited(&mut self, ended: std::io::Result<Ended>) {
        self.ending.exit = Some(match ended {
            Ok(Ended::With(status)) => match status.signal() {
                Some(signal) => CloseReason::Signalled(signal.to_owned()),
                None => CloseReason::Exited(status.exit_code()),
            },
            Ok(Ended::Unknown) | Err(_) => CloseReason::TerminalLost,
        });
        self.ending.at_most = Some(Instant::now() + DRAIN);
        self.check_ended();
    }

    /// Exit and end of output are two events, in any order; the session ends when both have come, or one and some time.
    fn check_ended(&mut self) {
        let late = self.ending.at_most.is_some_and(|at| at <= Instant::now());
        match (&self.ending.exit, self.ending.end_of_file) {
            (Some(reason), true) => self.feed(Input::Ended(reason.clone())),
            (Some(reason), false) if late => self.feed(Input::Ended(reason.clone())),
            // It lives and has let go of its terminal: nobody can ever talk to it again.
            (None, true) if late => {
                self.end_program(Child::kill_group);
                self.feed(Input::Ended(CloseReason::TerminalLost));
            }
            _ => {}
        }
    }

    fn end_program(&self, how: fn(&Child, &Master) -> std::io::Result<()>) {
        if let Err(error) = how(&self.child, &self.master) {
            tracing::error!(%error, pid = self.child.id(), "the program cannot be signalled");
        }
    }

    fn time(&mut self) {
        let now = Instant::now();
        if let Some(current) = &self.current
            && current.stopped.is_none()
            && current.deadline.is_some_and(|at| at <= now)
        {
            self.stop(current.order.tag, StopWhy::Deadline);
        }
        if self.ending.kill_at.is_some_and(|at| at <= now) {
            self.ending.kill_at = None;
            self.end_program(Child::kill_group);
        }
        if self.ending.at_most.is_some() {
            self.check_ended();
        }
        if self.engine.deadline().is_some_and(|at| at <= now) {
            self.feed(Input::Tick);
        }
    }

    // ── the machine ─────────────────────────────────────────────────────────

    fn feed(&mut self, input: Input<'_>) {
        let effects = self.engine.handle(input, Instant::now());
        for effect in effects {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Write(typed) => {
                if !typed.secret {
                    self.record(|recorder, now| recorder.input(now, &typed.bytes));
                }
                if typed.bytes == self.shell.interrupt.send {
                    self.outbox.overtake(typed.bytes);
                } else {
                    self.outbox.push(typed.bytes);
                }
            }
            Effect::Output(text) => self.tell(RunEvent::Output(&text)),
            // The echo of an answer is no output, and a beginning changes nothing.
            Effect::Echo(_) | Effect::Began => {}
            Effect::Record(record) => self.tell(RunEvent::Record(&record)),
            Effect::Challenged(challenge) => self.challenged(challenge),
            Effect::Asked(question) => self.asked(&question),
            Effect::Finished(finished) => self.finished(finished),
            Effect::SignedIn(identity) => {
                self.finish_sign_in_recording();
                match self.listener.admit(&identity) {
                    Some(admission) => self.admission = Some((identity, admission)),
                    None => self.signed_in(identity),
                }
            }
            Effect::SignInFailed(failure) => {
                self.finish_sign_in_recording();
                self.sign_in_failed(failure);
            }
            Effect::HangUp => {
                self.end_program(Child::hang_up_group);
                self.ending.kill_at = Some(Instant::now() + GRACE);
            }
            Effect::Kill => self.end_program(Child::kill_group),
        }
    }

    fn signed_in(&mut self, identity: Identity) {
        self.listener.event(SessionEvent::SignedIn(&identity));
        self.status.send_modify(|status| {
            status.challenge = None;
            status.failure = None;
            status.identity = Some(identity);
            status.signed_in_at = Some(Timestamp::now());
        });
    }

    fn sign_in_failed(&mut self, failure: SignInFailure) {
        self.listener.event(SessionEvent::SignInFailed(&failure));
        self.queue
            .end_all(&RunResult::SignInFailed(failure.clone()));
        self.status.send_modify(|status| {
            status.challenge = None;
            status.identity = None;
            status.signed_in_at = None;
            status.failure = Some(failure);
        });
    }

    /// Whoever was proven is let in, or signed out again.
    fn admitted(&mut self, verdict: Result<(), String>) {
        let Some((identity, _)) = self.admission.take() else {
            return;
        };
        match verdict {
            Ok(()) => self.signed_in(identity),
            Err(why) => {
                let failure = not_admitted(&why);
                let why = CloseReason::Told(failure.message.clone());
                self.sign_in_failed(failure);
                let command = self.sign_out.take();
                self.leaving.get_or_insert(Leaving { command, why });
            }
        }
    }

    fn tell(&mut self, event: RunEvent<'_>) {
        match &mut self.current {
            Some(Current {
                inquiring: Some(inquiring),
                ..
            }) => inquiring.hear(&event),
            Some(current) => current.order.listener.event(event),
            None => {}
        }
    }

    fn challenged(&mut self, challenge: Challenge) {
        // A run that shows a code is somebody's own sign-in; only the session's goes into its status.
        self.tell(RunEvent::Challenged(&challenge));
        if matches!(self.engine.state(), State::SigningIn(_)) {
            let shown_at = boot_seconds();
            let live = LiveChallenge {
                challenge,
                shown_at,
                dies_at: shown_at + self.code_lives.as_secs(),
            };
            self.status
                .send_modify(|status| status.challenge = Some(live));
        }
    }

    fn asked(&mut self, question: &Question) {
        self.tell(RunEvent::Asks(Some(question)));
        if let Some(current) = &self.current
            && (current.order.fails_on_question || current.inquiring.is_some())
        {
            self.stop(current.order.tag, StopWhy::Question(question.clone()));
        }
    }

    fn finished(&mut self, finished: Finished) {
        let Some(mut current) = self.current.take() else {
            return;
        };
        if self.shell.terminal.restore
            && let Err(error) = self.master.restore()
        {
            tracing::warn!(%error, "the terminal keeps the flags that a command left");
        }
        if let Some(inquiring) = current.inquiring.take() {
            self.inquired(current, inquiring, finished);
            return;
        }
        if let Some(recorder) = current.order.recorder.take()
            && let Err(error) = recorder.finish()
        {
            not_whole(&error);
            let event = RunEvent::RecordingFailed(&error);
            current.order.listener.event(event);
        }
        if !current.order.quiet {
            let last = Some((current.order.tag, Timestamp::now()));
            self.status.send_modify(|status| status.last = last);
        }
        current
            .order
            .listener
            .ended(RunResult::from_finished(finished, current.stopped));
    }

    /// An inquiry has ended: its command is the next to be sent, or is not sent at all.
    fn inquired(&mut self, current: Current, inquiring: Inquiring, finished: Finished) {
        let Current { order, stopped, .. } = current;
        let verdict = inquiring.end(&finished);
        match (stopped, finished.finish, verdict) {
            (None | Some(StopWhy::Deadline), Finish::Lost(reason), _) => {
                order
                    .listener
                    .ended(RunResult::SessionEnded(reason.to_string()));
            }
            (None, _, Ok(())) => self.queue.push_first(order),
            (None, _, Err(why)) => order.listener.ended(RunResult::NotAllowed(why)),
            (Some(StopWhy::Deadline | StopWhy::Question(_)), _, _) => {
                let why = "what its names mean in the session could not be looked up in time";
                order.listener.ended(RunResult::NotAllowed(why.to_owned()));
            }
            (Some(why), _, _) => order.listener.ended(RunResult::Dropped(why)),
        }
    }

    // ── what comes next ─────────────────────────────────────────────────────

    /// Gives a free program its next work, and shows where everything stands.
    fn settle(&mut self) {
        if self.engine.is_free() {
            self.next();
        }
        self.publish();
    }

    fn next(&mut self) {
        if let Some(Leaving { command, why }) = self.leaving.clone() {
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
                self.sign_in_recorder = recorder.map(|recorder| *recorder);
                self.sign_out.clone_from(&request.disconnect);
                self.feed(Input::SignIn(request));
            } else if self.queue.len() > 0 {
                // Their sign-in failed between two letters.
                let failure = self.status.borrow().failure.clone();
                let result = failure.map_or_else(
                    || RunResult::SessionEnded("it is signed out".to_owned()),
                    RunResult::SignInFailed,
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
        self.current = Some(Current {
            order,
            deadline,
            stopped: None,
            inquiring: None,
        });
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
        self.current = Some(Current {
            order,
            deadline: Some(Instant::now() + inquiry::WITHIN),
            stopped: None,
            inquiring: Some(Inquiring::new(verdict)),
        });
        self.feed(Input::Run(Box::new(request)));
    }

    fn publish(&mut self) {
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

    fn leave(&mut self) {
        let reason = match self.engine.state() {
            State::Closed(CloseReason::NeverReady) => self.never_ready(),
            State::Closed(reason) => reason.to_string(),
            _ => CloseReason::TerminalLost.to_string(),
        };
        self.inbox.close();
        while let Ok(mail) = self.inbox.try_recv() {
            self.mail(*mail);
        }
        self.queue.end_all(&RunResult::SessionEnded(reason.clone()));
        self.listener.event(SessionEvent::Ended(&reason));
        self.gone = true;
        self.publish();
    }

    fn record(&mut self, write: impl FnOnce(&mut Writer, Instant) -> Result<(), WriteError>) {
        // A run begins only when no sign-in runs.
        let recorder = match &mut self.current {
            Some(current) if current.inquiring.is_some() => return,
            Some(current) => &mut current.order.recorder,
            None => &mut self.sign_in_recorder,
        };
        if let Some(writer) = recorder
            && let Err(error) = write(writer, Instant::now())
        {
            *recorder = None;
            let why = not_whole(&error);
            if self.current.is_some() {
                self.tell(RunEvent::RecordingFailed(&error));
            } else {
                self.status
                    .send_modify(|status| status.recording = Some(why));
            }
        }
    }

    /// Writes the rest of a sign-in's recording, if there is one.
    fn finish_sign_in_recording(&mut self) {
        if let Some(recorder) = self.sign_in_recorder.take()
            && let Err(error) = recorder.finish()
        {
            let why = not_whole(&error);
            self.status
                .send_modify(|status| status.recording = Some(why));
        }
    }
}

/// What is recorded goes on, and its recording does not. The reason, for people.
fn not_whole(error: &WriteError) -> String {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a recording is not whole"
    );
    let why = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    format!("{error}{why}")
}

/// The answer to who was proven. One that never comes is no leave to enter.
async fn verdict(admission: Option<&mut (Identity, Admission)>) -> Result<(), String> {
    match admission {
        Some((_, answer)) => answer
            .await
            .unwrap_or_else(|_| Err("nobody answered".to_owned())),
        None => std::future::pending().await,
    }
}

/// Nonces from the system's random numbers.
pub(crate) fn nonces(count: usize) -> Vec<Nonce> {
    // At once: each call is one of the system's.
    let mut bytes = vec![[0; 8]; count];
    getrandom::fill(bytes.as_flattened_mut()).expect("the system has random numbers once it runs");
    bytes.into_iter().map(Nonce::from_random).collect()
}
