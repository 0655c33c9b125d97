//! [`Masked`]: a text that secrets have left, and [`mask`], the only maker of one.

use std::fmt;
use std::ops::Range;

use serde_json::{Map, Value};

use super::kind::FindingKind;
use super::names::MASK;
use super::{encoded, rules};
use crate::secret::Reference;

/// Base64 in base64 in base64 is as deep as it looks.
const DEEPEST: u8 = 3;

/// A text without its secrets. Whoever holds one may show it and keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Masked {
    text: String,
    changed: bool,
}

impl Masked {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its first `length` bytes, or a few less where a character stands on the border.
    pub(crate) fn cut(mut self, length: usize) -> Self {
        self.text.truncate(beginning(&self.text, length).len());
        self
    }

    /// Whether anything was taken out of it.
    pub(crate) fn hides_something(&self) -> bool {
        self.changed
    }
}

impl From<Masked> for String {
    fn from(masked: Masked) -> Self {
        masked.text
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first `length` bytes of `text`, or a few less where a character stands on the border.
pub(crate) fn beginning(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `object` without its secrets: by the names of its keys, and by the looks of its texts. Keys stay, and so does what only says
/// where a secret is.
pub(crate) fn mask_object(object: &Map<String, Value>) -> Map<String, Value> {
    object
        .iter()
        .map(|(key, value)| (key.clone(), mask_value(key, value)))
        .collect()
}

fn mask_value(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(inside) => Value::Object(mask_object(inside)),
        Value::Array(values) => values.iter().map(|value| mask_value(key, value)).collect(),
        Value::String(text) => {
            let refers = Reference::parse(text).is_ok();
            if !refers && rules::by_key(key, text).is_some() {
                Value::String(MASK.to_owned())
            } else {
                Value::String(mask(text).into())
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Takes out of `text` what looks like a password, a token, a key or a sign-in code, by its looks or by what stands before
/// it, also where it stands in base64. Masking twice changes nothing.
pub(crate) fn mask(text: &str) -> Masked {
    let mut left = Masked {
        text: text.to_owned(),
        changed: false,
    };
    // What a taken-out secret stood before may itself be one now that is seen. Each round leaves fewer characters to be taken
    // out, so there is a last one.
    while let Some(text) = masked(&left.text, 0).filter(|text| *text != left.text) {
        left = Masked {
            text,
            changed: true,
        };
    }
    left
}

/// The text without its secrets; `None` where it has none.
fn masked(text: &str, depth: u8) -> Option<String> {
    let secret = |kind| {
        matches!(
            kind,
            FindingKind::Token | FindingKind::Password | FindingKind::UserCode
        )
    };
    let mut parts: Vec<(Range<usize>, String)> = rules::scan(text)
        .into_iter()
        .filter(|hit| secret(hit.kind) && !rules::is_harmless(hit.kind, &text[hit.range.clone()]))
        .map(|hit| (hit.range, MASK.to_owned()))
        .collect();
    if depth < DEEPEST {
        parts.extend(encoded::find(text).into_iter().filter_map(|found| {
            let inner = masked(&found.text, depth + 1)?;
            let new = found.encode(&inner);
            Some((found.range, new))
        }));
    }
    if parts.is_empty() {
        return None;
    }
    parts.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut parts = parts.into_iter().peekable();
    while let Some((mut range, mut new)) = parts.next() {
        // What overlaps or touches is one secret.
        while let Some((next, _)) = parts.next_if(|(next, _)| next.start <= range.end) {
            range.end = range.end.max(next.end);
            MASK.clone_into(&mut new);
        }
        out.push_str(&text[from..range.start]);
        out.push_str(&new);
        from = range.end;
    }
    out.push_str(&text[from..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_leave_and_names_stay() {
        let text = "Set-Mailbox bob@woodgrove.net -Password hunter2x; curl -H 'Authorization: Bearer q1w2e3r4t5y6u7i8o9p0a1'";
        assert_eq!(
            mask(text).as_str(),
            "Set-Mailbox bob@woodgrove.net -Password ********; curl -H 'Authorization: Bearer ********'"
        );
        assert!(mask(text).hides_something());
        let harmless = "Get-Mailbox bob@woodgrove.net | Where-Object Name -eq 'x'";
        assert_eq!(mask(harmless).as_str(), harmless);
        assert!(!mask(harmless).hides_something());
    }

    #[test]
    fn a_secret_in_base64_leaves_it() {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let encoded = engine.encode(encoded::wide_bytes("az login --password hunter2x"));
        let masked = mask(&format!("pwsh -EncodedCommand {encoded}"));
        let base64 = masked.as_str().rsplit(' ').next().expect("it has words");
        let expected = engine.encode(encoded::wide_bytes("az login --password ********"));
        assert_eq!(base64, expected);
    }

    #[test]
    fn what_is_seen_only_after_another_secret_has_left_leaves_too() {
        let masked = mask("token=A0A00.-Passwordtoken=0a.-Password");
        assert!(!masked.as_str().contains("0a"), "{masked}");
        assert_eq!(
            mask(masked.as_str()),
            Masked {
                changed: false,
                ..masked.clone()
            }
        );
    }

    proptest! {
        #[test]
        fn masking_twice_changes_nothing(text in "(-Password|token=|code|'|\"| |[a-zA-Z0-9@.]{1,12}){0,12}") {
            let once = mask(&text);
            let twice = mask(once.as_str());
            prop_assert_eq!(twice.as_str(), once.as_str());
        }
    }
}
