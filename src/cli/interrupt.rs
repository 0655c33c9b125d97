//! [`Interrupts`]: Ctrl-C as something to wait for.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::CliError;

/// Ctrl-C (SIGINT). From the moment this exists, it no longer ends the program.
#[derive(Debug)]
pub(crate) struct Interrupts(Signal);

impl Interrupts {
    pub(crate) fn listen() -> Result<Self, CliError> {
        signal(SignalKind::interrupt())
            .map(Self)
            .map_err(|source| CliError::Io {
                what: "Ctrl-C cannot be listened to".to_owned(),
                source,
            })
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The runtime is going away; nobody waits for this any longer.
            std::future::pending::<()>().await;
        }
    }
}
