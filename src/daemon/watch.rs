//! Following a run or a session. Dropping a watch changes nothing for what it follows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ServiceError;
use super::hint::due_after;
use super::registry::{Entry, session_view};
use super::run::{Progress, Run, page};
use super::service::Service;
use super::view::{OutputPage, RunState, RunView, SessionView};
use crate::output::Follower;
use crate::session::SessionStatus;

/// Follows one run of this daemon, or shows one of the past.
pub(crate) struct RunWatch(Followed);

enum Followed {
    Live {
        run: Arc<Run>,
        progress: watch::Receiver<Progress>,
        output: Follower,
        session: Option<Box<SessionWatch>>,
    },
    Past {
        service: Service,
        view: Box<RunView>,
    },
}

impl RunWatch {
    pub(super) fn live(service: Service, run: Arc<Run>, entry: Option<Entry>) -> Self {
        let (progress, output) = (run.watch(), run.output.follow());
        let session = entry.map(|entry| Box::new(SessionWatch::new(service.clone(), entry)));
        Self(Followed::Live {
            run,
            progress,
            output,
            session,
        })
    }

    pub(super) fn past(service: Service, view: RunView) -> Self {
        Self(Followed::Past {
            service,
            view: Box::new(view),
        })
    }

    /// The run as it is now.
    pub(crate) fn view(&self) -> RunView {
        match &self.0 {
            Followed::Live { run, .. } => run.view(),
            Followed::Past { view, .. } => view.as_ref().clone(),
        }
    }

    /// The session's view, while the run waits for its sign-in.
    pub(crate) fn session(&self) -> Option<SessionView> {
        match &self.0 {
            Followed::Live {
                run,
                session: Some(session),
                ..
            } if run.view().state == RunState::WaitingForSignIn => Some(session.view()),
            Followed::Live { .. } | Followed::Past { .. } => None,
        }
    }

    /// Output from `from` on, at most `max` bytes; empty where there is none yet.
    pub(crate) async fn page(&self, from: u64, max: usize) -> Result<OutputPage, ServiceError> {
        match &self.0 {
            Followed::Live { run, .. } => {
                page(run, from, max).map_err(|error| ServiceError::State {
                    message: format!("the output of run {} cannot be read: {error}", run.id),
                })
            }
            Followed::Past { service, view } => service.output(&view.id, from, max).await,
        }
    }

    /// Waits until the run, its session's sign-in or its output has changed since the last call. A run of the past never
    /// changes. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        let Followed::Live {
            run,
            progress,
            output,
            session,
            ..
        } = &mut self.0
        else {
            return std::future::pending().await;
        };
        let waits = run.view().state == RunState::WaitingForSignIn;
        let sign_in = async {
            match session {
                Some(session) if waits => session.changed().await,
                _ => std::future::pending().await,
            }
        };
        // The senders live as long as the run, which this holds.
        tokio::select! {
            _ = progress.changed() => {}
            () = output.changed() => {}
            () = sign_in => {}
        }
    }
}

/// Follows one session.
pub(crate) struct SessionWatch {
    service: Service,
    entry: Entry,
    status: watch::Receiver<SessionStatus>,
}

impl SessionWatch {
    pub(super) fn new(service: Service, entry: Entry) -> Self {
        let status = entry.session.status();
        Self {
            service,
            entry,
            status,
        }
    }

    /// The session as it is now.
    pub(crate) fn view(&self) -> SessionView {
        session_view(&self.entry, |tag| self.service.run_id(tag))
    }

    /// Waits until it has changed since the last call, or until its code has stood for so long that there is a hint to give.
    /// A session whose program is gone never changes. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        let hint = self.until_hint();
        let hint = async {
            match hint {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = self.status.changed() => {
                if changed.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            () = hint => {}
        }
    }

    /// How long until the code that stands has a hint. `None` where none stands, or the hint is there already.
    fn until_hint(&self) -> Option<Duration> {
        let status = self.status.borrow();
        let live = status.challenge.as_ref()?;
        let left = due_after(live.lives()).checked_sub(live.age())?;
        (!left.is_zero()).then_some(left)
    }
}

/// Follows all sessions.
pub(crate) struct SessionsWatch {
    service: Service,
    changes: watch::Receiver<()>,
}

impl SessionsWatch {
    pub(super) fn new(service: Service, changes: watch::Receiver<()>) -> Self {
        Self { service, changes }
    }

    /// The sessions as they are now, by name.
    pub(crate) fn view(&self) -> Vec<SessionView> {
        self.service.all_sessions()
    }

    /// Waits until one has started, changed or is forgotten since the last call. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        // The sender is the service's, which this holds.
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
