//! `stop`: stops a run and says what became of it.

use std::time::Duration;

use crate::mcp::args::{MAX_CHARS, StopArgs, page};
use crate::mcp::call::Call;
use crate::mcp::follow::{self, StopsAt};
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::shape::Shape;

/// A command that listens ends within milliseconds; the answer says so of one that does not.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// Stops a run.
pub(in crate::mcp) async fn stop(call: &Call, args: StopArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let run = client.stop(&args.run_id).await?;
    let events = client.follow(&args.run_id, run.output_length).await?;
    let (stands, _events) = follow::run(call, events, STOPS_WITHIN, StopsAt::END).await?;
    super::run::told(call, &client, stands, &Shape::default(), page(MAX_CHARS)).await
}
