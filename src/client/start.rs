//! Starting a daemon where there is none: once, however many clients ask at the same time.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::{ClientError, Place};

/// How long a daemon may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Pauses between tries to connect; they double from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What the second daemon says while the first one still holds the lock on its way out.
const STILL_THERE: &str = "running already";

/// Paths, or lists of them, that the daemon takes over from the environment. It runs in `/`, so they are made absolute.
const PATHS: [&str; 2] = ["MM_CONNECTIONS", "MM_MODULES"];

/// Connects, or says that nobody listens.
pub(super) async fn connect(place: &Place) -> Result<UnixStream, ClientError> {
    UnixStream::connect(&place.socket)
        .await
        .map_err(|source| match source.kind() {
            // A stale socket refuses; a daemon that goes away may close in between.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NoDaemon,
            _ => ClientError::Socket {
                path: place.socket.clone(),
                source,
            },
        })
}

/// Connects, after starting a daemon where none answers. A start lock in the state folder lets one client do it; the
/// others wait for its daemon.
pub(super) async fn connect_or_start(place: &Place) -> Result<UnixStream, ClientError> {
    match connect(place).await {
        Err(ClientError::NoDaemon) => {}
        other => return other,
    }
    let start = Start {
        place,
        until: Instant::now() + START_WITHIN,
    };
    start.run().await
}

struct Start<'a> {
    place: &'a Place,
    until: Instant,
}

impl Start<'_> {
    async fn run(&self) -> Result<UnixStream, ClientError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.place.state_dir)
            .map_err(|error| {
                let folder = self.place.state_dir.display();
                self.failed_at(
                    &format!("the state folder `{folder}` cannot be made"),
                    &error,
                )
            })?;
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.place.state_dir.join("start.lock"))
            .map_err(|error| self.failed_at("the state folder cannot be written", &error))?;
        let mut pause = PAUSES.0;
        // Held until this function returns.
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(self.failed_at("the start lock cannot be taken", &error));
                }
            }
            if let Some(stream) = self.answered().await? {
                return Ok(stream);
            }
            self.wait(&mut pause).await?;
        }
        // Whoever had the lock before may have started it.
        if let Some(stream) = self.answered().await? {
            return Ok(stream);
        }
        self.spawn_until_it_answers().await
    }

    async fn spawn_until_it_answers(&self) -> Result<UnixStream, ClientError> {
        let (mut child, mut log) = self.spawn()?;
        let mut pause = PAUSES.0;
        loop {
            if let Some(stream) = self.answered().await? {
                return Ok(stream);
            }
            let ended = child
                .try_wait()
                .map_err(|error| self.failed_at("it cannot be watched", &error))?;
            if let Some(status) = ended {
                let said = last_error(&mut log);
                let still_there = |said: &Said| said.error.contains(STILL_THERE);
                if !said.as_ref().is_some_and(still_there) {
                    return Err(match said {
                        Some(said) => self.said(said),
                        None => self.failed(format!("it ended at once ({status})")),
                    });
                }
                self.wait(&mut pause).await?;
                (child, log) = self.spawn()?;
                continue;
            }
            if let Err(timeout) = self.wait(&mut pause).await {
                return Err(last_error(&mut log).map_or(timeout, |said| self.said(said)));
            }
        }
    }

    async fn answered(&self) -> Result<Option<UnixStream>, ClientError> {
        match connect(self.place).await {
            Ok(stream) => Ok(Some(stream)),
            Err(ClientError::NoDaemon) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn wait(&self, pause: &mut Duration) -> Result<(), ClientError> {
        if Instant::now() >= self.until {
            let seconds = START_WITHIN.as_secs();
            return Err(self.failed(format!("it did not answer within {seconds} seconds")));
        }
        sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSES.1);
        Ok(())
    }

    /// The daemon, which leaves our session by itself (`--detach`), and its log from here on.
    fn spawn(&self) -> Result<(Child, File), ClientError> {
        let path = self.place.log();
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| self.failed_at("its log cannot be written", &error))?;
        log.seek(SeekFrom::End(0))
            .map_err(|error| self.failed_at("its log cannot be read", &error))?;
        let stderr = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(|error| self.failed_at("its log cannot be written", &error))?;
        let program = std::env::current_exe()
            .map_err(|error| self.failed_at("this program's own path is not known", &error))?;
        let mut command = Command::new(program);
        command
            .args(["daemon", "run", "--detach"])
            .env("MM_STATE_DIR", &self.place.state_dir)
            .env("MM_SOCKET", &self.place.socket)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        for name in PATHS {
            if let Some(paths) = std::env::var_os(name).and_then(|paths| absolute(&paths)) {
                command.env(name, paths);
            }
        }
        let child = command
            .spawn()
            .map_err(|error| self.failed_at("it cannot be executed", &error))?;
        Ok((child, log))
    }

    fn failed_at(&self, what: &str, error: &io::Error) -> ClientError {
        self.failed(format!("{what}: {error}"))
    }

    fn failed(&self, why: String) -> ClientError {
        self.said(Said {
            error: why,
            help: None,
        })
    }

    fn said(&self, said: Said) -> ClientError {
        ClientError::NotStarted {
            why: said.error,
            advice: said.help,
            log: self.place.log(),
        }
    }
}

