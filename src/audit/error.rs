//! Why something is not in the record, or the record not to be trusted.

use crate::store::StoreError;

/// Why a row is not in the record as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// It could not be written. Nothing that depends on it may happen.
    #[error("the audit cannot be written: {0}")]
    Unwritten(String),
    /// The row is in the record, but the record is not what was written before.
    #[error("the audit's record was changed: {0}")]
    Broken(String),
    /// It cannot be read or kept.
    #[error("{what}")]
    State {
        /// What cannot be done.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be read.
    #[error("the audit cannot be read")]
    Store(#[from] StoreError),
}

impl AuditError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unwritten(_) => {
                "`mm daemon status` says what is wrong; what waits is written as soon as there is room".to_owned()
            }
            Self::Broken(_) => {
                "`mm audit verify` says what was changed; a person who knows why takes it as it is with `mm audit accept --reason TEXT`"
                    .to_owned()
            }
            Self::State { .. } => {
                "make the state folder writable for you, or name another one with MM_STATE_DIR".to_owned()
            }
            Self::Store(error) => error.help(),
        }
    }
}
