//! `read`: a command that only reads. Whether it does is found by parsing it, not taken from anybody's word.

use rmcp::model::CallToolResponse;

use super::run::ordered;
use crate::mcp::args::ReadArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::Refusal;

/// Runs a command, or refuses it.
pub(in crate::mcp) async fn read(call: &Call, args: ReadArgs) -> Result<CallToolResponse, Refusal> {
    ordered(call, args.into(), true).await
}
