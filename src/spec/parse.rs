//! From text to written types. The only file that knows the YAML crate: `serde_yaml` is the name people know; the crate
//! of that name is archived, and this one is `serde-saphyr`, which tells where a value stands.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::{Error, Location, MessageFormatter as _, Spanned, UserMessageFormatter};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::{At, SourceFile, Span};
use super::suggest;

/// Reads one document of type `T`. Strict: unknown keys are `T`'s to refuse (`deny_unknown_fields`), duplicate keys, merge
/// keys and unknown tags are refused here, and only `true` and `false` are booleans. Reading stops at the first fault.
pub(crate) fn load<T: DeserializeOwned>(file: &Arc<SourceFile>) -> Result<T, Diagnostics> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        reject_unsupported_tags: true,
        merge_keys: serde_yaml::MergeKeyPolicy::Error,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(&file.text, options)
        .map_err(|error| finding(file, &error).into())
}

/// The crate's error in our words.
fn finding(file: &Arc<SourceFile>, error: &Error) -> Diagnostic {
    let span = error.location().map(|location| place(file, location));
    let (message, label, help) = wording(error);
    let mut finding = match span {
        Some(span) => Diagnostic::error(file, span, message),
        None => Diagnostic::whole(file, message),
    };
    finding.label = label;
    finding.help = help;
    finding
}

/// Message, label and help.
fn wording(error: &Error) -> (String, Option<String>, Option<String>) {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => (
            format!("unknown key `{}`", shown(field)),
            None,
            Some(suggest::help("the keys here", field, expected)),
        ),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            format!("unknown value `{}`", shown(variant)),
            None,
            Some(suggest::help("the values here", variant, expected)),
        ),
        Error::SerdeMissingField { field, .. } => (
            format!("missing key `{field}`"),
            Some("in the part that this key belongs to".to_owned()),
            Some(
                "where it is there: keys of one part stand under each other, indented alike"
                    .to_owned(),
            ),
        ),
        Error::DuplicateMappingKey { key, .. } => (
            match key {
                Some(key) => format!("the key `{}` is given twice", shown(key)),
                None => "a key is given twice".to_owned(),
            },
            None,
            Some("keep one of the two".to_owned()),
        ),
        Error::Unexpected { expected, .. } => {
            let kind = match *expected {
                "string scalar" => "a text",
                "mapping start" => "keys with values",
                "sequence start" => "a list",
                other => other,
            };
            (
                "wrong type".to_owned(),
                Some(format!("expected {kind}")),
                None,
            )
        }
        Error::InvalidScalar { ty, .. } => (
            "wrong type".to_owned(),
            Some(format!("expected {}", scalar_name(ty))),
            None,
        ),
        Error::InvalidBooleanStrict { .. } => (
            "wrong type".to_owned(),
            Some("expected `true` or `false`".to_owned()),
            None,
        ),
        Error::NullIntoString { .. } => (
            "there is no value".to_owned(),
            Some("expected a text".to_owned()),
            None,
        ),
        Error::Eof { .. } => (
            "the file is empty, or ends too early".to_owned(),
            None,
            None,
        ),
        Error::MergeKeyNotAllowed { .. } => (
            "merge keys (`<<`) are not read".to_owned(),
            None,
            Some("write the keys out".to_owned()),
        ),
        Error::MultipleDocuments { .. } => (
            "a second document begins here".to_owned(),
            None,
            Some("a file holds one".to_owned()),
        ),
        // Our own scalars: what is wrong, and on a second line what to write.
        Error::Message { msg, .. } => match msg.split_once('\n') {
            Some((message, help)) => (message.to_owned(), None, Some(help.to_owned())),
            None => (msg.clone(), None, None),
        },
        other => {
            let message = shown(&UserMessageFormatter.format_message(other));
            let help = syntax_help(&message).map(str::to_owned);
            (message, None, help)
        }
    }
}

