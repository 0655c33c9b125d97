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
        /// The line, with a caret below the place.
        excerpt: String,
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
    /// The line of the mistake with a caret below it, for whoever may see the file.
    pub(crate) fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Syntax { excerpt, .. } => Some(excerpt),
            Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::Empty { .. }
            | Self::Shape { .. } => None,
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Empty { .. } => {
                "`mm connections add` makes it and asks what belongs into it, or name another file with MM_CONNECTIONS"
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
    /// The key stands there again, and which of them is meant cannot be known.
    #[error("{key} is there more than once")]
    Twice {
        /// `connections.Contoso`, `connections.Contoso.tenant`.
        key: String,
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
            Self::Twice { key } => format!("leave one `{key}` in the file"),
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

/// Why the file was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    /// The file as it is cannot be read.
    #[error(transparent)]
    Read(Box<RegistryError>),
    /// It cannot be locked or written.
    #[error("the connections file `{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is there for reading only.
    #[error("the connections file `{}` is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is somebody else's, and a file that replaces it would be ours.
    #[error("the connections file `{}` belongs to the user with the number {owner}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Somebody wrote it who does not know of the lock.
    #[error("the connections file `{}` was changed by another program meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// No entry has this name.
    #[error("{error}")]
    Unknown {
        /// With what there is.
        error: Box<LookupError>,
    },
    /// An entry has this name.
    #[error("there is already a connection `{name}`")]
    Taken {
        /// The name.
        name: ConnectionName,
    },
    /// The key is none, or lies in something that has no keys.
    #[error("`{key}` cannot be set")]
    Key {
        /// As it was asked for.
        key: String,
    },
    /// The value has to be an id and is none.
    #[error("`{text}` is no application or tenant id, as `{key}` needs it")]
    NoGuid {
        /// Which key.
        key: String,
        /// The value.
        text: String,
    },
    /// The entry could not be used afterwards.
    #[error("{error}")]
    Entry {
        /// Why not.
        error: EntryError,
    },
}

impl From<RegistryError> for EditError {
    fn from(error: RegistryError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl EditError {
    /// As [`RegistryError::excerpt`].
    pub(crate) fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Read(error) => error.excerpt(),
            _ => None,
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Read(error) => error.help().to_owned(),
            Self::Write { source, .. } if source.kind() == io::ErrorKind::ResourceBusy => {
                "the file is mounted by itself and cannot be replaced whole: mount its folder instead, or change it by hand".to_owned()
            }
            Self::ReadOnly { path } => format!("where that is not meant: chmod u+w '{}'", path.display()),
            Self::Foreign { .. } => {
                "change it as that user, or keep a file of your own and name it with MM_CONNECTIONS".to_owned()
            }
            Self::Changed { .. } => "nothing was written; do it again".to_owned(),
            Self::Write { .. } => {
                "make the file and its folder writable for you, or name another file with MM_CONNECTIONS".to_owned()
            }
            Self::Unknown { error } => error.help(),
            Self::Taken { .. } => {
                "choose another name, or change the entry with `mm connections edit`".to_owned()
            }
            Self::Key { .. } => {
                "a key is a word, or words with dots for a value inside: `moduleApps.pnp`".to_owned()
            }
            Self::NoGuid { .. } => {
                "such an id has 8, 4, 4, 4 and 12 hexadecimal digits; copy it from the Entra admin center".to_owned()
            }
            Self::Entry { error } => error.help(),
        }
    }
}
