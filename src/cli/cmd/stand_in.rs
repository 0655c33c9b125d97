//! `mm stand-in`: a program that behaves as PowerShell does, from a scenario file.

use crate::cli::args::StandInArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::wiring;

/// Is the stand-in until its terminal ends.
pub(crate) fn stand_in(args: StandInArgs) -> Result<Exit, CliError> {
    wiring::stand_in(&args.scenario, &args.arguments)
}
