//! [`Registry`]: all entries of the file, and when to read it again.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::entry::{Connection, module_apps, wrong_kind};
use super::error::{EntryError, LookupError, RegistryError};
use super::lines::rule_lines;
use super::read::{MARK, document, read};
use super::text::Text;
use crate::name::ConnectionName;

/// How alike two names have to be for one to be suggested for the other; 1 is equal.
const ALIKE: f64 = 0.8;

/// The connections of one file, as it was when it was read.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    path: PathBuf,
    stamp: Option<Stamp>,
    connections: Vec<Connection>,
    faults: Vec<Fault>,
    built_in: Vec<Connection>,
}

/// An entry that cannot be used.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) error: EntryError,
}

/// What changes when a file does. An editor that replaces the file changes the inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            modified: (found.mtime(), found.mtime_nsec()),
            size: found.len(),
            inode: found.ino(),
        }
    }
}

impl Registry {
    /// Reads the file. Entries that cannot be used do not fail it: see [`faults`](Self::faults).
    pub(crate) fn load(path: &Path) -> Result<Self, RegistryError> {
        let mut registry = Self::empty(path);
        registry.read()?;
        Ok(registry)
    }

    /// No connections, for a file that is not there yet; [`reload`](Self::reload) reads it once it is.
    pub(crate) fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            stamp: None,
            connections: Vec::new(),
            faults: Vec::new(),
            built_in: Vec::new(),
        }
    }

    /// Adds a connection that is in no file and outlives reloads. An entry of the file goes before one of its name.
    pub(crate) fn add(&mut self, connection: Connection) {
        self.built_in
            .retain(|other| other.name() != connection.name());
        self.built_in.push(connection);
    }

    /// Reads the file again if it changed, and says whether it did. After an error the connections stay what they were,
    /// and the next call tries again.
    pub(crate) fn reload(&mut self) -> Result<bool, RegistryError> {
        let found = std::fs::metadata(&self.path);
        let stamp = found.as_ref().ok().map(Stamp::of);
        if stamp.is_some() && stamp == self.stamp {
            return Ok(false);
        }
        self.read()?;
        Ok(true)
    }

    /// The file that it is read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All that can be used, in the file's order, then the built-in ones.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        let hidden = |connection: &Connection| self.in_file(connection.name().as_str());
        let built_in = self.built_in.iter().filter(move |one| !hidden(one));
        self.connections.iter().chain(built_in)
    }

    /// The entries that cannot be used, by name, and why.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&str, &EntryError)> {
        self.faults
            .iter()
            .map(|fault| (fault.name.as_str(), &fault.error))
    }

    /// The connection of this name. Names are told apart by case; a suggestion is not.
    pub(crate) fn get(&self, name: &ConnectionName) -> Result<&Connection, LookupError> {
        if let Some(found) = self.connections().find(|one| one.name() == name) {
            return Ok(found);
        }
        if let Some(fault) = self.faults.iter().find(|one| one.name == name.as_str()) {
            return Err(LookupError::Unusable {
                name: name.clone(),
                error: fault.error.clone(),
            });
        }
        let known = self.connections().map(|one| one.name().to_string());
        let known: Vec<String> = known
            .chain(self.faults.iter().map(|fault| fault.name.clone()))
            .collect();
        Err(unknown(name, known))
    }

    /// Whether the connection of this name is one that [`add`](Self::add) put there.
    pub(crate) fn is_built_in(&self, name: &ConnectionName) -> bool {
        !self.in_file(name.as_str()) && self.built_in.iter().any(|one| one.name() == name)
    }

    fn in_file(&self, name: &str) -> bool {
        self.connections
            .iter()
            .any(|one| one.name().as_str() == name)
            || self.faults.iter().any(|fault| fault.name == name)
    }

    fn read(&mut self) -> Result<(), RegistryError> {
        let path = || self.path.clone();
        // Before the text: a change in between is then seen by the next reload.
        let stamp = std::fs::metadata(&self.path)
            .ok()
            .map(|found| Stamp::of(&found));
        let text = read(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RegistryError::Missing { path: path() },
            _ => RegistryError::Unreadable {
                path: path(),
                source,
            },
        })?;
        let text = text.strip_prefix(MARK).unwrap_or(&text);
        if text.trim_ascii().is_empty() {
            return Err(RegistryError::Empty { path: path() });
        }
        let document = document(&self.path, text)?;
        let text = std::str::from_utf8(text).expect("JSON is UTF-8");
        let lines = rule_lines(text);
        let wrong = |error| RegistryError::Shape {
            path: path(),
            error,
        };
        let (mut connections, faults) = if document.is_object() {
            entries(&Text::new(text), document)
        } else {
            Err(wrong_kind("the file".to_owned(), "an object", &document))
        }
        .map_err(wrong)?;
        for connection in &mut connections {
            let lines = lines.get(connection.name().as_str());
            connection.place_rules(lines.map_or(&[], Vec::as_slice));
        }
        self.connections = connections;
        self.faults = faults;
        self.stamp = stamp;
        Ok(())
    }
}

