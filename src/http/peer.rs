//! [`Peer`]: the process at the other end of a connection, and whether it may be a person.
//!
//! What a client says of itself can only make it stricter. A person is whoever says `cli` from a process that has a controlling
//! terminal; the kernel knows the process (`SO_PEERCRED`, `unix(7)`) and the terminal (`tty_nr`, `proc_pid_stat(5)`). This
//! keeps a model that has tools but no shell from approving anything. It does not keep out a program that runs with the
//! person's own user id and goes to the trouble of a pseudo-terminal: nothing on one machine tells these two apart.

use tokio::net::UnixStream;

use crate::daemon::Who;

/// The client that people at a terminal use; every other one is a program.
const PERSON: &str = "cli";

/// The other end, as it was when it connected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    has_terminal: bool,
}

impl Peer {
    /// Asks the kernel. A process that it does not name, because it is in another namespace or gone, has no terminal.
    pub(super) fn of(stream: &UnixStream) -> Self {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let has_terminal = pid
            .filter(|pid| *pid > 0)
            .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok())
            .is_some_and(|stat| has_terminal(&stat));
        Self { has_terminal }
    }

    /// Who asks, if it calls itself `client`.
    pub(super) fn who(self, client: &str) -> Who {
        if self.has_terminal && client == PERSON {
            Who::Person
        } else {
            Who::Program
        }
    }
}

/// Whether a line of `/proc/PID/stat` names a terminal. The second field, in parentheses, may hold anything.
fn has_terminal(stat: &str) -> bool {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // State, parent, process group and session stand before it.
    let terminal = after_name.split_ascii_whitespace().nth(4);
    terminal
        .and_then(|number| number.parse::<i64>().ok())
        .is_some_and(|number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_read_behind_any_name() {
        assert!(has_terminal("7 (mm) S 1 7 7 34816 7 4194304 1 0"));
        assert!(!has_terminal("7 (mm) S 1 7 7 0 -1 4194304 1 0"));
        assert!(!has_terminal("7 (a) S 1 7 7 34816 (b) S 1 7 7 0 -1 1"));
        assert!(!has_terminal("") && !has_terminal("7 (mm) S 1"));
    }

    #[test]
    fn a_word_of_its_own_only_makes_a_client_stricter() {
        let (at_terminal, without) = (
            Peer { has_terminal: true },
            Peer {
                has_terminal: false,
            },
        );
        assert_eq!(at_terminal.who("cli"), Who::Person);
        for (peer, client) in [
            (at_terminal, "mcp"),
            (at_terminal, "http"),
            (at_terminal, "CLI"),
            (without, "cli"),
        ] {
            assert_eq!(peer.who(client), Who::Program, "{client}");
        }
    }
}
