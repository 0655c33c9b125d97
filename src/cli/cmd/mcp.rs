//! `mm mcp`: the server for AI assistants, on standard input and output.

use crate::cli::args::McpArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::wiring;
use crate::mcp::{self, Options};

/// Serves one client until it is gone.
pub(crate) async fn mcp(args: McpArgs) -> Result<Exit, CliError> {
    wiring::start_mcp_log()?;
    let options = Options {
        confirm: args.confirm,
    };
    mcp::serve(wiring::place()?, options)
        .await
        .map_err(|source| CliError::Io {
            what: "the protocol broke off".to_owned(),
            source,
        })?;
    Ok(Exit::Done)
}
