//! Identifiers, checked when they are made. A value of these types is proof that its text is well formed; nothing here
//! knows whether what it names exists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}")]
pub(crate) struct NameError {
    kind: &'static str,
    text: String,
    expected: &'static str,
}

impl NameError {
    /// What such a name has to look like, for a `help` line.
    pub(crate) fn help(&self) -> &'static str {
        self.expected
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub(crate) struct $name(String);

        impl $name {
            /// The text, as it was given.
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    let text = text.chars().take(80).filter(|c| !c.is_control()).collect();
                    Err(NameError { kind: $kind, text, expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A module (`exo`) or a shell (`pwsh`): the name of its file in `modules.d/`.
    ModuleName,
    "module name",
    "a module name is 1 to 32 lower-case letters, digits or `-`, and begins with a letter",
    |text| {
        (1..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
);

identifier!(
    /// A connection's name, as people write it in `~/.m365-connections.json`.
    ConnectionName,
    "connection name",
    "a connection name is 1 to 64 characters, without control characters, `/` or spaces at its ends",
    |text| {
        (1..=64).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_control() || c == '/')
            && text.trim() == text
    }
);

identifier!(
    /// A run's id: `r` and nine digits or lower-case letters, random, so that it can be typed and never means two runs.
    RunId,
    "run id",
    "a run id is `r` and nine letters or digits, as `mm runs list` shows it",
    |text| {
        text.len() == 10
            && text.starts_with('r')
            && text.bytes().skip(1).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }
);

impl RunId {
    /// Makes an id from random bytes; 45 of their bits are used.
    pub(crate) fn from_random(random: [u8; 9]) -> Self {
        // Without letters and digits that look alike when read aloud or copied by hand.
        const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let text = random
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        Self(std::iter::once('r').chain(text).collect())
    }
}

/// Connection and module: what one session is for. Written `Contoso/exo`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionKey {
    /// Whom the session is signed in to.
    pub(crate) connection: ConnectionName,
    /// What it is signed in with.
    pub(crate) module: ModuleName,
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.connection, self.module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_made() {
        for good in ["exo", "a", "power-platform2"] {
            assert_eq!(
                good.parse::<ModuleName>().map(String::from),
                Ok(good.to_owned())
            );
        }
        for bad in ["", "Exo", "2exo", "e xo", "../exo", &"x".repeat(33)] {
            assert!(bad.parse::<ModuleName>().is_err(), "{bad:?}");
        }
        for good in ["Contoso", "Contoso GA", "Bäckerei Müller"] {
            assert!(good.parse::<ConnectionName>().is_ok(), "{good:?}");
        }
        for bad in ["", " x", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(bad.parse::<ConnectionName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_made_run_id_is_a_run_id() {
        let id = RunId::from_random([0, 31, 32, 255, 7, 8, 9, 10, 11]);
        assert_eq!(id.as_str().parse::<RunId>(), Ok(id.clone()));
    }

    #[test]
    fn a_bad_name_is_quoted_without_its_control_characters() {
        let error = "a\u{1b}[31m/b"
            .parse::<ConnectionName>()
            .expect_err("it has a slash");
        assert_eq!(error.to_string(), "`a[31m/b` is not a connection name");
    }
}
