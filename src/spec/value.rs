//! Scalars that check themselves: a value of one of these types is proof that its text is well formed. A refused text
//! says on a second line what to write instead; `parse` makes that the help.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use super::source::At;
use crate::cloud::Cloud;
use crate::name::ModuleName;
use crate::script::Version;

/// Why a text is refused, and what to write.
type Refusal = (String, &'static str);

macro_rules! scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty), $pattern:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub(crate) struct $name(pub(crate) $inner);

        impl $name {
            fn parse(text: &str) -> Result<Self, Refusal> {
                let parse: fn(&str) -> Result<$inner, Refusal> = $parse;
                parse(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(|(message, help)| de::Error::custom(format_args!("{message}\n{help}")))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// A refused text as messages show it: on one line, and not too long.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn matches(text: &str, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| first(*b)) && bytes.iter().all(|b| rest(*b))
}

scalar!(
    /// The name of a module, a shell or a file of shared rules.
    Name(ModuleName),
    "^[a-z][a-z0-9-]{0,31}$",
    |text| text.parse().map_err(|error: crate::name::NameError| (error.to_string(), error.help()))
);

scalar!(
    /// A text for people: not blank.
    Text(String),
    "\\S",
    |text| {
        let text = text.trim();
        if text.is_empty() { Err(("the text is empty".to_owned(), "write something, or leave the key out")) } else { Ok(text.to_owned()) }
    }
);

scalar!(
    /// A word for programs: `declined`, `device_code`.
    Word(String),
    "^[a-z][a-z0-9_-]*$",
    |text| {
        if matches(text, |b| b.is_ascii_lowercase(), |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
            Ok(text.to_owned())
        } else {
            Err((format!("`{}` is not a word", shown(text)), "lower-case letters, digits, `-` and `_`, a letter first"))
        }
    }
);

scalar!(
    /// A length of time, longer than none: `30ms`, `1s`, `15m`, `24h`.
    Interval(Duration),
    "^[0-9]+(ms|s|m|h)$",
    |text| {
        let help = "a whole number and a unit: `30ms`, `1s`, `15m`, `24h`";
        let refused = || (format!("`{}` is not a length of time", shown(text)), help);
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..digits].parse().map_err(|_| refused())?;
        let unit: u64 = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(refused()),
        };
        let length = number.checked_mul(unit).filter(|length| *length <= 366 * 24 * 3_600_000).ok_or_else(refused)?;
        if length == 0 { Err(("a length of time has to be longer than none".to_owned(), help)) } else { Ok(Duration::from_millis(length)) }
    }
);

scalar!(
    /// Bytes: ASCII, control characters as YAML's escapes in double quotes (`"\x03"`, `"\e[6n"`). At least one.
    Bytes(Vec<u8>),
    "^[\\x00-\\x7f]+$",
    |text| {
        if !text.is_empty() && text.is_ascii() {
            Ok(text.as_bytes().to_vec())
        } else {
            Err((format!("`{}` is not a byte sequence", shown(text)), "ASCII in double quotes, with escapes such as `\"\\x03\"` and `\"\\e[6n\"`"))
        }
    }
);

scalar!(
    /// The path of a property: `UserPrincipalName`, `Account.Id`.
    PropertyPath(String),
    "^[^\\s.]+(\\.[^\\s.]+)*$",
    |text| {
        if text.split('.').all(|part| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control())) {
            Ok(text.to_owned())
        } else {
            Err((format!("`{}` is not the path of a property", shown(text)), "names with dots between them, such as `Account.Id`"))
        }
    }
);

scalar!(
    /// The name of an environment variable.
    VariableName(String),
    "^[A-Za-z_][A-Za-z0-9_]*$",
    |text| {
        if matches(text, |b| b.is_ascii_alphabetic() || b == b'_', |b| b.is_ascii_alphanumeric() || b == b'_') {
            Ok(text.to_owned())
        } else {
            Err((format!("`{}` is not the name of an environment variable", shown(text)), "letters, digits and `_`, no digit first"))
        }
    }
);

