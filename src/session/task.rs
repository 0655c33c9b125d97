//! The task of one session. Its loop turns what is ready into an input of the machine and does what the machine asks, in
//! one place each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::program::Ending;
use self::signing::verdict;
use super::alarm::Alarm;
use super::inbox::Inbox;
use super::inquiry::Inquiring;
use super::mail::{Admission, Mail, Order, SessionEvent, SessionListener, StopWhy};
use super::outbox::Outbox;
use super::queue::Queue;
use super::status::SessionStatus;
use crate::expect::{CloseReason, Engine, Habits, Identity, Input, SignInRequest, State};
use crate::pty::{Child, Ended, Master};
use crate::recording::Writer;
use crate::script::Shell;

mod effects;
mod letters;
mod next;
mod program;
mod recording;
mod showing;
mod signing;

pub(crate) use next::nonces;

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

pub(super) struct Task {
    master: Master,
    child: Child,
    engine: Engine,
    alarm: Alarm,
    shell: Arc<Shell>,
    inbox: Inbox,
    outbox: Outbox,
    queue: Queue,
    /// Boxed, as whatever a session that rests has not.
    current: Option<Box<Current>>,
    /// Waits for the program to be free.
    sign_in: Option<(Box<SignInRequest>, Option<Box<Writer>>)>,
    /// Of the sign-in that runs.
    sign_in_recorder: Option<Box<Writer>>,
    /// How long the code of the sign-in that runs lives.
    code_lives: Duration,
    /// What signs the sign-in that runs out again.
    sign_out: Option<String>,
    /// Who was proven and is still to be let in.
    admission: Option<Box<(Identity, Admission)>>,
    /// Somebody wants the session to end.
    leaving: Option<Box<Leaving>>,
    ending: Ending,
    listener: Box<dyn SessionListener>,
    /// Whether everybody was told of its end.
    gone: bool,
    status: watch::Sender<SessionStatus>,
}

enum Ready {
    Mail(Box<Mail>),
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
        inbox: Inbox,
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
                Ready::Mail(mail) => self.mail(*mail),
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
        tokio::select! {
            // In this order: a program that floods must not keep a stop, a deadline, an interrupt or its own end waiting. Its
            // end ends nothing by itself: what it said is still read.
            biased;
            mail = self.inbox.recv() => Ready::Mail(mail),
            () = self.alarm.wait(deadline) => Ready::Time,
            written = self.master.write(self.outbox.front()), if !self.outbox.is_empty() && !at_end => Ready::Written(written),
            status = self.child.wait(), if !exited => Ready::Exited(status),
            verdict = verdict(self.admission.as_deref_mut()), if self.admission.is_some() => Ready::Admitted(verdict),
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

    /// Gives a free program its next work, and shows where everything stands.
    fn settle(&mut self) {
        if self.engine.is_free() {
            self.next();
        }
        self.publish();
    }

    fn feed(&mut self, input: Input<'_>) {
        let effects = self.engine.handle(input, Instant::now());
        for effect in effects {
            self.apply(effect);
        }
    }
}
