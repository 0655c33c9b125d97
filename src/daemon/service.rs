//! [`Service`]: the verbs.

use super::{Answer, DaemonView, OutputPage, RunOrder, RunView, ServiceError, SessionView};
use crate::name::{RunId, SessionKey};

/// The daemon's verbs. Cheap to clone; every clone is the same daemon.
#[derive(Clone)]
pub(crate) struct Service {}

/// Follows one run. Dropping it changes nothing for the run.
pub(crate) struct RunWatch {}

/// Follows one session. Dropping it changes nothing for the session.
pub(crate) struct SessionWatch {}

impl RunWatch {
    /// The run as it is now.
    pub(crate) fn view(&self) -> RunView {
        todo!()
    }

    /// The session's view, while the run waits for its sign-in.
    pub(crate) fn session(&self) -> Option<SessionView> {
        todo!()
    }

    /// Output from `from` on, at most `max` bytes; empty where there is none yet.
    pub(crate) fn page(&self, _from: u64, _max: usize) -> Result<OutputPage, ServiceError> {
        todo!()
    }

    /// Waits until the run, its session's sign-in or its output has changed since the last call. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        todo!()
    }
}

impl SessionWatch {
    /// The session as it is now.
    pub(crate) fn view(&self) -> SessionView {
        todo!()
    }

    /// Waits until it has changed since the last call. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        todo!()
    }
}

impl Service {
    /// Accepts a command: checks it, finds or starts its session, and queues it. Returns at once.
    pub(crate) async fn run(&self, _order: RunOrder) -> Result<RunWatch, ServiceError> {
        todo!()
    }

    /// Follows a run that was accepted before.
    pub(crate) async fn watch_run(&self, _id: &RunId) -> Result<RunWatch, ServiceError> {
        todo!()
    }

    /// The newest runs first, of one connection or module where given (as typed).
    pub(crate) async fn runs(
        &self,
        _connection: Option<&str>,
        _module: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<RunView>, ServiceError> {
        todo!()
    }

    /// Output of a run, also of one that ended before the daemon started.
    pub(crate) async fn output(
        &self,
        _id: &RunId,
        _from: u64,
        _max: usize,
    ) -> Result<OutputPage, ServiceError> {
        todo!()
    }

    /// Tells a run to stop; returns at once. A run that is over is returned as it is.
    pub(crate) async fn stop(&self, _id: &RunId) -> Result<RunView, ServiceError> {
        todo!()
    }

    /// Answers a run's question.
    pub(crate) async fn answer(
        &self,
        _id: &RunId,
        _answer: Answer,
    ) -> Result<RunView, ServiceError> {
        todo!()
    }

    /// Whoever asked for this run has gone; what that means was said when it was ordered.
    pub(crate) fn caller_left(&self, _id: &RunId) {
        todo!()
    }

    /// Finds or starts a session and its sign-in; returns at once. The same live code is never replaced by a second one.
    /// `forget_identity` drops the pinned identity of a connection that names neither account nor tenant.
    pub(crate) async fn login(
        &self,
        _connection: &str,
        _module: &str,
        _forget_identity: bool,
    ) -> Result<SessionWatch, ServiceError> {
        todo!()
    }

    /// Sessions, of one connection or module where given (as typed).
    pub(crate) async fn sessions(
        &self,
        _connection: Option<&str>,
        _module: Option<&str>,
    ) -> Result<Vec<SessionView>, ServiceError> {
        todo!()
    }

    /// Signs out and ends a session, waiting for it; `force` kills it at once. Returns what it was.
    pub(crate) async fn disconnect(
        &self,
        _connection: &str,
        _module: &str,
        _force: bool,
    ) -> Result<SessionKey, ServiceError> {
        todo!()
    }

    /// Adds or removes the built-in `Demo` connection, with this scenario.
    pub(crate) async fn keep_demo(&self, _scenario: Option<&str>) -> Result<(), ServiceError> {
        todo!()
    }

    /// The daemon itself.
    pub(crate) async fn info(&self) -> DaemonView {
        todo!()
    }

    /// Begins to stop: refuses where sign-ins would be lost and `force` is not given; else drains. Returns when drained.
    pub(crate) async fn shut_down(&self, _force: bool) -> Result<(), ServiceError> {
        todo!()
    }
}
