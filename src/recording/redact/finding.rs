//! What was found: its kind and its place, never what it is.

use std::fmt;

use super::Redactor;
use crate::recording::event::Recording;

/// What kind of secret something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FindingKind {
    /// One that was named, or that was typed as one.
    Named,
    /// A token, signed or not.
    Token,
    /// A password or another secret given by its key.
    Password,
    /// An e-mail address or sign-in name.
    Email,
    /// An id of a tenant, an application, a request.
    Guid,
    /// A tenant's name in a domain.
    Tenant,
    /// A code to sign in with.
    UserCode,
    /// A frame that is no base64 of text: nobody can say what is in it.
    Unreadable,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "a named secret",
            Self::Token => "a token",
            Self::Password => "a password",
            Self::Email => "an e-mail address",
            Self::Guid => "an id",
            Self::Tenant => "a tenant's name",
            Self::UserCode => "a sign-in code",
            Self::Unreadable => "a frame that cannot be decoded",
        })
    }
}

/// Something in a recording that looks secret. Does not hold what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The event in which it begins, counted from 0. `None`: the header.
    pub(crate) event: Option<usize>,
    pub(crate) kind: FindingKind,
}

/// What still looks secret in a recording. Names of a [`Redactor`] and the documentation's examples do not.
pub(crate) fn looks_secret(recording: &Recording) -> Vec<Finding> {
    let mut redactor = Redactor::new([], []);
    let mut copy = recording.clone();
    let header = redactor.header(&mut copy.header);
    let mut findings: Vec<Finding> = header
        .into_iter()
        .map(|kind| Finding { event: None, kind })
        .collect();
    let found = redactor.redact(&mut copy.events);
    findings.extend(found.iter().map(|found| Finding {
        event: Some(found.first),
        kind: found.kind,
    }));
    findings.sort();
    findings.dedup();
    findings
}

/// What was redacted, and which events it and its context span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::recording) struct Found {
    pub(in crate::recording) kind: FindingKind,
    pub(in crate::recording) first: usize,
    pub(in crate::recording) last: usize,
}
