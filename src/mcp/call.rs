//! [`Call`]: one call under way: its way to the daemon, whether anybody still waits for it, its progress, and questions to
//! the person through the client.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, InputRequest,
    InputRequests, InputRequiredResult, InputResponses, ProgressNotificationParam, ProgressToken,
    ProtocolVersion,
};
use rmcp::service::RequestContext;
use tokio_util::sync::CancellationToken;

use super::clean;
use super::reply::Refusal;
use crate::client::{Client, Place};

/// Clients show about so many characters of a progress message.
const PROGRESS_CHARS: usize = 200;

/// How long a person may take to say that they have seen a page; then the answer goes out without them. Below the 60
/// seconds after which common clients give a call up.
const SEEN_WITHIN: Duration = Duration::from_secs(45);

/// The one question's name in a retried call.
const QUESTION: &str = "sign_in";

/// One call under way.
pub(super) struct Call {
    place: Place,
    /// Cancelled when the client's side of the pipe has closed.
    pipe_closed: CancellationToken,
    context: RequestContext<RoleServer>,
    responses: Option<InputResponses>,
    steps: AtomicU32,
}

/// What became of a question to the person.
pub(super) enum Asked {
    /// The client has no such question, or nobody reacted to it.
    Not,
    /// The client is to ask and to call again.
    Retry(Box<InputRequiredResult>),
    /// The person reacted. Accepting means that they have seen it, not that they have done it.
    Reacted(ElicitationAction),
}

impl Call {
    pub(super) fn new(
        place: Place,
        pipe_closed: CancellationToken,
        context: RequestContext<RoleServer>,
        responses: Option<InputResponses>,
    ) -> Self {
        Self {
            place,
            pipe_closed,
            context,
            responses,
            steps: AtomicU32::new(0),
        }
    }

    /// Where the daemon keeps its things.
    pub(super) fn place(&self) -> &Place {
        &self.place
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

    fn is_modern(&self) -> bool {
        self.context
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
    }

    /// Shows the person a page, by whichever way the client of this very request declares.
    pub(super) async fn show_page(&self, message: String, page: &str) -> Result<Asked, Refusal> {
        let takes_pages = self
            .context
            .client_capabilities()
            .and_then(|capabilities| capabilities.elicitation)
            .is_some_and(|elicitation| elicitation.url.is_some());
        if !takes_pages {
            return Ok(Asked::Not);
        }
        let params = ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message,
            url: page.to_owned(),
            elicitation_id: QUESTION.to_owned(),
        };
        if !self.is_modern() {
            return self.push(params).await;
        }
        let response = self.responses.as_ref().and_then(|all| all.get(QUESTION));
        if let Some(response) = response {
            let result: ElicitResult =
                serde_json::from_value(response.clone()).map_err(|error| {
                    Refusal::new(
                        format!("the response `{QUESTION}` is not one: {error}"),
                        "call again without input responses",
                    )
                })?;
            return Ok(Asked::Reacted(result.action));
        }
        let mut requests = InputRequests::new();
        requests.insert(
            QUESTION.to_owned(),
            InputRequest::Elicitation(ElicitRequest::new(params)),
        );
        let retry = InputRequiredResult::from_input_requests(requests);
        Ok(Asked::Retry(Box::new(retry)))
    }

    async fn push(&self, params: ElicitRequestParams) -> Result<Asked, Refusal> {
        let asked = self
            .context
            .peer
            .create_elicitation_with_timeout(params, Some(SEEN_WITHIN));
        tokio::select! {
            result = asked => match result {
                Ok(result) => Ok(Asked::Reacted(result.action)),
                // Nobody reacted, or the client cannot after all: the answer says the same in words.
                Err(error) => {
                    tracing::debug!(%error, "a page could not be shown");
                    Ok(Asked::Not)
                }
            },
            () = self.left() => Err(Refusal::caller_left()),
        }
    }
}
