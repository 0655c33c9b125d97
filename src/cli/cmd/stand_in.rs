//! `mm stand-in`: a program that behaves as PowerShell does, from a scenario file.

use std::process::ExitCode;

use crate::cli::args::StandInArgs;
use crate::cli::error::CliError;
use crate::demo;

/// Is the stand-in until its terminal ends; the code is the one that PowerShell would leave with.
pub(crate) fn stand_in(args: &StandInArgs) -> Result<ExitCode, CliError> {
    demo::stand_in(&args.scenario).map_err(|error| CliError::usage(error.to_string(), error.help()))
}