/// Each path of a list made absolute. `None` where one cannot be: the daemon then says what is wrong with it.
fn absolute(paths: &OsStr) -> Option<OsString> {
    let paths: Result<Vec<_>, _> = std::env::split_paths(paths)
        .filter(|path| !path.as_os_str().is_empty())
        .map(std::path::absolute)
        .collect();
    std::env::join_paths(paths.ok()?).ok()
}

/// What a daemon said of its end.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    error: String,
    /// The line after it, where that says what to do.
    help: Option<String>,
}

/// The last line that tells of an error, of what was written to the log since it was opened.
fn last_error(log: &mut File) -> Option<Said> {
    let mut bytes = Vec::new();
    // What cannot be read tells nothing; the caller then says what it knows itself.
    log.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().rposition(|line| {
        line.contains("ERROR") || line.contains("error: ") || line.contains("panicked")
    })?;
    let line = lines[at];
    let line = line.split_once("error: ").map_or(line, |(_, said)| said);
    let help = lines
        .get(at + 1)
        .and_then(|line| line.strip_prefix("help: "));
    Some(Said {
        error: line.trim().to_owned(),
        help: help.map(|help| help.trim().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn only_what_was_said_since_the_start_counts() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let path = dir.path().join("daemon.log");
        std::fs::write(&path, "error: an old one\n").expect("it can be written");
        let mut log = File::open(&path).expect("it exists");
        log.seek(SeekFrom::End(0)).expect("it is a file");
        assert_eq!(last_error(&mut log), None);
        let mut end = OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("it exists");
        write!(
            end,
            "starting\nerror: a daemon is running already (pid 7)\nhelp: x\n"
        )
        .expect("it can be written");
        let said = last_error(&mut log).expect("it says something");
        assert_eq!(said.error, "a daemon is running already (pid 7)");
        assert!(said.error.contains(STILL_THERE));
        assert_eq!(said.help.as_deref(), Some("x"));
    }

    #[test]
    fn every_path_of_a_list_is_made_absolute() {
        let here = std::env::current_dir().expect("there is one");
        let expected = format!("{}:/b", here.join("a").display());
        assert_eq!(absolute(OsStr::new("a::/b")), Some(expected.into()));
    }

    #[tokio::test]
    async fn a_stale_socket_is_no_daemon() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let place = Place {
            socket: dir.path().join("mm.sock"),
            state_dir: dir.path().to_owned(),
        };
        assert!(matches!(connect(&place).await, Err(ClientError::NoDaemon)));
        drop(std::os::unix::net::UnixListener::bind(&place.socket).expect("the path is free"));
        assert!(matches!(connect(&place).await, Err(ClientError::NoDaemon)));
    }
}
