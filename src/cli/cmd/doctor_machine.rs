//! What `mm doctor` asks the machine itself: the state folder's owner and room, the clock, the terminal, and whether an MCP
//! client can start this program.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::doctor::Level;

/// Less than this, and the record of what was done may not be kept: then nothing runs.
const LITTLE_ROOM: u64 = 64 << 20;
/// Less than this is worth a word.
const SOME_ROOM: u64 = 1 << 30;
/// A file may be a little younger than the clock says where folders are shared.
const TOLERANCE: Duration = Duration::from_secs(300);

/// What a finding is about, how bad it is, what it says, and what to do about it.
type Fault = (&'static str, Level, String, String);

/// What is wrong with the state folder, which is there.
pub(super) fn state_fault(folder: &Path) -> Option<(Level, String, String)> {
    let place = folder.display();
    let owner = std::fs::metadata(folder).ok()?.uid();
    let me = rustix::process::geteuid().as_raw();
    if owner != me {
        return Some((
            Level::Error,
            format!("{place} belongs to the user with the number {owner}, and you are {me}"),
            "run mm as one user, without sudo, or name another folder with MM_STATE_DIR".to_owned(),
        ));
    }
    let room = rustix::fs::statvfs(folder).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let level = match free {
        free if free < LITTLE_ROOM => Level::Error,
        free if free < SOME_ROOM => Level::Warning,
        _ => return None,
    };
    Some((
        level,
        format!("{} MiB are free where {place} is", free >> 20),
        "make room: where nothing can be written down, nothing runs".to_owned(),
    ))
}

/// What is wrong or worth knowing about the clock, the terminal and the program's own place.
pub(super) fn machine_faults() -> Vec<Fault> {
    let program = std::env::current_exe();
    let written = program
        .as_ref()
        .ok()
        .and_then(|file| std::fs::metadata(file).ok()?.modified().ok());
    let clock = written.and_then(|written| clock_fault(SystemTime::now(), written));
    let word = |name: &str| std::env::var(name).unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(word);
    let terminal = terminal_fault(&word("TERM"), &locale);
    let mcp = match program {
        Ok(file) if file.to_string_lossy().ends_with(" (deleted)") => (
            "mcp",
            Level::Warning,
            "this program's file was replaced or removed while it ran".to_owned(),
            "start it again from where it is installed now".to_owned(),
        ),
        Ok(file) => (
            "mcp",
            Level::Note,
            format!(
                "an MCP client starts {} with the argument mcp",
                file.display()
            ),
            "mm mcp config CLIENT prints its configuration, mm mcp check what it would see"
                .to_owned(),
        ),
        Err(error) => (
            "mcp",
            Level::Warning,
            format!("this program's own path is not known: {error}"),
            "write the path into the client's configuration by hand".to_owned(),
        ),
    };
    [clock, terminal, Some(mcp)].into_iter().flatten().collect()
}

/// A clock that is before a time which has been: the moment that a file of this machine was written.
fn clock_fault(now: SystemTime, written: SystemTime) -> Option<Fault> {
    let behind = written.duration_since(now + TOLERANCE).ok()?;
    Some((
        "clock",
        Level::Error,
        format!(
            "it is at least {} h behind: this program was written later than it says",
            behind.as_secs() / 3600
        ),
        "set this machine's clock: with a wrong one, every code has expired".to_owned(),
    ))
}

/// A terminal that does not show what `mm` writes.
fn terminal_fault(term: &str, locale: &[String; 3]) -> Option<Fault> {
    // The first that is set decides (setlocale(3)).
    let decides = locale.iter().find(|word| !word.is_empty());
    let says_utf8 = decides.is_some_and(|word| {
        let word = word.to_lowercase();
        word.contains("utf-8") || word.contains("utf8")
    });
    if !says_utf8 {
        return Some((
            "terminal",
            Level::Note,
            format!(
                "its character set is not UTF-8 (locale {})",
                decides.map_or("C", String::as_str)
            ),
            "export LANG=C.UTF-8, or names with accents may look odd; sessions have their own"
                .to_owned(),
        ));
    }
    (term.is_empty() || term == "dumb").then(|| {
        (
            "terminal",
            Level::Note,
            "TERM says that it can do nothing (dumb)".to_owned(),
            "output is plain there; nothing else changes".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_what_has_been_is_wrong() {
        let now = SystemTime::now();
        let hour = Duration::from_secs(3600);
        assert!(clock_fault(now, now).is_none());
        assert!(clock_fault(now, now - 1000 * hour).is_none());
        assert!(clock_fault(now, now + Duration::from_secs(60)).is_none());
        let fault = clock_fault(now - 1000 * hour, now).expect("it is behind");
        assert!(
            fault.1 == Level::Error && fault.2.contains("999 h"),
            "{fault:?}"
        );
    }

    #[test]
    fn the_locale_that_decides_is_the_first_that_is_set() {
        let locale = |words: [&str; 3]| words.map(str::to_owned);
        assert!(terminal_fault("xterm", &locale(["", "", "de_DE.UTF-8"])).is_none());
        assert!(terminal_fault("xterm", &locale(["C", "", "de_DE.UTF-8"])).is_some());
        assert!(terminal_fault("xterm", &locale(["", "", ""])).is_some());
        let dumb = terminal_fault("dumb", &locale(["C.UTF-8", "", ""])).expect("it is told");
        assert!(dumb.2.contains("dumb"), "{dumb:?}");
    }

    #[test]
    fn a_state_folder_is_judged_by_its_owner_and_room() {
        let root = rustix::process::geteuid().is_root();
        let foreign = state_fault(Path::new("/proc/1")).expect("it has no room");
        assert_eq!(foreign.1.contains("belongs to"), !root, "{foreign:?}");
        // Nothing is ever free there.
        let full = state_fault(Path::new("/proc/self")).expect("it has no room");
        assert!(
            full.0 == Level::Error && full.1.starts_with("0 MiB"),
            "{full:?}"
        );
    }
}
