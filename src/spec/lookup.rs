//! Finding an entry by its name, or saying why there is none.

use std::sync::Arc;

use super::diagnostic::Diagnostics;
use super::library::Entry;
use super::suggest;

/// Why a name gives nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CatalogError {
    /// Nothing has that name.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// `module` or `shell`.
        kind: &'static str,
        /// As it was asked for.
        name: String,
        /// What was most likely meant.
        suggestion: Option<String>,
        /// All names there are.
        known: Vec<String>,
    },
    /// Its file is not sound.
    #[error("the {kind} `{name}` is not sound")]
    Broken {
        /// `module` or `shell`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        diagnostics: Arc<Diagnostics>,
    },
}

impl CatalogError {
    /// What to do, for a `help` line.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unknown {
                suggestion: Some(name),
                ..
            } => format!("did you mean `{name}`?"),
            Self::Unknown { kind, known, .. } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                format!("the {kind}s: {}", suggest::list(&known))
            }
            Self::Broken { diagnostics, .. } => diagnostics.to_string(),
        }
    }
}

/// What the entry found for `asked` holds, or why that is nothing. `known` are all names there are.
pub(super) fn found<'e, 'k, T, K: Iterator<Item = &'k str>>(
    kind: &'static str,
    asked: &str,
    entry: Option<(&'e String, &'e Entry<T>)>,
    known: impl Fn() -> K,
) -> Result<&'e T, CatalogError> {
    let Some((name, entry)) = entry else {
        return Err(CatalogError::Unknown {
            kind,
            name: asked.chars().filter(|c| !c.is_control()).take(80).collect(),
            suggestion: suggest::closest(asked, known()).map(str::to_owned),
            known: known().map(str::to_owned).collect(),
        });
    };
    entry.value.as_ref().ok_or_else(|| CatalogError::Broken {
        kind,
        name: name.clone(),
        diagnostics: Arc::clone(&entry.findings),
    })
}
