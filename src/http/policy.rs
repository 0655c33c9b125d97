//! The route of policies that wait to be taken on.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::body::JsonBody;
use super::caller::{Caller, needs_person};
use super::failure::Failure;
use super::peer::Peer;
use super::routes::Door;
use crate::api::{AcceptPolicyRequest, ErrorCode, LoosenedPolicy};
use crate::daemon;

/// Says what waits, or takes it on for a person.
pub(super) async fn accept(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Caller(who): Caller,
    JsonBody(request): JsonBody<AcceptPolicyRequest>,
) -> Result<Json<LoosenedPolicy>, Failure> {
    if let Some(digest) = &request.digest {
        if peer.who(&who.client) != daemon::Who::Person {
            return Err(needs_person());
        }
        if !door
            .service
            .take_on(request.connection.as_deref(), digest, &who)
            .await?
        {
            let message = "what the files say is not any longer what was shown";
            let failure = Failure::new(StatusCode::CONFLICT, ErrorCode::ApprovalChanged, message);
            return Err(failure.with_help("look at it again"));
        }
    }
    let waits = door.service.loosened(request.connection.as_deref())?;
    Ok(Json(LoosenedPolicy {
        connection: waits.connection.map(|name| name.to_string()),
        changes: waits.changes,
        digest: waits.digest,
    }))
}
