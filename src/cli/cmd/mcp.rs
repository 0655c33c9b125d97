//! `mm mcp`: the server for AI assistants, on standard input and output, and what a client's configuration needs.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum as _;

use crate::cli::args::{McpArgs, McpVerb};
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::footprint;
use crate::cli::output::Screen;
use crate::cli::wiring;
use crate::mcp::{self, Legacy, Options, Started};

/// Serves one client until it is gone, prints a snippet, or looks at it as a client does.
pub(crate) fn mcp(args: McpArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        Some(McpVerb::Config { client }) => {
            let started = Started {
                program: program()?.display().to_string(),
                arguments: arguments(args.confirm, args.legacy),
                environment: environment()?,
            };
            screen.note(client.goes());
            screen.text(mcp::snippet(client, &started).trim_end())?;
            Ok(Exit::Done)
        }
        Some(McpVerb::Check) => {
            let arguments = arguments(args.confirm, args.legacy);
            let seen = mcp::check(&program()?, &arguments).map_err(|error| CliError::Io {
                what: "a client would see nothing".to_owned(),
                source: io::Error::other(error),
            })?;
            screen.text(&seen.lines.join("\n"))?;
            Ok(if seen.works {
                Exit::Done
            } else {
                Exit::NoDaemon
            })
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

/// What a client starts this program with, for a server like the one that is asked for.
fn arguments(confirm: bool, legacy: Option<Legacy>) -> Vec<String> {
    let mut arguments = vec!["mcp".to_owned()];
    if confirm {
        arguments.push("--confirm".to_owned());
    }
    if let Some(list) = legacy.and_then(|legacy| legacy.to_possible_value()) {
        arguments.extend(["--legacy".to_owned(), list.get_name().to_owned()]);
    }
    arguments
}

/// The places that the environment names, which a client would not pass on; they are paths, and made absolute.
fn environment() -> Result<Vec<(String, String)>, CliError> {
    let config = wiring::config()?;
    let places = [
        ("MM_STATE_DIR", &config.state_dir),
        ("MM_SOCKET", &config.socket),
        ("MM_CONNECTIONS", &config.connections_file),
        ("MM_CONFIG", &config.settings_file),
    ];
    let is_named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut named: Vec<(String, String)> = places
        .into_iter()
        .filter(|(name, _)| is_named(name))
        .map(|(name, path)| (name.to_owned(), path.display().to_string()))
        .collect();
    if let Some(folders) = std::env::var_os("MM_MODULES").filter(|list| !list.is_empty()) {
        let folders = std::env::split_paths(&folders)
            .filter(|folder| !folder.as_os_str().is_empty())
            .map(std::path::absolute)
            .collect::<Result<Vec<PathBuf>, _>>();
        let folders = folders.and_then(|all| std::env::join_paths(all).map_err(io::Error::other));
        let folders = folders.map_err(|source| CliError::Io {
            what: "the folders of MM_MODULES cannot be named".to_owned(),
            source,
        })?;
        let list = folders.to_string_lossy().into_owned();
        named.push(("MM_MODULES".to_owned(), list));
    }
    Ok(named)
}

fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(|source| CliError::Io {
        what: "this program's own path is not known".to_owned(),
        source,
    })
}

async fn serve(options: Options) -> Result<Exit, CliError> {
    footprint::give_back();
    mcp::serve(wiring::place()?, options)
        .await
        .map_err(|source| CliError::Io {
            what: "the protocol broke off".to_owned(),
            source,
        })?;
    Ok(Exit::Done)
}
