//! [`Address`]: what a resource's address names.

use crate::api::Session;

/// All sessions.
pub(super) const SESSIONS: &str = "m365://sessions";

/// Before a run's id in the address of its output.
const RUNS: &str = "m365://runs/";

/// What an address names; it may not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// All sessions.
    Sessions,
    /// One session. Its address stays as it was written: it is compared with those of the sessions there are.
    Session(String),
    /// The output of the run with this id, as it was written.
    Output(String),
}

impl Address {
    /// `None` where the form is none of ours.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        if uri == SESSIONS {
            return Some(Self::Sessions);
        }
        if let Some(id) = uri
            .strip_prefix(RUNS)
            .and_then(|rest| rest.strip_suffix("/output"))
        {
            return (!id.is_empty() && !id.contains('/')).then(|| Self::Output(id.to_owned()));
        }
        let (connection, module) = uri
            .strip_prefix(SESSIONS)?
            .strip_prefix('/')?
            .split_once('/')?;
        let is_one = !connection.is_empty() && !module.is_empty() && !module.contains('/');
        is_one.then(|| Self::Session(uri.to_owned()))
    }
}

/// A session's address; a connection's name may have any characters (RFC 3986).
pub(super) fn of_session(session: &Session) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in session.connection.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            write!(name, "%{byte:02X}").expect("a string takes everything");
        }
    }
    format!("{SESSIONS}/{name}/{}", session.module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_of_three_forms() {
        assert_eq!(Address::parse("m365://sessions"), Some(Address::Sessions));
        let session = "m365://sessions/B%C3%A4ck/exo";
        assert_eq!(
            Address::parse(session),
            Some(Address::Session(session.to_owned()))
        );
        assert_eq!(
            Address::parse("m365://runs/rabcdefghj/output"),
            Some(Address::Output("rabcdefghj".to_owned()))
        );
        for other in [
            "m365://sessions/",
            "m365://sessions/Contoso",
            "m365://sessions/a/b/c",
            "m365://runs/x",
            "m365://runs//output",
            "m365://runs/a/b/output",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(Address::parse(other), None, "{other}");
        }
    }
}
