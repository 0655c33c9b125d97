//! `disconnect`: signs out one session. Ending a program that does not listen is a person's decision, at a terminal.

use crate::api::DisconnectRequest;
use crate::mcp::args::SessionArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};

/// Signs out.
pub(in crate::mcp) async fn disconnect(call: &Call, args: SessionArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let request = DisconnectRequest {
        connection: args.connection,
        module: args.module,
        force: false,
    };
    // Once asked for, the daemon goes through with it, whether or not somebody waits.
    let key = tokio::select! {
        key = client.disconnect(&request) => key?,
        () = call.left() => return Err(Refusal::caller_left()),
    };
    Ok(Reply::new(format!("{key} is signed out.")).next("`login` signs in again, with a new code"))
}
