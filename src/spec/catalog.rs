//! [`Catalog`]: the modules and shells there are, by name. The program's own come first; folders of the user add to them
//! and replace them. A file that is not sound takes only itself out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compile::ShellFile;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::folder::{Folder, Stamp};
use super::library::{self, Entry, Library, ModuleFile, Text};
use super::lookup::{CatalogError, found};
use super::source::{Origin, SourceFile};
use crate::script::{EffectRule, Module, Shell};

/// One line of the list of modules or shells.
#[derive(Debug)]
pub(crate) struct Listing<'c, T> {
    /// The name of its file without `.yaml`.
    pub(crate) name: &'c str,
    pub(crate) origin: &'c Origin,
    /// Absent where the file is not sound.
    pub(crate) value: Option<&'c Arc<T>>,
    /// Faults, or only warnings.
    pub(crate) findings: &'c Arc<Diagnostics>,
}

/// The modules and shells there are. A value: what it hands out stays as it is when it is loaded anew.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    folders: Vec<PathBuf>,
    stamp: Stamp,
    library: Library,
    modules: BTreeMap<String, Entry<ModuleFile>>,
    /// Other names, and whose they are.
    aliases: BTreeMap<String, String>,
    problems: Diagnostics,
}

impl Catalog {
    /// The rules about commands that hold for every module.
    pub(crate) fn effects(&self) -> Arc<[EffectRule]> {
        self.library.effects()
    }

    /// Reads the program's own files and those of `folders`, each of which may have a `shells/` and an `include/` of its
    /// own. A later one replaces what an earlier one has under the same name. A folder that is not there is empty. Blocks.
    pub(crate) fn load(folders: &[PathBuf]) -> Self {
        Self::of(Some(Folder::builtin()), folders)
    }

    /// The shell `name` of one folder, for a program that needs nothing of what the others hold. Blocks.
    pub(crate) fn shell_of(folder: &Path, name: &str) -> Result<Arc<Shell>, CatalogError> {
        Self::of(None, &[folder.to_owned()]).shell(name)
    }

    fn of(builtin: Option<Folder>, folders: &[PathBuf]) -> Self {
        // Before any file is read: what is written meanwhile is then noticed by the next look.
        let stamp = Stamp::of(folders);
        let mut catalog = Self {
            folders: folders.to_vec(),
            stamp,
            library: Library::default(),
            modules: BTreeMap::new(),
            aliases: BTreeMap::new(),
            problems: Diagnostics::default(),
        };
        let read = folders.iter().map(|path| Folder::read(path));
        let layers = builtin.into_iter().chain(read);
        // By name, with the number of the layer: all shells and rules are known before the first module is made.
        let mut modules: BTreeMap<String, (usize, Text)> = BTreeMap::new();
        for (layer, folder) in layers.enumerate() {
            let Folder {
                modules: texts,
                shells,
                includes,
                problems,
            } = folder;
            catalog.problems.append(problems);
            catalog.library.shells.extend(
                shells
                    .into_iter()
                    .map(|(name, text)| (name, library::shell(text))),
            );
            catalog.library.includes.extend(
                includes
                    .into_iter()
                    .map(|(name, text)| (name, library::include(text))),
            );
            modules.extend(texts.into_iter().map(|(name, text)| (name, (layer, text))));
        }
        let mut layer_of = BTreeMap::new();
        for (name, (layer, text)) in modules {
            layer_of.insert(name.clone(), layer);
            catalog.modules.insert(name, catalog.library.module(text));
        }
        catalog.name_aliases(&layer_of);
        catalog
    }

