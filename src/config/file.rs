//! The settings file: `config.yaml` as it is written, read strictly, and read again when it changes. A sign-in is too dear
//! for a restart of the daemon: what is changed here holds at once.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::{self, IntoDeserializer as _};

use super::settings::{SessionRules, SessionWishes, Settings};
use crate::spec::{self, Interval, SourceFile};

/// Why the settings are not what the file says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It is there and cannot be read.
    #[error("the settings file `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says something that is not understood. Holds the findings, with their places.
    #[error("{0}")]
    Wrong(String),
}

/// The settings of one file, which need not be there.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    settings: Settings,
    trouble: Option<String>,
}

impl SettingsFile {
    /// Reads the file; without one, the defaults hold. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self, SettingsError> {
        let seen = stamp(path);
        Ok(Self {
            settings: read(path)?,
            path: path.to_owned(),
            seen,
            trouble: None,
        })
    }

    /// What holds now. A file that has changed is read again first; while it is wrong, what held before goes on to hold,
    /// and [`trouble`](Self::trouble) says so. Blocks for a small file.
    pub(crate) fn current(&mut self) -> &Settings {
        let seen = stamp(&self.path);
        if seen != self.seen {
            self.seen = seen;
            match read(&self.path) {
                Ok(settings) => {
                    tracing::info!(file = %self.path.display(), "the settings were read again");
                    (self.settings, self.trouble) = (settings, None);
                }
                Err(error) => {
                    tracing::error!(%error, "the settings stay what they were");
                    self.trouble = Some(error.to_string());
                }
            }
        }
        &self.settings
    }

    /// What is wrong with the file as it was when it was last looked at.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// What changes when the file does. `None` where it cannot be looked at.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

fn read(path: &Path) -> Result<Settings, SettingsError> {
    let file = match SourceFile::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(source) => {
            let path = path.to_owned();
            return Err(SettingsError::Unreadable { path, source });
        }
    };
    if file.text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#')
    }) {
        return Ok(Settings::default());
    }
    let written: Written = spec::load(&file)
        .map_err(|findings| SettingsError::Wrong(findings.to_string().trim_end().to_owned()))?;
    Ok(written.into())
}

/// The file, key for key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    enforce_mcps: bool,
    #[serde(default)]
    sessions: Sessions,
    #[serde(default)]
    modules: BTreeMap<String, Sessions>,
    #[serde(default)]
    connections: BTreeMap<String, Sessions>,
}

/// What is wanted of sessions: of all, of a module's, of a connection's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sessions {
    idle_limit: Option<Limit>,
    announce_before: Option<Interval>,
    check_identity_every: Option<Limit>,
    check_service_every: Option<Limit>,
    memory_limit: Option<Size>,
    age_limit: Option<Limit>,
    come_back: Option<bool>,
}

/// A length of time, or `never`.
#[derive(Debug)]
struct Limit(Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        Interval::deserialize(text.into_deserializer()).map(|interval| Self(Some(interval.0)))
    }
}

/// Bytes, or `never`.
#[derive(Debug)]
struct Size(Option<u64>);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
        units
            .iter()
            .find_map(|(unit, shift)| {
                let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
                (number > 0).then(|| number.checked_mul(1 << shift)).flatten()
            })
            .map(|bytes| Self(Some(bytes)))
            .ok_or_else(|| {
                de::Error::custom("this is no amount of memory\na whole number and a unit: `512MiB`, `2GiB`; or `never`")
            })
    }
}

impl From<Sessions> for SessionWishes {
    fn from(written: Sessions) -> Self {
        Self {
            idle_limit: written.idle_limit.map(|limit| limit.0),
            announce_before: written.announce_before.map(|interval| interval.0),
            check_identity_every: written.check_identity_every.map(|limit| limit.0),
            check_service_every: written.check_service_every.map(|limit| limit.0),
            memory_limit: written.memory_limit.map(|size| size.0),
            age_limit: written.age_limit.map(|limit| limit.0),
            come_back: written.come_back,
        }
    }
}

impl From<Written> for Settings {
    fn from(written: Written) -> Self {
        let wishes = |all: BTreeMap<String, Sessions>| {
            all.into_iter()
                .map(|(name, sessions)| (name, sessions.into()))
                .collect()
        };
        Self {
            enforce_mcps: written.enforce_mcps,
            sessions: SessionRules::default().with(&written.sessions.into()),
            modules: wishes(written.modules),
            connections: wishes(written.connections),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::SessionKey;

    fn key(connection: &str, module: &str) -> SessionKey {
        SessionKey {
            connection: connection.parse().expect("it is a name"),
            module: module.parse().expect("it is a name"),
        }
    }

    const HOURS: Duration = Duration::from_secs(3600);

    #[test]
    fn the_nearest_word_about_a_session_holds() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(
            &path,
            "sessions:\n  idle_limit: 8h\n  memory_limit: 2GiB\nmodules:\n  teams: {idle_limit: 2h, come_back: false}\n\
             connections:\n  Contoso: {idle_limit: never}\n",
        )
        .expect("the folder can be written");
        let mut file = SettingsFile::open(&path).expect("it is sound");
        let settings = file.current().clone();
        assert_eq!(
            settings.session(&key("Fabrikam", "exo")).idle_limit,
            Some(8 * HOURS)
        );
        assert_eq!(
            settings.session(&key("Fabrikam", "teams")).idle_limit,
            Some(2 * HOURS)
        );
        let rules = settings.session(&key("Contoso", "teams"));
        assert_eq!(rules.idle_limit, None);
        assert!(!rules.come_back);
        assert_eq!(rules.memory_limit, Some(2 << 30));
        assert_eq!(rules.announce_before, HOURS);
    }

    #[test]
    fn without_a_file_the_defaults_hold_and_a_new_one_holds_at_once() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("config.yaml");
        let mut file = SettingsFile::open(&path).expect("none is needed");
        assert_eq!(*file.current(), Settings::default());
        std::fs::write(&path, "# nothing yet\n").expect("the folder can be written");
        assert_eq!(*file.current(), Settings::default());
        std::fs::write(&path, "sessions: {idle_limit: never}\n")
            .expect("the folder can be written");
        assert_eq!(
            file.current().session(&key("Contoso", "exo")).idle_limit,
            None
        );
    }

    #[test]
    fn what_is_wrong_is_shown_in_its_place_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "sessions: {idle_limit: 8h}\n").expect("the folder can be written");
        let mut file = SettingsFile::open(&path).expect("it is sound");
        std::fs::write(&path, "sessions:\n  idle_limit: soon\n")
            .expect("the folder can be written");
        let rules = file.current().session(&key("Contoso", "exo"));
        assert_eq!(rules.idle_limit, Some(8 * HOURS));
        let trouble = file.trouble().expect("it is wrong").to_owned();
        assert!(trouble.contains("config.yaml:2"), "{trouble}");
        assert!(
            trouble.contains("`soon` is not a length of time"),
            "{trouble}"
        );
        for wrong in [
            "sesions: {}\n",
            "sessions: {memory_limit: 2}\n",
            "sessions: {memory_limit: 0MiB}\n",
            "sessions: {idle_limit: 0s}\n",
        ] {
            std::fs::write(&path, wrong).expect("the folder can be written");
            assert!(SettingsFile::open(&path).is_err(), "{wrong}");
        }
    }
}