scalar!(
    /// A file in the same folder.
    FileName(String),
    "^[^/]+$",
    |text| {
        if text.is_empty() || text == "." || text == ".." || text.contains(['/', '\0']) {
            Err((format!("`{}` is not a file name", shown(text)), "the name of a file in the same folder, without a path"))
        } else {
            Ok(text.to_owned())
        }
    }
);

scalar!(
    /// A regular expression, in the syntax of Rust's `regex` crate: there is no look-around. Checked when it is compiled.
    RegexText(String),
    ".",
    |text| if text.is_empty() { Err(("the pattern is empty".to_owned(), "it would match everywhere")) } else { Ok(text.to_owned()) }
);

scalar!(
    /// One of Microsoft's national clouds.
    NationalCloud(Cloud),
    "^(us_gov_high|us_gov_dod|china)$",
    |text| {
        let known = Cloud::of_word(text).filter(|cloud| *cloud != Cloud::Global);
        known.ok_or_else(|| (format!("`{}` is no national cloud", shown(text)), "`us_gov_high`, `us_gov_dod` or `china`"))
    }
);

/// A version: numbers with dots between them. In quotes, so that no editor takes `3.10` for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionText(pub(crate) Version);

impl<'de> Deserialize<'de> for VersionText {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Version::parse(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format_args!(
                "`{}` is not a version\nnumbers with dots between them, such as `\"3.10\"`",
                shown(&text)
            ))
        })
    }
}

impl JsonSchema for VersionText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "pattern": "^[0-9]+(\\.[0-9]+)*$" })
    }
}

/// A number of an Entra ID error (`AADSTS70018`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Aadsts(pub(crate) u32);

impl<'de> Deserialize<'de> for Aadsts {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        if (1_000..=99_999_999).contains(&number) {
            Ok(Self(number))
        } else {
            Err(de::Error::custom(format_args!(
                "`{number}` is not the number of an AADSTS error\nfour to eight digits, as in `AADSTS70018`"
            )))
        }
    }
}

impl JsonSchema for Aadsts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Aadsts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1_000, "maximum": 99_999_999 })
    }
}

/// A size that is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u16);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            0 => Err(de::Error::custom(
                "a size has to be more than zero\na whole number from 1 to 65535",
            )),
            size => Ok(Self(size)),
        }
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": u16::MAX })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Keys with values, in the order of the file, each with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entries<K, V>(pub(crate) Vec<(At<K>, At<V>)>);

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<K, V> {
            type Value = Entries<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys with values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

impl<K, V: JsonSchema> JsonSchema for Entries<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_of_{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_with_their_unit() {
        for (text, milliseconds) in [
            ("30ms", 30),
            ("1s", 1_000),
            ("15m", 900_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                Interval::parse(text),
                Ok(Interval(Duration::from_millis(milliseconds)))
            );
        }
        for bad in [
            "",
            "s",
            "30",
            "1.5s",
            "-1s",
            "1 s",
            "1d",
            "0ms",
            "99999999999999999999s",
            "18446744073709551615h",
            "9000h",
        ] {
            assert!(Interval::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bytes_are_ascii() {
        assert_eq!(Bytes::parse("\u{1b}[6n"), Ok(Bytes(b"\x1b[6n".to_vec())));
        assert!(Bytes::parse("é").is_err());
        assert!(Bytes::parse("").is_err());
    }

    #[test]
    fn a_file_name_leads_nowhere_else() {
        assert!(FileName::parse("pwsh-bootstrap.ps1").is_ok());
        for bad in ["", ".", "..", "../x", "a/b", "/etc/passwd"] {
            assert!(FileName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paths_and_names_have_no_holes_in_them() {
        assert!(PropertyPath::parse("Account.Id").is_ok());
        assert!(PropertyPath::parse("Account..Id").is_err());
        assert!(VariableName::parse("HTTP_PROXY").is_ok());
        assert!(VariableName::parse("A=B").is_err());
        assert!(Word::parse("device_code").is_ok());
        assert!(Word::parse("Device").is_err());
    }
}