/// What to do about the mistakes in YAML that people make most; the scanner only says where it stumbled.
fn syntax_help(message: &str) -> Option<&'static str> {
    [
        (
            "mapping values are not allowed",
            "keys of one part stand under each other, indented alike; a text with `: ` in it needs quotes",
        ),
        (
            "unknown escape character",
            "in single quotes a backslash is itself: write patterns in those",
        ),
        (
            "did not find expected",
            "look at the indentation, and for a quote or a bracket that is not closed",
        ),
        ("tab", "indent with spaces"),
    ]
    .into_iter()
    .find_map(|(part, help)| message.to_lowercase().contains(part).then_some(help))
}

fn scalar_name(ty: &str) -> String {
    let bits = ty.get(1..).and_then(|bits| bits.parse::<u32>().ok());
    match (ty.as_bytes().first(), bits) {
        (Some(b'u'), Some(bits @ 1..=63)) => {
            format!("a whole number from 0 to {}", (1_u64 << bits) - 1)
        }
        (Some(b'u' | b'i'), _) => "a whole number".to_owned(),
        _ => format!("a value of type `{ty}`"),
    }
}

/// A word of the file as a message may show it: short, and without control characters.
fn shown(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The crate's byte range where it knows one, else the character at its line and column.
fn place(file: &SourceFile, location: Location) -> Span {
    span_of(location).unwrap_or_else(|| {
        let line = usize::try_from(location.line()).unwrap_or(usize::MAX);
        let column = usize::try_from(location.column()).unwrap_or(usize::MAX);
        let start: usize = file
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let inside = file.text[start..]
            .char_indices()
            .nth(column.saturating_sub(1));
        let start = inside.map_or(file.text.len(), |(at, _)| start + at);
        Span::new(start, start)
    })
}

fn span_of(location: Location) -> Option<Span> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(Span::new(start, start + length))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self {
            value: spanned.value,
            span: span_of(spanned.referenced).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        text: At<String>,
    }

    fn sample(text: &str) -> (Arc<SourceFile>, Sample) {
        let file = SourceFile::new("sample.yaml", text);
        let sample = load(&file).expect("the text is sound");
        (file, sample)
    }

    /// The place of `needle`, which stands in the value, as it is written in the file.
    fn written(text: &str, needle: &str) -> String {
        let (file, sample) = sample(text);
        let at = sample.text.value.find(needle).expect("it is in the value");
        let span = file.within(sample.text.span, &sample.text.value, at..at + needle.len());
        file.slice(span).to_owned()
    }

    #[test]
    fn a_part_of_a_scalar_is_found_however_it_is_quoted() {
        assert_eq!(written("text: one two # c\n", "two"), "two");
        assert_eq!(written("text: 'it''s two'\n", "s two"), "s two");
        assert_eq!(written("text: 'it''s'\n", "'"), "''");
        assert_eq!(written("text: \"a\\x41\\u00e9\\n{x}\"\n", "{x}"), "{x}");
        assert_eq!(written("text: \"\\x41b\"\n", "A"), "\\x41");
        assert_eq!(written("text: |\n  one\n    two\n  three\n", "two"), "two");
        assert_eq!(written("text: |\n  'one'\n  two\n", "two"), "two");
    }

    #[test]
    fn a_text_over_several_lines_is_pointed_at_as_a_whole() {
        assert_eq!(written("text: one\n  two\n", "two"), "one\n  two");
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let file = SourceFile::new("sample.yaml", "# é\ntext: {x\n");
        let error = load::<Sample>(&file).expect_err("a brace is open");
        let first = error.iter().next().expect("there is a finding");
        let span = first.span.expect("it has a place");
        assert_eq!(file.position(span.start), (2, 7));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[-a-z:{}\\[\\]'\"|>&*!\n\t ]{0,80}") {
            let file = SourceFile::new("sample.yaml", text);
            if let Err(findings) = load::<Sample>(&file) {
                proptest::prop_assert!(!findings.render(true).is_empty());
                proptest::prop_assert_eq!(findings.to_json().len(), 1);
            }
        }
    }
}
