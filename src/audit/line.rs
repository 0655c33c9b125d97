//! The line that is hashed: an entry with its place in the chain, as JSON text. [`link`] is its only writer and [`Line`]
//! its only reader; the format is documented in the room's `mod.rs`.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::entry::{Entry, Text};
use super::head::Head;
use crate::store::AuditRow;

/// The format's number, the first thing in a line.
const VERSION: u64 = 1;

/// What the first row names as the row before it.
pub(crate) const NOTHING_BEFORE: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// What hashes texts that hide something: whoever has only the record must not be able to try passwords against it.
#[derive(Clone)]
pub(super) struct TextKey(pub(super) [u8; 32]);

impl TextKey {
    fn hash(&self, text: &Text) -> String {
        if text.hides_something {
            let mut keyed =
                Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may have any length");
            keyed.update(&text.digest);
            format!("hmac-sha256:{}", hex(&keyed.finalize().into_bytes()))
        } else {
            format!("sha256:{}", hex(&text.digest))
        }
    }
}

/// The row that follows `head`.
pub(super) fn link(head: Option<&Head>, entry: &Entry, user: &str, key: &TextKey) -> AuditRow {
    let number = head.map_or(1, |head| head.number.saturating_add(1));
    let previous = head.map_or(NOTHING_BEFORE, |head| head.hash.as_str());
    let text = entry.text.as_ref();
    let session = entry.session.as_ref();
    let line = json!({
        "v": VERSION,
        "number": number,
        "previous": previous,
        "at": format!("{:.3}", entry.at),
        "kind": entry.kind.word(),
        "user": user,
        "client": entry.who.client,
        "token": entry.who.token,
        "connection": session.map(|key| key.connection.as_str()),
        "module": session.map(|key| key.module.as_str()),
        "run": entry.run.as_ref().map(crate::name::RunId::as_str),
        "approval": entry.approval,
        "account": entry.account,
        "tenant": entry.tenant,
        "text": text.map(|text| text.kept.as_str()),
        "text_bytes": text.map(|text| text.length),
        "text_hash": text.map(|text| key.hash(text)),
        "effects": entry.effects,
        "decision": entry.decision,
        "rule": entry.rule,
        "outcome": entry.outcome,
        "duration_ms": entry.duration.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        "reason": entry.reason.as_ref().map(crate::redact::Masked::as_str),
    })
    .to_string();
    AuditRow {
        number,
        hash: hash(&line),
        line,
    }
}

/// SHA-256 of a line, in lower-case hex.
pub(super) fn hash(line: &str) -> String {
    hex(&Sha256::digest(line))
}

/// SHA-256 of what stands in a file, in lower-case hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}

/// A line, read. What is missing in it or of another type reads as absent.
pub(crate) struct Line(Map<String, Value>);

impl Line {
    /// `None`: it is no line of this record's.
    pub(crate) fn read(line: &str) -> Option<Self> {
        match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => Some(Self(fields)),
            _ => None,
        }
    }

    /// A field that is a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// The effects.
    pub(crate) fn effects(&self) -> impl Iterator<Item = &str> {
        let effects = self.0.get("effects").and_then(Value::as_array);
        effects.into_iter().flatten().filter_map(Value::as_str)
    }

    /// A field that is a number.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }
}

/// The row as it is exported: the line with its hash as one more field, the last.
pub(crate) fn exported(row: &AuditRow) -> String {
    let open = row.line.strip_suffix('}').unwrap_or(&row.line);
    format!("{open},\"hash\":\"{}\"}}", row.hash)
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Kind, Who};
    use super::*;

    fn entry() -> Entry {
        let mut entry = Entry::new(Kind::RunStarted)
            .by(Who::client("mcp"))
            .session(&crate::name::SessionKey {
                connection: "Contoso".parse().expect("a name"),
                module: "exo".parse().expect("a name"),
            })
            .proven(Some("ada@contoso.com"), None)
            .text("Get-Mailbox \"ü\"")
            .effects(["reads".to_owned()]);
        entry.at = "2026-11-23T01:02:03.004567Z".parse().expect("a time");
        entry
    }

    #[test]
    fn a_line_has_the_form_that_is_documented() {
        let row = link(None, &entry(), "ada", &TextKey([7; 32]));
        insta::assert_snapshot!(exported(&row));
    }

    #[test]
    fn a_text_that_hides_something_has_a_hash_that_needs_the_key() {
        let entry = entry().text("az login --password hunter2x");
        let hash = |key| {
            let row = link(None, &entry, "ada", &TextKey([key; 32]));
            let line = Line::read(&row.line).expect("it is a line");
            line.text("text_hash").expect("it has one").to_owned()
        };
        assert!(hash(1).starts_with("hmac-sha256:"));
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn the_next_row_names_the_one_before() {
        let key = TextKey([0; 32]);
        let first = link(None, &entry(), "ada", &key);
        let head = Head {
            number: first.number,
            hash: first.hash.clone(),
        };
        let second = link(Some(&head), &entry(), "ada", &key);
        assert_eq!(second.number, 2);
        let line = Line::read(&second.line).expect("it is a line");
        assert_eq!(line.text("previous"), Some(first.hash.as_str()));
    }
}
