//! Checking one file by its path, whether or not a catalog would find it there.

use std::path::Path;
use std::sync::Arc;

use super::catalog::Catalog;
use super::diagnostic::Diagnostics;
use super::folder::unreadable;
use super::library::{self, Entry, Text};
use super::source::SourceFile;
use crate::script::{Module, Shell};

/// What a sound file is.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A module.
    Module(Arc<Module>),
    /// A shell.
    Shell(Arc<Shell>),
    /// Shared rules.
    Include,
}

/// A sound file.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) subject: Subject,
    /// What is probably not meant.
    pub(crate) warnings: Arc<Diagnostics>,
}

/// Checks the file at `path`, a module, a shell or shared rules, with the shells and rules of `catalog`. For a file whose
/// folder has a `shells/` or `include/` of its own, `catalog` has to have been loaded with that folder. Blocks.
pub(crate) fn check_file(path: &Path, catalog: &Catalog) -> Result<Checked, Arc<Diagnostics>> {
    let text = SourceFile::read(path).map_err(|error| unreadable(path, &error));
    check(path, text, catalog)
}

/// As [`check_file`], of a text that would be the file's.
#[cfg(any(fuzzing, test))]
pub(crate) fn check_text(
    path: &Path,
    text: &str,
    catalog: &Catalog,
) -> Result<Checked, Arc<Diagnostics>> {
    check(path, Ok(SourceFile::new(path, text)), catalog)
}

fn check(path: &Path, text: Text, catalog: &Catalog) -> Result<Checked, Arc<Diagnostics>> {
    let kind = kind_of(path, text.as_ref().map_or("", |file| &file.text));
    match kind {
        Kind::Shell => checked(library::shell(text), |file| Subject::Shell(file.shell)),
        Kind::Include => checked(library::include(text), |_| Subject::Include),
        Kind::Module => {
            let mut entry = catalog.library().module(text);
            let clash = entry
                .value
                .as_ref()
                .and_then(|module| catalog.clash_beside(module));
            if let Some(clash) = clash {
                entry.fail(clash);
            }
            checked(entry, |file| Subject::Module(file.module))
        }
    }
}

fn checked<T>(
    entry: Entry<T>,
    subject: impl FnOnce(T) -> Subject,
) -> Result<Checked, Arc<Diagnostics>> {
    match entry.value {
        Some(value) => Ok(Checked {
            subject: subject(value),
            warnings: entry.findings,
        }),
        None => Err(entry.findings),
    }
}

enum Kind {
    Module,
    Shell,
    Include,
}

/// What kind of file it is: its folder says so, else its keys do. A module's has both `module` and `shell`.
fn kind_of(path: &Path, text: &str) -> Kind {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let has = |key: &str| {
        text.lines().any(|line| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'))
        })
    };
    if folder == "shells" || (has("shell") && !has("module")) {
        Kind::Shell
    } else if folder == "include" || (has("include") && !has("module")) {
        Kind::Include
    } else {
        Kind::Module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_file_is_seen() {
        let kind = |path: &str, text: &str| kind_of(Path::new(path), text);
        assert!(matches!(
            kind("x/zoo.yaml", "module: zoo\nshell: cat\n"),
            Kind::Module
        ));
        assert!(matches!(kind("zoo.yaml", "title: Zoo\n"), Kind::Module));
        assert!(matches!(
            kind("cat.yaml", "# a shell\nshell: cat\n"),
            Kind::Shell
        ));
        assert!(matches!(kind("shells/cat.yaml", ""), Kind::Shell));
        assert!(matches!(
            kind("shared.yaml", "include: shared\n"),
            Kind::Include
        ));
        assert!(matches!(kind("include/shared.yaml", ""), Kind::Include));
    }

    #[test]
    fn a_file_is_checked_by_its_path() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("shared.yaml");
        std::fs::write(&path, "include: shared\n").expect("a file can be written");
        let checked = check_file(&path, &Catalog::load(&[])).expect("it is sound");
        assert!(
            matches!(checked.subject, Subject::Include) && checked.warnings.iter().next().is_none()
        );

        let findings = check_file(&folder.path().join("none.yaml"), &Catalog::load(&[]))
            .expect_err("there is none");
        assert!(
            findings.to_string().contains("cannot be read"),
            "{findings}"
        );
    }
}
