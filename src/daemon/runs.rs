//! The runs of this daemon that are in memory: all that go on, and the newest that are over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::run::Run;
use crate::name::RunId;

/// So many runs that are over stay in memory; older ones are in the store.
const OVER_AT_MOST: usize = 64;

/// Runs, oldest first.
#[derive(Default)]
pub(super) struct Runs {
    runs: Mutex<VecDeque<Arc<Run>>>,
}

impl Runs {
    /// Adds one, and lets the oldest that is over go.
    pub(super) fn add(&self, run: Arc<Run>) {
        let mut runs = self.lock();
        runs.push_back(run);
        let over = runs.iter().filter(|run| run.is_over()).count();
        if over > OVER_AT_MOST
            && let Some(oldest) = runs.iter().position(|run| run.is_over())
        {
            runs.remove(oldest);
        }
    }

    pub(super) fn get(&self, id: &RunId) -> Option<Arc<Run>> {
        self.lock().iter().rev().find(|run| run.id == *id).cloned()
    }

    pub(super) fn id_of(&self, tag: u64) -> Option<RunId> {
        self.lock()
            .iter()
            .rev()
            .find(|run| run.tag == tag)
            .map(|run| run.id.clone())
    }

    /// Newest first.
    pub(super) fn all(&self) -> Vec<Arc<Run>> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
