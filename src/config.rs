//! Settings as meant: lowered once from flags and the environment, with every default in one place. It knows where
//! things are, not what is in them.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

mod approvals;
mod audit;
mod file;
mod folder;
mod settings;
mod user;
mod written;

pub(crate) use approvals::{ApprovalRules, Notice, NoticeWay, Webhook, check_address};
pub(crate) use audit::OnAuditFailure;
pub(crate) use file::SettingsFile;
pub(crate) use folder::{FolderError, prepare_folder};
pub(crate) use settings::{SessionRules, Settings};
pub(crate) use user::user_name;
pub(crate) use written::settings_schema;

/// The longest path that `sun_path` holds, without its NUL (`unix(7)`).
const SOCKET_PATH_LIMIT: usize = 107;

/// What the command line says instead of the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    /// `--state-dir`, before `MM_STATE_DIR`.
    pub(crate) state_dir: Option<PathBuf>,
    /// `--socket`, before `MM_SOCKET`.
    pub(crate) socket: Option<PathBuf>,
    /// `--connections`, before `MM_CONNECTIONS`.
    pub(crate) connections: Option<PathBuf>,
    /// `--modules`, after those of `MM_MODULES`.
    pub(crate) modules: Vec<PathBuf>,
    /// `--log`, before `MM_LOG`.
    pub(crate) log: Option<String>,
}

/// Where the program keeps and finds its things, and how much it takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The user's home folder.
    pub(crate) home: PathBuf,
    /// Database, kept output, private homes of sessions. 0700.
    pub(crate) state_dir: PathBuf,
    /// The daemon's socket. Its folder is 0700.
    pub(crate) socket: PathBuf,
    /// `~/.m365-connections.json`, or what was named instead.
    pub(crate) connections_file: PathBuf,
    /// Folders of the user's own modules. What a later one defines goes before what an earlier one does.
    pub(crate) module_folders: Vec<ModuleFolder>,
    /// What a person wants of the daemon. It need not be there; see [`SettingsFile`].
    pub(crate) settings_file: PathBuf,
    /// A `tracing` filter: `info`, `mm=debug`, …
    pub(crate) log: String,
    pub(crate) limits: Limits,
}

/// A folder of modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleFolder {
    pub(crate) path: PathBuf,
    /// Whether a person named it: then it has to exist.
    pub(crate) named: bool,
}

/// How much is kept, taken and waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of output kept for one run.
    pub(crate) output: u64,
    /// Bytes of one command.
    pub(crate) command: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output: 64 << 20,
            command: 16 << 20,
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Neither the environment nor the user database knows the home folder.
    #[error("the home folder of user {uid} is not known")]
    NoHome {
        /// The effective user.
        uid: u32,
    },
    /// `HOME` is set to something that means another place in every folder.
    #[error("HOME is `{}`, which is not an absolute path", found.display())]
    RelativeHome {
        /// What it says.
        found: PathBuf,
    },
    /// A relative path could not be completed.
    #[error("the path `{}` cannot be made absolute", path.display())]
    Relative {
        /// The path as given.
        path: PathBuf,
        /// Usually that the current folder is gone.
        source: io::Error,
    },
    /// The kernel takes no longer path.
    #[error("the socket's path `{}` has {length} bytes; {SOCKET_PATH_LIMIT} is the most that a socket can have", path.display())]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
        /// Its bytes.
        length: usize,
    },
}

impl ConfigError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::NoHome { .. } => "set HOME to the absolute path of your home folder",
            Self::RelativeHome { .. } => "set HOME to an absolute path, or unset it",
            Self::Relative { .. } => "give an absolute path, or change to a folder that exists",
            Self::SocketPathTooLong { .. } => {
                "set MM_SOCKET to a shorter path, for example in /run/user or your home folder"
            }
        }
    }
}

impl Config {
    /// The settings of this process.
    pub(crate) fn load(overrides: Overrides) -> Result<Self, ConfigError> {
        let uid = rustix::process::geteuid().as_raw();
        let home = home_folder(uid)?;
        let runtime = PathBuf::from(format!("/run/user/{uid}"));
        let runtime = is_own_folder(&runtime, uid).then_some(runtime);
        Self::lower(overrides, |name| std::env::var_os(name), home, runtime)
    }