    /// Gives out the aliases. In one layer a name is given once; of two layers the later one wins, and a module's own name
    /// before any alias.
    fn name_aliases(&mut self, layer_of: &BTreeMap<String, usize>) {
        let mut holders: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let names: Vec<String> = self.modules.keys().cloned().collect();
        for name in names {
            let Some(entry) = self.modules.get(&name) else {
                continue;
            };
            let Some(module) = entry.value.clone() else {
                continue;
            };
            let layer = layer_of.get(&name).copied().unwrap_or_default();
            let clash = module.spec.aliases.iter().find_map(|alias| {
                let text = alias.0.as_str();
                let holder = if text != name && layer_of.get(text) == Some(&layer) {
                    Some(text.to_owned())
                } else {
                    holders
                        .get(text)
                        .filter(|(other, _)| *other == layer)
                        .map(|(_, holder)| holder.clone())
                };
                holder.map(|holder| alias_taken(&module.file, alias.span, text, &holder))
            });
            if let Some(finding) = clash {
                if let Some(entry) = self.modules.get_mut(&name) {
                    entry.fail(finding);
                }
                continue;
            }
            for alias in &module.spec.aliases {
                let text = alias.0.as_str();
                if holders.get(text).is_none_or(|(other, _)| *other < layer) {
                    holders.insert(text.to_owned(), (layer, name.clone()));
                }
            }
        }
        self.aliases = holders
            .into_iter()
            .map(|(alias, (_, name))| (alias, name))
            .collect();
    }

    /// The module that has this name or this alias.
    pub(crate) fn module(&self, name: &str) -> Result<Arc<Module>, CatalogError> {
        let own = if self.modules.contains_key(name) {
            Some(name)
        } else {
            self.aliases.get(name).map(String::as_str)
        };
        let known = || {
            self.modules
                .keys()
                .chain(self.aliases.keys())
                .map(String::as_str)
        };
        let entry = own.and_then(|own| self.modules.get_key_value(own));
        found("module", name, entry, known).map(|file| Arc::clone(&file.module))
    }

    /// The shell that has this name.
    pub(crate) fn shell(&self, name: &str) -> Result<Arc<Shell>, CatalogError> {
        let shells = &self.library.shells;
        let known = || shells.keys().map(String::as_str);
        found("shell", name, shells.get_key_value(name), known)
            .map(|file: &ShellFile| Arc::clone(&file.shell))
    }

    /// What modules are made from.
    pub(super) fn library(&self) -> &Library {
        &self.library
    }

    /// All modules by name, those that are not sound among them.
    pub(crate) fn modules(&self) -> impl Iterator<Item = Listing<'_, Module>> {
        listing(&self.modules, |file| &file.module)
    }

    /// All shells by name, those that are not sound among them.
    pub(crate) fn shells(&self) -> impl Iterator<Item = Listing<'_, Shell>> {
        listing(&self.library.shells, |file| &file.shell)
    }

    /// What is wrong and belongs to no module and no shell: folders that cannot be read, shared rules that are not sound.
    pub(crate) fn problems(&self) -> Diagnostics {
        let mut problems = self.problems.clone();
        for include in self.library.includes.values() {
            problems.append(Diagnostics::clone(&include.findings));
        }
        problems
    }

    /// Whether a file of the folders was written, added or removed since this was loaded. Looks, but reads no file. Blocks.
    pub(crate) fn stale(&self) -> bool {
        Stamp::of(&self.folders) != self.stamp
    }

    /// Loads itself anew if it is stale, and says whether it was. Blocks.
    pub(crate) fn reload_if_changed(&mut self) -> bool {
        let stale = self.stale();
        if stale {
            *self = Self::load(&self.folders);
        }
        stale
    }

    /// A fault where another file in the module's folder has one of its aliases.
    pub(super) fn clash_beside(&self, module: &ModuleFile) -> Option<Diagnostic> {
        let folder = folder_of(&module.file.origin)?;
        let beside = || {
            self.modules.iter().filter(|(_, entry)| {
                entry.origin != module.file.origin && folder_of(&entry.origin) == Some(folder)
            })
        };
        module.spec.aliases.iter().find_map(|alias| {
            let (holder, _) = beside().find(|(name, entry)| {
                let others = entry
                    .value
                    .as_ref()
                    .map(|other| other.spec.aliases.as_slice())
                    .unwrap_or_default();
                name.as_str() == alias.0.as_str()
                    || others.iter().any(|other| other.value == alias.value)
            })?;
            Some(alias_taken(
                &module.file,
                alias.span,
                alias.0.as_str(),
                holder,
            ))
        })
    }
}

fn folder_of(origin: &Origin) -> Option<&Path> {
    match origin {
        Origin::Path(path) => path.parent(),
        Origin::Builtin(_) => None,
    }
}

