//! What gives a secret away, for everything that shows or keeps text: recordings, the audit, logs, lists and errors. It
//! knows texts and nothing about where they come from.
//!
//! [`mask`] is for text that people read afterwards: secrets leave it, names of people and tenants stay, because a record
//! that does not say whose mailbox it was is none. Recordings are handed on to strangers; their redactor takes names out
//! too (`recording/redact`).

pub(crate) mod encoded;
mod explicit;
mod kind;
mod masked;
mod names;
pub(crate) mod rules;

pub(crate) use explicit::{Explicit, Place};
pub(crate) use kind::FindingKind;
pub(crate) use masked::{Masked, beginning, mask, mask_object};
pub(crate) use names::{MASK, Names, is_name};
