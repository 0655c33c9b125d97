//! What the upkeep of sessions asks of the service.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Service;
use super::sessions::Accepts;
use crate::audit::Who;
use crate::daemon::registry::Entry;

/// A session that lived so long was not lost soon after the one before.
const LASTED: Duration = Duration::from_secs(10 * 60);

/// How often a session comes back that is lost soon each time.
const RETURNS_AT_MOST: u32 = 3;

impl Service {
    /// A number for what is put to a session.
    pub(in crate::daemon) fn next_tag(&self) -> u64 {
        self.0.next_tag.fetch_add(1, Ordering::Relaxed)
    }

    /// Starts a session again that was lost, where its way in, or what it left on disk, brings its sign-in back without anybody. Where it
    /// does not, or the settings say so, it stays as it is, with the reason why it ended. A session that is lost again and
    /// again is left alone.
    pub(in crate::daemon) async fn come_back(&self, lost: &Entry) {
        let returns = if lost.started.elapsed() < LASTED {
            lost.returns.load(Ordering::Relaxed) + 1
        } else {
            1
        };
        let way = lost.session.status().borrow().way.clone();
        let needs_nobody =
            !lost.loses_sign_in() || lost.module.comes_back_without_a_person(way.as_deref());
        if !needs_nobody || !self.session_rules(&lost.key).come_back {
            return;
        }
        if returns > RETURNS_AT_MOST {
            tracing::warn!(session = %lost.key, "it is lost again and again, and is not started any more");
            return;
        }
        tracing::info!(session = %lost.key, returns, "it was lost and is started again");
        let (connection, module) = (lost.key.connection.as_str(), lost.key.module.as_str());
        let back = match self.session(connection, module) {
            Ok(entry) => {
                entry.returns.store(returns, Ordering::Relaxed);
                let who = Who::client("mm");
                self.sign_in(&entry, Accepts::WhatWasLeft, way.as_deref(), None, &who)
                    .await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = back {
            tracing::warn!(session = %lost.key, %error, "it does not come back");
        }
    }
}
