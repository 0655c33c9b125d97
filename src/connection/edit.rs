//! [`Editor`]: changes to the file, one editor at a time. What other programs keep in it stays as it is written; a reader
//! sees the file as it was or as it is, never half of it. Nobody is asked anything here.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value};

use super::check::{is_guid, wants_guid};
use super::error::{EditError, RegistryError};
use super::read::{MARK, document, read};
use super::registry;
use super::text::Text;
use crate::name::ConnectionName;

/// The file, held against other editors until this is saved or dropped. Dropping it changes nothing.
#[derive(Debug)]
pub(crate) struct Editor {
    path: PathBuf,
    /// What was read; empty where there was no file.
    before: Vec<u8>,
    /// Whether it begins with a byte order mark.
    mark: bool,
    text: Text,
    /// About the file that is replaced.
    about: Option<Metadata>,
    /// Held, not read: its lock ends with it.
    _lock: File,
}

impl Editor {
    /// Waits for other editors, then reads the file; one that is missing or empty is a file without entries. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self, EditError> {
        let path = target(path);
        let failed = |source| EditError::Write {
            path: path.clone(),
            source,
        };
        // Beside the file: the file itself is replaced, and a lock on what was replaced holds nobody.
        let mut beside = path.clone().into_os_string();
        beside.push(".lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(beside)
            .map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let about = std::fs::metadata(&path).ok();
        // It could be replaced all the same: whoever took this right away did not want that.
        if about
            .as_ref()
            .is_some_and(|about| about.mode() & 0o200 == 0)
        {
            return Err(EditError::ReadOnly { path });
        }
        // Only root can leave the owner as it is.
        let me = rustix::process::geteuid();
        if let Some(about) = about.as_ref().filter(|about| about.uid() != me.as_raw())
            && !me.is_root()
        {
            let owner = about.uid();
            return Err(EditError::Foreign { path, owner });
        }
        let before = bytes(&path)?;
        let mark = before.starts_with(MARK);
        let text = before.strip_prefix(MARK).unwrap_or(&before);
        if !text.trim_ascii().is_empty() {
            let value = document(&path, text)?;
            if !value.is_object() {
                return Err(EditError::from(RegistryError::Shape {
                    path,
                    error: super::entry::wrong_kind("the file".to_owned(), "an object", &value),
                }));
            }
        }
        let text = Text::new(std::str::from_utf8(text).expect("JSON is UTF-8"));
        Ok(Self {
            path,
            mark,
            text,
            before,
            about,
            _lock: lock,
        })
    }

    /// Adds an entry, after the others.
    pub(crate) fn add(
        &mut self,
        name: &ConnectionName,
        entry: Map<String, Value>,
    ) -> Result<(), EditError> {
        self.is_free(name)?;
        if self.document().get("connections").is_none() {
            self.text.set(&["connections"], &Value::Object(Map::new()));
        }
        self.text
            .set(&["connections", name.as_str()], &Value::Object(entry));
        Ok(())
    }

