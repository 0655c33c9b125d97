//! [`Backlog`]: writes that nobody waits for and that could not be done, kept in their order until they can be.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode};

use super::error::StoreError;

/// A write that may be tried again.
pub(super) type Write = Box<dyn Fn(&mut Connection) -> rusqlite::Result<()> + Send>;

/// So many wait. Each may hold the output of a run, a megabyte at most.
const AT_MOST: usize = 64;

/// How writes fare that nobody waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// How many wait until there is room, or another program lets go of the database.
    pub(crate) waiting: usize,
    /// How many will never be done. The log names them.
    pub(crate) lost: u64,
    /// What the last one that failed was for, and why. `None` again once everything that waited is done.
    pub(crate) failing: Option<String>,
}

/// What waits, on the database's thread.
pub(super) struct Backlog {
    waiting: VecDeque<(&'static str, Write)>,
    health: Arc<Mutex<Health>>,
    path: Arc<Path>,
}

impl Backlog {
    /// Nothing yet; what becomes of it is told by `health`.
    pub(super) fn new(health: Arc<Mutex<Health>>, path: Arc<Path>) -> Self {
        Self {
            waiting: VecDeque::new(),
            health,
            path,
        }
    }

    /// Does a write, after those that wait; or has it wait behind them. `what` names it in the log and in the health, and
    /// holds nothing of its content.
    pub(super) fn write(&mut self, db: &mut Connection, what: &'static str, write: Write) {
        let before = self.catch_up(db);
        match before.and_then(|()| write(db)) {
            Ok(()) => lock(&self.health).failing = None,
            Err(error) if passes(&error) && self.waiting.len() < AT_MOST => {
                self.failed(what, error);
                self.waiting.push_back((what, write));
                lock(&self.health).waiting = self.waiting.len();
            }
            Err(error) => {
                self.failed(what, error);
                lock(&self.health).lost += 1;
            }
        }
    }

    /// Does what waits, in order, as far as that works now.
    pub(super) fn catch_up(&mut self, db: &mut Connection) -> rusqlite::Result<()> {
        while let Some((what, write)) = self.waiting.front() {
            let (what, done) = (*what, write(db));
            match done {
                Err(error) if passes(&error) => return Err(error),
                Ok(()) => {}
                Err(error) => {
                    self.failed(what, error);
                    lock(&self.health).lost += 1;
                }
            }
            self.waiting.pop_front();
            let mut health = lock(&self.health);
            health.waiting = self.waiting.len();
            if self.waiting.is_empty() {
                health.failing = None;
                tracing::info!("what could not be written to the database is written now");
            }
        }
        Ok(())
    }

    fn failed(&self, what: &'static str, error: rusqlite::Error) {
        failed(&self.health, what, &StoreError::of(error, &self.path));
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        for (what, _) in &self.waiting {
            tracing::error!(
                what,
                "a write to the database is lost: it could not be done in time"
            );
        }
    }
}

/// Whether the same write may succeed later.
fn passes(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
        )
    )
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    // Nothing that can panic happens under the lock.
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the log and the health of a write that was not done.
pub(super) fn failed(health: &Mutex<Health>, what: &'static str, error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(what, %error, cause, "a write to the database failed");
    lock(health).failing = Some(format!("{what}: {error}"));
}
