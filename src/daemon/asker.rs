//! [`Asker`]: whoever asked for a run and is still there.

use super::service::Service;
use crate::name::RunId;

/// Whoever asked for a run. Dropping it tells the service that they have gone, which ends a run that was ordered to end
/// with them; so a caller that is lost anywhere on the way, even before it had the run's id, is not forgotten.
pub(crate) struct Asker {
    service: Service,
    run: Option<RunId>,
}

impl Asker {
    pub(super) fn new(service: Service, run: RunId) -> Self {
        Self {
            service,
            run: Some(run),
        }
    }

    /// They have all that they asked for.
    pub(crate) fn served(mut self) {
        self.run = None;
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            self.service.caller_left(&run);
        }
    }
}
