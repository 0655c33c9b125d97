//! The database: runs and their output, sessions' history, pinned identities, the audit's rows. One named thread owns the connection;
//! everyone else holds a [`Store`] and sends it work. It stores words and never judges them: what a state means is its
//! callers' business.

mod audit;
mod backlog;
mod error;
mod handle;
mod pins;
mod runs;
mod schema;
mod sessions;

pub(crate) use audit::AuditRow;
pub(crate) use error::StoreError;
pub(crate) use handle::Store;
pub(crate) use pins::Pin;
pub(crate) use runs::{
    INLINE_OUTPUT_LIMIT, KeptOutput, NewRun, Retention, RunEnd, RunFilter, RunRow,
};
pub(crate) use sessions::{SessionRow, SessionRowId};