    /// The settings for an environment. `runtime` is the user's runtime folder, if it is there and theirs.
    fn lower(
        overrides: Overrides,
        environment: impl Fn(&str) -> Option<OsString>,
        home: PathBuf,
        runtime: Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let path = |name: &str| variable(name).map(PathBuf::from);

        let named_state = overrides.state_dir.or_else(|| path("MM_STATE_DIR"));
        let named_state = named_state.map(complete).transpose()?;
        let own_state = named_state.is_some();
        let state_dir = named_state.unwrap_or_else(|| home.join(".local/state/mm"));

        let socket = match overrides.socket.or_else(|| path("MM_SOCKET")) {
            Some(named) => complete(named)?,
            None => match runtime.filter(|_| !own_state) {
                Some(runtime) => runtime.join("mm/mm.sock"),
                None => state_dir.join("run/mm.sock"),
            },
        };
        let length = socket.as_os_str().as_bytes().len();
        if length > SOCKET_PATH_LIMIT {
            return Err(ConfigError::SocketPathTooLong {
                path: socket,
                length,
            });
        }

        let connections_file = match overrides.connections.or_else(|| path("MM_CONNECTIONS")) {
            Some(named) => complete(named)?,
            None => home.join(".m365-connections.json"),
        };

        // The XDG base directory specification: a relative path is invalid and is to be ignored.
        let settings = path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        let settings = settings.unwrap_or_else(|| home.join(".config"));
        let mut module_folders = vec![ModuleFolder {
            path: settings.join("mm/modules.d"),
            named: false,
        }];
        let listed = variable("MM_MODULES").unwrap_or_default();
        let listed = std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty());
        for folder in listed.chain(overrides.modules) {
            module_folders.push(ModuleFolder {
                path: complete(folder)?,
                named: true,
            });
        }

        let settings_file = match path("MM_CONFIG") {
            Some(named) => complete(named)?,
            None => settings.join("mm/config.yaml"),
        };

        let log = overrides
            .log
            .or_else(|| variable("MM_LOG").map(|text| text.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "info".to_owned());

        Ok(Self {
            home,
            state_dir,
            socket,
            connections_file,
            module_folders,
            settings_file,
            log,
            limits: Limits::default(),
        })
    }

    /// Makes the state folder and the socket's folder, or checks the ones that are there.
    pub(crate) fn prepare_folders(&self) -> Result<(), FolderError> {
        prepare_folder(&self.state_dir)?;
        match self.socket.parent() {
            Some(folder) => prepare_folder(folder),
            None => Ok(()),
        }
    }

    /// Where the daemon writes its log.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.state_dir.join("daemon.log")
    }
}

fn complete(path: PathBuf) -> Result<PathBuf, ConfigError> {
    std::path::absolute(&path).map_err(|source| ConfigError::Relative { path, source })
}

fn home_folder(uid: u32) -> Result<PathBuf, ConfigError> {
    match std::env::var_os("HOME").map(PathBuf::from) {
        Some(home) if home.is_absolute() => Ok(home),
        Some(found) if !found.as_os_str().is_empty() => Err(ConfigError::RelativeHome { found }),
        // Asks the user database.
        _ => std::env::home_dir()
            .filter(|home| home.is_absolute())
            .ok_or(ConfigError::NoHome { uid }),
    }
}

