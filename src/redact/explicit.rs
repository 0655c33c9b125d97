//! [`Explicit`]: secrets that were named. They leave every text, in whatever form they can be recognised.

use std::ops::Range;

use memchr::memmem;

use super::encoded::{base64_cores, wide_bytes};
use crate::secret::Secret;

/// Shorter ones cannot be told from chance: nothing would be left of a recording without the letter `a`.
const SHORTEST: usize = 4;
/// From this length on a secret is found across line breaks and blanks, which a narrow terminal puts into it.
const ACROSS_BLANKS: usize = 8;
/// A shorter piece of base64 is chance.
const SHORTEST_CORE: usize = 6;

/// Secrets that were named.
#[derive(Debug, Default)]
pub(crate) struct Explicit {
    /// Without blanks where they are long enough to be found across them.
    plain: Vec<Secret>,
    cores: Vec<Secret>,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    /// Whether it stands in base64.
    pub(crate) encoded: bool,
}

impl Explicit {
    /// Adds one. Those of less than four characters, or of nothing but `*`, cannot be looked for.
    pub(crate) fn add(&mut self, secret: &Secret) {
        let text = secret.expose().trim();
        if text.chars().count() < SHORTEST || text.chars().all(|c| c == '*') {
            return;
        }
        let json = serde_json::to_string(text).expect("text can be JSON");
        let forms = [
            text.to_owned(),
            json[1..json.len() - 1].to_owned(),
            text.replace('\'', "''"),
            percent(text),
        ];
        for form in forms {
            push(&mut self.plain, squeezed_needle(form));
        }
        for bytes in [text.as_bytes().to_vec(), wide_bytes(text)] {
            for core in base64_cores(&bytes) {
                if core.len() >= SHORTEST_CORE {
                    push(&mut self.cores, core);
                }
            }
        }
    }

    /// Where any of them stands in `text`. The places may overlap.
    pub(crate) fn find(&self, text: &str) -> Vec<Place> {
        if self.plain.is_empty() {
            return Vec::new();
        }
        let squeezed = Squeezed::of(text);
        let mut places = Vec::new();
        for (secrets, encoded) in [(&self.plain, false), (&self.cores, true)] {
            for secret in secrets {
                let needle = secret.expose().as_bytes();
                if needle.len() >= ACROSS_BLANKS {
                    let found = overlapping(squeezed.text.as_bytes(), needle);
                    places.extend(found.map(|at| Place {
                        range: squeezed.range(at..at + needle.len()),
                        encoded,
                    }));
                } else {
                    let found = overlapping(text.as_bytes(), needle);
                    places.extend(found.map(|at| Place {
                        range: at..at + needle.len(),
                        encoded,
                    }));
                }
            }
        }
        places
    }
}

fn push(secrets: &mut Vec<Secret>, text: String) {
    let secret = Secret::new(text);
    if !secrets.contains(&secret) {
        secrets.push(secret);
    }
}

fn squeezed_needle(text: String) -> String {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if squeezed.len() >= ACROSS_BLANKS {
        squeezed
    } else {
        text
    }
}

/// Every place, also those that overlap: a secret may begin inside itself.
fn overlapping<'t>(text: &'t [u8], needle: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let finder = memmem::Finder::new(needle).into_owned();
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + finder.find(text.get(from..)?)?;
        from = at + 1;
        Some(at)
    })
}

fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        // RFC 3986, section 2.3: what need not be encoded.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes any text");
        }
    }
    encoded
}

/// A text without its blanks, and the way back.
struct Squeezed {
    text: String,
    /// Where each run of text begins: here, and in the original.
    runs: Vec<(usize, usize)>,
}

impl Squeezed {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut runs = Vec::new();
        let mut blank = true;
        for (at, c) in original.char_indices() {
            if c.is_whitespace() {
                blank = true;
                continue;
            }
            if blank {
                runs.push((text.len(), at));
                blank = false;
            }
            text.push(c);
        }
        Self { text, runs }
    }

    fn original(&self, at: usize) -> usize {
        let run = self.runs.partition_point(|(here, _)| *here <= at);
        let (here, there) = self.runs[run - 1];
        there + (at - here)
    }

    fn range(&self, range: Range<usize>) -> Range<usize> {
        self.original(range.start)..self.original(range.end - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(secret: &str, text: &str) -> Vec<(usize, usize)> {
        let mut explicit = Explicit::default();
        explicit.add(&Secret::new(secret.to_owned()));
        explicit
            .find(text)
            .into_iter()
            .map(|place| (place.range.start, place.range.end))
            .collect()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        assert_eq!(ranges("hunter2", "x hunter2 y"), [(2, 9)]);
        assert_eq!(
            ranges("correct horse battery", "correct ho\r\n  rse battery!"),
            [(0, 25)]
        );
        assert!(!ranges("it's secret", "'it''s secret'").is_empty());
        assert!(!ranges("p\"w&rd12", "{\"x\":\"p\\\"w&rd12\"}").is_empty());
        assert!(!ranges("p&w rd12", "?q=p%26w%20rd12").is_empty());
        assert!(!ranges("hunter2", &super::super::encoded::encode("my hunter2")).is_empty());
    }

    #[test]
    fn what_cannot_be_told_from_chance_is_not_looked_for() {
        assert!(ranges("abc", "abc").is_empty());
        assert!(ranges("********", "********").is_empty());
    }

    #[test]
    fn a_secret_that_overlaps_itself_is_found_twice() {
        assert_eq!(ranges("abab", "ababab"), [(0, 4), (2, 6)]);
    }
}