    /// Sets a key of an entry, or takes it out. `key` may be a path: `moduleApps.pnp`.
    pub(crate) fn set(
        &mut self,
        name: &ConnectionName,
        key: &str,
        value: Option<Value>,
    ) -> Result<(), EditError> {
        if let Some(Value::String(text)) = &value
            && wants_guid(key)
            && !is_guid(text)
        {
            return Err(EditError::NoGuid {
                key: key.to_owned(),
                text: text.clone(),
            });
        }
        let bad = || EditError::Key {
            key: key.to_owned(),
        };
        let parts: Vec<&str> = key.split('.').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(bad());
        }
        let entry = self.entry(name)?;
        let mut path = vec!["connections", name.as_str()];
        let mut object = &entry;
        let (last, above) = parts.split_last().ok_or_else(bad)?;
        for (at, part) in above.iter().enumerate() {
            path.push(part);
            match object.get(*part) {
                Some(Value::Object(inner)) => object = inner,
                None | Some(Value::Null) => {
                    if let Some(value) = value {
                        let nested = parts[at + 1..].iter().rev().fold(value, |value, part| {
                            Value::Object(Map::from_iter([((*part).to_owned(), value)]))
                        });
                        self.text.set(&path, &nested);
                    }
                    return Ok(());
                }
                Some(_) => return Err(bad()),
            }
        }
        path.push(last);
        match value {
            Some(value) => self.text.set(&path, &value),
            None => self.text.remove(&path),
        }
        Ok(())
    }

    /// Gives an entry another name, in its place.
    pub(crate) fn rename(
        &mut self,
        from: &ConnectionName,
        to: &ConnectionName,
    ) -> Result<(), EditError> {
        self.entry(from)?;
        self.is_free(to)?;
        self.text
            .rename(&["connections", from.as_str()], to.as_str());
        Ok(())
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, name: &ConnectionName) -> Result<(), EditError> {
        self.is_there(name)?;
        self.text.remove(&["connections", name.as_str()]);
        Ok(())
    }

    /// Adds a copy of an entry, for somebody else: without the account.
    pub(crate) fn duplicate(
        &mut self,
        from: &ConnectionName,
        to: &ConnectionName,
    ) -> Result<(), EditError> {
        self.entry(from)?;
        self.is_free(to)?;
        self.text.copy(&["connections", from.as_str()], to.as_str());
        self.text
            .remove(&["connections", to.as_str(), "expectedEmail"]);
        Ok(())
    }

    /// The entries whose `tenant` this is, in the file's order. Case does not count.
    pub(super) fn of_tenant(&self, domain: &str) -> Result<Vec<ConnectionName>, EditError> {
        let is_its = |entry: &Value| {
            let tenant = entry.get("tenant").and_then(Value::as_str);
            tenant.is_some_and(|tenant| tenant.trim().eq_ignore_ascii_case(domain))
        };
        Ok(self
            .entries()?
            .iter()
            .filter(|(_, entry)| is_its(entry))
            .filter_map(|(name, _)| name.parse().ok())
            .collect())
    }

    /// Whether an entry has this key, with a value.
    pub(crate) fn has(&self, name: &ConnectionName, key: &str) -> Result<bool, EditError> {
        Ok(self
            .entry(name)?
            .get(key)
            .is_some_and(|value| !value.is_null()))
    }

    /// Writes the file, if `changed` (unless it was taken out) can be used as it is now. Blocks.
    pub(crate) fn save(self, changed: &ConnectionName) -> Result<(), EditError> {
        self.save_all(std::slice::from_ref(changed))
    }

    /// Writes the file, if all of `changed` can be used as they are now and nobody else has written it meanwhile. Blocks.
    pub(crate) fn save_all(self, changed: &[ConnectionName]) -> Result<(), EditError> {
        let (_, faults) = registry::entries(&self.text, Value::Object(self.document()))
            .map_err(|error| EditError::Entry { error })?;
        let is_changed = |name: &str| changed.iter().any(|one| one.as_str() == name);
        if let Some(fault) = faults.into_iter().find(|one| is_changed(&one.name)) {
            return Err(EditError::Entry { error: fault.error });
        }
        // An editor that knows nothing of the lock: what it wrote is not to be lost.
        if bytes(&self.path)? != self.before {
            return Err(EditError::Changed { path: self.path });
        }
        self.write().map_err(|source| EditError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn write(&self) -> io::Result<()> {
        let folder = folder(&self.path);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".{name}.new"));
        let written = self
            .write_to(&draft)
            .and_then(|()| std::fs::rename(&draft, &self.path));
        if written.is_err() {
            // The first failure is the one to tell; a draft that is left is overwritten the next time.
            let _ = std::fs::remove_file(&draft);
            return written;
        }
        File::open(folder)?.sync_all()
    }

    /// Under the lock: nobody else writes a draft of this name.
    fn write_to(&self, draft: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(draft)?;
        if let Some(about) = &self.about {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (about.uid(), about.gid()) {
                // Root changes somebody's file: it stays theirs.
                fchown(&file, Some(about.uid()), Some(about.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(about.mode() & 0o777))?;
        }
        if self.mark {
            file.write_all(MARK)?;
        }
        file.write_all(self.text.as_str().as_bytes())?;
        file.sync_all()
    }

    /// The file as it is meant now.
    fn document(&self) -> Map<String, Value> {
        match serde_json::from_str(self.text.as_str()) {
            Ok(Value::Object(document)) => document,
            Ok(_) | Err(_) => unreachable!("it was an object, and changes keep it one"),
        }
    }

    fn entries(&self) -> Result<Map<String, Value>, EditError> {
        match self.document().remove("connections") {
            None => Ok(Map::new()),
            Some(Value::Object(entries)) => Ok(entries),
            Some(other) => Err(EditError::Entry {
                error: registry::shape(&other),
            }),
        }
    }

    fn entry(&self, name: &ConnectionName) -> Result<Map<String, Value>, EditError> {
        match self.is_there(name)? {
            Value::Object(entry) => Ok(entry),
            other => Err(EditError::Entry {
                error: super::entry::wrong_kind(format!("connections.{name}"), "an object", &other),
            }),
        }
    }

    fn is_there(&self, name: &ConnectionName) -> Result<Value, EditError> {
        let mut entries = self.entries()?;
        match entries.remove(name.as_str()) {
            Some(entry) => Ok(entry),
            None => Err(EditError::Unknown {
                error: Box::new(registry::unknown(name, entries.keys().cloned().collect())),
            }),
        }
    }

    fn is_free(&self, name: &ConnectionName) -> Result<(), EditError> {
        if self.entries()?.contains_key(name.as_str()) {
            return Err(EditError::Taken { name: name.clone() });
        }
        Ok(())
    }
}

/// The file itself: a link stays one, and what it points to is replaced, also where that is not there yet.
fn target(path: &Path) -> PathBuf {
    if let Ok(path) = std::fs::canonicalize(path) {
        return path;
    }
    match std::fs::read_link(path) {
        Ok(target) => folder(path).join(target),
        Err(_) => path.to_owned(),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// What is in the file; nothing where there is none.
fn bytes(path: &Path) -> Result<Vec<u8>, EditError> {
    match read(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(EditError::from(RegistryError::Unreadable {
            path: path.to_owned(),
            source,
        })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> ConnectionName {
        text.parse().expect("it is a name")
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        std::fs::write(&path, text).expect("it can be written");
        (folder, path)
    }

    fn edit(path: &Path, of: &str, how: impl FnOnce(&mut Editor)) -> String {
        let mut editor = Editor::open(path).expect("it can be edited");
        how(&mut editor);
        editor.save(&name(of)).expect("it can be written");
        std::fs::read_to_string(path).expect("it is there")
    }

    #[test]
    fn an_edit_changes_only_what_it_is_about() {
        let usual = include_str!("../../fixtures/connections/usual.json");
        let (_folder, path) = file(usual);
        let set = edit(&path, "Fabrikam", |editor| {
            let value = Some(json!("ada@fabrikam.com"));
            editor
                .set(&name("Fabrikam"), "expectedEmail", value)
                .expect("it is there");
        });
        let different: Vec<&str> = set
            .lines()
            .filter(|line| !usual.lines().any(|old| old == *line))
            .collect();
        assert!(
            different.len() <= 2
                && different
                    .iter()
                    .any(|line| line.contains("ada@fabrikam.com")),
            "{different:?}"
        );
        let renamed = edit(&path, "Contoso", |editor| {
            editor
                .rename(&name("Contoso-GA"), &name("Contoso"))
                .expect("it is there");
        });
        assert_eq!(renamed, set.replace("\"Contoso-GA\"", "\"Contoso\""));
        let gone = edit(&path, "Contoso", |editor| {
            editor.remove(&name("Contoso")).expect("it is there");
        });
        assert!(
            !gone.contains("\"Contoso\":") && gone.contains("_knownModuleApps"),
            "{gone}"
        );
    }

    #[test]
    fn indents_marks_single_lines_and_permissions_stay() {
        for text in [
            "{\n\t\"connections\": {}\n}\n",
            "\u{feff}{\n    \"connections\": {}\n}\n",
            "{\"connections\":{}}\n",
        ] {
            let (_folder, path) = file(text);
            std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("it is ours");
            edit(&path, "A", |editor| {
                let entry = Map::from_iter([("tenant".to_owned(), json!("a.com"))]);
                editor.add(&name("A"), entry).expect("it is free");
            });
            assert_eq!(
                edit(&path, "A", |editor| editor
                    .remove(&name("A"))
                    .expect("it is there")),
                text
            );
            let mode = std::fs::metadata(&path)
                .expect("it is there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o640);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_made_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        let text = edit(&path, "A", |editor| {
            let entry = Map::from_iter([("tenant".to_owned(), json!("a.com"))]);
            editor.add(&name("A"), entry).expect("it is free");
        });
        assert_eq!(
            text,
            "{\n  \"connections\": {\n    \"A\": {\n      \"tenant\": \"a.com\"\n    }\n  }\n}\n"
        );
        let mode = std::fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_link_stays_a_link() {
        let (folder, path) = file("{\"connections\": {\"A\": {\"tenant\": \"a.com\"}}}");
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).expect("it can be made");
        edit(&link, "B", |editor| {
            editor
                .duplicate(&name("A"), &name("B"))
                .expect("it is there");
        });
        assert!(link.is_symlink());
        assert!(
            std::fs::read_to_string(&path)
                .expect("it is there")
                .contains("\"B\"")
        );
    }

    #[test]
    fn a_link_to_what_is_not_there_yet_stays_a_link() {
        let folder = tempfile::tempdir().expect("a temp dir");
        std::fs::create_dir(folder.path().join("dotfiles")).expect("a new folder");
        let link = folder.path().join("c.json");
        std::os::unix::fs::symlink("dotfiles/c.json", &link).expect("it can be made");
        edit(&link, "A", |editor| {
            let entry = Map::from_iter([("tenant".to_owned(), json!("a.com"))]);
            editor.add(&name("A"), entry).expect("it is free");
        });
        assert!(link.is_symlink());
        assert!(folder.path().join("dotfiles/c.json").is_file());
    }

    #[test]
    fn what_is_not_ours_to_change_is_left() {
        let text = "{\"connections\": {\"A\": {\"tenant\": \"a.com\"}}}";
        let (folder, path) = file(text);
        let mut late = Editor::open(&path).expect("it can be edited");
        late.remove(&name("A")).expect("it is there");
        let other = text.replace("a.com", "b.com");
        std::fs::write(&path, &other).expect("an editor without a lock can");
        let changed = late.save(&name("A")).expect_err("it was changed");
        assert!(matches!(changed, EditError::Changed { .. }), "{changed}");
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("it is ours");
        let kept = Editor::open(&path).expect_err("it is read-only");
        assert!(kept.help().contains("chmod u+w"), "{}", kept.help());
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), other);
        let no_file = Editor::open(folder.path()).expect_err("it is a folder");
        assert!(no_file.to_string().contains("cannot be"), "{no_file}");
    }

    #[test]
    fn an_entry_that_is_there_twice_can_be_taken_out_once() {
        let text =
            "{\"connections\": {\"A\": {\"tenant\": \"a.com\"}, \"A\": {\"tenant\": \"b.com\"}}}";
        let (_folder, path) = file(text);
        let mut editor = Editor::open(&path).expect("it can be edited");
        editor
            .set(&name("A"), "tenant", Some(json!("c.com")))
            .expect("it is there");
        let twice = editor.save(&name("A")).expect_err("which one is meant?");
        assert!(twice.to_string().contains("more than once"), "{twice}");
        let once = edit(&path, "A", |editor| {
            editor.remove(&name("A")).expect("it is there");
        });
        assert_eq!(once, "{\"connections\": {\"A\": {\"tenant\": \"a.com\"}}}");
    }

    #[test]
    fn what_would_not_be_usable_is_not_written() {
        let text = "{\"connections\": {\"A\": {\"tenant\": \"a.com\", \"expectedEmail\": \"a@a.com\", \"mcps\": []}}}";
        let (_folder, path) = file(text);
        let a = name("A");
        let with = |how: &dyn Fn(&mut Editor) -> Result<(), EditError>| {
            let mut editor = Editor::open(&path).expect("it can be edited");
            how(&mut editor)
                .and_then(|()| editor.save(&a))
                .expect_err("it is refused")
        };
        for (error, says) in [
            (
                with(&|editor| editor.set(&a, "tenant", None)),
                "expected text, found nothing",
            ),
            (
                with(&|editor| editor.set(&a, "skipSendGuards", Some(json!("yes")))),
                "expected true or false",
            ),
            (
                with(&|editor| editor.set(&a, "appId", Some(json!("my app")))),
                "`my app` is no application or tenant id",
            ),
            (
                with(&|editor| editor.set(&a, "moduleApps.pnp", Some(json!("x")))),
                "`x` is no application or tenant id",
            ),
            (
                with(&|editor| editor.set(&a, "mcps.first", Some(json!("x")))),
                "`mcps.first` cannot be set",
            ),
            (
                with(&|editor| editor.set(&a, "a..b", Some(json!("x")))),
                "`a..b` cannot be set",
            ),
            (
                with(&|editor| editor.add(&a, Map::new())),
                "there is already a connection `A`",
            ),
            (
                with(&|editor| editor.rename(&name("b"), &a)),
                "there is no connection `b`",
            ),
            (
                with(&|editor| editor.duplicate(&a, &a)),
                "there is already a connection `A`",
            ),
        ] {
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.help().is_empty(), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        let copied = edit(&path, "B", |editor| {
            editor.duplicate(&a, &name("B")).expect("it is there");
        });
        assert_eq!(copied.matches("expectedEmail").count(), 1);
    }

    #[test]
    fn two_editors_at_once_lose_nothing() {
        let (_folder, path) = file("{\"connections\": {}}");
        std::thread::scope(|scope| {
            for who in ["ada", "bob", "eve"] {
                let path = &path;
                scope.spawn(move || {
                    for number in 0..20 {
                        let new = name(&format!("{who}-{number}"));
                        let mut editor = Editor::open(path).expect("it can be edited");
                        let entry = Map::from_iter([("tenant".to_owned(), json!("a.com"))]);
                        editor.add(&new, entry).expect("it is free");
                        editor.save(&new).expect("it can be written");
                    }
                });
            }
        });
        let registry = super::super::Registry::load(&path).expect("it is whole");
        assert_eq!(registry.connections().count(), 60);
    }
}
