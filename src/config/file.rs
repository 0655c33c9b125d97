//! The settings file: `config.yaml` as it is written, read strictly, and read again when it changes. A sign-in is too dear
//! for a restart of the daemon: what is changed here holds at once.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::settings::Settings;
use super::written::Written;
use crate::spec::{self, SourceFile};

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
    /// Somebody else could decide by it who may say yes.
    #[error("the settings file `{}` {why}", path.display())]
    Untrusted {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        why: String,
    },
    /// It says something that is not understood. Holds the findings, with their places.
    #[error("{0}")]
    Wrong(String),
}

/// The settings of one file, which need not be there.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    seen: Option<Stamp>,
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

    /// Reads a file that has changed again, and says whether other settings hold since. While it is wrong, what held
    /// before goes on to hold, and [`trouble`](Self::trouble) says so. Blocks for a small file.
    pub(crate) fn refresh(&mut self) -> bool {
        let seen = stamp(&self.path);
        if seen == self.seen {
            return false;
        }
        self.seen = seen;
        match read(&self.path) {
            Ok(settings) => {
                tracing::info!(file = %self.path.display(), "the settings were read again");
                (self.settings, self.trouble) = (settings, None);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the settings stay what they were");
                self.trouble = Some(error.to_string());
                false
            }
        }
    }

    /// What held when the file was last read.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is wrong with the file as it was when it was last looked at.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// What changes when the file does, its owner and its permissions included.
type Stamp = (u64, u64, i64, i64, u64);

/// `None` where it cannot be looked at.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    let (changed, part) = (found.ctime(), found.ctime_nsec());
    Some((found.dev(), found.ino(), changed, part, found.len()))
}