fn alias_taken(
    file: &Arc<SourceFile>,
    span: super::source::Span,
    alias: &str,
    holder: &str,
) -> Diagnostic {
    Diagnostic::error(
        file,
        span,
        format!("the module `{holder}` answers to `{alias}` already"),
    )
    .help("a name means one module: choose another alias")
}

fn listing<'c, E, T: 'c>(
    entries: &'c BTreeMap<String, Entry<E>>,
    value: impl Fn(&'c E) -> &'c Arc<T>,
) -> impl Iterator<Item = Listing<'c, T>> {
    entries.iter().map(move |(name, entry)| Listing {
        name,
        origin: &entry.origin,
        value: entry.value.as_ref().map(&value),
        findings: &entry.findings,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::spec::check_file;

    const SHELL: &str = "shell: cat\ntitle: Cat\nstart: {program: cat}\nquoting: posix\n\
        frame: {encoding: plain, close: \"{nonce} {command}\\n\"}\nmarkers: {end: \"<<end:{nonce}>>\"}\n";

    fn module(name: &str, rest: &str) -> String {
        format!("module: {name}\ntitle: T {name}\nshell: cat\n{rest}")
    }

    /// A folder with one shell of its own and these modules.
    fn folder(modules: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::create_dir(folder.path().join("shells")).expect("a folder can be made");
        fs::write(folder.path().join("shells/cat.yaml"), SHELL).expect("a file can be written");
        for (name, rest) in modules {
            write(&folder, name, &module(name, rest));
        }
        folder
    }

    fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
        fs::write(folder.path().join(format!("{name}.yaml")), text).expect("a file can be written");
    }

    fn catalog(folder: &tempfile::TempDir) -> Catalog {
        Catalog::load(&[folder.path().to_owned()])
    }

    #[test]
    fn the_users_folder_adds_and_replaces() {
        let user = folder(&[("zoo", "aliases: [animals]\n"), ("exo", "")]);
        let catalog = catalog(&user);
        assert_eq!(
            catalog
                .module("zoo")
                .expect("it was added")
                .shell
                .name
                .as_str(),
            "cat"
        );
        assert_eq!(
            catalog
                .module("animals")
                .expect("it is an alias")
                .name
                .as_str(),
            "zoo"
        );
        assert_eq!(
            catalog.module("exo").expect("it was replaced").title,
            "T exo"
        );
        assert!(
            catalog.module("exchange").is_err(),
            "the alias went with the module"
        );
        assert!(catalog.shell("pwsh").is_ok());
        assert!(catalog.problems().iter().next().is_none());
    }

    #[test]
    fn a_users_module_may_use_what_is_built_in() {
        let user = folder(&[]);
        let text = "module: own\ntitle: Own\nshell: pwsh\nsign_in:\n  include: [microsoft]\n  ways: [{name: device_code, \
            connect: Connect-It, within: 15m}]\n  identity: {command: Get-It, account: A, tenant: T}\n";
        write(&user, "own", text);
        let catalog = catalog(&user);
        let own = catalog.module("own").expect("it is sound");
        let exo = catalog.module("exo").expect("it is sound");
        assert!(Arc::ptr_eq(&own.shell, &exo.shell));
        assert!(
            own.sign_in
                .as_ref()
                .is_some_and(|rules| rules.challenges.rules().len() > 3)
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_a_suggestion() {
        let catalog = Catalog::load(&[]);
        let error = catalog.module("exx").expect_err("there is none");
        assert_eq!(error.to_string(), "there is no module `exx`");
        assert_eq!(error.help(), "did you mean `exo`?");
        let error = catalog.shell("nushell-like").expect_err("there is none");
        assert!(error.help().contains("`pwsh`"), "{}", error.help());
    }

    #[test]
    fn a_bad_file_takes_only_itself_out() {
        let user = folder(&[("good", ""), ("bad", "colour: red\n")]);
        let catalog = catalog(&user);
        assert!(catalog.module("good").is_ok());
        let Err(CatalogError::Broken { diagnostics, .. }) = catalog.module("bad") else {
            panic!("the module has an unknown key");
        };
        assert_eq!(diagnostics.to_json()[0].line, Some(4));

        write(&user, "exo", "module: exo\n");
        let catalog = Catalog::load(&[user.path().to_owned()]);
        assert!(
            matches!(catalog.module("exo"), Err(CatalogError::Broken { .. })),
            "what is built in does not stand in for it"
        );
        let broken: Vec<&str> = catalog
            .modules()
            .filter(|entry| entry.value.is_none())
            .map(|entry| entry.name)
            .collect();
        assert_eq!(broken, ["bad", "exo"]);
    }

    #[test]
    fn a_bad_shell_is_named_by_the_modules_that_use_it() {
        let user = folder(&[("zoo", "")]);
        fs::write(user.path().join("shells/cat.yaml"), "shell: cat\n")
            .expect("a file can be written");
        let catalog = catalog(&user);
        let error = catalog.module("zoo").expect_err("its shell is not sound");
        assert!(
            error.help().contains("the shell `cat` is not sound"),
            "{}",
            error.help()
        );
        assert!(matches!(
            catalog.shell("cat"),
            Err(CatalogError::Broken { .. })
        ));
    }

    #[test]
    fn a_name_is_given_once_in_a_folder() {
        let user = folder(&[
            ("ant", "aliases: [x]\n"),
            ("bee", "aliases: [x]\n"),
            ("cow", "aliases: [ant]\n"),
        ]);
        let catalog = catalog(&user);
        assert_eq!(
            catalog
                .module("x")
                .expect("the first one has it")
                .name
                .as_str(),
            "ant"
        );
        for (name, text) in [
            ("bee", "the module `ant` answers to `x` already"),
            ("cow", "the module `ant` answers to `ant` already"),
        ] {
            let error = catalog.module(name).expect_err("its alias is taken");
            assert!(error.help().contains(text), "{}", error.help());
            let findings = check_file(&user.path().join(format!("{name}.yaml")), &catalog)
                .expect_err("the same");
            assert!(findings.to_string().contains("already"), "{findings}");
        }
    }

    #[test]
    fn a_file_that_is_none_is_not_waited_for() {
        let user = folder(&[("good", "")]);
        fs::create_dir(user.path().join("folder.yaml")).expect("a folder can be made");
        fs::write(
            user.path().join("latin.yaml"),
            b"module: latin\ntitle: \xe9\n",
        )
        .expect("a file can be written");
        fs::write(user.path().join("old.yml"), "").expect("a file can be written");
        fs::write(user.path().join(".#good.yaml"), "").expect("a file can be written");
        let catalog = catalog(&user);
        assert!(catalog.module("good").is_ok());
        assert!(
            catalog
                .module("folder")
                .expect_err("it is a folder")
                .help()
                .contains("not an ordinary file")
        );
        assert!(
            catalog
                .module("latin")
                .expect_err("it is Latin-1")
                .help()
                .contains("not UTF-8")
        );
        assert_eq!(catalog.problems().to_json().len(), 1);
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let user = folder(&[("zoo", "")]);
        let mut catalog = catalog(&user);
        let before = catalog.module("zoo").expect("it is sound");
        assert!(!catalog.reload_if_changed());

        write(&user, "zoo", &module("zoo", "notes: [new]\n"));
        assert!(catalog.reload_if_changed());
        assert_eq!(catalog.module("zoo").expect("it is sound").notes, ["new"]);
        assert!(before.notes.is_empty(), "what was handed out stays");

        fs::write(user.path().join("shells/cat.sh"), "").expect("a file can be written");
        assert!(catalog.reload_if_changed());
        fs::remove_file(user.path().join("zoo.yaml")).expect("a file can be removed");
        assert!(catalog.reload_if_changed());
        assert!(catalog.module("zoo").is_err());
        assert!(!catalog.stale());
    }

    #[test]
    fn overrides_replace_a_key_and_add_variables() {
        let overrides =
            "overrides:\n  environment: {set: {A: \"{home}\"}, keep: [B]}\n  ready: {within: 5s}\n";
        let user = folder(&[("zoo", overrides)]);
        let catalog = catalog(&user);
        let zoo = catalog.module("zoo").expect("it is sound");
        assert_eq!(zoo.shell.ready.within.as_secs(), 5);
        assert_eq!(zoo.shell.environment.keep, ["B"]);
        assert_eq!(zoo.shell.environment.set.len(), 1);
        assert_eq!(
            catalog
                .shell("cat")
                .expect("it is sound")
                .ready
                .within
                .as_secs(),
            60
        );
    }
}
