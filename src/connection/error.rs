//! What is wrong with the file, with one entry of it, or with a name that was asked for.

use std::io;
use std::path::PathBuf;

use crate::name::{ConnectionName, NameError};

/// Why the file gives no connections at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// There is no such file.
    #[error("there is no connections file `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("the connections file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has no text.
    #[error("the connections file `{}` is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The text is not JSON.
    #[error("`{}` is not JSON: {reason} in line {line}, column {column}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
        /// What the reader stumbled over.
        reason: String,
    },
    /// A part that every entry needs has another shape.
    #[error("`{}`: {error}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Which part.
        error: EntryError,
    },
}

impl RegistryError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Empty { .. } => {
                "write {\"connections\": {\"Contoso\": {\"tenant\": \"contoso.com\", \"expectedEmail\": \"ada@contoso.com\"}}} \
                 into it, or name another file with MM_CONNECTIONS"
            }
            Self::Unreadable { .. } => {
                "make it readable for you, or name another file with MM_CONNECTIONS"
            }
            Self::Syntax { .. } => {
                "JSON has no comments and no comma after the last entry; mend the line and try again"
            }
            Self::Shape { .. } => {
                "the file is an object with a key `connections`: an object with one entry for each connection"
            }
        }
    }
}

/// Why one entry cannot be used. Its text begins with the path of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    /// The value is of another kind.
    #[error("{key}: expected {expected}, found {found}")]
    Kind {
        /// `connections.Contoso.tenant`; empty keys are never made.
        key: String,
        /// `text`, `an object`, …
        expected: &'static str,
        /// `a number`, `nothing`, …
        found: &'static str,
    },
    /// The entry's name cannot be one.
    #[error("connections: {error}")]
    Name {
        /// Why not.
        error: NameError,
    },
}

impl EntryError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Kind { key, expected, .. } => {
                format!("give `{key}` {expected}, or take the entry out")
            }
            Self::Name { error } => error.help().to_owned(),
        }
    }
}

/// Why a name gives no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupError {
    /// No entry has this name.
    #[error("there is no connection `{name}`")]
    Unknown {
        /// What was asked for.
        name: ConnectionName,
        /// The name it probably stands for.
        suggestion: Option<String>,
        /// All names that are there, in the file's order.
        known: Vec<String>,
    },
    /// The entry is there and cannot be used.
    #[error("the connection `{name}` cannot be used: {error}")]
    Unusable {
        /// What was asked for.
        name: ConnectionName,
        /// What is wrong with it.
        error: EntryError,
    },
}

impl LookupError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unknown {
                suggestion: Some(name),
                ..
            } => format!("did you mean `{name}`?"),
            Self::Unknown { known, .. } if known.is_empty() => {
                "the connections file has no entries yet".to_owned()
            }
            Self::Unknown { known, .. } => format!("connections: {}", known.join(", ")),
            Self::Unusable { error, .. } => error.help(),
        }
    }
}