/// The error about `connections` that is no object.
pub(super) fn shape(found: &Value) -> EntryError {
    wrong_kind("connections".to_owned(), "an object", found)
}

/// The error about a name that no entry has.
pub(super) fn unknown(name: &ConnectionName, known: Vec<String>) -> LookupError {
    LookupError::Unknown {
        suggestion: suggest(name.as_str(), &known),
        name: name.clone(),
        known,
    }
}

/// All entries of the file, those that can be used and the others. `text` is what `document` was read from.
pub(super) fn entries(
    text: &Text,
    document: Value,
) -> Result<(Vec<Connection>, Vec<Fault>), EntryError> {
    let Value::Object(mut document) = document else {
        return Err(wrong_kind("the file".to_owned(), "an object", &document));
    };
    let repeated = text.repeated();
    let twice = |name: &str| {
        let path = repeated
            .iter()
            .find(|path| path.get(1).is_some_and(|one| one == name));
        path.map(|path| EntryError::Twice {
            key: path.join("."),
        })
    };
    if let Some(path) = repeated.iter().find(|path| path.len() == 1) {
        return Err(EntryError::Twice {
            key: path.join("."),
        });
    }
    let known = Arc::new(module_apps(
        "_knownModuleApps",
        document.get("_knownModuleApps"),
    )?);
    let entries = match document.remove("connections") {
        Some(Value::Object(entries)) => entries,
        Some(other) => return Err(shape(&other)),
        None => {
            return Err(EntryError::Kind {
                key: "connections".to_owned(),
                expected: "an object",
                found: "nothing",
            });
        }
    };
    let (mut connections, mut faults) = (Vec::new(), Vec::new());
    for (name, entry) in entries {
        let connection = match (twice(&name), name.parse::<ConnectionName>()) {
            (Some(error), _) => Err(error),
            (None, Ok(name)) => Connection::read(name, entry, &known),
            (None, Err(error)) => Err(EntryError::Name { error }),
        };
        match connection {
            Ok(connection) => connections.push(connection),
            Err(error) => faults.push(Fault { name, error }),
        }
    }
    Ok((connections, faults))
}

