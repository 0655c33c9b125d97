//! [`Head`]: the last row that is known to be safe on the disk, kept in a file beside the database, so that a tail that was
//! cut off shows.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::oneshot;

/// So long newer heads are waited for before one is written: a disk takes a few milliseconds to say that something is safe.
const GATHER: Duration = Duration::from_millis(200);

/// A row's number and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: String,
}

impl Head {
    /// What the file says; `None` where there is none.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let read = || {
            let value: Value = serde_json::from_str(&text).ok()?;
            Some(Self {
                number: value["number"].as_u64()?,
                hash: value["hash"].as_str()?.to_owned(),
            })
        };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "it names no row");
        read().map(Some).ok_or_else(bad)
    }

    /// Writes the file anew: whoever reads it sees the old one or the new one, also after the machine went down.
    fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        let text = json!({"number": self.number, "hash": self.hash}).to_string();
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

enum Mail {
    Head(Head),
    Flush(oneshot::Sender<()>),
}

/// The thread that writes the head's file and tells the log. It is off every command's way: it makes the database's rows
/// safe first, so that the file never names a row which a power failure could take. Ends when this is dropped.
pub(super) struct Anchor {
    mail: Mutex<Sender<Mail>>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Anchor {
    /// Starts the thread. `log` is the database's write-ahead log.
    pub(super) fn start(file: PathBuf, log: PathBuf) -> io::Result<Self> {
        let (mail, inbox) = channel();
        let trouble = Arc::new(Mutex::new(None));
        let told = Arc::clone(&trouble);
        std::thread::Builder::new()
            .name("audit-head".to_owned())
            .spawn(move || serve(&inbox, &file, &log, &told))?;
        Ok(Self {
            mail: Mutex::new(mail),
            trouble,
        })
    }

    /// There is a newer head. Does not wait.
    pub(super) fn head(&self, head: Head) {
        self.send(Mail::Head(head));
    }

    /// Waits until the newest head is in the file.
    pub(super) async fn flush(&self) {
        let (done, waits) = oneshot::channel();
        self.send(Mail::Flush(done));
        // A thread that is gone has written what it was sent.
        waits.await.unwrap_or_default();
    }

    /// Why the file is not what it should be, where it is not.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn send(&self, mail: Mail) {
        let sender = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread ends only after this sender is gone.
        sender.send(mail).unwrap_or_default();
    }
}

fn serve(inbox: &Receiver<Mail>, file: &Path, log: &Path, trouble: &Mutex<Option<String>>) {
    while let Ok(mail) = inbox.recv() {
        let (head, waiting) = gather(inbox, mail);
        if let Some(head) = head {
            let written = sync(log).and_then(|()| head.write(file));
            match &written {
                Ok(()) => {
                    tracing::info!(number = head.number, hash = head.hash, "the audit's head");
                }
                Err(error) => {
                    tracing::error!(%error, number = head.number, hash = head.hash, "the audit's head is not in its file");
                }
            }
            *trouble.lock().unwrap_or_else(PoisonError::into_inner) = written
                .err()
                .map(|error| format!("`{}` cannot be written: {error}", file.display()));
        }
        for done in waiting {
            // Whoever waited may have gone.
            done.send(()).unwrap_or_default();
        }
    }
}

/// The newest head of what came and what comes within [`GATHER`]; somebody who waits ends the gathering.
fn gather(inbox: &Receiver<Mail>, first: Mail) -> (Option<Head>, Vec<oneshot::Sender<()>>) {
    let (mut head, mut waiting) = (None, Vec::new());
    let until = Instant::now() + GATHER;
    let mut next = Some(first);
    while let Some(mail) = next {
        match mail {
            Mail::Head(newer) => head = Some(newer),
            Mail::Flush(done) => waiting.push(done),
        }
        let left = if waiting.is_empty() {
            until.saturating_duration_since(Instant::now())
        } else {
            Duration::ZERO
        };
        next = inbox.recv_timeout(left).ok();
    }
    (head, waiting)
}

/// Makes what is committed safe against a power failure. Opening and closing this file is harmless; doing so with the
/// database's own would drop the locks that `SQLite` has on it (POSIX, `fcntl(2)`).
fn sync(log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(file) => file.sync_data(),
        // Its rows are in the database's file, and SQLite has synced that.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u64) -> Head {
        Head {
            number,
            hash: format!("{number:064x}"),
        }
    }

    #[tokio::test]
    async fn the_newest_head_is_in_the_file_after_a_flush() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("audit-head.json");
        assert_eq!(Head::read(&file).expect("it can be asked"), None);
        let anchor = Anchor::start(file.clone(), folder.path().join("wal")).expect("a thread");
        for number in 1..=500 {
            anchor.head(head(number));
        }
        anchor.flush().await;
        assert_eq!(Head::read(&file).expect("it is sound"), Some(head(500)));
        assert_eq!(anchor.trouble(), None);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("none/audit-head.json");
        let anchor = Anchor::start(file, folder.path().join("wal")).expect("a thread");
        anchor.head(head(1));
        anchor.flush().await;
        let trouble = anchor.trouble().expect("there is no such folder");
        assert!(trouble.contains("audit-head.json"), "{trouble}");
    }

    #[test]
    fn a_file_that_names_no_row_is_no_head() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("audit-head.json");
        std::fs::write(&file, "{}").expect("it can be written");
        let error = Head::read(&file).expect_err("it names nothing");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
