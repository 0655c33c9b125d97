//! What a daemon does first: it says of what an earlier one left that it is lost, and forgets what is old.

use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::{Service, state};
use crate::daemon::ServiceError;
use crate::name::RunId;
use crate::store::Retention;

/// Runs and sessions older than this are forgotten when the daemon starts.
const KEEP_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// No more runs than these are kept.
const KEEP_RUNS: u32 = 5_000;

impl Service {
    /// Says of what an earlier daemon left that it is lost, and forgets what is old.
    pub(super) async fn tidy(&self) -> Result<(), ServiceError> {
        let (store, now) = (&self.0.store, Timestamp::now());
        let reason = "the daemon ended while it ran";
        let lost = store
            .interrupted_runs(now, reason.to_owned())
            .await
            .map_err(state)?;
        let sessions = store
            .interrupted_sessions(now, "the daemon ended".to_owned())
            .await
            .map_err(state)?;
        if !lost.is_empty() || sessions > 0 {
            tracing::warn!(
                runs = lost.len(),
                sessions,
                "an earlier daemon ended without ending these"
            );
        }
        let since =
            now - jiff::SignedDuration::try_from(KEEP_FOR).unwrap_or(jiff::SignedDuration::MAX);
        let files = store
            .prune(Retention {
                runs: KEEP_RUNS,
                since,
            })
            .await
            .map_err(state)?;
        let outputs = self.outputs();
        for name in files
            .into_iter()
            .chain(lost.iter().map(|run| output_name(&run.id)))
        {
            if let Err(error) = std::fs::remove_file(outputs.join(&name))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, name, "old output cannot be removed");
            }
        }
        Ok(())
    }
}

/// The file of a run's output, in the folder of outputs.
pub(super) fn output_name(id: &RunId) -> String {
    format!("{id}.out")
}
