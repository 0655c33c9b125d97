//! Settings as meant: lowered once from flags and the environment, with every default in one place. It knows where
//! things are, not what is in them.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, AtFlags, Mode, OFlags};

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
    /// Runs that may wait for one session.
    pub(crate) queue: usize,
    /// How long a session may be idle before it is closed. `None`: for ever.
    pub(crate) idle: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output: 64 << 20,
            command: 16 << 20,
            queue: 8,
            idle: Some(Duration::from_secs(24 * 60 * 60)),
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

/// Why a folder is not safe to keep sessions' state in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It could not be made.
    #[error("the folder `{}` cannot be created", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be looked at.
    #[error("the folder `{}` cannot be opened", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Whoever can change the link decides where the state goes.
    #[error("`{}` is a symbolic link", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Something else has its name.
    #[error("`{}` is not a folder", path.display())]
    NotFolder {
        /// What is there.
        path: PathBuf,
    },
    /// Its owner could read and replace everything in it.
    #[error("the folder `{}` belongs to user {owner}, not to user {uid}", path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        uid: u32,
    },
    /// Others may look into it or change it.
    #[error("the folder `{}` is open to other users (mode {mode:o})", path.display())]
    Mode {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Nothing can be kept in it.
    #[error("the folder `{}` is not writable", path.display())]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FolderError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Create { .. } | Self::Open { .. } | Self::Owner { .. } => {
                "name another folder with MM_STATE_DIR".to_owned()
            }
            Self::Symlink { .. } => {
                "name the folder that it points to with MM_STATE_DIR".to_owned()
            }
            Self::NotFolder { path } => {
                format!(
                    "move `{}` away, or name another folder with MM_STATE_DIR",
                    path.display()
                )
            }
            Self::Mode { path, .. } => format!("chmod 700 '{}'", path.display()),
            Self::NotWritable { path, .. } => format!("chmod u+rwx '{}'", path.display()),
        }
    }
}

/// Makes `path` a folder that only this user can enter (0700, missing parents too), or makes sure that it is one.
/// What is found is never changed.
pub(crate) fn prepare_folder(path: &Path) -> Result<(), FolderError> {
    let uid = rustix::process::geteuid().as_raw();
    let path_buf = || path.to_owned();
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(FolderError::Symlink { path: path_buf() }),
        Ok(found) if !found.is_dir() => return Err(FolderError::NotFolder { path: path_buf() }),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|source| FolderError::Create {
                    path: path_buf(),
                    source,
                })?;
        }
        Err(source) => {
            return Err(FolderError::Open {
                path: path_buf(),
                source,
            });
        }
    }
    // What was looked at above may have been replaced: from here on it is one open folder.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::PATH;
    let open = |error: rustix::io::Errno| match error {
        rustix::io::Errno::LOOP => FolderError::Symlink { path: path_buf() },
        rustix::io::Errno::NOTDIR => FolderError::NotFolder { path: path_buf() },
        error => FolderError::Open {
            path: path_buf(),
            source: error.into(),
        },
    };
    let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(open)?;
    let found = rustix::fs::fstat(&folder).map_err(open)?;
    if found.st_uid != uid {
        return Err(FolderError::Owner {
            path: path_buf(),
            owner: found.st_uid,
            uid,
        });
    }
    let mode = found.st_mode & 0o777;
    if mode & 0o077 != 0 {
        return Err(FolderError::Mode {
            path: path_buf(),
            mode,
        });
    }
    let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(&folder, ".", access, AtFlags::EACCESS).map_err(|error| {
        FolderError::NotWritable {
            path: path_buf(),
            source: error.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
        assert_eq!(config.limits.idle, Some(Duration::from_secs(86_400)));
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
    fn a_folder_is_made_private_with_its_parents() {
        let root = tempfile::tempdir().expect("a temp dir");
        let folder = root.path().join("a/b");
        prepare_folder(&folder).expect("it can be made");
        for made in [root.path().join("a"), folder.clone()] {
            let mode = made.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", made.display());
        }
        prepare_folder(&folder).expect("it is fine as it is");
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused_and_left_alone() {
        let root = tempfile::tempdir().expect("a temp dir");
        let folder = root.path().join("open");
        std::fs::create_dir(&folder).expect("it can be made");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&folder, open).expect("it is ours");
        let error = prepare_folder(&folder).expect_err("it is open");
        assert!(
            matches!(error, FolderError::Mode { mode: 0o755, .. }),
            "{error}"
        );
        assert!(error.help().starts_with("chmod 700 "));
        let mode = folder.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn a_link_or_a_file_in_its_place_is_refused() {
        let root = tempfile::tempdir().expect("a temp dir");
        let (link, file) = (root.path().join("link"), root.path().join("file"));
        std::os::unix::fs::symlink(root.path(), &link).expect("a link can be made");
        std::fs::write(&file, "").expect("a file can be made");
        let error = prepare_folder(&link).expect_err("it is a link");
        assert!(matches!(error, FolderError::Symlink { .. }), "{error}");
        let error = prepare_folder(&file).expect_err("it is a file");
        assert!(matches!(error, FolderError::NotFolder { .. }), "{error}");
    }

    #[test]
    fn someone_elses_folder_is_refused() {
        // Owned by root, and for root by nobody: a folder that whoever runs the tests does not own.
        let uid = rustix::process::geteuid().as_raw();
        if uid == 0 {
            let root = tempfile::tempdir().expect("a temp dir");
            let folder = root.path().join("theirs");
            std::fs::create_dir(&folder).expect("it can be made");
            std::os::unix::fs::chown(&folder, Some(65_534), None).expect("root may do that");
            let error = prepare_folder(&folder).expect_err("it is nobody's");
            assert!(
                matches!(error, FolderError::Owner { owner: 65_534, .. }),
                "{error}"
            );
        } else {
            let error = prepare_folder(Path::new("/etc")).expect_err("it is root's");
            assert!(
                matches!(error, FolderError::Owner { owner: 0, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_so() {
        let error =
            prepare_folder(Path::new("/proc/mm-state")).expect_err("nothing is made in /proc");
        assert!(matches!(error, FolderError::Create { .. }), "{error}");
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
