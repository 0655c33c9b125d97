//! `mm modules`: what there is to sign in to.

use std::path::PathBuf;

use crate::cli::args::{ModulesArgs, ModulesVerb};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::table::table;
use crate::cli::wiring;
use crate::spec::{Catalog, Listing, Origin, Subject, check_file, explain, module_schema};

/// Lists, shows or checks modules. Needs no daemon: files speak for themselves.
pub(crate) fn modules(args: ModulesArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let catalog = wiring::catalog(&args.modules)?;
    match args.verb {
        ModulesVerb::List => screen.text(&list(&catalog))?,
        ModulesVerb::Show { name } => {
            let module = catalog.module(&name).map_err(|error| CliError::Spec {
                message: error.to_string(),
                help: Some(error.help()),
            })?;
            screen.text(&explain(&module))?;
        }
        ModulesVerb::Schema => screen.json(&module_schema())?,
        ModulesVerb::Check { files } if files.is_empty() => return check_all(&catalog, screen),
        ModulesVerb::Check { files } => return check(&catalog, &files, screen),
    }
    Ok(Exit::Done)
}

fn list(catalog: &Catalog) -> String {
    let row = |listing: Listing<'_, crate::script::Module>| {
        let origin = match listing.origin {
            Origin::Builtin(_) => "built in".to_owned(),
            Origin::Path(path) => path.display().to_string(),
        };
        let (title, shell, aliases) = match listing.value {
            Some(module) => {
                let aliases: Vec<&str> = module
                    .aliases
                    .iter()
                    .map(crate::name::ModuleName::as_str)
                    .collect();
                (
                    module.title.clone(),
                    module.shell.name.to_string(),
                    aliases.join(", "),
                )
            }
            None => (
                "cannot be used: `mm modules check` says why".to_owned(),
                "-".to_owned(),
                String::new(),
            ),
        };
        vec![listing.name.to_owned(), title, shell, origin, aliases]
    };
    let rows: Vec<Vec<String>> = catalog.modules().map(row).collect();
    table(&["MODULE", "TITLE", "SHELL", "FROM", "ALSO CALLED"], &rows)
}

/// Everything that is used.
fn check_all(catalog: &Catalog, screen: &mut Screen) -> Result<Exit, CliError> {
    let mut sound = 0;
    let mut text = catalog.problems().render(false);
    let mut broken = catalog.problems().has_errors();
    let findings: Vec<_> = catalog
        .modules()
        .map(|listing| (listing.value.is_some(), listing.findings))
        .chain(
            catalog
                .shells()
                .map(|listing| (listing.value.is_some(), listing.findings)),
        )
        .collect();
    for (is_sound, findings) in findings {
        sound += usize::from(is_sound);
        broken |= !is_sound;
        text.push_str(&findings.render(false));
    }
    text.push_str(&format!("{sound} modules and shells are sound\n"));
    screen.text(&text)?;
    Ok(if broken { Exit::BadSpec } else { Exit::Done })
}

fn check(catalog: &Catalog, files: &[PathBuf], screen: &mut Screen) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for file in files {
        match check_file(file, catalog) {
            Ok(checked) => {
                let what = match &checked.subject {
                    Subject::Module(module) => format!("module `{}`", module.name),
                    Subject::Shell(shell) => format!("shell `{}`", shell.name),
                    Subject::Include => "shared rules".to_owned(),
                };
                screen.text(&format!(
                    "{}{}: {what}, sound\n",
                    checked.warnings.render(false),
                    file.display()
                ))?;
            }
            Err(diagnostics) => {
                exit = Exit::BadSpec;
                screen.text(&diagnostics.render(false))?;
            }
        }
    }
    Ok(exit)
}
