//! What a daemon does first: it says of what an earlier one left that it is lost, and forgets what is old.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Service, state};
use crate::daemon::ServiceError;
use crate::name::RunId;
use crate::store::Retention;

/// Runs, sessions and files that outputs were exported to are forgotten when the daemon starts, if they are older than this.
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
        let exports = self.0.config.state_dir.join("exports");
        if let Err(error) = forget_files(&exports, SystemTime::now() - KEEP_FOR)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "old exports cannot be removed");
        }
        Ok(())
    }
}

/// Removes the files of a folder that were last written before `since`.
fn forget_files(folder: &Path, since: SystemTime) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() && about.modified()? < since {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The file of a run's output, in the folder of outputs.
pub(super) fn output_name(id: &RunId) -> String {
    format!("{id}.out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_files_are_forgotten() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("folder")).expect("it can be made");
        for name in ["old", "new"] {
            std::fs::write(path(name), "x").expect("it can be written");
        }
        let now = SystemTime::now();
        let old = std::fs::File::options().write(true).open(path("old"));
        let old = old.expect("it is there");
        old.set_modified(now - 2 * KEEP_FOR).expect("it is ours");
        forget_files(folder.path(), now - KEEP_FOR).expect("they can be removed");
        assert!(!path("old").exists() && path("new").exists() && path("folder").exists());
    }
}
