//! `disconnect`: signs out one session that nobody uses. Ending a run with its session, or a program that does not listen, is
//! a person's decision, at a terminal.

use serde_json::json;

use crate::api::{ApiError, DisconnectRequest, ErrorCode};
use crate::client::{Client, ClientError};
use crate::mcp::args::SessionArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply, a_call};

/// Signs out.
pub(in crate::mcp) async fn disconnect(call: &Call, args: SessionArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    // Once asked for, the daemon goes through with it, whether or not somebody waits.
    let key = tokio::select! {
        key = sign_out(&client, args) => key?,
        () = call.left() => return Err(Refusal::caller_left()),
    };
    Ok(Reply::new(format!("{key} is signed out.")).next("`login` signs in again, with a new code"))
}

/// Signs out a session that no run is in or waits for, and returns its name. The daemon looks and acts in one step.
pub(in crate::mcp) async fn sign_out(
    client: &Client,
    args: SessionArgs,
) -> Result<String, Refusal> {
    let request = DisconnectRequest {
        connection: args.connection,
        module: args.module,
        force: false,
        unless_used: true,
    };
    match client.disconnect(&request).await {
        // What it runs may be somebody else's.
        Err(ClientError::Api(ApiError {
            code: ErrorCode::InUse,
            run: Some(run),
            message,
            ..
        })) => {
            let this = json!({"run_id": run});
            Err(Refusal::new(
                message,
                format!(
                    "{} until it has ended and then sign out; if the person wants it to end now, {} first",
                    a_call("wait", &this),
                    a_call("stop", &this)
                ),
            ))
        }
        other => Ok(other?.to_string()),
    }
}