fn is_own_folder(path: &Path, uid: u32) -> bool {
    path.symlink_metadata()
        .is_ok_and(|found| found.is_dir() && found.uid() == uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lower(overrides: Overrides, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        lower_with(overrides, environment, Some("/run/user/7"))
    }

    fn lower_with(
        overrides: Overrides,
        environment: &[(&str, &str)],
        runtime: Option<&str>,
    ) -> Result<Config, ConfigError> {
        let find = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Config::lower(
            overrides,
            find,
            PathBuf::from("/home/ada"),
            runtime.map(PathBuf::from),
        )
    }

    #[test]
    fn the_defaults_are_found_from_the_user_alone() {
        let config = lower(Overrides::default(), &[]).expect("the defaults are sound");
        assert_eq!(config.state_dir, Path::new("/home/ada/.local/state/mm"));
        assert_eq!(config.socket, Path::new("/run/user/7/mm/mm.sock"));
        assert_eq!(
            config.connections_file,
            Path::new("/home/ada/.m365-connections.json")
        );
        assert_eq!(
            config.module_folders,
            [ModuleFolder {
                path: PathBuf::from("/home/ada/.config/mm/modules.d"),
                named: false
            }]
        );
        assert_eq!(config.log, "info");
        assert_eq!(config.limits.output, 67_108_864);
        assert_eq!(
            config.settings_file,
            Path::new("/home/ada/.config/mm/config.yaml")
        );
    }

    #[test]
    fn without_a_runtime_folder_the_socket_is_in_the_state_folder() {
        let config = lower_with(Overrides::default(), &[], None).expect("the defaults are sound");
        assert_eq!(
            config.socket,
            Path::new("/home/ada/.local/state/mm/run/mm.sock")
        );
    }

    #[test]
    fn a_named_state_folder_brings_its_own_socket() {
        let config = lower(Overrides::default(), &[("MM_STATE_DIR", "/srv/mm")]);
        assert_eq!(
            config.expect("it is absolute").socket,
            Path::new("/srv/mm/run/mm.sock")
        );
        let config = lower(
            Overrides::default(),
            &[("MM_STATE_DIR", "/srv/mm"), ("MM_SOCKET", "/srv/s")],
        );
        assert_eq!(
            config.expect("both are absolute").socket,
            Path::new("/srv/s")
        );
    }

    #[test]
    fn flags_go_before_the_environment_and_empty_values_count_as_none() {
        let overrides = Overrides {
            state_dir: Some(PathBuf::from("/a")),
            connections: Some(PathBuf::from("/c.json")),
            modules: vec![PathBuf::from("/m3")],
            log: Some("debug".to_owned()),
            ..Overrides::default()
        };
        let environment = [
            ("MM_STATE_DIR", "/b"),
            ("MM_SOCKET", ""),
            ("MM_CONNECTIONS", "/d.json"),
            ("MM_MODULES", "/m1::/m2"),
            ("MM_LOG", "trace"),
            ("XDG_CONFIG_HOME", "relative"),
        ];
        let config = lower(overrides, &environment).expect("all is sound");
        assert_eq!(config.state_dir, Path::new("/a"));
        assert_eq!(config.socket, Path::new("/a/run/mm.sock"));
        assert_eq!(config.connections_file, Path::new("/c.json"));
        let folders: Vec<_> = config
            .module_folders
            .iter()
            .map(|folder| (folder.path.to_str(), folder.named))
            .collect();
        assert_eq!(
            folders,
            [
                (Some("/home/ada/.config/mm/modules.d"), false),
                (Some("/m1"), true),
                (Some("/m2"), true),
                (Some("/m3"), true)
            ]
        );
        assert_eq!(config.log, "debug");
    }

    #[test]
    fn a_relative_path_is_completed_when_it_is_read() {
        let config = lower(Overrides::default(), &[("MM_STATE_DIR", "here")]);
        assert!(
            config
                .expect("there is a current folder")
                .state_dir
                .is_absolute()
        );
    }

    #[test]
    fn a_socket_path_is_at_most_107_bytes() {
        let socket = |length: usize| format!("/{}", "s".repeat(length - 1));
        assert!(lower(Overrides::default(), &[("MM_SOCKET", &socket(107))]).is_ok());
        let error = lower(Overrides::default(), &[("MM_SOCKET", &socket(108))])
            .expect_err("it is a byte too long");
        assert!(error.to_string().contains("108 bytes"), "{error}");
        assert!(error.help().contains("MM_SOCKET"));
    }

    #[test]
    fn the_settings_of_this_process_can_be_lowered() {
        let root = tempfile::tempdir().expect("a temp dir");
        let overrides = Overrides {
            state_dir: Some(root.path().join("state")),
            ..Overrides::default()
        };
        let config = Config::load(overrides).expect("HOME or the user database knows the home");
        config.prepare_folders().expect("a temp dir is writable");
        assert!(root.path().join("state/run").is_dir() || std::env::var_os("MM_SOCKET").is_some());
        assert!(config.home.is_absolute());
        assert_eq!(config.log_file(), root.path().join("state/daemon.log"));
    }
}
