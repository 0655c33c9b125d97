//! A run that needs a yes, and its client's form: shown only where the daemon's configuration trusts that client's word. A
//! yes names what was shown, so that nothing else is approved by it.

use std::time::Duration;

use rmcp::model::{ElicitResult, InputRequiredResult};

use crate::api::{ApproveRequest, DenyRequest, ErrorCode, Run};
use crate::client::{Client, ClientError};
use crate::mcp::approval::{self, Decision};
use crate::mcp::ask::{Asked, Form};
use crate::mcp::call::Call;
use crate::mcp::reply::Refusal;

/// The form's name in a call that comes back.
const FORM: &str = "approval";

/// What became of asking.
pub(super) enum Said {
    /// The client asks the person and calls again.
    Retry(Box<InputRequiredResult>),
    /// Yes or no.
    Decided,
    /// The run waits for somebody at a terminal.
    Nothing,
}

/// What a client brings back. It could make this up, as it could make up the person's answer: neither is taken from a client
/// that is not trusted, and the daemon compares the digest with what waits.
pub(super) struct Filled {
    result: ElicitResult,
    pub(super) run_id: String,
    digest: String,
}

/// Has the client of this call show its form for `run`, where it has one that counts.
pub(super) async fn ask(
    call: &Call,
    client: &Client,
    run: &Run,
    within: Duration,
) -> Result<Said, Refusal> {
    let name = call.client_name().unwrap_or_default();
    if !call.takes_forms() || !client.daemon().await?.trusted_forms.contains(&name) {
        return Ok(Said::Nothing);
    }
    let whole = match client.approval(run.id.as_str()).await {
        // Somebody at a terminal was faster.
        Err(ClientError::Api(error)) if error.code == ErrorCode::NoApproval => {
            return Ok(Said::Decided);
        }
        other => other?,
    };
    let Some(wanted) = &whole.approval else {
        return Ok(Said::Decided);
    };
    if !wanted.trusted_forms.contains(&name) {
        return Ok(Said::Nothing);
    }
    let Some(message) = approval::shown(&whole, wanted) else {
        return Ok(Said::Nothing);
    };
    let form = Form {
        message,
        fields: approval::fields(wanted),
        state: format!("{} {}", whole.id, wanted.digest),
        within,
    };
    match call.show_form(FORM, form).await? {
        Asked::Not => Ok(Said::Nothing),
        Asked::Retry(retry) => Ok(Said::Retry(retry)),
        Asked::Reacted(result) => {
            let filled = Filled {
                result,
                run_id: whole.id.to_string(),
                digest: wanted.digest.clone(),
            };
            take(call, client, &filled).await
        }
    }
}

/// The form that an earlier call had its client show, filled in. Its state has to be the one of a run that waits, or has
/// waited: a client that has bent it gets no answer at all.
pub(super) async fn filled(call: &Call, client: &Client) -> Result<Option<Filled>, Refusal> {
    let Some((result, state)) = call.filled_in(FORM)? else {
        return Ok(None);
    };
    let not_ours = || Refusal::malformed("the request state is not one of this server");
    let (run_id, digest) = state.split_once(' ').ok_or_else(not_ours)?;
    let wanted = match client.approval(run_id).await {
        Ok(run) => run.approval.map(|approval| approval.digest),
        // Somebody at a terminal was faster; the run tells how it went.
        Err(ClientError::Api(error)) if error.code == ErrorCode::NoApproval => None,
        Err(ClientError::Api(error)) if error.code == ErrorCode::UnknownRun => {
            return Err(not_ours());
        }
        Err(error) => return Err(error.into()),
    };
    if wanted.is_some_and(|wanted| wanted != digest) {
        return Err(not_ours());
    }
    Ok(Some(Filled {
        result,
        run_id: run_id.to_owned(),
        digest: digest.to_owned(),
    }))
}

/// Passes on what the person said.
pub(super) async fn take(call: &Call, client: &Client, filled: &Filled) -> Result<Said, Refusal> {
    let sent = match approval::decision(&filled.result) {
        Decision::Yes { tenant } => {
            let yes = ApproveRequest {
                digest: filled.digest.clone(),
                tenant,
                client: "mcp".to_owned(),
                form: call.client_name(),
            };
            client.approve(&filled.run_id, &yes).await
        }
        Decision::No => {
            let no = DenyRequest {
                reason: Some("the person said no on the client's form".to_owned()),
                client: "mcp".to_owned(),
            };
            client.deny(&filled.run_id, &no).await
        }
        Decision::Nothing => return Ok(Said::Nothing),
    };
    match sent {
        // Somebody at a terminal was faster; the run tells how it went.
        Err(ClientError::Api(error)) if error.code == ErrorCode::NoApproval => {}
        other => drop(other?),
    }
    Ok(Said::Decided)
}
