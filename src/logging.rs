//! `tracing`, written to standard error or to a file: never to standard output, which belongs to MCP. It does not know
//! what is said.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::redact::mask;

/// A log of this size is put aside when it is opened; one older log is kept.
const ROTATE_AT: u64 = 5 << 20;

/// Where the log goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LogTarget<'p> {
    /// Standard error, for people and supervisors.
    Stderr,
    /// A file, 0600, appended to.
    File(&'p Path),
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoggingError {
    /// `MM_LOG` or `--log` is not a filter.
    #[error("`{text}` is not a log filter")]
    Filter {
        /// What was given.
        text: String,
        /// Which part of it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The log file cannot be written.
    #[error("the log file `{}` cannot be opened", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A process has one log.
    #[error("logging is already set up")]
    Twice,
}

impl LoggingError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Filter { .. } => {
                "MM_LOG takes off, error, warn, info, debug or trace, or one for a part: `info,mm::session=debug`"
            }
            Self::File { .. } => {
                "make the state folder writable, or name another with MM_STATE_DIR"
            }
            Self::Twice => "set logging up once, at the start",
        }
    }
}

/// Starts logging for the whole process. `filter` is the text of `MM_LOG`; `silent` are libraries that say nothing, whatever
/// it says.
pub(crate) fn start(
    filter: &str,
    silent: &[&str],
    target: LogTarget<'_>,
) -> Result<(), LoggingError> {
    let silent = silent.iter().map(|library| (*library, LevelFilter::OFF));
    let filter = parse_filter(filter)?.with_targets(silent);
    let started = match target {
        LogTarget::Stderr => subscriber(filter, io::stderr).try_init(),
        LogTarget::File(path) => {
            let file = open_log(path, ROTATE_AT).map_err(|source| LoggingError::File {
                path: path.to_owned(),
                source,
            })?;
            subscriber(filter, Mutex::new(file)).try_init()
        }
    };
    started.map_err(|_| LoggingError::Twice)
}

fn parse_filter(text: &str) -> Result<Targets, LoggingError> {
    text.parse().map_err(|source| LoggingError::Filter {
        text: text.to_owned(),
        source,
    })
}

fn subscriber<W>(filter: Targets, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_ansi(false).with_writer(Masking(writer));
    tracing_subscriber::registry().with(filter).with(lines)
}

/// Takes secrets out of every line on its way: an error may repeat what somebody typed.
struct Masking<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Masking<W> {
    type Writer = MaskedLines<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        MaskedLines(self.0.make_writer())
    }
}

/// A line comes in one call: `tracing` writes an event whole.
struct MaskedLines<W>(W);

impl<W: io::Write> io::Write for MaskedLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(mask(&text).as_str().as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Opens the log for appending. One of `limit` bytes or more becomes `<name>.1` first, in place of the one before it.
fn open_log(path: &Path, limit: u64) -> io::Result<File> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() && found.len() >= limit => {
            let mut old = path.as_os_str().to_owned();
            old.push(".1");
            std::fs::rename(path, old)?;
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    // A log that an earlier umask or a copy left open to others.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_lands_in_the_file_at_its_level() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("daemon.log");
        let file = open_log(&path, ROTATE_AT).expect("it can be opened");
        let filter = parse_filter("info").expect("it is a filter");
        tracing::subscriber::with_default(subscriber(filter, Mutex::new(file)), || {
            tracing::info!(run = "r1", "began");
            tracing::info!(error = "-Password hunter2x", "failed");
            tracing::debug!("not wanted");
        });
        let text = std::fs::read_to_string(&path).expect("it was written");
        assert!(text.contains("began run=\"r1\""), "{text}");
        assert!(!text.contains("not wanted"), "{text}");
        assert!(text.contains("-Password ********"), "{text}");
        let mode = path.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_full_log_is_put_aside_and_one_is_kept() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("daemon.log");
        for text in ["first", "second", "third"] {
            drop(open_log(&path, 5).expect("it can be opened"));
            std::fs::write(&path, text).expect("it can be written");
        }
        let old = std::fs::read_to_string(folder.path().join("daemon.log.1"));
        assert_eq!(old.expect("it was put aside"), "second");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            2
        );
    }

    #[test]
    fn a_log_is_not_written_through_a_link() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let (path, other) = (
            folder.path().join("daemon.log"),
            folder.path().join("other"),
        );
        std::os::unix::fs::symlink(&other, &path).expect("a link can be made");
        assert!(open_log(&path, ROTATE_AT).is_err());
        assert!(!other.exists());
    }

    #[test]
    fn a_bad_filter_is_an_error_with_help() {
        let error = parse_filter("mm=loud").expect_err("loud is no level");
        assert_eq!(error.to_string(), "`mm=loud` is not a log filter");
        assert!(error.help().contains("MM_LOG"));
    }
}
