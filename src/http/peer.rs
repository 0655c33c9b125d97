//! [`Peer`]: the process at the other end of a connection, and whether it may be a person.
//!
//! What a client says of itself can only make it stricter. A person is whoever says `cli` from a process that has a controlling
//! terminal; the kernel knows the process (`SO_PEERCRED`, `unix(7)`) and the terminal (`tty_nr`, `proc_pid_stat(5)`). What
//! runs in a session of the daemon's is a command, and gets no answer at all: through the daemon it would reach the sessions of
//! other tenants. Whatever terminal, group or session it makes for itself, its line of parents ends at the daemon, which
//! orphans fall to as well (`PR_SET_CHILD_SUBREAPER`, see `daemon::orphans`).
//!
//! This keeps a model that has tools but no shell of its own from approving anything. It does not keep out a program that
//! runs with the person's own user id and goes to the trouble of a pseudo-terminal outside of every session, or has another
//! program of the person's start one: nothing on one machine tells these two apart.

use std::fs::File;
use std::io::Read as _;
use std::sync::LazyLock;

use tokio::net::UnixStream;

use crate::daemon::Who;

/// The client that people at a terminal use; every other one is a program.
const PERSON: &str = "cli";

/// The kernel session of this process. A daemon has its own, or that of the terminal it was started at, before it listens.
static OWN_SESSION: LazyLock<Option<u32>> =
    LazyLock::new(|| Some(Process::read(std::process::id())?.session));

/// The other end, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// It has a controlling terminal that is none of the daemon's own.
    AtTerminal,
    /// It has none.
    Elsewhere,
    /// It runs in one of the daemon's sessions.
    InSession,
}

impl Peer {
    /// Asks the kernel. A process that it does not name, because it is in another namespace or gone, has no terminal.
    pub(super) fn of(stream: &UnixStream) -> Self {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let pid = pid.and_then(|pid| u32::try_from(pid).ok());
        let Some(process) = pid.and_then(Process::read) else {
            return Self::Elsewhere;
        };
        let session = *OWN_SESSION;
        if process.is_in_session_of(std::process::id(), session, Process::read) {
            Self::InSession
        } else if process.terminal == 0 {
            Self::Elsewhere
        } else {
            Self::AtTerminal
        }
    }

    /// Who asks, if it calls itself `client`.
    pub(super) fn who(self, client: &str) -> Who {
        if self == Self::AtTerminal && client == PERSON {
            Who::Person
        } else {
            Who::Program
        }
    }
}

/// What the kernel says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// The process that its session began with.
    session: u32,
    /// The number of its controlling terminal; 0 without one.
    terminal: i64,
}

impl Process {
    /// In one call of the system's, whose line is made anew for each: a few hundred bytes (`proc_pid_stat(5)`).
    fn read(pid: u32) -> Option<Self> {
        let mut stat = [0; 2048];
        let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
        let length = file.read(&mut stat).ok()?;
        Self::parse(&String::from_utf8_lossy(&stat[..length]))
    }

    /// Whether it was started, at whatever remove, by what the daemon `own` has put on a terminal. What it starts for itself
    /// (a notice, a program that fetches a secret) stays in its own kernel session, which nothing can join from outside.
    fn is_in_session_of(
        self,
        own: u32,
        session: Option<u32>,
        read: impl Fn(u32) -> Option<Process>,
    ) -> bool {
        session != Some(self.session)
            // One whose parents have ended is still in the kernel session of the program that we have started.
            && (descends(self.parent, own, &read) || descends(self.session, own, &read))
    }

    /// From a line of `/proc/PID/stat`. The second field, in parentheses, may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let terminal = fields.next()?.parse().ok()?;
        Some(Self {
            parent,
            session,
            terminal,
        })
    }
}

/// Whether `pid` is `ancestor` or was started by it, at whatever remove.
fn descends(mut pid: u32, ancestor: u32, read: impl Fn(u32) -> Option<Process>) -> bool {
    // Process 1 has no parent, and one whose parent is in another namespace says 0.
    while pid > 1 {
        if pid == ancestor {
            return true;
        }
        match read(pid) {
            Some(process) => pid = process.parent,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_behind_any_name() {
        let process = |parent, session, terminal| Process {
            parent,
            session,
            terminal,
        };
        assert_eq!(
            Process::parse("7 (mm) S 1 7 6 34816 7 4194304 1 0"),
            Some(process(1, 6, 34816))
        );
        assert_eq!(
            Process::parse("7 (a) S 9 8 7 34816 (b) S 1 7 5 0 -1 1"),
            Some(process(1, 5, 0))
        );
        assert_eq!(Process::parse(""), None);
        assert_eq!(Process::parse("7 (mm) S 1 7"), None);
    }

    #[test]
    fn what_a_session_started_is_known_at_any_remove() {
        let parents = [(90, 80), (80, 70), (70, 1), (60, 1)];
        let read = |pid| {
            let found = parents.iter().find(|(child, _)| *child == pid);
            found.map(|(_, parent)| Process {
                parent: *parent,
                session: 0,
                terminal: 0,
            })
        };
        assert!(descends(90, 70, read) && descends(70, 70, read));
        assert!(!descends(60, 70, read) && !descends(55, 70, read) && !descends(0, 70, read));
    }

    #[test]
    fn what_the_daemon_starts_for_itself_is_in_no_session() {
        let process = |parent, session| Process {
            parent,
            session,
            terminal: 0,
        };
        // 70 is the daemon, in the kernel session 60; 80 the program of a session, 90 its orphan with a session of its own.
        let table = [
            (70, process(1, 60)),
            (80, process(70, 80)),
            (90, process(70, 90)),
        ];
        let read = |pid| {
            let found = table.iter().find(|(known, _)| *known == pid);
            found.map(|(_, process)| *process)
        };
        let is_in = |process: Process| process.is_in_session_of(70, Some(60), read);
        assert!(is_in(process(70, 80)) && is_in(process(80, 80)) && is_in(process(90, 91)));
        assert!(is_in(process(1, 80)));
        assert!(!is_in(process(70, 60)) && !is_in(process(1, 50)) && !is_in(process(1, 60)));
    }

    #[test]
    fn a_word_of_its_own_only_makes_a_client_stricter() {
        let (at_terminal, without) = (Peer::AtTerminal, Peer::Elsewhere);
        assert_eq!(at_terminal.who("cli"), Who::Person);
        for (peer, client) in [
            (at_terminal, "mcp"),
            (at_terminal, "http"),
            (at_terminal, "CLI"),
            (without, "cli"),
            (Peer::InSession, "cli"),
        ] {
            assert_eq!(peer.who(client), Who::Program, "{client}");
        }
    }
}
