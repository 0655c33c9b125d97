//! Secrets that a connection refers to, fetched when a sign-in needs them: from the daemon's environment, a file, or a
//! program. What is fetched is wiped when it is dropped, and no error repeats it.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use crate::secret::{Reference, Secret};

/// No secret is longer: a token has a few KiB.
const LONGEST: u64 = 64 * 1024;

/// How long a program may take: a vault may have to be asked over a network.
const PROGRAM_WITHIN: Duration = Duration::from_secs(30);

/// Why a secret is not to be had. Nothing of the secret, and nothing that a program wrote, is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialError {
    /// The variable is not set.
    #[error("the daemon's environment has no `{name}`")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// The file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder or a device.
    #[error("`{}` is no file", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// Everybody on this machine may read it.
    #[error("everybody may read `{}` (mode {mode:03o})", path.display())]
    OpenToAll {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The program cannot be started.
    #[error("`{program}` cannot be started: {source}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program failed.
    #[error("`{program}` failed ({status})")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The program did not end in time.
    #[error("`{program}` did not end within {} seconds", PROGRAM_WITHIN.as_secs())]
    Slow {
        /// The program.
        program: String,
    },
    /// There is nothing.
    #[error("`{from}` is empty")]
    Empty {
        /// The reference.
        from: String,
    },
    /// It is too long, no UTF-8, or has control characters.
    #[error("`{from}` is not one line of text of at most {LONGEST} bytes")]
    NoLine {
        /// The reference.
        from: String,
    },
}

impl CredentialError {
    /// What to do about it.
    pub(super) fn help(&self) -> String {
        match self {
            Self::NoVariable { name } => format!(
                "the daemon has the environment of what started it: set `{name}` and run `mm daemon stop`, or refer to a file or a command"
            ),
            Self::Unreadable { .. } | Self::NoFile { .. } => {
                "name a file that the daemon's user may read".to_owned()
            }
            Self::OpenToAll { path, .. } => {
                format!("take that away: chmod o-rwx '{}'", path.display())
            }
            Self::NotStarted { .. } => {
                "name the program with its whole path: the daemon's PATH may be another than yours"
                    .to_owned()
            }
            Self::Failed { program, .. } | Self::Slow { program } => format!(
                "try `{program}` by hand; it has no terminal and nothing on its standard input"
            ),
            Self::Empty { .. } | Self::NoLine { .. } => {
                "let it give the secret alone, in one line".to_owned()
            }
        }
    }
}

/// Fetches a secret. Cancelling ends the program that was asked.
pub(super) async fn fetch(reference: &Reference, home: &Path) -> Result<Secret, CredentialError> {
    let bytes = match reference {
        Reference::Environment(name) => Zeroizing::new(
            std::env::var_os(name)
                .ok_or_else(|| CredentialError::NoVariable { name: name.clone() })?
                .into_encoded_bytes(),
        ),
        Reference::File(path) => {
            let path = Reference::complete(path, home);
            // A named pipe would be waited for.
            tokio::task::spawn_blocking(move || read(&path))
                .await
                .expect("reading a file does not panic")?
        }
        Reference::Command { program, arguments } => ask(program, arguments).await?,
    };
    one_line(&bytes, reference)
}

/// Refuses a file with a private key that cannot be read or that everybody may read.
pub(super) fn check_file(path: &str) -> Result<(), CredentialError> {
    open(Path::new(path)).map(drop)
}

/// Opens a file that only its owner, and perhaps a group, may read.
fn open(path: &Path) -> Result<std::fs::File, CredentialError> {
    let failed = |source| CredentialError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Before it is opened, because opening a named pipe waits for its other end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(CredentialError::NoFile {
            path: path.to_owned(),
        });
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(CredentialError::OpenToAll {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(file)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    let file = open(path)?;
    let mut bytes = room();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CredentialError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}

/// Room for every secret: bytes that move leave a copy behind.
fn room() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(
        usize::try_from(LONGEST + 64).expect("64 KiB fit into memory"),
    ))
}

async fn ask(program: &str, arguments: &[String]) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    let not_started = |source| CredentialError::NotStarted {
        program: program.to_owned(),
        source,
    };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it says may hold what it was asked for.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let stdout = child.stdout.take().expect("it is piped");
    let mut bytes = room();
    let ended = tokio::time::timeout(PROGRAM_WITHIN, async {
        stdout.take(LONGEST + 1).read_to_end(&mut bytes).await?;
        child.wait().await
    });
    let status = ended
        .await
        .map_err(|_| CredentialError::Slow {
            program: program.to_owned(),
        })?
        .map_err(not_started)?;
    if !status.success() {
        return Err(CredentialError::Failed {
            program: program.to_owned(),
            status,
        });
    }
    Ok(bytes)
}

fn one_line(bytes: &[u8], reference: &Reference) -> Result<Secret, CredentialError> {
    let from = || reference.to_string();
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(CredentialError::Empty { from: from() });
    }
    let text = std::str::from_utf8(line)
        .ok()
        .filter(|text| text.len() as u64 <= LONGEST && !text.chars().any(char::is_control))
        .ok_or_else(|| CredentialError::NoLine { from: from() })?;
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn fetched(reference: &str, home: &Path) -> Result<String, String> {
        let reference = Reference::parse(reference).expect("it is a reference");
        match fetch(&reference, home).await {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => Err(format!("{error}; {}", error.help())),
        }
    }

    #[tokio::test]
    async fn a_file_is_read_when_it_is_its_owners() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let file = folder.path().join("secret");
        std::fs::write(&file, "hunter2\r\n").expect("it can be written");
        let allow = |mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode))
                .expect("it is ours");
        };
        for mode in [0o600, 0o640] {
            allow(mode);
            assert_eq!(
                fetched("file:~/secret", folder.path()).await.as_deref(),
                Ok("hunter2")
            );
        }
        allow(0o644);
        let open = fetched("file:~/secret", folder.path()).await;
        let told = open.expect_err("everybody may read it");
        assert!(told.contains("644") && told.contains("chmod"), "{told}");
        let gone = fetched("file:~/nothing", folder.path()).await;
        assert!(gone.is_err_and(|told| told.contains("nothing")));
        let folder = fetched("file:/tmp", folder.path()).await;
        assert!(folder.is_err_and(|told| told.contains("no file")));
    }

    #[tokio::test]
    async fn a_program_is_asked_and_its_words_are_never_repeated() {
        let home = Path::new("/");
        assert_eq!(
            fetched("command:printf 'hunter2\\n'", home)
                .await
                .as_deref(),
            Ok("hunter2")
        );
        for (reference, says) in [
            (
                "command:sh -c 'echo hunter2; echo hunter2 >&2; exit 3'",
                "exit status: 3",
            ),
            ("command:/nowhere/at/all", "cannot be started"),
            ("command:printf 'hunter2\\nhunter3'", "one line"),
            ("command:true", "empty"),
            ("env:MM_NO_SUCH_VARIABLE_IN_TESTS", "no `MM_NO_SUCH"),
        ] {
            let told = fetched(reference, home).await.expect_err(reference);
            assert!(told.contains(says), "{told}");
            assert!(!told.contains("hunter"), "{told}");
        }
    }

    #[tokio::test]
    async fn a_program_that_never_stops_writing_is_cut() {
        let told = fetched("command:yes hunter2", Path::new("/")).await;
        // It is told to end by a pipe that nobody reads, and that is no success.
        assert!(told.is_err());
    }
}
