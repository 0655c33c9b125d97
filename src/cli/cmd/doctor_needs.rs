//! What `mm doctor` says about what is installed: the `needs` of every shell and module that there is, one's own included,
//! against this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::doctor::{Findings, Level};
use crate::cli::programs;
use crate::config::Config;
use crate::script::{Module, Need, Needed, Shell, Version, VersionSource};
use crate::spec::Catalog;

/// Where PowerShell modules lie where a shell does not say.
const MODULE_FOLDERS: &str =
    "{real_home}/.local/share/powershell/Modules:/usr/local/share/powershell/Modules";

/// What is there of something that is needed.
#[derive(Debug, Clone)]
enum Found {
    Nothing,
    /// Its versions, the oldest first, and where it is.
    Versions(Vec<Version>, Option<PathBuf>),
    /// It is there, and does not say its version although it was asked.
    Silent(PathBuf),
}

/// This machine, as far as it was looked at: no program is asked twice.
struct Machine<'c> {
    config: &'c Config,
    path: OsString,
    /// By the name of what is needed, and by the way in which its version is found.
    seen: BTreeMap<(String, String), Found>,
}

/// Judges everything that is needed.
pub(super) fn installed(config: &Config, catalog: &Catalog, findings: &mut Findings) {
    let mut machine = Machine {
        config,
        path: std::env::var_os("PATH").unwrap_or_default(),
        seen: BTreeMap::new(),
    };
    for listing in catalog.modules().filter(|listing| listing.value.is_none()) {
        findings.with_help(
            listing.name,
            Level::Error,
            format!("the module's file cannot be used ({})", listing.origin),
            "mm modules check says what is wrong in it",
        );
    }
    let modules: Vec<&Module> = catalog
        .modules()
        .filter_map(|listing| listing.value.map(AsRef::as_ref))
        .collect();
    let mut shells: BTreeMap<&str, &Shell> = BTreeMap::new();
    for module in &modules {
        // A module's overrides change the shell, but hardly what has to be installed for it.
        shells
            .entry(module.shell.name.as_str())
            .or_insert(&module.shell);
    }
    let whole: Vec<&Module> = modules
        .iter()
        .copied()
        .filter(|module| !module.needs.is_empty() && machine.has_all(module))
        .collect();
    if whole.is_empty() {
        findings.with_help(
            "modules",
            Level::Warning,
            "no module finds all that it needs here",
            "install what one of them needs: mm modules show NAME says what that is",
        );
    }
    for (name, shell) in &shells {
        let elsewhere = whole
            .iter()
            .any(|module| module.shell.name.as_str() != *name);
        machine.program_of(shell, elsewhere, findings);
        for need in &shell.needs {
            // A module that runs without this shell makes the machine useful all the same.
            let level = if elsewhere { Level::Note } else { Level::Error };
            machine.judge(name, need, shell, level, findings);
        }
    }
    for module in modules {
        for need in &module.needs {
            let name = module.name.as_str();
            machine.judge(name, need, &module.shell, Level::Note, findings);
        }
    }
}

impl Machine<'_> {
    /// Whether everything is there that a module and its shell need, in whatever version.
    fn has_all(&mut self, module: &Module) -> bool {
        let mut needs = module.needs.iter().chain(&module.shell.needs);
        needs.all(|need| !matches!(self.look(need, &module.shell), Found::Nothing))
            && programs::find(&module.shell.start.program, &self.path).is_some()
    }

    /// The program of a shell whose `needs` do not name it.
    fn program_of(&self, shell: &Shell, elsewhere: bool, findings: &mut Findings) {
        let program = &shell.start.program;
        let told = shell.needs.iter().any(|need| need.name() == program);
        if told || programs::find(program, &self.path).is_some() {
            return;
        }
        let level = if elsewhere { Level::Note } else { Level::Error };
        findings.with_help(
            shell.name.as_str(),
            level,
            format!("the program {program} is not installed"),
            "install it, or put its folder on the PATH of whoever starts the daemon",
        );
    }

    /// Says what is there of `need`, and what is wrong with it. `missing` is how bad it is where there is nothing.
    fn judge(
        &mut self,
        about: &str,
        need: &Need,
        shell: &Shell,
        missing: Level,
        findings: &mut Findings,
    ) {
        let name = need.name();
        let (versions, place) = match self.look(need, shell) {
            Found::Nothing => {
                let message = format!("{} {name} is not installed", need.kind());
                return findings.with_help(about, missing, message, &need.install);
            }
            Found::Silent(place) => {
                let message = format!("{} does not say its version", place.display());
                return findings.with_help(about, Level::Error, message, &need.install);
            }
            Found::Versions(versions, place) => (versions, place),
        };
        let others: Vec<(String, Option<Version>)> = need
            .bad
            .iter()
            .filter_map(|bad| bad.with.as_ref())
            .map(|(program, _)| (program.clone(), self.version_of(program)))
            .collect();
        let beside = |program: &str| {
            let other = others.iter().find(|(name, _)| name == program);
            other.and_then(|(_, version)| version.clone())
        };
        let faults = need.faults(&versions, beside);
        if faults.is_empty() {
            let version = versions.last().map_or_else(
                || ", whose version is not to be seen".to_owned(),
                |version| format!(" {version}"),
            );
            let place = place.map_or(String::new(), |place| format!(" ({})", place.display()));
            findings.add(about, Level::Ok, format!("{name}{version}{place}"));
        }
        for fault in faults {
            let level = if fault.doubt {
                Level::Warning
            } else {
                Level::Error
            };
            findings.with_help(about, level, fault.message, fault.advice);
        }
    }

    /// The version of a program that was looked at: shells come before modules, and a module's own needs in its order.
    fn version_of(&self, program: &str) -> Option<Version> {
        let mut seen = self.seen.iter().filter(|((name, _), _)| name == program);
        seen.find_map(|(_, found)| match found {
            Found::Versions(versions, _) => versions.last().cloned(),
            Found::Nothing | Found::Silent(_) => None,
        })
    }

    fn look(&mut self, need: &Need, shell: &Shell) -> Found {
        let key = (need.name().to_owned(), format!("{:?}", need.what));
        if let Some(found) = self.seen.get(&key) {
            return found.clone();
        }
        let found = match &need.what {
            Needed::Program { name, version } => self.program(name, version.as_ref()),
            Needed::PowerShellModule(name) => {
                match programs::module_versions(name, &self.module_folders(shell)) {
                    Some(versions) => Found::Versions(versions, None),
                    None => Found::Nothing,
                }
            }
        };
        self.seen.insert(key, found.clone());
        found
    }

    fn program(&self, name: &str, source: Option<&VersionSource>) -> Found {
        let Some(file) = programs::find(name, &self.path) else {
            return Found::Nothing;
        };
        match source.map(|source| programs::version(&file, source)) {
            Some(Some(version)) => Found::Versions(vec![version], Some(file)),
            Some(None) if matches!(source, Some(VersionSource::Ask { .. })) => Found::Silent(file),
            _ => Found::Versions(Vec::new(), Some(file)),
        }
    }

    /// Where a shell looks for PowerShell modules.
    fn module_folders(&self, shell: &Shell) -> Vec<PathBuf> {
        let home = self.config.home.to_string_lossy();
        let set = &shell.environment.set;
        let set = set.iter().find(|(name, _)| name == "PSModulePath");
        let folders = match set {
            Some((_, template)) => template.render_with(|hole| match hole {
                "real_home" => home.clone().into_owned(),
                _ => String::new(),
            }),
            None => MODULE_FOLDERS.replace("{real_home}", &home),
        };
        std::env::split_paths(&folders).collect()
    }
}
