//! Which grammar a module's commands are read with.

use super::parsed::{Doubt, Parsed};
use super::{bash, powershell};
use crate::script::Module;

/// What `text` runs as a command of `module`; without one, in PowerShell.
pub(crate) fn parse(text: &str, module: Option<&Module>) -> Parsed {
    let shell = module.map_or("pwsh", |module| module.shell.name.as_str());
    let mut parsed = match shell {
        "bash" => bash::parse(text),
        _ => powershell::parse(text),
    };
    let doubt = if module.is_some_and(|module| module.run.is_some()) {
        Some("it is a text for a program that the module starts")
    } else if matches!(shell, "bash" | "pwsh") {
        None
    } else {
        Some("there is no grammar for the module's shell")
    };
    parsed.own_files = super::own_files::named(text);
    parsed
        .doubts
        .extend(doubt.map(|why| Doubt { why, line: 1 }));
    parsed
}
