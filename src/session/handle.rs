//! The handle of a session: cheap to clone, and nothing more than a mailbox and a snapshot.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::inbox::{self, mailbox};
use super::mail::{Mail, Order, SessionListener, StopWhy};
use super::status::SessionStatus;
use super::task::Task;
use crate::expect::{AnswerLine, CloseReason, SignInFailure, SignInRequest};
use crate::pty;
use crate::recording::Writer;
use crate::script::Shell;

/// Why a session did not take what it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionError {
    /// Enough runs wait already.
    #[error("{queued} runs wait already")]
    Busy {
        /// How many.
        queued: usize,
    },
    /// It waits for something that does not listen.
    #[error("it waits for something that does not listen")]
    Stuck,
    /// Somebody's run is in it, or some wait for it.
    #[error("it is used")]
    InUse {
        /// The tag of the run that it has.
        run: Option<u64>,
        /// How many wait.
        queued: usize,
    },
    /// There is no such question.
    #[error("nothing is asked")]
    NothingAsked,
    /// The answer is none of the question's choices, which are these letters and words.
    #[error("the answer is none of the choices")]
    NotOffered(Vec<(String, String)>),
    /// Its program is gone, or going.
    #[error("it has ended")]
    Ended,
}

/// What a session is started with.
pub(crate) struct Launch {
    pub(crate) command: pty::Command,
    pub(crate) shell: Arc<Shell>,
    /// Whether it rests signed out until a sign-in proves somebody.
    pub(crate) needs_sign_in: bool,
    pub(crate) listener: Box<dyn SessionListener>,
}

/// A running session. Dropping every handle leaves it running: it ends by [`Session::disconnect`] or with its program.
#[derive(Clone)]
pub(crate) struct Session {
    mail: inbox::Sender,
    status: watch::Receiver<SessionStatus>,
}

impl Session {
    /// Starts the program and its task, which runs on `runtime`. Fails where the program cannot be started.
    pub(crate) fn start(launch: Launch, runtime: &Handle) -> Result<Self, pty::SpawnError> {
        let _entered = runtime.enter();
        let (master, child) = pty::Pty::spawn(&launch.command)?;
        let (mail, inbox) = mailbox();
        let (task, status) = Task::new(
            master,
            child,
            launch.shell,
            launch.needs_sign_in,
            launch.listener,
            inbox,
        );
        runtime.spawn(task.live());
        Ok(Self { mail, status })
    }

    /// Queues a command. An error says why not; its listener has then heard nothing.
    pub(crate) async fn run(&self, order: Order) -> Result<(), SessionError> {
        let (reply, answer) = oneshot::channel();
        self.send(Mail::Run(Box::new(order), reply))?;
        answer.await.unwrap_or(Err(SessionError::Ended))
    }

    /// Begins to sign in, once the program is ready, and says so. A sign-in that runs already, or has succeeded, is left as
    /// it is. `recorder` gets everything the terminal says and is told from then to the end of the sign-in, but no frame that
    /// holds a secret.
    pub(crate) async fn sign_in(
        &self,
        request: SignInRequest,
        recorder: Option<Writer>,
    ) -> Result<bool, SessionError> {
        let (reply, answer) = oneshot::channel();
        self.send(Mail::SignIn {
            request: Box::new(request),
            recorder: recorder.map(Box::new),
            reply,
        })?;
        answer.await.unwrap_or(Err(SessionError::Ended))
    }

    /// Answers the question of run `tag`. What the question does not offer is not sent.
    pub(crate) async fn answer(&self, tag: u64, line: AnswerLine) -> Result<(), SessionError> {
        let (reply, answer) = oneshot::channel();
        self.send(Mail::Answer { tag, line, reply })?;
        answer.await.unwrap_or(Err(SessionError::Ended))
    }

    /// Stops a run, in the line or in the program. One that is over is left alone.
    pub(crate) fn stop(&self, tag: u64, why: StopWhy) {
        // A session that has ended has ended its runs too.
        self.send(Mail::Stop { tag, why }).unwrap_or_default();
    }

    /// Signs out with `command` and ends the program, which is then closed for this reason; with `force` the program is
    /// ended at once.
    pub(crate) fn disconnect(
        &self,
        command: Option<String>,
        force: bool,
        why: CloseReason,
    ) -> Result<(), SessionError> {
        self.send(Mail::Disconnect {
            command,
            force,
            why,
        })
    }

    /// As [`disconnect`](Self::disconnect), unless it has somebody's run or one waits for it: then nothing happens, and the
    /// error says so. What is nobody's run does not count, nor does a sign-in that no run waits for.
    pub(crate) async fn sign_out(
        &self,
        command: Option<String>,
        why: CloseReason,
    ) -> Result<(), SessionError> {
        let (reply, answer) = oneshot::channel();
        self.send(Mail::SignOut {
            command,
            why,
            reply,
        })?;
        answer.await.unwrap_or(Err(SessionError::Ended))
    }

    /// As [`disconnect`](Self::disconnect), unless it is used in any way: then nothing happens.
    pub(crate) fn let_go(&self, command: Option<String>, why: CloseReason) {
        // A session that has ended needs nothing more.
        self.send(Mail::LetGo { command, why }).unwrap_or_default();
    }

    /// Its sign-in was found to be gone: from now on it is signed out. One that runs something is left alone.
    pub(crate) fn disown(&self, failure: SignInFailure) {
        self.send(Mail::Disown(failure)).unwrap_or_default();
    }

    /// The snapshot, and a way to wait for the next one.
    pub(crate) fn status(&self) -> watch::Receiver<SessionStatus> {
        self.status.clone()
    }

    fn send(&self, mail: Mail) -> Result<(), SessionError> {
        self.mail
            .send(Box::new(mail))
            .map_err(|_| SessionError::Ended)
    }
}
