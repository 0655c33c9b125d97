//! [`Store`]: the handle that sends work to the thread which owns the database, and what is known about that thread's luck.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::backlog::{Backlog, Health, failed, lock};
use super::error::StoreError;
use super::schema::{self, SchemaError};

/// How long a write waits for another program that holds the database.
const BUSY: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection, &mut Backlog) + Send>;

/// The database, for everyone. Clones share the one thread; work is done in the order in which it was sent. When the last
/// clone is dropped the thread does what it was still sent and ends; nobody waits for it, unless through [`Store::flush`].
#[derive(Debug, Clone)]
pub(crate) struct Store {
    jobs: Sender<Job>,
    path: Arc<Path>,
    health: Arc<Mutex<Health>>,
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
        let (health, path): (Arc<Mutex<Health>>, Arc<Path>) = (Arc::default(), path.into());
        let backlog = Backlog::new(Arc::clone(&health), Arc::clone(&path));
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || match connect(&file, busy) {
                Ok(db) => {
                    // Nobody but `open_within` below waits for this, and it does.
                    let _ = opened.send(Ok(()));
                    serve(db, backlog, &work);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(open)?;
        outcome.recv().unwrap_or(Err(StoreError::Closed))?;
        Ok(Self { jobs, path, health })
    }

    /// Does `job` on the database's thread and waits for its answer. Dropping the future does not take the job back.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|db, _| job(db)).await
    }

    /// As [`call`](Self::call), after everything that could not be done before; where that still cannot be, neither is this.
    pub(super) async fn call_in_order<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|db, backlog| backlog.catch_up(db).and_then(|()| job(db)))
            .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection, &mut Backlog) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db, backlog| {
            // The caller may have gone; the work is done all the same.
            let _ = answer.send(job(db, backlog));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        let answer = answered.await.map_err(|_| StoreError::Closed)?;
        answer.map_err(|error| StoreError::of(error, &self.path))
    }

    /// Does `write` on the database's thread and does not wait. Where it fails for want of room or because somebody else
    /// has the database, it is done before the next one that can be; the log and [`health`](Self::health) say so meanwhile.
    /// `what` names it there and holds nothing of its content.
    pub(super) fn post(
        &self,
        what: &'static str,
        write: impl Fn(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        let write = Box::new(write);
        let job: Job = Box::new(move |db, backlog| backlog.write(db, what, write));
        if self.jobs.send(job).is_err() {
            failed(&self.health, what, &StoreError::Closed);
            lock(&self.health).lost += 1;
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
        let job: Job = Box::new(move |db, _| job(db, &path));
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

    /// Waits until everything that was sent before is done, and moves it from the log into the file. An error: something
    /// is not done, and waits.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.call_in_order(|db| db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())))
            .await
    }
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

fn serve(mut db: Connection, mut backlog: Backlog, work: &Receiver<Job>) {
    while let Ok(job) = work.recv() {
        job(&mut db, &mut backlog);
    }
    if let Err(error) = backlog.catch_up(&mut db) {
        tracing::error!(%error, "the database could not be brought up to date");
    }
    if let Err((_, error)) = db.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