fn read(path: &Path) -> Result<Settings, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Before it is opened, because opening a named pipe waits for its other end.
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(unreadable(io::Error::other("it is not a file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(source) => return Err(unreadable(source)),
    }
    let file = File::open(path).map_err(unreadable)?;
    check_trust(&file.metadata().map_err(unreadable)?).map_err(|why| SettingsError::Untrusted {
        path: path.to_owned(),
        why,
    })?;
    let mut text = String::new();
    let mut file = file.take(SourceFile::LIMIT + 1);
    file.read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > SourceFile::LIMIT {
        return Err(unreadable(io::Error::other("it has more than a megabyte")));
    }
    let is_blank = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
    if text.lines().all(is_blank) {
        return Ok(Settings::default());
    }
    let file = SourceFile::new(path, text);
    let written: Written = spec::load(&file)
        .map_err(|findings| SettingsError::Wrong(findings.to_string().trim_end().to_owned()))?;
    Settings::try_from(written)
        .map_err(|wrong| SettingsError::Wrong(format!("{}: {wrong}", path.display())))
}

/// Refuses a file that somebody else can write: it says whose word counts as a person's. Who may read it is its owner's
/// business.
fn check_trust(found: &Metadata) -> Result<(), String> {
    let uid = rustix::process::geteuid().as_raw();
    if found.uid() != uid && found.uid() != 0 {
        return Err(format!(
            "belongs to user {}, not to user {uid} or to root: nobody else may say who approves what",
            found.uid()
        ));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(format!(
            "can be written by others (mode {mode:03o}): take that away with `chmod go-w`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::config::{Notice, NoticeWay, OnAuditFailure};
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
        let file = SettingsFile::open(&path).expect("it is sound");
        let settings = file.settings().clone();
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
        assert!(!file.refresh());
        assert_eq!(*file.settings(), Settings::default());
        std::fs::write(&path, "# nothing yet\n").expect("the folder can be written");
        assert!(file.refresh());
        assert_eq!(*file.settings(), Settings::default());
        std::fs::write(&path, "sessions: {idle_limit: never}\n")
            .expect("the folder can be written");
        assert!(file.refresh());
        assert_eq!(
            file.settings().session(&key("Contoso", "exo")).idle_limit,
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
        assert!(!file.refresh());
        let rules = file.settings().session(&key("Contoso", "exo"));
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
    fn opened(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, text).expect("the folder can be written");
        let file = SettingsFile::open(&path).map_err(|error| error.to_string())?;
        Ok(file.settings().clone())
    }

    #[test]
    fn what_is_said_of_a_connections_approvals_goes_before_what_is_said_of_all() {
        let settings = opened(
            "approvals:\n  valid_for: 5m\n  trusted_forms: [claude-code]\n\
             \x20 notice: {command: [/usr/bin/logger, -t, mm], with_text: true}\n\
             \x20 connections:\n    Contoso: {valid_for: 2m, trusted_forms: []}\n\
             audit: {on_failure: allow_reads}\n",
        )
        .expect("it is sound");
        let name = |name: &str| name.parse().expect("it is a name");
        let all = settings.approvals(&name("Fabrikam"));
        assert_eq!(all.valid_for, Duration::from_secs(300));
        assert_eq!(all.trusted_forms, ["claude-code"]);
        let notice = Notice {
            way: NoticeWay::Command {
                program: "/usr/bin/logger".into(),
                arguments: vec!["-t".to_owned(), "mm".to_owned()],
            },
            with_text: true,
        };
        assert_eq!(all.notice, Some(notice.clone()));
        let one = settings.approvals(&name("Contoso"));
        assert_eq!(one.valid_for, Duration::from_secs(120));
        assert!(one.trusted_forms.is_empty());
        assert_eq!(one.notice, Some(notice));
        assert_eq!(settings.trusted_forms(), ["claude-code"]);
        assert_eq!(settings.on_audit_failure, OnAuditFailure::AllowReads);
        let nothing = opened("").expect("none is needed");
        let rules = nothing.approvals(&name("Contoso"));
        assert_eq!(rules.valid_for, Duration::from_secs(600));
        assert!(rules.trusted_forms.is_empty() && rules.notice.is_none());
        assert_eq!(nothing.on_audit_failure, OnAuditFailure::Refuse);
    }

    #[test]
    fn an_address_goes_out_encrypted_or_stays_on_this_machine_and_is_never_repeated() {
        for sound in [
            "https://hooks.contoso.com/T0/hush",
            "http://127.0.0.1:8080/hush",
            "http://[::1]/hush",
            "http://localhost",
            "file:~/.config/mm/hook",
            "env:HOOK",
        ] {
            let read = opened(&format!("approvals: {{notice: {{webhook: '{sound}'}}}}\n"));
            assert!(read.is_ok(), "{sound}: {read:?}");
            assert!(!format!("{read:?}").contains("/hush"), "{read:?}");
        }
        for wrong in [
            "http://hooks.contoso.com/hush",
            "http://127.0.0.1@contoso.com/hush",
            "http://127.0.0.1.contoso.com/hush",
            "http://localhost\\@contoso.com/hush",
            "ftp://127.0.0.1/hush",
            "https:///hush",
            "hooks.contoso.com/hush",
        ] {
            let told = opened(&format!("approvals: {{notice: {{webhook: '{wrong}'}}}}\n"))
                .expect_err(wrong);
            assert!(told.contains("approvals.notice.webhook"), "{told}");
            assert!(!told.contains("hush"), "{told}");
        }
        for wrong in [
            "approvals: {notice: {}}\n",
            "approvals: {notice: {command: []}}\n",
            "approvals: {notice: {command: [notify-send]}}\n",
            "approvals: {notice: {command: [/bin/true], webhook: 'https://a.b/c'}}\n",
            "approvals: {valid_for: 25h}\n",
            "approvals: {connections: {Contoso: {valid_for: 25h}}}\n",
            "approvals: {connections: {Contoso: {notice: {command: [x]}}}}\n",
            "audit: {on_failure: allow}\n",
        ] {
            assert!(opened(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_others_can_write_is_refused_also_when_it_becomes_so() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "sessions: {idle_limit: 8h}\n").expect("the folder can be written");
        let allow = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                .expect("it is ours");
        };
        allow(0o644);
        let mut file = SettingsFile::open(&path).expect("others may only read it");
        for mode in [0o664, 0o646] {
            allow(mode);
            let told = SettingsFile::open(&path).expect_err("others may write it");
            assert!(told.to_string().contains("chmod go-w"), "{told}");
            assert!(!file.refresh());
            let trouble = file.trouble().expect("it is seen");
            assert!(trouble.contains(&format!("{mode:03o}")), "{trouble}");
        }
        allow(0o600);
        assert!(file.refresh());
        assert_eq!(file.trouble(), None);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).expect("root may do that");
            let told = SettingsFile::open(&path).expect_err("it is somebody else's");
            assert!(told.to_string().contains("belongs to user 65534"), "{told}");
        }
    }
}
