//! Questions to the person through the client, by whichever way the client of this very request has: a request of our own
//! (the handshake revisions), or an answer that has the client ask and call again (2026-07-28).

use std::time::Duration;

use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationCapability, ElicitationSchema,
    InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
};

use super::call::Call;
use super::reply::Refusal;

/// How long a person may take to say that they have seen a page; then the answer goes out without them. Below the 60
/// seconds after which common clients give a call up.
const SEEN_WITHIN: Duration = Duration::from_secs(45);

/// What became of a question to the person.
pub(super) enum Asked {
    /// The client has no such question, or nobody reacted to it.
    Not,
    /// The client is to ask and to call again.
    Retry(Box<InputRequiredResult>),
    /// The person reacted.
    Reacted(ElicitResult),
}

/// A form.
pub(super) struct Form {
    pub(super) message: String,
    pub(super) fields: ElicitationSchema,
    /// What comes back with the call that has the answer. The client can read it.
    pub(super) state: String,
    /// How long somebody may take where the call itself waits for them.
    pub(super) within: Duration,
}

impl Call {
    /// Shows the person a page. Accepting means that they have seen it, not that they have done what it asks.
    pub(super) async fn show_page(&self, message: String, page: &str) -> Result<Asked, Refusal> {
        const NAME: &str = "sign_in";
        if self.takes().is_none_or(|takes| takes.url.is_none()) {
            return Ok(Asked::Not);
        }
        let params = ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message,
            url: page.to_owned(),
            elicitation_id: NAME.to_owned(),
        };
        if !self.is_modern() {
            return self.push(params, SEEN_WITHIN).await;
        }
        Ok(match self.response(NAME)? {
            Some(result) => Asked::Reacted(result),
            None => retry(NAME, params, None),
        })
    }

    /// Whether the client of this request shows forms. One that only says that it asks means forms (2025-11-25).
    pub(super) fn takes_forms(&self) -> bool {
        self.takes()
            .is_some_and(|takes| takes.form.is_some() || takes.url.is_none())
    }

    /// Has the person fill in a form; the answer to a form that an earlier call showed is [`Call::filled_in`].
    pub(super) async fn show_form(&self, name: &str, form: Form) -> Result<Asked, Refusal> {
        if !self.takes_forms() {
            return Ok(Asked::Not);
        }
        let params = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: form.message,
            requested_schema: form.fields,
        };
        if self.is_modern() {
            Ok(retry(name, params, Some(form.state)))
        } else {
            self.push(params, form.within).await
        }
    }

    /// The answer to the form `name`, with the state that it was sent with.
    pub(super) fn filled_in(&self, name: &str) -> Result<Option<(ElicitResult, String)>, Refusal> {
        let Some(result) = self.response(name)? else {
            return Ok(None);
        };
        let state = self.state().ok_or_else(|| {
            Refusal::malformed(format!(
                "the response `{name}` came without its request state"
            ))
        })?;
        Ok(Some((result, state.to_owned())))
    }

    fn takes(&self) -> Option<ElicitationCapability> {
        self.context().client_capabilities()?.elicitation
    }

    fn is_modern(&self) -> bool {
        self.context()
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
    }

    fn response(&self, name: &str) -> Result<Option<ElicitResult>, Refusal> {
        let response = self.responses().and_then(|all| all.get(name));
        let Some(response) = response else {
            return Ok(None);
        };
        serde_json::from_value(response.clone())
            .map(Some)
            .map_err(|error| {
                Refusal::malformed(format!("the response `{name}` is not one: {error}"))
            })
    }

    async fn push(&self, params: ElicitRequestParams, within: Duration) -> Result<Asked, Refusal> {
        let peer = &self.context().peer;
        tokio::select! {
            result = peer.create_elicitation_with_timeout(params, Some(within)) => match result {
                Ok(result) => Ok(Asked::Reacted(result)),
                // Nobody reacted, or the client cannot after all: the answer says the same in words.
                Err(error) => {
                    tracing::debug!(%error, "the person could not be asked");
                    Ok(Asked::Not)
                }
            },
            () = self.left() => Err(Refusal::caller_left()),
        }
    }
}

fn retry(name: &str, params: ElicitRequestParams, state: Option<String>) -> Asked {
    let mut requests = InputRequests::new();
    let request = InputRequest::Elicitation(ElicitRequest::new(params));
    requests.insert(name.to_owned(), request);
    Asked::Retry(Box::new(InputRequiredResult::new(Some(requests), state)))
}
