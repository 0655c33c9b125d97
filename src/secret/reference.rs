//! [`Reference`]: where a secret is to be had. This is what connections hold in place of the secret.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is to be had. It may be shown: it is no secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `env:NAME`: a variable of the daemon's environment.
    Environment(String),
    /// `file:PATH`: a file's text, without the line end at its end. Absolute, or from the home folder (`~/…`).
    File(PathBuf),
    /// `command:PROGRAM ARGUMENTS`: what a program writes to its standard output, without the line end at its end. Words are
    /// split as a POSIX shell splits them; no shell is started.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// Why a text is no reference. The text is not repeated: it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReferenceError {
    /// It begins with none of the three words.
    #[error("this is no reference to a secret")]
    Kind,
    /// `env:` without a variable's name.
    #[error("`env:` is not followed by the name of a variable")]
    Variable,
    /// `file:` with a path that means another file in every folder.
    #[error("`file:` is not followed by an absolute path")]
    Path,
    /// `command:` without a program, or with a quote that is not closed.
    #[error("`command:` is not followed by a program and its arguments")]
    Command,
}

impl Reference {
    /// What references look like, for people.
    pub(crate) const EXPECTED: &str =
        "a reference to a secret (`env:NAME`, `file:/PATH` or `command:PROGRAM ARGUMENTS`)";

    /// Reads a reference. `home` stands for a leading `~`.
    pub(crate) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (kind, rest) = text.split_once(':').ok_or(ReferenceError::Kind)?;
        match kind {
            "env" => {
                let is_name = !rest.is_empty()
                    && !rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                is_name
                    .then(|| Self::Environment(rest.to_owned()))
                    .ok_or(ReferenceError::Variable)
            }
            "file" => {
                let is_whole = rest.starts_with('/') || rest.starts_with("~/");
                is_whole
                    .then(|| Self::File(PathBuf::from(rest)))
                    .ok_or(ReferenceError::Path)
            }
            "command" => {
                let words = shell_words::split(rest).map_err(|_| ReferenceError::Command)?;
                let mut words = words.into_iter();
                let program = words.next().filter(|program| !program.is_empty());
                Ok(Self::Command {
                    program: program.ok_or(ReferenceError::Command)?,
                    arguments: words.collect(),
                })
            }
            _ => Err(ReferenceError::Kind),
        }
    }

    /// A path as it is opened: `~/` is the home folder.
    pub(crate) fn complete(path: &Path, home: &Path) -> PathBuf {
        match path.strip_prefix("~") {
            Ok(inside) => home.join(inside),
            Err(_) => path.to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            // Arguments may name accounts and vaults; the program is enough to find it by.
            Self::Command { program, .. } => write!(f, "command:{program}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_are_read() {
        assert_eq!(
            Reference::parse("env:PFX_PASSWORD"),
            Ok(Reference::Environment("PFX_PASSWORD".to_owned()))
        );
        assert_eq!(
            Reference::parse("file:~/keys/app"),
            Ok(Reference::File(PathBuf::from("~/keys/app")))
        );
        assert_eq!(
            Reference::parse("command:pass show 'm365/contoso app'"),
            Ok(Reference::Command {
                program: "pass".to_owned(),
                arguments: vec!["show".to_owned(), "m365/contoso app".to_owned()],
            })
        );
    }

    #[test]
    fn a_secret_in_its_place_is_refused_and_not_repeated() {
        for (text, error) in [
            ("hunter2", ReferenceError::Kind),
            ("https://vault.example.org/x", ReferenceError::Kind),
            ("env:", ReferenceError::Variable),
            ("env:2ND", ReferenceError::Variable),
            ("file:secrets/app", ReferenceError::Path),
            ("command:", ReferenceError::Command),
            ("command:pass 'show", ReferenceError::Command),
        ] {
            assert_eq!(Reference::parse(text), Err(error), "{text}");
        }
        assert!(!ReferenceError::Kind.to_string().contains("hunter2"));
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let home = Path::new("/home/ada");
        let complete = |path: &str| Reference::complete(Path::new(path), home);
        assert_eq!(complete("~/keys/app"), Path::new("/home/ada/keys/app"));
        assert_eq!(complete("/run/secrets/app"), Path::new("/run/secrets/app"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|(env|file|command):\\PC{0,30}") {
            if let Ok(reference) = Reference::parse(&text) {
                proptest::prop_assert!(!reference.to_string().is_empty());
            }
        }
    }
}
