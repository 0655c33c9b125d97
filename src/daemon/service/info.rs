//! The daemon itself: what it shows of itself, and its built-in connection.

use std::io;

use super::{DEMO_FILE, Service, lock, state};
use crate::connection::{Connection, Registry as Connections};
use crate::daemon::ServiceError;
use crate::daemon::view::DaemonView;
use crate::session::Standing;

impl Service {
    /// Adds or removes the built-in `Demo` connection, with this scenario.
    pub(crate) fn keep_demo(&self, scenario: Option<&str>) -> Result<(), ServiceError> {
        let file = self.0.config.state_dir.join(DEMO_FILE);
        let mut connections = lock(&self.0.connections);
        if let Some(scenario) = scenario {
            std::fs::write(&file, scenario).map_err(|error| {
                state(format!("`{}` cannot be written: {error}", file.display()))
            })?;
            connections.add(Connection::demo(scenario));
            return Ok(());
        }
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(state(format!(
                "`{}` cannot be removed: {error}",
                file.display()
            )));
        }
        *connections = Connections::empty(&self.0.config.connections_file);
        Ok(())
    }

    /// The daemon itself.
    pub(crate) fn info(&self) -> DaemonView {
        let sessions = self.0.sessions.all();
        let count = |test: fn(&crate::session::SessionStatus) -> bool| {
            sessions
                .iter()
                .filter(|entry| test(&entry.session.status().borrow()))
                .count()
        };
        let database = self.0.store.health();
        let mut troubles: Vec<String> = database
            .failing
            .into_iter()
            .map(|what| format!("the database: {what} ({} writes wait)", database.waiting))
            .collect();
        if database.lost > 0 {
            let lost = database.lost;
            troubles.push(format!(
                "the database: {lost} writes are lost; the log names them"
            ));
        }
        troubles.extend(self.0.audit.troubles());
        troubles.extend(self.settings_trouble());
        troubles.extend(self.0.notices.trouble());
        troubles.extend(self.0.runs.all().iter().flat_map(|run| {
            let told = |trouble| format!("run {} of {}: {trouble}", run.id, run.session);
            run.troubles().into_iter().map(told)
        }));
        DaemonView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.0.started_at,
            state_dir: self.0.config.state_dir.clone(),
            sessions: count(|status| !status.is_closed()),
            signed_in: count(crate::session::SessionStatus::is_signed_in),
            running: count(|status| {
                matches!(
                    status.standing,
                    Standing::Running | Standing::Asking(_) | Standing::Stopping(_)
                )
            }),
            trusted_forms: self.trusted_forms(),
            troubles,
            waits_for: self.waits_for(),
        }
    }
}
