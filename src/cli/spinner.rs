//! [`Spinner`]: one line of progress on standard error, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinning line. Dropping it clears it.
#[derive(Debug)]
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(crate) fn start() -> Self {
        let style = ProgressStyle::with_template("{spinner} {wide_msg}")
            .expect("the template is a constant");
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// What it says from now on.
    pub(crate) fn say(&self, text: String) {
        self.0.set_message(text);
    }

    /// Does `work` while the line is away.
    pub(crate) fn pause(&self, work: impl FnOnce()) {
        self.0.suspend(work);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
