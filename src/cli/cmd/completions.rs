//! `mm completions`: a script for the shell.

use clap::CommandFactory as _;

use crate::cli::args::{Args, CompletionsArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mm", &mut script);
    screen.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
