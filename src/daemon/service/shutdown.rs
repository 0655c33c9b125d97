//! The end of the daemon: nothing new is begun, what runs may end, sessions are signed out, and the books are closed.

use std::time::Duration;

use super::Service;
use super::sessions::Parting;
use crate::audit::{Entry as AuditEntry, Kind};
use crate::daemon::ServiceError;
use crate::daemon::registry::Entry;
use crate::daemon::run::Run;
use crate::daemon::view::RunState;
use crate::expect::CloseReason;
use crate::session::StopWhy;

/// How long runs under way may go on once the daemon stops. A service manager kills what has not ended after a while
/// (systemd.service(5): 90 seconds), and then no session would be signed out.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);

/// How long runs that were not begun may take to end. They wait for nothing; their sessions may.
const TAKE_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How long a session may take to sign out when the daemon stops, before it is ended.
const SIGN_OUT_WITHIN: Duration = Duration::from_secs(6);

/// Waits for all of them, and says whether that was in time.
async fn all_end(ends: Vec<impl Future<Output = ()>>, within: Duration) -> bool {
    let all = async {
        for end in ends {
            end.await;
        }
    };
    tokio::time::timeout(within, all).await.is_ok()
}

/// Whether nothing of it was sent to its session yet.
fn is_not_begun(run: &Run) -> bool {
    match run.view().state {
        RunState::Queued | RunState::WaitingForSignIn | RunState::WaitingForApproval => true,
        RunState::Running | RunState::Asking | RunState::Stopping | RunState::Ended => false,
    }
}

/// How the daemon is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// Not where that would cost a sign-in. What runs may end.
    Asked,
    /// Sign-ins or not, but what runs may end.
    Drained,
    /// What runs is stopped.
    Forced,
}

impl Service {
    /// Stops: refuses where that would cost what `how` does not allow; else nothing new is begun, what runs is waited for or
    /// stopped, every session is signed out and ended, and the state is closed. Returns when that is done. It may be asked
    /// for again meanwhile, and more firmly. A sign-in that its program keeps on disk is not lost, and stays.
    pub(crate) async fn shut_down(&self, how: Shutdown) -> Result<(), ServiceError> {
        let living = self.0.sessions.shut(|living| {
            let lost = living
                .iter()
                .filter(|entry| entry.is_signed_in() && entry.loses_sign_in());
            let sessions: Vec<String> = lost.map(|entry| entry.key.to_string()).collect();
            if how != Shutdown::Asked || sessions.is_empty() {
                return Ok(());
            }
            Err(ServiceError::WouldLoseSignIns { sessions })
        })?;
        tracing::info!(
            sessions = living.len(),
            ?how,
            "stopping: sessions are signed out and ended"
        );
        self.take_back().await;
        if how != Shutdown::Forced {
            self.drain().await;
        }
        let ends = living
            .into_iter()
            .map(|entry| tokio::spawn(self.clone().sign_out(entry)));
        // From here on nothing keeps the daemon alive: what fails is told to the log.
        for end in ends.collect::<Vec<_>>() {
            if let Err(error) = end.await {
                tracing::error!(%error, "a session could not be ended");
            }
        }
        self.close_books().await;
        Ok(())
    }

    /// Kills every session's program, signed in or not, and returns when they are gone or a moment has passed.
    pub(crate) async fn kill(&self) {
        let ends = self.0.sessions.all().into_iter().map(|entry| {
            let service = self.clone();
            tokio::spawn(async move {
                let why = CloseReason::Told("the daemon was killed".to_owned());
                service
                    .end_session(&entry, Parting::Kill, why, SIGN_OUT_WITHIN)
                    .await
            })
        });
        for end in ends.collect::<Vec<_>>() {
            if let Err(error) = end.await {
                tracing::error!(%error, "a session could not be killed");
            }
        }
        self.close_books().await;
    }

    /// Writes down that the daemon has stopped, and everything that is still to be written.
    async fn close_books(&self) {
        self.0.audit.note(AuditEntry::new(Kind::DaemonStopped));
        if let Err(error) = self.0.audit.flush().await {
            tracing::error!(%error, "the audit could not be brought up to date");
        }
        if let Err(error) = self.0.store.flush().await {
            tracing::error!(%error, "the database could not be brought up to date");
        }
    }

    /// What a daemon that stops still waits for, in words; nothing while it does not stop.
    pub(super) fn waits_for(&self) -> Vec<String> {
        if !self.0.sessions.is_shut() {
            return Vec::new();
        }
        let runs = self.0.runs.all();
        let runs = runs
            .iter()
            .filter(|run| !run.is_over() && !is_not_begun(run));
        let mut waits: Vec<String> = runs
            .map(|run| format!("run {} of {}", run.id, run.session))
            .collect();
        let living = self.0.sessions.all();
        let living = living.iter().filter(|entry| !entry.is_closed());
        waits.extend(living.map(|entry| format!("{} to end", entry.key)));
        waits
    }

    /// Takes back what was not begun, so that it is said to have been: a run that waits for a yes is no work under way.
    async fn take_back(&self) {
        let runs = self.0.runs.all();
        let mut ends = Vec::new();
        for run in runs
            .iter()
            .filter(|run| !run.is_over() && is_not_begun(run))
        {
            let entry = self.0.sessions.get(&run.session);
            let row = run.audited(Kind::Interrupt).because("the daemon stops");
            self.stop_live(run, entry.as_ref(), StopWhy::Shutdown, row);
            ends.push(run.ended());
        }
        if !all_end(ends, TAKE_BACK_WITHIN).await {
            tracing::warn!("not all that waited is taken back");
        }
    }

    /// Waits for what runs; what takes too long is stopped.
    async fn drain(&self) {
        let runs: Vec<_> = self.0.runs.all();
        let mut ends = Vec::new();
        for run in runs.iter().filter(|run| !run.is_over()) {
            tracing::warn!(run = %run.id, session = %run.session, "waiting for it to end");
            ends.push(run.ended());
        }
        if !all_end(ends, DRAIN_WITHIN).await {
            tracing::warn!("what still runs is stopped");
        }
    }

    /// Signs out and ends one session; kills it where that takes too long.
    async fn sign_out(self, entry: Entry) {
        let why = CloseReason::Told("the daemon stopped".to_owned());
        let parting = if entry.loses_sign_in() {
            Parting::SignOut
        } else {
            Parting::KeepSignIn
        };
        if self
            .end_session(&entry, parting, why.clone(), SIGN_OUT_WITHIN)
            .await
        {
            return;
        }
        tracing::warn!(session = %entry.key, "it does not sign out in time and is ended");
        if !self
            .end_session(&entry, Parting::Kill, why, SIGN_OUT_WITHIN)
            .await
        {
            tracing::error!(session = %entry.key, "it does not end; it ends with the daemon");
        }
    }
}
