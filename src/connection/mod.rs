//! `~/.m365-connections.json`: whom sessions sign in to, read as people and other programs keep it. Entries are checked
//! one by one, so that a bad one takes only itself out. Only an [`Editor`] writes, and nothing signs in.

mod check;
mod edit;
mod entry;
mod error;
mod import;
mod lines;
mod mcps;
mod policy;
mod read;
mod registry;
mod rules;
mod sign_in;
mod text;

pub(crate) use check::{Doubt, doubts, is_guid};
pub(crate) use edit::Editor;
pub(crate) use entry::Connection;
pub(crate) use error::{EditError, LookupError, RegistryError};
pub(crate) use import::{Import, Imported};
pub(crate) use policy::Policy;
pub(crate) use registry::Registry;
pub(crate) use rules::{PolicyRule, Verdict, Who};
