//! `stop`: stops a run and says what became of it.

use std::time::Duration;

use crate::mcp::args::StopArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};

/// A command that listens ends within milliseconds; the answer says so of one that does not.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// Stops a run.
pub(in crate::mcp) async fn stop(call: &Call, args: StopArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    client.stop(&args.run_id).await?;
    super::wait::run(call, &client, &args.run_id, STOPS_WITHIN).await
}
