//! What modules are made from: the shells and the shared rules, by name, and how a file of each kind becomes its compiled
//! form. A file that is not sound keeps its place and its findings, so that it can say what is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{Rules, ShellFile, compile_include, compile_module, compile_shell};
use super::diagnostic::Diagnostics;
use super::model::{IncludeSpec, ModuleSpec, ShellSpec};
use super::parse::load;
use super::parts::{ShellParts, Written};
use super::source::{At, Origin, SourceFile};
use super::value::Name;
use super::{suggest, validate};
use crate::script::{EffectRule, Module};

/// What became of a file.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    pub(super) origin: Origin,
    /// Absent where the file is not sound; `findings` then say why.
    pub(super) value: Option<T>,
    /// Faults, or only warnings.
    pub(super) findings: Arc<Diagnostics>,
}

impl<T> Entry<T> {
    fn new(origin: Origin, value: Option<T>, mut findings: Diagnostics) -> Self {
        findings.sort();
        let value = value.filter(|_| !findings.has_errors());
        Self {
            origin,
            value,
            findings: Arc::new(findings),
        }
    }

    /// Adds a fault, which takes the file out.
    pub(super) fn fail(&mut self, finding: super::diagnostic::Diagnostic) {
        let mut findings = Diagnostics::clone(&self.findings);
        findings.push(finding);
        *self = Self::new(self.origin.clone(), None, findings);
    }
}

/// A file's text, or why it could not be read.
pub(super) type Text = Result<Arc<SourceFile>, super::diagnostic::Diagnostic>;

/// Shells and shared rules by name. The names are those of the files, sound or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Library {
    pub(super) shells: BTreeMap<String, Entry<ShellFile>>,
    pub(super) includes: BTreeMap<String, Entry<Arc<Rules>>>,
}

/// A module, and the file it was made from.
#[derive(Debug, Clone)]
pub(super) struct ModuleFile {
    pub(super) spec: Arc<ModuleSpec>,
    pub(super) file: Arc<SourceFile>,
    pub(super) module: Arc<Module>,
}

/// A shell out of its file.
pub(super) fn shell(text: Text) -> Entry<ShellFile> {
    entry(text, |file, findings| {
        let spec: ShellSpec = read(file, findings)?;
        let written = Written { value: &spec, file };
        validate::file_name(written.part(|s| &s.shell), findings);
        let parts = ShellParts::of(written);
        validate::shell(&parts, findings);
        let shell = Arc::new(compile_shell(&parts, findings)?);
        Some(ShellFile {
            file: Arc::clone(file),
            spec: Arc::new(spec),
            shell,
        })
    })
}

/// Shared rules out of their file.
pub(super) fn include(text: Text) -> Entry<Arc<Rules>> {
    entry(text, |file, findings| {
        let spec: IncludeSpec = read(file, findings)?;
        let written = Written { value: &spec, file };
        validate::file_name(written.part(|i| &i.include), findings);
        validate::include(written, findings);
        compile_include(&spec, file, findings).map(Arc::new)
    })
}

impl Library {
    /// The rules about commands that hold for every module. None where their file is not sound: then nothing is known to
    /// be harmless.
    pub(super) fn effects(&self) -> Arc<[EffectRule]> {
        self.includes
            .get("effects")
            .and_then(|entry| entry.value.as_ref())
            .map(|rules| Arc::clone(&rules.effects))
            .unwrap_or_default()
    }

    /// A module out of its file, with this library's shells and rules.
    pub(super) fn module(&self, text: Text) -> Entry<ModuleFile> {
        entry(text, |file, findings| {
            let spec: ModuleSpec = read(file, findings)?;
            let written = Written { value: &spec, file };
            validate::file_name(written.part(|m| &m.module), findings);
            validate::module(written, findings);
            let base = find("shell", &self.shells, written.part(|m| &m.shell), findings);
            let included = spec
                .sign_in
                .as_ref()
                .map(|sign_in| sign_in.include.as_slice())
                .unwrap_or_default();
            let shared: Vec<_> = included
                .iter()
                .filter_map(|name| {
                    find(
                        "include",
                        &self.includes,
                        Written { value: name, file },
                        findings,
                    )
                })
                .cloned()
                .collect();
            let module = Arc::new(compile_module(
                written,
                base,
                &shared,
                &self.effects(),
                findings,
            )?);
            Some(ModuleFile {
                spec: Arc::new(spec),
                file: Arc::clone(file),
                module,
            })
        })
    }
}

fn entry<T>(
    text: Text,
    make: impl FnOnce(&Arc<SourceFile>, &mut Diagnostics) -> Option<T>,
) -> Entry<T> {
    match text {
        Ok(file) => {
            let mut findings = Diagnostics::default();
            let value = make(&file, &mut findings);
            Entry::new(file.origin.clone(), value, findings)
        }
        Err(finding) => Entry::new(finding.file.origin.clone(), None, finding.into()),
    }
}

fn read<T: serde::de::DeserializeOwned>(
    file: &Arc<SourceFile>,
    findings: &mut Diagnostics,
) -> Option<T> {
    load(file).map_err(|faults| findings.append(faults)).ok()
}

/// What `name` refers to; a finding where there is no such thing, or where it is not sound.
fn find<'e, T>(
    kind: &str,
    entries: &'e BTreeMap<String, Entry<T>>,
    name: Written<'_, At<Name>>,
    findings: &mut Diagnostics,
) -> Option<&'e T> {
    let At {
        value: Name(wanted),
        span,
    } = name.value;
    let Some(entry) = entries.get(wanted.as_str()) else {
        let known: Vec<&str> = entries.keys().map(String::as_str).collect();
        findings.push(
            name.error(*span, format!("there is no {kind} `{wanted}`"))
                .help(suggest::help(
                    &format!("the {kind}s"),
                    wanted.as_str(),
                    &known,
                )),
        );
        return None;
    };
    if entry.value.is_none() {
        findings.push(
            name.error(*span, format!("the {kind} `{wanted}` is not sound"))
                .help(entry.findings.to_string()),
        );
    }
    entry.value.as_ref()
}
