//! What was found in a recording: its kind and its place, never what it is.

use super::Redactor;
use crate::recording::event::Recording;
use crate::redact::FindingKind;

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
