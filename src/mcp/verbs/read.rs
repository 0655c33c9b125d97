//! `read`: a command that only reads. Whether it does is found by parsing it, not taken from anybody's word.

use rmcp::model::CallToolResponse;

use super::run::ordered;
use crate::mcp::args::RunArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::Refusal;

/// Runs a command, or refuses it.
pub(in crate::mcp) async fn read(call: &Call, args: RunArgs) -> Result<CallToolResponse, Refusal> {
    ordered(call, args, true).await
}
