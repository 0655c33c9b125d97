//! Base64 and `printf %b` texts that stand somewhere in a text: found, decoded, encoded again in the same way.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Shorter ones hide nothing worth finding, and words begin to look like them.
static BASE64: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9+/_-]{12,}={0,2}").expect("the pattern is well formed")
});

static OCTAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:[A-Za-z0-9_./:=@%+,-]|\\0[0-3][0-7]{2})*\\0[0-3][0-7]{2}(?:[A-Za-z0-9_./:=@%+,-]|\\0[0-3][0-7]{2})*")
        .expect("the pattern is well formed")
});

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64 {
        url_safe: bool,
        padded: bool,
        wide: bool,
    },
    Octal,
}

/// A text found in its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// What it says.
    pub(crate) text: String,
    encoding: Encoding,
}

impl Encoded {
    /// Another text in the same encoding.
    pub(crate) fn encode(&self, text: &str) -> String {
        match self.encoding {
            Encoding::Octal => octal(text),
            Encoding::Base64 {
                url_safe,
                padded,
                wide,
            } => {
                let bytes = if wide {
                    wide_bytes(text)
                } else {
                    text.as_bytes().to_vec()
                };
                let engine = if url_safe { URL_SAFE } else { STANDARD };
                let mut encoded = engine.encode(bytes);
                if !padded {
                    encoded.truncate(encoded.trim_end_matches('=').len());
                }
                encoded
            }
        }
    }
}

/// The texts that stand encoded in `text`, in order. What decodes to anything but text is none.
pub(crate) fn find(text: &str) -> Vec<Encoded> {
    let mut found: Vec<Encoded> = BASE64
        .find_iter(text)
        .filter_map(|run| base64_text(run.range(), run.as_str()))
        .collect();
    if text.contains("\\0") {
        let octal = OCTAL.find_iter(text).filter_map(|run| {
            let bytes = octal_bytes(run.as_str());
            let text = String::from_utf8(bytes).ok()?;
            Some(Encoded {
                range: run.range(),
                text,
                encoding: Encoding::Octal,
            })
        });
        // Base64 has no backslash, and what it finds next to one is a coincidence.
        let octal: Vec<Encoded> = octal.collect();
        found.retain(|one| {
            octal.iter().all(|other| {
                one.range.end <= other.range.start || other.range.end <= one.range.start
            })
        });
        found.extend(octal);
        found.sort_by_key(|one| one.range.start);
    }
    found
}

/// The text of base64 in the standard alphabet, padded or not. `None`: it is no base64 of UTF-8.
pub(crate) fn decode(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}

/// Base64 in the standard alphabet, padded.
pub(crate) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// What base64 texts that contain `bytes` contain, whatever stands before and after: one for each of the three places in
/// a group, in both alphabets.
pub(crate) fn base64_cores(bytes: &[u8]) -> Vec<String> {
    let mut cores = Vec::new();
    for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let whole = padded.len() * 8 / 6;
        for engine in [STANDARD, URL_SAFE] {
            let encoded = engine.encode(&padded);
            if let Some(core) = encoded.get(skipped..whole) {
                cores.push(core.to_owned());
            }
        }
    }
    cores.sort();
    cores.dedup();
    cores
}

/// UTF-16LE, as `-EncodedCommand` takes it.
pub(crate) fn wide_bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn base64_text(range: Range<usize>, run: &str) -> Option<Encoded> {
    let url_safe = run.contains(['-', '_']);
    let engine = if url_safe { URL_SAFE } else { STANDARD };
    let bytes = engine.decode(run).ok()?;
    let (text, wide) = match String::from_utf8(bytes) {
        Ok(text) if is_text(&text) => (text, false),
        Ok(text) => (wide_text(text.as_bytes())?, true),
        Err(error) => (wide_text(error.as_bytes())?, true),
    };
    let encoding = Encoding::Base64 {
        url_safe,
        padded: run.ends_with('=') || run.len().is_multiple_of(4),
        wide,
    };
    Some(Encoded {
        range,
        text,
        encoding,
    })
}

fn wide_text(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    // Any two bytes are some Chinese character: only what is mostly ASCII is taken for text.
    let ascii = units.iter().filter(|unit| **unit < 128).count();
    let text = String::from_utf16(&units).ok()?;
    (ascii * 2 > units.len() && is_text(&text)).then_some(text)
}

fn is_text(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{1b}'))
}

fn octal_bytes(run: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = run.as_bytes();
    while let Some((first, later)) = rest.split_first() {
        if let [b'\\', b'0', high, middle, low, after @ ..] = rest {
            bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = later;
        }
    }
    bytes
}

fn octal(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "\\0{byte:03o}").expect("a String takes any text");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_texts_are_found_and_encoded_again_as_they_were() {
        let wide = STANDARD.encode(wide_bytes("Get-Mailbox"));
        let plain = encode("{\"a\":\"ü?>\"}");
        for run in [
            wide.as_str(),
            &plain,
            "eyJhIjoiw7w_PiJ9",
            "Get\\0055Mailbox\\0012",
        ] {
            let text = format!("x {run} y");
            let found = find(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(&text[found[0].range.clone()], run);
            assert_eq!(found[0].encode(&found[0].text), run);
        }
    }

    #[test]
    fn words_are_no_base64() {
        let words = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException";
        assert_eq!(find(words), []);
    }

    proptest::proptest! {
        #[test]
        fn the_core_is_in_every_base64_of_a_text_that_contains_it(
            before in "[ -~]{0,5}", core in "[a-zA-Z0-9]{4,20}", after in "[ -~]{0,5}"
        ) {
            let encoded = encode(&format!("{before}{core}{after}"));
            let cores = base64_cores(core.as_bytes());
            proptest::prop_assert!(cores.iter().any(|core| encoded.contains(core.as_str())));
        }

        #[test]
        fn octal_goes_there_and_back(text in "\\PC{0,40}") {
            let bytes = octal_bytes(&octal(&text));
            proptest::prop_assert_eq!(bytes, text.as_bytes());
        }
    }
}
