//! [`Audit`]: the record, for everyone who has something to add to it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::entry::{Entry, Kind, Who};
use super::error::AuditError;
use super::head::{Anchor, Head};
use super::line::{TextKey, link};
use super::query::{Filter, Page, Place};
use super::verify::{Fault, Report, Verifier, sentence};
use crate::store::{AuditRow, Store, StoreError};

/// Rows that wait because they cannot be written; what comes beyond that is counted.
const WAITING: usize = 10_000;

/// Rows that are read at once, so that nobody else waits long for the database.
const PAGE: u32 = 500;

/// Rows that are read for one page.
const READ_AT_MOST: usize = 20_000;

/// More different findings than these are a matter for another copy of the record.
const MOST_ACCEPTED: usize = 8;

/// The record. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Audit(Arc<Inner>);

struct Inner {
    store: Store,
    chain: Mutex<Chain>,
    anchor: Anchor,
    key: TextKey,
    /// Whose daemon this is.
    user: String,
    head_file: std::path::PathBuf,
}

/// Where the chain is. Changed only on the database's thread, between reading its last row and committing the next.
#[derive(Default)]
struct Chain {
    /// What the database ended with when it was last looked at.
    tail: Option<Head>,
    /// What the next row follows. Another one than `tail` where rows are known to be missing: the gap then stays to be seen.
    link: Option<Head>,
    /// Rows that could not be written yet, oldest first.
    waiting: VecDeque<Entry>,
    /// Rows that did not even fit there.
    lost: u64,
    /// Why the last row could not be written.
    failing: Option<String>,
    /// What is not as it was written, and nobody has accepted.
    broken: Option<String>,
    /// What the transaction under way ends with.
    next: Option<Head>,
}

impl Audit {
    /// Opens the record of a state folder. A record that was cut or changed opens all the same, and says so in
    /// [`troubles`](Self::troubles): what is found is evidence, and what happens from now on is written after it.
    pub(crate) async fn open(
        store: Store,
        state_dir: &Path,
        user: String,
    ) -> Result<Self, AuditError> {
        let path = state_dir.join("audit.key");
        let key = TextKey::read_or_make(&path).map_err(|source| AuditError::State {
            what: format!("the audit's key `{}` cannot be kept", path.display()),
            source,
        })?;
        let head_file = state_dir.join("audit-head.json");
        let anchor = Anchor::start(head_file.clone(), store.log_file()).map_err(|source| {
            AuditError::State {
                what: "the thread for the audit's head cannot be started".to_owned(),
                source,
            }
        })?;
        let tail = store.last_audit_row().await?.as_ref().map(head);
        let (link, fault) = match Head::read(&head_file) {
            Ok(known) => meet(tail.as_ref(), known),
            Err(error) => (
                tail.clone(),
                Some(Fault::NoHead {
                    why: error.to_string(),
                }),
            ),
        };
        let audit = Self(Arc::new(Inner {
            store,
            chain: Mutex::new(Chain {
                tail,
                link,
                ..Chain::default()
            }),
            anchor,
            key,
            user,
            head_file,
        }));
        if let Some(what) = fault.and_then(|fault| sentence(&[fault])) {
            audit.found(what);
        }
        Ok(audit)
    }

    /// Adds a row and waits until it is in the database, where a crash of this program cannot take it; a power failure
    /// can, for a quarter of a second. [`AuditError::Unwritten`]: it is not there, and what it speaks of must not happen.
    /// [`AuditError::Broken`]: it is, but after rows that were changed. Dropping the future does not take it back.
    pub(crate) async fn record(&self, entry: Entry) -> Result<(), AuditError> {
        let (answer, answered) = oneshot::channel();
        self.append(entry, move |audit, _, result| {
            let verdict = match result {
                Err(error) => Err(AuditError::Unwritten(told(&error))),
                Ok(()) => match audit.chain().broken.clone() {
                    Some(what) => Err(AuditError::Broken(what)),
                    None => Ok(()),
                },
            };
            // The caller may have gone; the row is there all the same.
            answer.send(verdict).unwrap_or_default();
        });
        let closed = |_| Err(AuditError::Unwritten("the database is closed".to_owned()));
        answered.await.unwrap_or_else(closed)
    }

