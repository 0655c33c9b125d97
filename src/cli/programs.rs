//! What is installed: programs with their versions, and PowerShell modules as they lie in their folders. PowerShell is not
//! asked for its modules: that takes it seconds, and loads them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// A version's numbers: `7.6.5`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) Vec<u32>);

impl Version {
    /// The first version in `text`: numbers with dots, two at least. What follows, such as `-preview`, does not count.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let words = text.split(|c: char| !is_part(c));
        words.filter(|word| word.contains('.')).find_map(|word| {
            let numbers: Option<Vec<u32>> = word
                .trim_matches('.')
                .split('.')
                .map(|number| number.parse().ok())
                .collect();
            numbers.filter(|numbers| numbers.len() > 1).map(Self)
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// Where `program` is on `path`, a list of folders as in `PATH`.
pub(crate) fn find(program: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
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

/// The version of `az`, `m365` or `pac` at `file`, as its package on disk says. The programs are not asked: that takes them
/// seconds, and they write into the home folder.
pub(crate) fn packaged_version(program: &str, file: &Path) -> Option<Version> {
    let file = file.canonicalize().ok()?;
    let below = |folder: PathBuf, begin: &str| {
        let entries = std::fs::read_dir(folder).ok()?.flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.starts_with(begin))
            .filter_map(|name| Version::find(&name[begin.len()..]))
            .max()
    };
    match program {
        // PREFIX/bin/az, and Microsoft's packages: /usr/bin/az starts what is in /opt/az.
        "az" => {
            let beside = file.parent()?.parent()?.to_owned();
            let roots = [beside, PathBuf::from("/opt/az")];
            roots.iter().find_map(|root| {
                let libraries = std::fs::read_dir(root.join("lib")).ok()?.flatten();
                libraries
                    .map(|library| library.path().join("site-packages"))
                    .find_map(|packages| below(packages, "azure_cli-"))
            })
        }
        // The program is a file of its package.
        "m365" => file.ancestors().find_map(|folder| {
            let text = std::fs::read_to_string(folder.join("package.json")).ok()?;
            let package: serde_json::Value = serde_json::from_str(&text).ok()?;
            let is_it = package["name"] == "@pnp/cli-microsoft365";
            Version::find(package["version"].as_str()?).filter(|_| is_it)
        }),
        // ~/.dotnet/tools/pac
        "pac" => below(
            file.parent()?.join(".store/microsoft.powerapps.cli.tool"),
            "",
        ),
        _ => None,
    }
}

/// What is wrong with this version of a program, and what to do about it.
pub(crate) fn program_fault(program: &str, version: &Version) -> Option<(String, String)> {
    let older = |than: &[u32]| version.0.as_slice() < than;
    match program {
        "pac" if older(&[2]) => Some((
            format!("pac {version} is too old to sign in by device code here"),
            "dotnet tool update --global Microsoft.PowerApps.CLI.Tool".to_owned(),
        )),
        _ => None,
    }
}

/// The versions of a PowerShell module in `folders`, the newest last. A folder of it without versions has none to tell.
pub(crate) fn module_versions(name: &str, folders: &[PathBuf]) -> Vec<Version> {
    let mut versions: Vec<Version> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder.join(name)).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| Version::find(&entry.file_name().to_string_lossy()))
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

/// What is wrong with these versions of a PowerShell module, and what to do about it. `shell` is PowerShell's version.
pub(crate) fn faults(
    module: &str,
    versions: &[Version],
    shell: Option<&Version>,
) -> Vec<(String, String)> {
    let Some(newest) = versions.last() else {
        return Vec::new();
    };
    let is =
        |from: &[u32], below: &[u32]| newest.0.as_slice() >= from && newest.0.as_slice() < below;
    let older = |than: &[u32]| shell.is_some_and(|shell| shell.0.as_slice() < than);
    let update = format!("update it: Update-PSResource {module}, in pwsh");
    let mut faults = Vec::new();
    let mut fault = |message: String, help: &str| faults.push((message, help.to_owned()));
    match module {
        "ExchangeOnlineManagement" if is(&[3, 10], &[u32::MAX]) && older(&[7, 6]) => fault(
            format!("{module} {newest} needs PowerShell 7.6"),
            "update PowerShell, or install version 3.9.2 of the module instead",
        ),
        "Az.Accounts" if is(&[0], &[3, 0, 1]) => fault(
            format!("{module} {newest} is too old for device codes here"),
            &update,
        ),
        "PnP.PowerShell" if is(&[0], &[3, 2]) => fault(
            format!("{module} {newest} needs a desktop to sign in"),
            &update,
        ),
        "Microsoft.Graph.Authentication" => {
            if is(&[2, 34], &[2, 38]) {
                fault(
                    format!("{module} {newest} fails after a good sign-in"),
                    &update,
                );
            }
            if versions.len() > 1 {
                fault(
                    format!("{} versions of {module} are installed", versions.len()),
                    "remove all but the newest; together they say that nobody is signed in",
                );
            }
        }
        _ => {}
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::find(text).expect("it is a version")
    }

    #[test]
    fn versions_are_found_and_compared_by_number() {
        assert_eq!(version("PowerShell 7.6.5\n").to_string(), "7.6.5");
        assert_eq!(version("3.10.1-preview2").to_string(), "3.10.1");
        assert!(version("7.10.0") > version("7.9"));
        assert_eq!(Version::find("no version 7 here."), None);
    }

    #[test]
    fn known_faults_are_told() {
        let count = |module: &str, versions: &[&str], shell: &str| {
            let versions: Vec<Version> = versions.iter().map(|text| version(text)).collect();
            faults(module, &versions, Some(&version(shell))).len()
        };
        assert_eq!(count("ExchangeOnlineManagement", &["3.10.1"], "7.5.2"), 1);
        assert_eq!(count("ExchangeOnlineManagement", &["3.10.1"], "7.6.0"), 0);
        assert_eq!(count("ExchangeOnlineManagement", &["3.9.2"], "7.4.0"), 0);
        assert_eq!(count("PnP.PowerShell", &["3.1.0"], "7.6.0"), 1);
        assert_eq!(count("PnP.PowerShell", &["3.1.0", "3.2.0"], "7.6.0"), 0);
        assert_eq!(
            count(
                "Microsoft.Graph.Authentication",
                &["2.33.0", "2.35.1"],
                "7.6.0"
            ),
            2
        );
        assert_eq!(
            count("Microsoft.Graph.Authentication", &["2.40.0"], "7.6.0"),
            0
        );
        assert_eq!(count("Az.Accounts", &["3.0.0"], "7.6.0"), 1);
        assert_eq!(count("Az.Accounts", &[], "7.6.0"), 0);
    }

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
}
