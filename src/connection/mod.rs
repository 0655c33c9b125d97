//! `~/.m365-connections.json`: whom sessions sign in to, read as people and other programs keep it. Entries are checked
//! one by one, so that a bad one takes only itself out. Nothing here is written, and nothing signs in.

mod entry;
mod error;
mod policy;
mod registry;

pub(crate) use entry::Connection;
pub(crate) use error::{EntryError, LookupError, RegistryError};
pub(crate) use policy::Policy;
pub(crate) use registry::Registry;