    /// Adds a row about something that has happened already. Does not wait. What cannot be written now is kept in memory
    /// and written, in order, when it can; [`troubles`](Self::troubles) says so meanwhile.
    pub(crate) fn note(&self, entry: Entry) {
        self.append(entry, |audit, entry, result| {
            if result.is_err() {
                audit.chain().keep(entry);
            }
        });
    }

    /// What is wrong with it, for people; one sentence each.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let chain = self.0.chain();
        let mut troubles = Vec::new();
        if let Some(what) = &chain.broken {
            troubles.push(format!("the audit's record was changed: {what}"));
        }
        if let Some(why) = &chain.failing {
            troubles.push(format!(
                "the audit cannot be written, {} rows wait: {why}",
                chain.waiting.len()
            ));
        }
        troubles.extend(self.0.anchor.trouble());
        troubles
    }

    /// Reads every row, and compares with the head's file, this daemon's memory and what is `known` from elsewhere. What it
    /// finds, and nobody has accepted, is from now on what [`troubles`](Self::troubles) says.
    pub(crate) async fn verify(&self, known: Vec<Head>) -> Result<Report, AuditError> {
        self.0.anchor.flush().await;
        let mut heads = known;
        let mut headless = None;
        match Head::read(&self.0.head_file) {
            Ok(Some(head)) => heads.push(head),
            Ok(None) => headless = Some("its file is gone".to_owned()),
            Err(error) => headless = Some(error.to_string()),
        }
        heads.extend(self.0.chain().link.clone());
        let mut verifier = Verifier::new(heads);
        let mut after = 0;
        loop {
            let rows = self.0.store.audit_rows_after(after, PAGE).await?;
            let Some(last) = rows.last().map(|row| row.number) else {
                break;
            };
            // A megabyte takes milliseconds; the runtime's other work goes first now and then.
            for row in &rows {
                verifier.read(row);
            }
            after = last;
            tokio::task::yield_now().await;
        }
        let mut report = verifier.finish();
        if let Some(why) = headless.filter(|_| report.rows > 0) {
            report.faults.push(Fault::NoHead { why });
        }
        let told = |what: &String| report.found_before.iter().any(|(text, _)| text == what);
        if let Some(what) = report.sentence().filter(|what| !told(what)) {
            self.found(what);
        }
        self.0.chain().broken = report.open();
        Ok(report)
    }

    /// Takes the record as it is: `by` says that what was found has a `reason`. Work goes on; the record will always say
    /// what was found, and that this was said. `false`: there was nothing to accept.
    pub(crate) async fn accept(&self, by: &Who, reason: &str) -> Result<bool, AuditError> {
        // A check may find something in words of its own that an earlier one has told in others.
        for accepted in 0..MOST_ACCEPTED {
            let Some(what) = self.verify(Vec::new()).await?.open() else {
                return Ok(accepted > 0);
            };
            let entry = Entry::new(Kind::RecordAccepted)
                .by(by.clone())
                .text(&what)
                .because(reason);
            match self.record(entry).await {
                Ok(()) | Err(AuditError::Broken(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match self.verify(Vec::new()).await?.open() {
            None => Ok(true),
            Some(what) => Err(AuditError::Broken(what)),
        }
    }

    /// The rows that `filter` lets through, and where to go on: the oldest first from `after` on, or the newest first
    /// back from `before`. Reads at most [`READ_AT_MOST`] rows, so a page may be short, or empty, and not the last.
    pub(crate) async fn page(&self, filter: &Filter, place: Place) -> Result<Page, AuditError> {
        let mut page = Page::default();
        let mut place = place;
        let mut left = READ_AT_MOST;
        while page.rows.len() < filter.limit && left > 0 {
            let rows = match place {
                Place::After(number) => self.0.store.audit_rows_after(number, PAGE).await?,
                Place::Before(number) => self.0.store.audit_rows_before(number, PAGE).await?,
            };
            let whole = rows.len() == PAGE as usize;
            for row in rows {
                place = place.past(row.number);
                left = left.saturating_sub(1);
                if filter.matches(&row) {
                    page.rows.push(row);
                }
                if page.rows.len() == filter.limit {
                    page.next = Some(place);
                    return Ok(page);
                }
            }
            if !whole {
                return Ok(page);
            }
            page.next = Some(place);
        }
        Ok(page)
    }

    /// Waits until everything that was added is in the database, and its head in the file.
    pub(crate) async fn flush(&self) -> Result<(), AuditError> {
        // Work on the database is done in order: what was added before is done when this is.
        self.0.store.last_audit_row().await?;
        self.0.anchor.flush().await;
        Ok(())
    }

    /// Writes down that the record is not what it was.
    fn found(&self, what: String) {
        tracing::error!(what, "the audit's record was changed");
        self.0.chain().broken.get_or_insert_with(|| what.clone());
        self.note(Entry::new(Kind::RecordBroken).text(&what));
    }

    /// Sends an entry to the database's thread; `done` hears there what became of it, with the entry.
    fn append(
        &self,
        entry: Entry,
        done: impl FnOnce(&Inner, Entry, Result<(), StoreError>) + Send + 'static,
    ) {
        let (inner, written) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let copy = entry.clone();
        self.0.store.append_audit(
            move |last| inner.chain().rows(&inner, last.as_ref(), &copy),
            move |result| {
                written.settle(&result);
                done(&written, entry, result);
            },
        );
    }
}

impl Inner {
    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what became of a transaction.
    fn settle(&self, result: &Result<(), StoreError>) {
        let mut chain = self.chain();
        let next = chain.next.take();
        match result {
            Ok(()) => {
                chain.waiting.clear();
                chain.lost = 0;
                chain.failing = None;
                chain.tail.clone_from(&next);
                chain.link.clone_from(&next);
                if let Some(head) = next {
                    self.anchor.head(head);
                }
            }
            Err(error) => {
                let why = told(error);
                if chain.failing.is_none() {
                    tracing::error!(why, "the audit cannot be written");
                }
                chain.failing = Some(why);
            }
        }
    }
}

impl Chain {
    /// The rows that follow `last`: those that wait, and `entry`.
    fn rows(&mut self, inner: &Inner, last: Option<&AuditRow>, entry: &Entry) -> Vec<AuditRow> {
        let mut found = None;
        let tail = last.map(head);
        if tail != self.tail {
            // Somebody changed the database under us. What comes next follows what was written, not what is there.
            let (_, fault) = meet(tail.as_ref(), self.link.clone());
            let what = fault.and_then(|fault| sentence(&[fault]));
            let what =
                what.unwrap_or_else(|| "rows were added that this daemon did not write".to_owned());
            tracing::error!(what, "the audit's record was changed");
            found = Some(Entry::new(Kind::RecordBroken).text(&what));
            self.broken.get_or_insert(what);
            // Numbers that somebody else used cannot be used again.
            if tail.as_ref().map(|tail| tail.number) > self.link.as_ref().map(|link| link.number) {
                self.link = tail;
            }
        }
        let gone = (self.lost > 0).then(|| {
            let what = format!("{} rows could not be written and are lost", self.lost);
            Entry::new(Kind::RecordLost).text(&what)
        });
        let mut link_to = self.link.clone();
        let entries = found
            .iter()
            .chain(&self.waiting)
            .chain(gone.as_ref())
            .chain([entry]);
        let rows: Vec<AuditRow> = entries
            .map(|entry| {
                let row = link(link_to.as_ref(), entry, &inner.user, &inner.key);
                link_to = Some(head(&row));
                row
            })
            .collect();
        self.next = link_to;
        rows
    }

    /// Keeps an entry until it can be written.
    fn keep(&mut self, entry: Entry) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(entry);
        } else {
            self.lost += 1;
        }
    }
}

/// What the next row follows, where the database ends with `tail` and the newest row is known to be `known`.
fn meet(tail: Option<&Head>, known: Option<Head>) -> (Option<Head>, Option<Fault>) {
    let end = tail.map_or(0, |tail| tail.number);
    match known {
        None => {
            let why = "its file is gone".to_owned();
            (tail.cloned(), tail.map(|_| Fault::NoHead { why }))
        }
        Some(known) if known.number > end => {
            let (from, to) = (end + 1, known.number);
            (Some(known), Some(Fault::Missing { from, to }))
        }
        Some(known) if known.number == end && tail.is_some_and(|tail| tail.hash != known.hash) => {
            let number = known.number + 1;
            (Some(known), Some(Fault::Unlinked { number }))
        }
        // A newer row than the file's is usual: the file is a quarter of a second behind.
        Some(_) => (tail.cloned(), None),
    }
}

fn head(row: &AuditRow) -> Head {
    Head {
        number: row.number,
        hash: row.hash.clone(),
    }
}

fn told(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
