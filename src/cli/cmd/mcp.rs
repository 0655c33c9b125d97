//! `mm mcp`: the server for AI assistants, on standard input and output, and what a client's configuration needs.

use std::path::PathBuf;

use crate::cli::args::{McpArgs, McpVerb};
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;
use crate::mcp::{self, Options};

/// Serves one client until it is gone, prints a snippet, or looks at it as a client does.
pub(crate) fn mcp(args: McpArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        Some(McpVerb::Config { client }) => {
            let snippet = mcp::snippet(client, &program()?.display().to_string(), &["mcp"]);
            screen.text(snippet.trim_end())?;
            Ok(Exit::Done)
        }
        Some(McpVerb::Check) => {
            let seen = mcp::check(&program()?).map_err(|error| CliError::Io {
                what: "a client would see nothing".to_owned(),
                source: std::io::Error::other(error),
            })?;
            screen.text(&seen.join("\n"))?;
            Ok(Exit::Done)
        }
        None => {
            wiring::start_mcp_log()?;
            let options = Options {
                confirm: args.confirm,
                legacy: args.legacy,
            };
            block_on(serve(options))
        }
    }
}

fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(|source| CliError::Io {
        what: "this program's own path is not known".to_owned(),
        source,
    })
}

async fn serve(options: Options) -> Result<Exit, CliError> {
    mcp::serve(wiring::place()?, options)
        .await
        .map_err(|source| CliError::Io {
            what: "the protocol broke off".to_owned(),
            source,
        })?;
    Ok(Exit::Done)
}
