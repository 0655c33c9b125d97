//! [`Store`]: the handle that sends work to the thread which owns the database, and what is known about that thread's luck.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::schema::{self, SchemaError};

/// How long a write waits for another program that holds the database.
const BUSY: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The database, for everyone. Clones share the one thread; work is done in the order in which it was sent. When the last
/// clone is dropped the thread does what it was still sent and ends; nobody waits for it, unless through [`Store::flush`].
#[derive(Debug, Clone)]
pub(crate) struct Store {
    jobs: Sender<Job>,
    path: Arc<Path>,
    health: Arc<Mutex<Health>>,
}

/// How writes fared that nobody waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// How many of them failed since the start.
    pub(crate) failed_writes: u64,
    /// What the last one that failed was for, and why. `None` again once a later one succeeded.
    pub(crate) failing: Option<String>,
}

impl Store {
    /// Opens the database, or makes it (0600), and starts its thread. Blocks until it is usable: five seconds at most
    /// while another program holds it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, BUSY)
    }

    /// As [`open`](Self::open), with how long to wait for another program.
    pub(super) fn open_within(path: &Path, busy: Duration) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        // SQLite would make it with the umask's mode; its `-wal` and `-shm` files take the mode of this one.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)
            .map_err(open)?;
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(open)?;
        drop(file);

        let (jobs, work) = channel::<Job>();
        let (opened, outcome) = channel();
        let file: PathBuf = path.to_owned();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || match connect(&file, busy) {
                Ok(db) => {
                    // Nobody but `open_within` below waits for this, and it does.
                    let _ = opened.send(Ok(()));
                    serve(db, &work);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(open)?;
        outcome.recv().unwrap_or(Err(StoreError::Closed))?;
        Ok(Self {
            jobs,
            path: path.into(),
            health: Arc::default(),
        })
    }

    /// Does `job` on the database's thread and waits for its answer. Dropping the future does not take the job back.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // The caller may have gone; the work is done all the same.
            let _ = answer.send(job(db));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        let answer = answered.await.map_err(|_| StoreError::Closed)?;
        answer.map_err(|error| StoreError::of(error, &self.path))
    }

    /// Does `job` on the database's thread and does not wait. If it fails, the log says so and [`health`](Self::health)
    /// counts it; `what` names it there and holds nothing of its content.
    pub(super) fn post(
        &self,
        what: &'static str,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        let (health, path) = (Arc::clone(&self.health), Arc::clone(&self.path));
        let done: Job = Box::new(move |db| match job(db) {
            Ok(()) => lock(&health).failing = None,
            Err(error) => failed(&health, what, &StoreError::of(error, &path)),
        });
        if self.jobs.send(done).is_err() {
            failed(&self.health, what, &StoreError::Closed);
        }
    }

    /// Does `job` on the database's thread and does not wait. What became of it is the job's own business; `what` is for
    /// the log, where the thread is gone.
    pub(super) fn send(
        &self,
        what: &'static str,
        job: impl FnOnce(&mut Connection, &Path) + Send + 'static,
    ) {
        let path = Arc::clone(&self.path);
        let job: Job = Box::new(move |db| job(db, &path));
        if self.jobs.send(job).is_err() {
            failed(&self.health, what, &StoreError::Closed);
        }
    }

    /// The file that holds what was committed and is not in the database's own file yet. It is absent until something is.
    pub(crate) fn log_file(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push("-wal");
        path.into()
    }

    /// How the writes fared that nobody waited for.
    pub(crate) fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    /// Waits until everything that was sent before is done, and moves it from the log into the file.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.call(|db| db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())))
            .await
    }
}

fn lock(health: &Mutex<Health>) -> std::sync::MutexGuard<'_, Health> {
    // Nothing that can panic happens under the lock.
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(health: &Mutex<Health>, what: &'static str, error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(what, %error, cause, "a write to the database failed");
    let mut health = lock(health);
    health.failed_writes += 1;
    health.failing = Some(format!("{what}: {error}"));
}

fn connect(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let mut db = Connection::open(path).map_err(|error| StoreError::of(error, path))?;
    match schema::prepare(&mut db, busy) {
        Ok(()) => Ok(db),
        Err(SchemaError::Newer { found, known }) => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        Err(SchemaError::Sqlite(error)) => Err(StoreError::of(error, path)),
    }
}

fn serve(mut db: Connection, work: &Receiver<Job>) {
    while let Ok(job) = work.recv() {
        job(&mut db);
    }
    if let Err((_, error)) = db.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
