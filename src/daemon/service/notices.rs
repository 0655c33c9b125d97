//! Has somebody told that a run waits for their yes.

use std::sync::Arc;

use super::Service;
use crate::config::Notice;
use crate::daemon::notice::{NoticeError, give, request};
use crate::daemon::run::Run;

impl Service {
    /// Tells it, and returns at once. What goes wrong is logged and stands in the daemon's status until a notice is given
    /// again; the run waits all the same.
    pub(in crate::daemon) fn announce(&self, run: &Arc<Run>, notice: Notice) {
        let view = run.view();
        // Somebody was faster than this.
        let Some(approval) = &view.approval else {
            return;
        };
        let told = request(&view, approval, notice.with_text);
        let (service, run) = (self.clone(), view.id);
        tokio::spawn(async move {
            let notices = &service.0.notices;
            let given = match notices.room.try_acquire() {
                Ok(_room) => give(&notice, &told, &service.0.config.home).await,
                Err(_) => Err(NoticeError::NoRoom),
            };
            notices.ended(match given {
                Ok(()) => {
                    tracing::info!(%run, "somebody was told that it waits for approval");
                    None
                }
                Err(error) => {
                    tracing::error!(%run, %error, "nobody was told that it waits for approval");
                    Some(format!(
                        "nobody was told that run {run} waits for approval: {error}"
                    ))
                }
            });
        });
    }
}
