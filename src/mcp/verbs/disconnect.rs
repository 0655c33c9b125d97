//! `disconnect`: signs out one session that nobody uses. Ending a run with its session, or a program that does not listen, is
//! a person's decision, at a terminal.

use serde_json::json;

use crate::api::{DisconnectRequest, ErrorCode, Session};
use crate::client::{Client, ClientError};
use crate::mcp::args::SessionArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply, a_call};
use crate::mcp::tell;

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

/// Signs out a session without a run, and returns its name. A run that begins between the look and the request is stopped
/// as every run is whose session is signed out.
pub(in crate::mcp) async fn sign_out(
    client: &Client,
    args: SessionArgs,
) -> Result<String, Refusal> {
    let named = client.sessions(Some(&args.connection), Some(&args.module));
    let living = match named.await {
        // A session outlives the entry and the file that it is called after.
        Err(ClientError::Api(error))
            if matches!(error.code, ErrorCode::BadConnection | ErrorCode::BadModule) =>
        {
            let mut all = client.sessions(None, None).await?;
            all.retain(|one| tell::key(one) == format!("{}/{}", args.connection, args.module));
            all
        }
        other => other?,
    };
    if let Some(refusal) = living.first().and_then(in_use) {
        return Err(refusal);
    }
    let request = DisconnectRequest {
        connection: args.connection,
        module: args.module,
        force: false,
    };
    Ok(client.disconnect(&request).await?.to_string())
}

/// Why a session is not signed out now: what it runs may be somebody else's.
fn in_use(session: &Session) -> Option<Refusal> {
    let key = tell::key(session);
    if let Some(run) = &session.current {
        let this = json!({"run_id": run});
        return Some(Refusal::new(
            format!("{key} has the run {run}, which signing out would stop"),
            format!(
                "{} until it has ended and then sign out; if the person wants it to end now, {} first",
                a_call("wait", &this),
                a_call("stop", &this)
            ),
        ));
    }
    (session.queued > 0).then(|| {
        Refusal::new(
            format!(
                "{} runs wait for {key}, which signing out would stop",
                session.queued
            ),
            "call `status` in a moment, and again when none waits",
        )
    })
}
