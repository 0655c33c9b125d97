//! `mm modules`: what there is to sign in to.

use crate::cli::args::{ModulesArgs, ModulesVerb};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;

/// Lists, shows or checks modules. Needs no daemon: files speak for themselves.
pub(crate) fn modules(args: ModulesArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let folders = args.modules.as_slice();
    match args.verb {
        ModulesVerb::List => screen.text(&wiring::modules_list(folders)?)?,
        ModulesVerb::Show { name } => screen.text(&wiring::modules_show(folders, &name)?)?,
        ModulesVerb::Schema => screen.text(&wiring::modules_schema()?)?,
        ModulesVerb::Check { files } => {
            let checked = wiring::modules_check(folders, &files)?;
            screen.text(&checked.text)?;
            if checked.faults > 0 {
                return Ok(Exit::BadSpec);
            }
        }
    }
    Ok(Exit::Done)
}
