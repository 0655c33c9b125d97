//! [`Editor`]: changes to the file, one editor at a time. What other programs keep in it stays, in order; a reader sees
//! the file as it was or as it is, never half of it. Nobody is asked anything here.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize as _;
use serde_json::{Map, Value, json};

use super::check::{is_guid, wants_guid};
use super::error::{EditError, RegistryError};
use super::registry;
use crate::name::ConnectionName;

/// The file, held against other editors until this is saved or dropped. Dropping it changes nothing.
#[derive(Debug)]
pub(crate) struct Editor {
    path: PathBuf,
    document: Map<String, Value>,
    layout: Layout,
    mode: u32,
    /// Held, not read: its lock ends with it.
    _lock: File,
}

/// How the file was written.
#[derive(Debug)]
struct Layout {
    mark: bool,
    /// `None` where it was a single line.
    indent: Option<String>,
}

impl Editor {
    /// Waits for other editors, then reads the file; one that is missing or empty is a file without entries. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self, EditError> {
        // A link stays one: what it points to is replaced.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
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
        let (document, layout) = read(&path)?;
        let mode =
            std::fs::metadata(&path).map_or(0o600, |about| about.permissions().mode() & 0o777);
        Ok(Self {
            path,
            document,
            layout,
            mode,
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
        self.entries()?
            .insert(name.to_string(), Value::Object(entry));
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
        let path: Vec<&str> = key.split('.').collect();
        let bad = || EditError::Key {
            key: key.to_owned(),
        };
        let [above @ .., last] = path.as_slice() else {
            return Err(bad());
        };
        if path.iter().any(|part| part.is_empty()) {
            return Err(bad());
        }
        let mut object = self.entry(name)?;
        for part in above {
            let inner = object
                .entry((*part).to_owned())
                .or_insert_with(|| json!({}));
            object = inner.as_object_mut().ok_or_else(bad)?;
        }
        match value {
            Some(value) => {
                object.insert((*last).to_owned(), value);
            }
            None => {
                object.shift_remove(*last);
            }
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
        let entries = self.entries()?;
        *entries = std::mem::take(entries)
            .into_iter()
            .map(|(name, entry)| {
                let name = if name == from.as_str() {
                    to.to_string()
                } else {
                    name
                };
                (name, entry)
            })
            .collect();
        Ok(())
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, name: &ConnectionName) -> Result<(), EditError> {
        self.entry(name)?;
        self.entries()?.shift_remove(name.as_str());
        Ok(())
    }

    /// Adds a copy of an entry, for somebody else: without the account.
    pub(crate) fn duplicate(
        &mut self,
        from: &ConnectionName,
        to: &ConnectionName,
    ) -> Result<(), EditError> {
        let mut copy = self.entry(from)?.clone();
        copy.shift_remove("expectedEmail");
        self.add(to, copy)
    }

    /// The entries whose `tenant` this is, in the file's order. Case does not count.
    pub(super) fn of_tenant(&mut self, domain: &str) -> Result<Vec<ConnectionName>, EditError> {
        let is_its = |entry: &Value| {
            let tenant = entry.get("tenant").and_then(Value::as_str);
            tenant.is_some_and(|tenant| tenant.trim().eq_ignore_ascii_case(domain))
        };
        let entries = self.entries()?.iter();
        Ok(entries
            .filter(|(_, entry)| is_its(entry))
            .filter_map(|(name, _)| name.parse().ok())
            .collect())
    }

    /// Whether an entry has this key, with a value.
    pub(super) fn has(&mut self, name: &ConnectionName, key: &str) -> Result<bool, EditError> {
        Ok(self
            .entry(name)?
            .get(key)
            .is_some_and(|value| !value.is_null()))
    }

    /// Writes the file, if `changed` (unless it was taken out) can be used as it is now. Blocks.
    pub(crate) fn save(self, changed: &ConnectionName) -> Result<(), EditError> {
        self.save_all(std::slice::from_ref(changed))
    }

    /// Writes the file, if all of `changed` can be used as they are now. Blocks.
    pub(crate) fn save_all(self, changed: &[ConnectionName]) -> Result<(), EditError> {
        let (_, faults) = registry::entries(Value::Object(self.document.clone()))
            .map_err(|error| EditError::Entry { error })?;
        let is_changed = |name: &str| changed.iter().any(|one| one.as_str() == name);
        if let Some(fault) = faults.into_iter().find(|one| is_changed(&one.name)) {
            return Err(EditError::Entry { error: fault.error });
        }
        self.write().map_err(|source| EditError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".{name}.new"));
        let written = self.write_to(&draft);
        if written.is_err() {
            // The first failure is the one to tell; a draft that is left is overwritten the next time.
            let _ = std::fs::remove_file(&draft);
            return written;
        }
        std::fs::rename(&draft, &self.path)?;
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
        file.set_permissions(Permissions::from_mode(self.mode))?;
        file.write_all(&self.text()?)?;
        file.sync_all()
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if self.layout.mark {
            text.extend_from_slice(MARK);
        }
        match &self.layout.indent {
            Some(indent) => {
                let form = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
                let mut writer = serde_json::Serializer::with_formatter(&mut text, form);
                self.document.serialize(&mut writer)?;
            }
            None => serde_json::to_writer(&mut text, &self.document)?,
        }
        text.push(b'\n');
        Ok(text)
    }

    fn entries(&mut self) -> Result<&mut Map<String, Value>, EditError> {
        let entries = self
            .document
            .entry("connections")
            .or_insert_with(|| json!({}));
        let kind = registry::shape(entries);
        entries
            .as_object_mut()
            .ok_or(EditError::Entry { error: kind })
    }

    fn entry(&mut self, name: &ConnectionName) -> Result<&mut Map<String, Value>, EditError> {
        let entries = self.entries()?;
        let known: Vec<String> = entries.keys().cloned().collect();
        match entries.get_mut(name.as_str()) {
            Some(Value::Object(entry)) => Ok(entry),
            Some(other) => Err(EditError::Entry {
                error: super::entry::wrong_kind(format!("connections.{name}"), "an object", other),
            }),
            None => Err(EditError::Unknown {
                error: Box::new(registry::unknown(name, known)),
            }),
        }
    }

    fn is_free(&mut self, name: &ConnectionName) -> Result<(), EditError> {
        if self.entries()?.contains_key(name.as_str()) {
            return Err(EditError::Taken { name: name.clone() });
        }
        Ok(())
    }
}

/// What editors on Windows put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

fn read(path: &Path) -> Result<(Map<String, Value>, Layout), EditError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => {
            return Err(EditError::from(RegistryError::Unreadable {
                path: path.to_owned(),
                source,
            }));
        }
    };
    let mark = text.starts_with(MARK);
    let text = text.strip_prefix(MARK).unwrap_or(&text).trim_ascii();
    if text.is_empty() {
        let layout = Layout {
            mark,
            indent: Some("  ".to_owned()),
        };
        return Ok((
            Map::from_iter([("connections".to_owned(), json!({}))]),
            layout,
        ));
    }
    let document = registry::document(path, text)?;
    let Value::Object(document) = document else {
        return Err(EditError::from(RegistryError::Shape {
            path: path.to_owned(),
            error: super::entry::wrong_kind("the file".to_owned(), "an object", &document),
        }));
    };
    Ok((
        document,
        Layout {
            mark,
            indent: indent(text),
        },
    ))
}

/// What the file's second line begins with.
fn indent(text: &[u8]) -> Option<String> {
    let second = text.split(|byte| *byte == b'\n').nth(1)?;
    let blanks = second
        .iter()
        .take_while(|byte| matches!(**byte, b' ' | b'\t'));
    let blanks: Vec<u8> = blanks.copied().collect();
    Some(String::from_utf8(blanks).expect("blanks are UTF-8"))
}

#[cfg(test)]
mod tests {
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
        let usual = serde_json::from_str::<Value>(usual).expect("it is JSON");
        let usual = serde_json::to_string_pretty(&usual).expect("it is JSON") + "\n";
        let (_folder, path) = file(&usual);
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
