//! What is installed: programs with their versions, and PowerShell modules as they lie in their folders. What is wrong with
//! a version is in the files that need it; PowerShell is not asked for its modules: that takes it seconds, and loads them.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::script::{Glob, Pattern, Version, VersionSource};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where `program` is on `path`, a list of folders as in `PATH`.
pub(crate) fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| {
            std::fs::metadata(file)
                .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
        })
}

/// What `program` with these arguments writes to standard output. `None` where it fails or takes more than ten seconds.
/// Blocks.
pub(crate) fn ask(program: &Path, arguments: &[&str]) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any longer where it took too long.
    std::thread::spawn(move || drop(sender.send(child.wait_with_output())));
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(output)) if output.status.success() => String::from_utf8(output.stdout).ok(),
        Ok(_) => None,
        Err(_late) => {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            None
        }
    }
}

/// The version of the program at `file`. Blocks.
pub(crate) fn version(file: &Path, source: &VersionSource) -> Option<Version> {
    let beside = || file.canonicalize().ok()?.parent().map(Path::to_owned);
    match source {
        VersionSource::Names(paths) => {
            let folder = beside()?;
            let found = paths.iter().flat_map(|path| matching(&folder, path));
            let names = found.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
            names.filter_map(|name| Version::find(&name)).max()
        }
        VersionSource::File { path, pattern } => {
            let text = std::fs::read_to_string(beside()?.join(path)).ok()?;
            within(&text, pattern.as_ref())
        }
        VersionSource::Ask { arguments, pattern } => {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            within(&ask(file, &arguments)?, pattern.as_ref())
        }
    }
}

/// The version in `text`, where `pattern` says that it stands.
fn within(text: &str, pattern: Option<&Pattern>) -> Option<Version> {
    let Some(pattern) = pattern else {
        return Version::find(text);
    };
    let groups = pattern.captures(text.as_bytes())?;
    let found = std::str::from_utf8(groups.name("version")?.as_bytes()).ok()?;
    Version::parse(found).or_else(|| Version::find(found))
}

/// What is there under `path`, seen from `folder`; `*` in a name stands for any characters.
fn matching(folder: &Path, path: &str) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for part in Path::new(path).components() {
        found = match part {
            Component::Normal(name) if name.to_string_lossy().contains('*') => {
                let glob = Glob::new(&name.to_string_lossy());
                let entries = found
                    .iter()
                    .filter_map(|folder| std::fs::read_dir(folder).ok());
                let entries = entries.flatten().flatten();
                entries
                    .filter(|entry| glob.fits(&entry.file_name().to_string_lossy().to_lowercase()))
                    .map(|entry| entry.path())
                    .collect()
            }
            // An absolute path begins anew.
            part => found.iter().map(|folder| folder.join(part)).collect(),
        };
    }
    found.retain(|path| path.exists());
    found
}

/// The versions of a PowerShell module in `folders`, the oldest first; `None` where it is not installed. A folder of it
/// without versions has none to tell.
pub(crate) fn module_versions(name: &str, folders: &[PathBuf]) -> Option<Vec<Version>> {
    let places = folders.iter().map(|folder| folder.join(name));
    let mut places = places.filter(|place| place.is_dir()).peekable();
    places.peek()?;
    let entries = places.filter_map(|place| std::fs::read_dir(place).ok());
    let mut versions: Vec<Version> = entries
        .flatten()
        .flatten()
        .filter_map(|entry| Version::find(&entry.file_name().to_string_lossy()))
        .collect();
    versions.sort();
    versions.dedup();
    Some(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_or_is_not_there_says_nothing() {
        assert_eq!(ask(Path::new("/nope"), &[]), None);
        assert_eq!(ask(Path::new("/bin/false"), &[]), None);
        assert_eq!(
            ask(Path::new("/bin/echo"), &["1.2"]).as_deref(),
            Some("1.2\n")
        );
        assert!(find("sh", "/nope:/bin".as_ref()).is_some());
        assert_eq!(find("sh", "/nope".as_ref()), None);
    }

    #[test]
    fn a_version_is_asked_for_or_read() {
        let shown = |source: &VersionSource, file: &Path| {
            version(file, source).map(|version| version.to_string())
        };
        let echo = |text: &str, pattern: Option<&str>| VersionSource::Ask {
            arguments: vec![text.to_owned()],
            pattern: pattern.map(|text| Pattern::parse(text).expect("it is a pattern")),
        };
        let program = Path::new("/bin/echo");
        assert_eq!(shown(&echo("x 4.5", None), program).as_deref(), Some("4.5"));
        let second = echo("lib 1.2, version 7", Some("version (?<version>[0-9.]+)"));
        assert_eq!(shown(&second, program).as_deref(), Some("7"));
        assert_eq!(shown(&echo("none", None), program), None);

        let folder = tempfile::tempdir().expect("a folder can be made");
        for path in [
            "bin/x",
            "lib/a/shop-1.9.0.info",
            "lib/b/shop-1.10.0.info",
            "about",
        ] {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().expect("it lies in one")).expect("a new folder");
            std::fs::write(file, "version: 3.2.1").expect("a new file");
        }
        let program = folder.path().join("bin/x");
        let names =
            VersionSource::Names(vec!["../none/*".to_owned(), "../lib/*/shop-*".to_owned()]);
        assert_eq!(shown(&names, &program).as_deref(), Some("1.10.0"));
        let file = VersionSource::File {
            path: "../about".to_owned(),
            pattern: None,
        };
        assert_eq!(shown(&file, &program).as_deref(), Some("3.2.1"));
    }
}
