//! [`Socket`]: the one place where clients find the daemon. It owns the lock that makes a daemon the only one, the
//! socket's folder and file, and the check of who connects; it knows nothing of HTTP.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The longest path that fits into `sockaddr_un` on Linux, without its final NUL.
const PATH_LIMIT: usize = 107;

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Another daemon has the lock or answers on the socket.
    #[error("a daemon is running already{}", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Which, where the lock file says so.
        pid: Option<u32>,
    },
    /// The path does not fit into a socket address.
    #[error("the socket's path is {length} bytes long and {PATH_LIMIT} is the limit: `{}`", path.display())]
    TooLong { path: PathBuf, length: usize },
    /// Others could reach the socket or put another in its place.
    #[error("the socket's folder `{}` {why}", folder.display())]
    Exposed { folder: PathBuf, why: &'static str },
    /// Something that is no socket stands at its path.
    #[error("`{}` is not a socket", path.display())]
    Occupied { path: PathBuf },
    /// The system said no.
    #[error("`{}` cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl SocketError {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::AlreadyRunning { .. } => {
                Some("`mm daemon status` shows it; `mm daemon stop` ends it".to_owned())
            }
            Self::TooLong { .. } => Some("set MM_SOCKET to a shorter path".to_owned()),
            Self::Exposed { folder, .. } => Some(format!(
                "`chmod 700 '{}'`, or set MM_SOCKET to a path in a folder of your own",
                folder.display()
            )),
            Self::Occupied { path } => Some(format!(
                "move `{}` away, or set MM_SOCKET to another path",
                path.display()
            )),
            Self::Io { .. } => None,
        }
    }
}

/// A bound socket and the lock that goes with it. Dropping it removes the socket's file, then lets go of the lock.
pub(crate) struct Socket {
    listener: UnixListener,
    file: SocketFile,
    lock: DaemonLock,
}

/// The right to be the daemon of a state folder: nobody else opens it meanwhile. Held for the daemon's life; the kernel
/// lets go of it however the daemon ends (`flock(2)`).
pub(crate) struct DaemonLock(#[expect(dead_code, reason = "it is held, not read")] File);

impl DaemonLock {
    /// Takes the lock `<state_dir>/daemon.lock`. The folder is made with mode 0700 where it is not there.
    pub(crate) fn take(state_dir: &Path) -> Result<Self, SocketError> {
        make_folder(state_dir)?;
        take_lock(&state_dir.join("daemon.lock")).map(Self)
    }
}

/// Removes the socket's file when dropped.
struct SocketFile(PathBuf);

impl Socket {
    /// Removes what a dead daemon left at `path`, and listens there for whoever has the `lock`. A folder is made with mode
    /// 0700, the socket has 0600. Must be called inside a tokio runtime.
    pub(crate) fn bind(path: &Path, lock: DaemonLock) -> Result<Self, SocketError> {
        let length = path.as_os_str().len();
        if length > PATH_LIMIT {
            let path = path.to_owned();
            return Err(SocketError::TooLong { path, length });
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        make_folder(folder)?;
        check_folder(folder)?;
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(at(path))?;
        let file = SocketFile(path.to_owned());
        // Nobody can connect in between: the folder is closed to others.
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(at(path))?;
        Ok(Self {
            listener,
            file,
            lock,
        })
    }

    /// Waits for the next connection of this very user; others are turned away without a word. Cancel safe.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let peer = stream.peer_cred()?.uid();
            if peer == own_uid() {
                return Ok(stream);
            }
            tracing::warn!(uid = peer, "turned away another user's connection");
        }
    }

    /// Stops listening and removes the socket's file. What it returns is the lock: dropping that lets the next daemon in.
    pub(crate) fn close(self) -> DaemonLock {
        let Self {
            listener,
            file,
            lock,
        } = self;
        drop(listener);
        drop(file);
        lock
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A file that is gone already is what was wanted; anything else leaves a stale socket, which the next start removes.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SocketError {
    let path = path.to_owned();
    move |source| SocketError::Io { path, source }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn make_folder(folder: &Path) -> Result<(), SocketError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(at(folder))
}

fn check_folder(folder: &Path) -> Result<(), SocketError> {
    let meta = std::fs::metadata(folder).map_err(at(folder))?;
    let why = if meta.uid() != own_uid() {
        "belongs to another user"
    } else if meta.mode() & 0o077 != 0 {
        "is open to other users"
    } else {
        return Ok(());
    };
    let folder = folder.to_owned();
    Err(SocketError::Exposed { folder, why })
}

/// The lock file also tells who holds the lock, for the message of whoever comes second.
fn take_lock(path: &Path) -> Result<File, SocketError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok();
            let pid = pid.and_then(|_| text.trim().parse().ok());
            return Err(SocketError::AlreadyRunning { pid });
        }
        Err(TryLockError::Error(source)) => return Err(at(path)(source)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(at(path))?;
    Ok(file)
}

/// Removes the socket of a dead daemon. The lock is held, but a daemon with another state folder may own this path.
fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error)),
    };
    if !meta.file_type().is_socket() {
        let path = path.to_owned();
        return Err(SocketError::Occupied { path });
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(SocketError::AlreadyRunning { pid: None });
    }
    std::fs::remove_file(path).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(path: &Path, state_dir: &Path) -> Result<Socket, SocketError> {
        Socket::bind(path, DaemonLock::take(state_dir)?)
    }

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).expect("it is ours");
        dir
    }

    #[tokio::test]
    async fn the_second_daemon_learns_of_the_first() {
        let dir = folder();
        let path = dir.path().join("run/mm.sock");
        let first = bind(&path, dir.path()).expect("nobody is there");
        let mode = |path: &Path| std::fs::metadata(path).expect("it exists").mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("it has one")), 0o700);

        let second = bind(&path, dir.path()).err();
        let own = std::process::id();
        assert!(
            matches!(second, Some(SocketError::AlreadyRunning { pid: Some(pid) }) if pid == own)
        );
        let other_state = dir.path().join("other");
        let third = bind(&path, &other_state).err();
        assert!(matches!(
            third,
            Some(SocketError::AlreadyRunning { pid: None })
        ));

        drop(first);
        assert!(!path.exists());
        bind(&path, dir.path()).expect("the first is gone");
    }

    #[tokio::test]
    async fn what_a_dead_daemon_left_is_removed() {
        let dir = folder();
        let path = dir.path().join("mm.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("the path is free"));
        assert!(path.exists());
        let socket = bind(&path, dir.path()).expect("the left one is stale");
        let client = UnixStream::connect(&path).await.expect("it listens");
        socket.accept().await.expect("it is our own connection");
        drop(client);
    }

    #[tokio::test]
    async fn bad_places_are_refused_with_a_remedy() {
        let dir = folder();
        let long = dir.path().join("x".repeat(120));
        let error = bind(&long, dir.path()).err().expect("it is too long");
        assert!(matches!(error, SocketError::TooLong { .. }));
        assert!(error.help().is_some_and(|help| help.contains("MM_SOCKET")));

        let file = dir.path().join("file");
        std::fs::write(&file, "x").expect("it can be written");
        let error = bind(&file, dir.path()).err();
        assert!(matches!(error, Some(SocketError::Occupied { .. })));
        assert!(file.exists());

        let open = dir.path().join("open");
        std::fs::create_dir(&open).expect("it can be made");
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("it is ours");
        let error = bind(&open.join("s"), dir.path()).err();
        assert!(matches!(error, Some(SocketError::Exposed { .. })));
    }
}
