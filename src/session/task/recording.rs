//! What the task records: a run's terminal, or a sign-in's.

use std::time::Instant;

use super::Task;
use crate::recording::{WriteError, Writer};
use crate::session::mail::RunEvent;

impl Task {
    pub(super) fn record(
        &mut self,
        write: impl FnOnce(&mut Writer, Instant) -> Result<(), WriteError>,
    ) {
        // A run begins only when no sign-in runs.
        let recorder = match &mut self.current {
            Some(current) if current.inquiring.is_some() => return,
            Some(current) => &mut current.order.recorder,
            None => &mut self.sign_in_recorder,
        };
        if let Some(writer) = recorder
            && let Err(error) = write(writer, Instant::now())
        {
            *recorder = None;
            let why = not_whole(&error);
            if self.current.is_some() {
                self.tell(RunEvent::RecordingFailed(&error));
            } else {
                self.status
                    .send_modify(|status| status.recording = Some(why));
            }
        }
    }

    /// Writes the rest of a sign-in's recording, if there is one.
    pub(super) fn finish_sign_in_recording(&mut self) {
        if let Some(recorder) = self.sign_in_recorder.take()
            && let Err(error) = recorder.finish()
        {
            let why = not_whole(&error);
            self.status
                .send_modify(|status| status.recording = Some(why));
        }
    }
}

/// What is recorded goes on, and its recording does not. The reason, for people.
pub(super) fn not_whole(error: &WriteError) -> String {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a recording is not whole"
    );
    let why = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    format!("{error}{why}")
}
