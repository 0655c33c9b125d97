//! [`Call`]: one call under way: its way to the daemon, whether anybody still waits for it, and its progress. Its questions to
//! the person are in `ask`.

use std::sync::atomic::{AtomicU32, Ordering};

use rmcp::RoleServer;
use rmcp::model::{InputResponses, ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use tokio_util::sync::CancellationToken;

use super::clean;
use super::reply::Refusal;
use crate::client::{Client, Place};

/// Clients show about so many characters of a progress message.
const PROGRESS_CHARS: usize = 200;

/// What a call brings back from an earlier one that had its client ask the person.
#[derive(Debug, Default)]
pub(super) struct Retried {
    pub(super) responses: Option<InputResponses>,
    pub(super) state: Option<String>,
}

/// One call under way.
pub(super) struct Call {
    place: Place,
    /// Cancelled when the client's side of the pipe has closed.
    pipe_closed: CancellationToken,
    context: RequestContext<RoleServer>,
    retried: Retried,
    steps: AtomicU32,
}

impl Call {
    pub(super) fn new(
        place: Place,
        pipe_closed: CancellationToken,
        context: RequestContext<RoleServer>,
        retried: Retried,
    ) -> Self {
        Self {
            place,
            pipe_closed,
            context,
            retried,
            steps: AtomicU32::new(0),
        }
    }

    /// Where the daemon keeps its things.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What the protocol says about this call.
    pub(super) fn context(&self) -> &RequestContext<RoleServer> {
        &self.context
    }

    /// The person's answers that this call brings.
    pub(super) fn responses(&self) -> Option<&InputResponses> {
        self.retried.responses.as_ref()
    }

    /// What an earlier call gave its client to bring back.
    pub(super) fn state(&self) -> Option<&str> {
        self.retried.state.as_deref()
    }

    /// What the client calls itself.
    pub(super) fn client_name(&self) -> Option<String> {
        self.context.client_info().map(|client| client.name)
    }

    /// Returns when nobody waits for this call any longer. Cancel safe.
    pub(super) async fn left(&self) {
        tokio::select! {
            () = self.context.ct.cancelled() => {}
            () = self.pipe_closed.cancelled() => {}
        }
    }

    /// Whether nobody waits for this call any longer.
    pub(super) fn is_left(&self) -> bool {
        self.context.ct.is_cancelled() || self.pipe_closed.is_cancelled()
    }

    /// The daemon, started where there is none.
    pub(super) async fn client(&self) -> Result<Client, Refusal> {
        tokio::select! {
            client = Client::find_or_start(self.place.clone()) => Ok(client?.named("mcp")),
            () = self.left() => Err(Refusal::caller_left()),
        }
    }

    /// Whether the client wants to hear of progress.
    fn progress_token(&self) -> Option<ProgressToken> {
        self.context.meta.get_progress_token()
    }

    /// Tells of progress, where the client wants to hear of it.
    pub(super) async fn progress(&self, message: &str) {
        let Some(token) = self.progress_token() else {
            return;
        };
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let progress = ProgressNotificationParam::new(token, f64::from(step))
            .with_message(clean::line(message, PROGRESS_CHARS));
        // A client that is gone is noticed by `left`.
        drop(self.context.peer.notify_progress(progress).await);
    }
}
