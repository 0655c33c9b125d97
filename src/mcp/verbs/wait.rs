//! `wait`: for a sign-in or a run. Nothing ends because somebody stops waiting.

use crate::api::WatchRequest;
use crate::client::Client;
use crate::mcp::args::{MAX_CHARS, WaitArgs, page, within};
use crate::mcp::call::Call;
use crate::mcp::follow::{self, StopsAt};
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::shape::Shape;
use crate::mcp::tell;

/// Waits for whichever is named.
pub(in crate::mcp) async fn wait(call: &Call, args: WaitArgs) -> Result<Reply, Refusal> {
    let time = within(args.wait_seconds);
    match (args.run_id, args.connection, args.module) {
        (Some(id), None, None) => {
            let client = call.client().await?;
            run(call, &client, &id, time).await
        }
        (None, Some(connection), Some(module)) => sign_in(call, connection, module, time).await,
        _ => Err(Refusal::new(
            "`wait` takes a run_id, or a connection and a module",
            "call again with one of these",
        )),
    }
}

/// Waits for a run that was handed over, and shows what came of it.
pub(super) async fn run(
    call: &Call,
    client: &Client,
    id: &str,
    time: std::time::Duration,
) -> Result<Reply, Refusal> {
    let shown = client.show(id).await?;
    // Only what is new is of use for progress.
    let events = client.follow(id, shown.output_length).await?;
    let (stands, _events) = follow::run(call, events, time, StopsAt::QUESTION).await?;
    super::run::told(call, client, stands, &Shape::default(), page(MAX_CHARS)).await
}

async fn sign_in(
    call: &Call,
    connection: String,
    module: String,
    time: std::time::Duration,
) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let sessions = client.sessions(Some(&connection), Some(&module)).await?;
    // Waiting must not start a sign-in that nobody asked for.
    let Some(session) = sessions.into_iter().next() else {
        return Err(Refusal::new(
            format!("{connection}/{module} has no sign-in to wait for"),
            "call `login`",
        ));
    };
    if session.sign_in_ended() {
        return Ok(super::login::outcome(&session));
    }
    let request = WatchRequest {
        connection,
        module,
        way: None,
        forget_identity: false,
        record: None,
    };
    let events = client.watch_sign_in(&request).await?;
    let session = follow::sign_in(call, events, time, |_| false)
        .await?
        .unwrap_or(session);
    if session.challenge.is_some() {
        return Ok(Reply::new(super::login::waits(&session)).next(format!(
            "remind the person, then again {}",
            tell::wait_for_sign_in(&session)
        )));
    }
    Ok(super::login::outcome(&session))
}
