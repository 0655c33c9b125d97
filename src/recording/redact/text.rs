//! [`Redactor`] on plain text: everything that is found in it, and one edit for what overlaps.

use std::ops::Range;

use super::redactor::{Edits, Redactor};
use super::stream::{Edit, apply};
use crate::redact::{FindingKind, MASK, Place, encoded, rules};

/// Base64 in base64 in base64 is as deep as it looks.
const DEEPEST: u8 = 3;

impl Redactor {
    /// The edits of plain text, in order, not overlapping.
    pub(super) fn text(&mut self, text: &str, depth: u8) -> Edits {
        if text.trim().len() < 4 {
            return Vec::new();
        }
        let mut parts: Vec<Part> = Vec::new();
        let places = self.explicit.find(text);
        parts.extend(places.into_iter().map(Part::of));
        for hit in rules::scan(text) {
            let value = &text[hit.range.clone()];
            if rules::is_harmless(hit.kind, value) {
                self.names.reserve(value);
                continue;
            }
            self.learn(hit.kind, value);
            parts.push(Part {
                range: hit.range,
                context: hit.context,
                kind: hit.kind,
                new: None,
            });
        }
        parts.extend(self.places_of_literals(text));
        if depth < DEEPEST {
            for encoded in encoded::find(text) {
                let edits = self.text(&encoded.text, depth + 1);
                if let Some(first) = edits.first() {
                    parts.push(Part {
                        context: encoded.range.clone(),
                        kind: first.kind,
                        new: Some(encoded.encode(&apply(&encoded.text, &edits))),
                        range: encoded.range,
                    });
                }
            }
        }
        self.merge(text, parts)
    }

    /// Where known and learned texts stand as words of their own.
    fn places_of_literals(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let folded = text.to_ascii_lowercase();
        for literal in &self.literals {
            let needle = literal.text.expose();
            let haystack = if literal.exact { text } else { folded.as_str() };
            for (at, _) in haystack.match_indices(needle) {
                let range = at..at + needle.len();
                let before = text[..range.start].chars().next_back();
                let after = text[range.end..].chars().next();
                if ![before, after]
                    .into_iter()
                    .flatten()
                    .any(char::is_alphanumeric)
                {
                    parts.push(Part {
                        context: range.clone(),
                        range,
                        kind: literal.kind,
                        new: None,
                    });
                }
            }
        }
        parts
    }

    /// Makes edits of what was found: what overlaps or touches becomes one, because two names without anything between them
    /// are no names.
    pub(super) fn merge(&mut self, text: &str, mut parts: Vec<Part>) -> Edits {
        parts.sort_by_key(|part| {
            (
                part.range.start,
                std::cmp::Reverse(part.range.end),
                part.kind,
            )
        });
        let mut edits = Vec::new();
        let mut parts = parts.into_iter().peekable();
        while let Some(first) = parts.next() {
            let (mut range, mut context) = (first.range.clone(), first.context.clone());
            let mut group = vec![first];
            while let Some(next) = parts.next_if(|next| next.range.start <= range.end) {
                range.end = range.end.max(next.range.end);
                context = context.start.min(next.context.start)..context.end.max(next.context.end);
                group.push(next);
            }
            let kind = group
                .iter()
                .map(|part| part.kind)
                .min()
                .expect("a group has a part");
            // What decodes to text is encoded again, unless it is a secret itself.
            let secret = |part: &Part| part.new.is_none() && part.kind <= FindingKind::Password;
            let covering = group.iter().filter(|part| part.range == range);
            let new = if group.iter().any(secret) {
                covering
                    .filter(|_| kind != FindingKind::Named)
                    .map(|part| part.kind)
                    .min()
                    .map(|kind| self.name(kind, &text[range.clone()]))
            } else {
                let mut covering: Vec<&Part> = covering.collect();
                covering.sort_by_key(|part| part.new.is_none());
                covering.first().map(|part| match &part.new {
                    Some(new) => new.clone(),
                    None => self.name(part.kind, &text[range.clone()]),
                })
            };
            let new = new.unwrap_or_else(|| MASK.to_owned());
            edits.push(Edit {
                range,
                text: new,
                kind,
                context,
            });
        }
        edits
    }

    pub(super) fn learn(&mut self, kind: FindingKind, value: &str) {
        if self.learning && rules::is_distinct(kind, value) {
            self.look_for(value, kind, true);
        }
    }

    /// What stands for `text`.
    pub(super) fn name(&mut self, kind: FindingKind, text: &str) -> String {
        if self.learning {
            return MASK.to_owned();
        }
        match kind {
            FindingKind::Named | FindingKind::Password | FindingKind::Unreadable => MASK.to_owned(),
            FindingKind::Token if rules::is_jwt(text) => self.names.jwt(text),
            FindingKind::Token => self.names.token(text),
            FindingKind::Email => self.names.email(text),
            FindingKind::Guid => self.names.guid(text),
            FindingKind::UserCode => self.names.code(text),
            FindingKind::Tenant => match text.split_once('.') {
                Some((label, _)) => self.names.tenant(label) + ".example.com",
                None => self.names.tenant(text),
            },
        }
    }
}

/// Something found in a text, before overlaps are resolved.
pub(super) struct Part {
    range: Range<usize>,
    context: Range<usize>,
    kind: FindingKind,
    /// What comes in its place, where no name does.
    new: Option<String>,
}

impl Part {
    pub(super) fn of(place: Place) -> Self {
        Self {
            context: place.range.clone(),
            kind: FindingKind::Named,
            new: place.encoded.then(|| base64_mask(place.range.len())),
            range: place.range,
        }
    }
}

/// Base64 of as many characters that says nothing: `*` again and again.
fn base64_mask(length: usize) -> String {
    "Kioq".chars().cycle().take(length).collect()
}
