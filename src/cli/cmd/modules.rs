//! `mm modules`: what there is to sign in to.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::args::{ModulesArgs, ModulesVerb, SpecKind};
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::table::table;
use crate::cli::wiring;
use crate::config::settings_schema;
use crate::spec::{Catalog, DiagnosticJson, Diagnostics, Listing, Origin, Subject};
use crate::spec::{check_file, explain, guide, include_schema, module_schema, shell_schema};

/// Lists, shows or checks modules. Needs no daemon: files speak for themselves.
pub(crate) fn modules(args: ModulesArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let catalog = wiring::catalog(&args.modules)?;
    match args.verb.unwrap_or(ModulesVerb::List) {
        ModulesVerb::List => screen.text(&list(&catalog, screen.width()))?,
        ModulesVerb::Show { name } => {
            let module = catalog.module(&name).map_err(|error| CliError::Spec {
                message: error.to_string(),
                help: Some(error.help()),
            })?;
            screen.text(&explain(&module))?;
        }
        ModulesVerb::Guide => screen.text(guide())?,
        ModulesVerb::Keys { key } => {
            screen.text(&super::module_keys::told(key.as_deref(), screen.width())?)?;
        }
        ModulesVerb::Schema { of } => screen.json(&match of {
            SpecKind::Module => module_schema(),
            SpecKind::Shell => shell_schema(),
            SpecKind::Include => include_schema(),
            SpecKind::Settings => settings_schema(),
        })?,
        ModulesVerb::New(new) => {
            let folder = wiring::new_modules(&args.modules)?;
            return super::module_new::new(new, &folder, &catalog, screen);
        }
        ModulesVerb::Record(args) => {
            let module = catalog.module(&args.name).map_err(|error| CliError::Spec {
                message: error.to_string(),
                help: Some(error.help()),
            })?;
            return block_on(super::module_record::record(args, &module, screen));
        }
        ModulesVerb::Test {
            name,
            recordings,
            update,
        } => {
            let folder = recordings.as_deref();
            return super::module_test::test(&catalog, name.as_deref(), folder, update, screen);
        }
        ModulesVerb::Check { files, json } => {
            let verdict = if files.is_empty() {
                everything(&catalog)
            } else {
                these(&catalog, &files)
            };
            if json {
                let findings: Vec<DiagnosticJson> = verdict
                    .findings
                    .iter()
                    .flat_map(|findings| findings.to_json())
                    .collect();
                screen.json(&findings)?;
            } else {
                let findings = verdict.findings.iter().map(|found| found.render(false));
                let told = findings
                    .chain([verdict.summary])
                    .filter(|text| !text.is_empty());
                for text in told {
                    screen.text(&text)?;
                }
            }
            if verdict.broken {
                return Ok(Exit::BadSpec);
            }
        }
    }
    Ok(Exit::Done)
}

fn list(catalog: &Catalog, width: Option<usize>) -> String {
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
    let head = ["MODULE", "TITLE", "SHELL", "FROM", "ALSO CALLED"];
    table(&head, &rows, width)
}

/// What a check found.
struct Verdict {
    findings: Vec<Arc<Diagnostics>>,
    broken: bool,
    /// What there is to say besides, in lines.
    summary: String,
}

/// Everything that is used.
fn everything(catalog: &Catalog) -> Verdict {
    let problems = Arc::new(catalog.problems());
    let modules = catalog
        .modules()
        .map(|listing| (listing.value.is_some(), Arc::clone(listing.findings)));
    let shells = catalog
        .shells()
        .map(|listing| (listing.value.is_some(), Arc::clone(listing.findings)));
    let (sound, mut findings): (Vec<bool>, Vec<_>) = modules.chain(shells).unzip();
    findings.push(Arc::clone(&problems));
    let count = sound.iter().filter(|sound| **sound).count();
    Verdict {
        findings,
        broken: count < sound.len() || problems.has_errors(),
        summary: if count < sound.len() {
            format!("{count} of {} modules and shells are sound\n", sound.len())
        } else {
            format!("{count} modules and shells are sound\n")
        },
    }
}

fn these(catalog: &Catalog, files: &[PathBuf]) -> Verdict {
    let mut verdict = Verdict {
        findings: Vec::new(),
        broken: false,
        summary: String::new(),
    };
    for file in files {
        match check_file(file, catalog) {
            Ok(checked) => {
                let what = match &checked.subject {
                    Subject::Module(module) => format!("the module `{}`", module.name),
                    Subject::Shell(shell) => format!("the shell `{}`", shell.name),
                    Subject::Include => "shared rules".to_owned(),
                };
                verdict
                    .summary
                    .extend([format!("{}: {what}, sound\n", file.display())]);
                verdict.findings.push(checked.warnings);
            }
            Err(findings) => {
                verdict.broken = true;
                verdict.findings.push(findings);
            }
        }
    }
    verdict
}
