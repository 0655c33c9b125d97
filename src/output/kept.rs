//! [`Kept`]: the output of one run while it grows. One writer, any number of readers.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::layout::Layout;
use super::page::{self, Page};

/// How much of an output is kept, and where.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Bytes in memory, before a file takes over; also the tail that is kept when the file fails.
    pub(crate) memory: usize,
    /// Bytes altogether.
    pub(crate) total: u64,
    /// The file, made only when it is needed.
    pub(crate) file: PathBuf,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extent {
    /// Bytes so far, those that are gone included.
    pub(crate) length: u64,
    /// Bytes that are gone.
    pub(crate) skipped: u64,
    /// Whether no more will come.
    pub(crate) finished: bool,
}

/// The output of one run. Cheap to clone; all clones are the same output. When the last is dropped its file goes too,
/// unless it was persisted.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told at every change. Where nobody waits, that costs the writer one atomic step.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    layout: Layout,
    total: u64,
    finished: bool,
    place: Place,
    persisted: bool,
    trouble: Option<String>,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    File(File),
    /// The disk is full, or worse: what came first, and a tail in memory.
    Broken {
        head: Vec<u8>,
        tail: VecDeque<u8>,
    },
}

impl Kept {
    /// Nothing yet.
    pub(crate) fn new(limits: Limits) -> Self {
        let layout = Layout::new(limits.total);
        let place = Place::Memory(Vec::new());
        let state = State {
            limits,
            layout,
            total: 0,
            finished: false,
            place,
            persisted: false,
            trouble: None,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        }))
    }

    /// Adds bytes. It never fails and never waits for a reader: when the file cannot be written, the loss is told by
    /// [`Kept::extent`] and [`Kept::trouble`].
    pub(crate) fn append(&self, bytes: &[u8]) {
        self.state().append(bytes);
        self.0.changed.notify_waiters();
    }

    /// No more will come.
    pub(crate) fn finish(&self) {
        self.state().finished = true;
        self.0.changed.notify_waiters();
    }

    /// How much there is now.
    pub(crate) fn extent(&self) -> Extent {
        self.state().extent()
    }

    /// To wait for what comes from now on. A follower that is not looked at costs the writer nothing.
    pub(crate) fn follow(&self) -> Follower {
        Follower {
            seen: self.extent(),
            kept: self.clone(),
        }
    }

    /// At most `max` bytes from `from` on.
    pub(crate) fn read(&self, from: u64, max: usize) -> io::Result<Page> {
        self.state().read(from, max)
    }

    /// Keeps the file beyond this value's life, and gives its name; `None` where all is in memory.
    pub(crate) fn persist(&self) -> Option<String> {
        let mut state = self.state();
        if !matches!(state.place, Place::File(_)) {
            return None;
        }
        state.persisted = true;
        state
            .limits
            .file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    }

    /// Why output was lost that the limit would have kept.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an output to change. Holds the output as a clone does.
pub(crate) struct Follower {
    kept: Kept,
    seen: Extent,
}

impl Follower {
    /// Returns once there is more than when this last returned, or no more will come. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        loop {
            // Made before the look, so that a change in between is not missed.
            let changed = self.kept.0.changed.notified();
            let now = self.kept.extent();
            if now != self.seen {
                self.seen = now;
                return;
            }
            changed.await;
        }
    }
}

impl State {
    fn append(&mut self, bytes: &[u8]) {
        if let Place::Memory(memory) = &self.place
            && memory.len() + bytes.len() > self.limits.memory
        {
            self.spill();
        }
        let (at, layout) = (self.total, self.layout);
        self.total += bytes.len() as u64;
        let written = match &mut self.place {
            Place::Memory(memory) => {
                memory.extend_from_slice(bytes);
                Ok(())
            }
            Place::File(file) => write(file, layout, at, bytes),
            Place::Broken { tail, .. } => {
                tail.extend(&bytes[bytes.len().saturating_sub(self.limits.memory)..]);
                let over = tail.len().saturating_sub(self.limits.memory);
                tail.drain(..over);
                Ok(())
            }
        };
        if let Err(error) = written {
            self.fail(at, bytes, &error);
        }
    }