fn suggest(name: &str, known: &[String]) -> Option<String> {
    let name = name.to_lowercase();
    known
        .iter()
        .map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, other)| other.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/connections");
        folder.join(name)
    }

    fn name(text: &str) -> ConnectionName {
        text.parse().expect("it is a name")
    }

    #[test]
    fn a_file_as_people_have_it_is_read() {
        let registry = Registry::load(&fixture("usual.json")).expect("it is well formed");
        let names: Vec<_> = registry
            .connections()
            .map(|one| one.name().as_str())
            .collect();
        assert_eq!(names, ["Contoso-GA", "Contoso Individual", "Fabrikam"]);
        assert_eq!(registry.faults().count(), 0);
        let contoso = registry.get(&name("Contoso-GA")).expect("it is there");
        let pnp = "pnp".parse().expect("it is a module name");
        assert_eq!(
            contoso.app_id(&pnp),
            Some("44445555-6666-7777-8888-9999aaaabbbb")
        );
        assert_eq!(contoso.sharepoint_host(), "contosollc");
        assert_eq!(contoso.raw()["mcps"], serde_json::json!(["mm", "pnp-m365"]));
    }

    #[test]
    fn a_bad_entry_takes_only_itself_out() {
        let registry = Registry::load(&fixture("some-bad.json")).expect("the file is sound");
        assert!(registry.get(&name("Good")).is_ok());
        let faults: Vec<_> = registry
            .faults()
            .map(|(name, error)| (name, error.to_string()))
            .collect();
        let expected = [
            (
                "Number",
                "connections.Number.tenant: expected text, found a number",
            ),
            ("a/b", "connections: `a/b` is not a connection name"),
            ("Text", "connections.Text: expected an object, found text"),
        ];
        assert_eq!(
            faults,
            expected.map(|(name, error)| (name, error.to_owned()))
        );
        let error = registry
            .get(&name("Number"))
            .expect_err("its tenant is a number");
        assert!(matches!(error, LookupError::Unusable { .. }), "{error}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_what_there_is() {
        let registry = Registry::load(&fixture("usual.json")).expect("it is well formed");
        let error = registry.get(&name("contoso-ga")).expect_err("case counts");
        assert_eq!(error.to_string(), "there is no connection `contoso-ga`");
        assert_eq!(error.help(), "did you mean `Contoso-GA`?");
        let error = registry
            .get(&name("Woodgrove"))
            .expect_err("it is not there");
        assert_eq!(
            error.help(),
            "connections: Contoso-GA, Contoso Individual, Fabrikam"
        );
    }

    #[test]
    fn every_way_to_be_no_registry_is_its_own_error() {
        let read = |name: &str| Registry::load(&fixture(name)).expect_err(name);
        assert!(matches!(
            read("not-there.json"),
            RegistryError::Missing { .. }
        ));
        assert!(matches!(read("empty.json"), RegistryError::Empty { .. }));
        assert!(matches!(
            read("syntax.json"),
            RegistryError::Syntax {
                line: 4,
                column: 5,
                ..
            }
        ));
        let folder = Registry::load(&fixture("")).expect_err("it is a folder");
        assert!(
            matches!(folder, RegistryError::Unreadable { .. }),
            "{folder}"
        );
        for (file, message) in [
            (
                "not-an-object.json",
                "the file: expected an object, found a list",
            ),
            (
                "no-connections.json",
                "connections: expected an object, found nothing",
            ),
            (
                "connections-list.json",
                "connections: expected an object, found a list",
            ),
        ] {
            let error = read(file);
            assert!(error.to_string().ends_with(message), "{error}");
            assert!(error.help().contains("connections"), "{}", error.help());
        }
    }

    #[test]
    fn what_is_there_twice_is_no_connection() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        let load = |text: &str| {
            std::fs::write(&path, text).expect("it can be written");
            Registry::load(&path)
        };
        let registry = load(
            r#"{"connections": {"A": {"tenant": "a.com"}, "A": {"tenant": "b.com"}, "B": {"tenant": "a", "tenant": "b"},
                "C": {"tenant": "c.com", "//": "one", "//": "two"}}}"#,
        )
        .expect("the file is sound");
        let names =
            |found: &mut dyn Iterator<Item = String>| found.collect::<Vec<String>>().join(" ");
        assert_eq!(
            names(&mut registry.connections().map(|one| one.name().to_string())),
            "C"
        );
        assert_eq!(
            names(&mut registry.faults().map(|(name, _)| name.to_owned())),
            "A B"
        );
        let error = load(r#"{"connections": {}, "connections": {}}"#).expect_err("which one?");
        assert!(error.to_string().contains("more than once"), "{error}");
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        std::fs::write(&path, "\u{feff}{\"connections\": {}}").expect("it can be written");
        assert_eq!(
            Registry::load(&path)
                .expect("it is JSON")
                .connections()
                .count(),
            0
        );
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        let mut registry = Registry::empty(&path);
        registry.add(Connection::demo("exo"));
        assert!(matches!(
            registry.reload(),
            Err(RegistryError::Missing { .. })
        ));
        std::fs::write(&path, r#"{"connections": {"A": {"tenant": "a.com"}}}"#).expect("writable");
        assert!(registry.reload().expect("it is well formed"));
        assert!(!registry.reload().expect("it did not change"));
        std::fs::write(&path, r#"{"connections": {"A": {"tenant": "#).expect("writable");
        assert!(matches!(
            registry.reload(),
            Err(RegistryError::Syntax { .. })
        ));
        assert!(matches!(
            registry.reload(),
            Err(RegistryError::Syntax { .. })
        ));
        let names: Vec<_> = registry
            .connections()
            .map(|one| one.name().as_str())
            .collect();
        assert_eq!(names, ["A", "Demo"]);
    }

    #[test]
    fn an_entry_goes_before_a_built_in_connection_of_its_name() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        std::fs::write(&path, r#"{"connections": {"Demo": {"tenant": "a.com"}}}"#)
            .expect("writable");
        let mut registry = Registry::load(&path).expect("it is well formed");
        registry.add(Connection::demo("exo"));
        assert_eq!(registry.connections().count(), 1);
        assert_eq!(
            registry.get(&name("Demo")).expect("it is there").tenant(),
            "a.com"
        );
    }
}
