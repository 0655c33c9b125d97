//! `mm recording`: what a terminal said, looked at afterwards.

use crate::cli::args::{RecordingArgs, RecordingVerb};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;

/// Shows or plays a recording.
pub(crate) fn recording(args: RecordingArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        RecordingVerb::Show { file, json } => {
            screen.text(&wiring::recording_show(&file, json)?)?;
        }
        RecordingVerb::Play { file } => wiring::recording_play(&file, screen)?,
    }
    Ok(Exit::Done)
}