    /// From memory to a file.
    fn spill(&mut self) {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.limits.file);
        let Place::Memory(memory) = &mut self.place else {
            return;
        };
        let memory = std::mem::take(memory);
        match opened.and_then(|file| write(&file, self.layout, 0, &memory).map(|()| file)) {
            Ok(file) => self.place = Place::File(file),
            Err(error) => {
                self.trouble = Some(error.to_string());
                self.remove_file();
                self.place = Place::Broken {
                    head: memory,
                    tail: VecDeque::new(),
                };
            }
        }
    }

    /// The file takes no more: its head is read back as far as memory may hold it.
    fn fail(&mut self, at: u64, bytes: &[u8], error: &io::Error) {
        self.trouble = Some(error.to_string());
        let head = match &self.place {
            Place::File(file) => {
                let most = usize::try_from(at)
                    .unwrap_or(usize::MAX)
                    .min(self.limits.memory);
                page::fetch(file, self.layout, 0, most).unwrap_or_default()
            }
            Place::Memory(_) | Place::Broken { .. } => Vec::new(),
        };
        let tail = bytes[bytes.len().saturating_sub(self.limits.memory)..]
            .iter()
            .copied()
            .collect();
        self.place = Place::Broken { head, tail };
        self.remove_file();
    }

    /// Half a file is worth nothing, and a full disk has better uses for its room.
    fn remove_file(&self) {
        // It may never have been made; and what cannot be removed is told by the disk's next trouble.
        let _ = std::fs::remove_file(&self.limits.file);
    }

    fn kept(&self) -> [std::ops::Range<u64>; 2] {
        match &self.place {
            Place::Memory(memory) => [0..memory.len() as u64, 0..0],
            Place::File(_) => self.layout.kept(self.total),
            Place::Broken { head, tail } => [
                0..head.len() as u64,
                self.total - tail.len() as u64..self.total,
            ],
        }
    }

    fn extent(&self) -> Extent {
        Extent {
            length: self.total,
            skipped: self.skipped(),
            finished: self.finished,
        }
    }

    fn skipped(&self) -> u64 {
        let kept: u64 = self
            .kept()
            .iter()
            .map(|range| range.end - range.start)
            .sum();
        self.total - kept
    }

    fn read(&self, from: u64, max: usize) -> io::Result<Page> {
        page::read(
            &self.kept(),
            self.total,
            from,
            max,
            |offset, most| match &self.place {
                Place::Memory(memory) => Ok(slice(memory, offset, most)),
                Place::File(file) => page::fetch(file, self.layout, offset, most),
                Place::Broken { head, .. } if offset < head.len() as u64 => {
                    Ok(slice(head, offset, most))
                }
                Place::Broken { tail, .. } => {
                    let start = usize::try_from(offset - (self.total - tail.len() as u64))
                        .unwrap_or(usize::MAX);
                    Ok(tail.iter().skip(start).take(most).copied().collect())
                }
            },
        )
    }
}

fn slice(bytes: &[u8], offset: u64, most: usize) -> Vec<u8> {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default();
    rest[..most.min(rest.len())].to_vec()
}

fn write(file: &File, layout: Layout, at: u64, bytes: &[u8]) -> io::Result<()> {
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (place, run) = layout.place(at);
        let (now, later) =
            rest.split_at(rest.len().min(usize::try_from(run).unwrap_or(usize::MAX)));
        file.write_all_at(now, place)?;
        at += now.len() as u64;
        rest = later;
    }
    Ok(())
}

impl Drop for State {
    fn drop(&mut self) {
        if matches!(self.place, Place::File(_)) && !self.persisted {
            self.remove_file();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::read_file;

    fn kept(folder: &std::path::Path, memory: usize, total: u64) -> Kept {
        Kept::new(Limits {
            memory,
            total,
            file: folder.join("run.out"),
        })
    }

    /// Everything that can be read, with the offsets where it stands.
    fn all(mut read: impl FnMut(u64, usize) -> Page, max: usize) -> Vec<(u64, u8)> {
        let (mut at, mut found) = (0, Vec::new());
        loop {
            let page = read(at, max);
            found.extend(
                page.bytes
                    .iter()
                    .enumerate()
                    .map(|(n, byte)| (page.from + n as u64, *byte)),
            );
            if page.bytes.is_empty() {
                return found;
            }
            at = page.next;
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_was_written(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            memory in 1usize..60, total in 2u64..300, max in 1usize..70,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let kept = kept(folder.path(), memory, total);
            let mut whole = Vec::new();
            for part in &parts {
                kept.append(part);
                whole.extend_from_slice(part);
            }
            kept.finish();
            let extent = kept.extent();
            prop_assert_eq!(extent.length, whole.len() as u64);
            let found = all(|from, max| kept.read(from, max).expect("it can be read"), max);
            prop_assert_eq!(found.len() as u64 + extent.skipped, extent.length);
            prop_assert!(found.len() as u64 >= extent.length.min(total));
            for (at, byte) in &found {
                prop_assert_eq!(whole[usize::try_from(*at).expect("it is short")], *byte);
            }
            if let Some(name) = kept.persist() {
                drop(kept);
                let path = folder.path().join(name);
                let again = all(|from, max| read_file(&path, extent.length, extent.skipped, from, max).expect("it is there"), max);
                prop_assert_eq!(again, found);
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_costs_the_middle_and_says_so() {
        let kept = kept(std::path::Path::new("/nonexistent-folder"), 8, 1000);
        for piece in [b"first--", b"second-", b"third--", b"fourth-"] {
            kept.append(piece);
        }
        assert!(
            kept.trouble()
                .is_some_and(|why| why.contains("No such file"))
        );
        let text: Vec<u8> = all(
            |from, max| kept.read(from, max).expect("it is in memory"),
            5,
        )
        .iter()
        .map(|(_, byte)| *byte)
        .collect();
        assert_eq!(text, b"first---fourth-");
        assert_eq!(kept.extent().skipped, 28 - 15);
    }

    #[tokio::test]
    async fn a_follower_misses_no_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = kept(folder.path(), 100_000, 100_000);
        let mut follower = kept.follow();
        let writer = kept.clone();
        let thread = std::thread::spawn(move || {
            for _ in 0..10_000 {
                writer.append(b"x");
            }
            writer.finish();
        });
        let mut seen = Extent::default();
        while !seen.finished {
            follower.changed().await;
            // What it returned for; the output itself may be further by now.
            let now = follower.seen;
            assert!(now.length > seen.length || now.finished);
            seen = now;
        }
        thread.join().expect("it wrote");
        assert_eq!(seen.length, 10_000);
    }

    #[test]
    fn the_file_goes_with_the_last_clone() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = kept(folder.path(), 2, 100);
        kept.append(b"more than two");
        assert!(folder.path().join("run.out").exists());
        drop(kept.clone());
        assert!(folder.path().join("run.out").exists());
        drop(kept);
        assert!(!folder.path().join("run.out").exists());
    }
}
