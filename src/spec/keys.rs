//! The keys of a file, one by one, for `mm modules keys`: what each is for, whether it has to be there, and an example.

use serde_json::Value;

use super::example::definition;
use super::schema::{include_schema, module_schema, shell_schema};

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Where it stands: `sign_in.ways.connect`.
    pub(crate) path: String,
    /// What it is for.
    pub(crate) about: String,
    /// Whether its part cannot be without it.
    pub(crate) required: bool,
    /// The words that its value may be, where there are only some, with what each means.
    pub(crate) words: Vec<(String, String)>,
    /// As it stands in a file, in lines.
    pub(crate) example: String,
}

/// The keys of one kind of file, in the order of their documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeysOf {
    /// Where such files are.
    pub(crate) place: &'static str,
    pub(crate) keys: Vec<Key>,
}

/// Every key of every kind of file. The parts of a shell that a module may override are told once, with the shell.
pub(crate) fn keys() -> Vec<KeysOf> {
    let kinds = [
        ("modules.d/NAME.yaml", module_schema()),
        ("modules.d/shells/NAME.yaml", shell_schema()),
        ("modules.d/include/NAME.yaml", include_schema()),
    ];
    let read = |(place, schema): (&'static str, Value)| {
        let mut keys = Vec::new();
        let mut seen = Vec::new();
        part(&schema, "", &schema, &mut seen, &mut keys);
        KeysOf { place, keys }
    };
    kinds.into_iter().map(read).collect()
}

/// The keys of `about`, each followed by those inside it.
fn part<'s>(
    root: &'s Value,
    before: &str,
    about: &'s Value,
    seen: &mut Vec<&'s str>,
    keys: &mut Vec<Key>,
) {
    for (name, key) in about["properties"].as_object().into_iter().flatten() {
        let path = format!("{before}{name}");
        let inner = definition(root, key).or_else(|| definition(root, &key["items"]));
        let text = key["description"].as_str().unwrap_or_default();
        let needed = about["required"].as_array();
        keys.push(Key {
            about: text.replace('\n', " "),
            required: needed.is_some_and(|all| all.iter().any(|one| one == name)),
            words: inner.map_or(Vec::new(), |(_, inner)| words(inner)),
            example: yaml(name, &key["examples"][0]),
            path: path.clone(),
        });
        let Some((definition, inner)) = inner else {
            continue;
        };
        if path.starts_with("overrides.") || seen.contains(&definition) {
            continue;
        }
        seen.push(definition);
        part(root, &format!("{path}."), inner, seen, keys);
    }
}

/// The words of an enumeration.
fn words(about: &Value) -> Vec<(String, String)> {
    let told = about["oneOf"].as_array().into_iter().flatten();
    told.filter_map(|word| {
        let name = word["const"].as_str()?;
        let about = word["description"].as_str().unwrap_or_default();
        Some((name.to_owned(), about.replace('\n', " ")))
    })
    .collect()
}

/// A key and its value as YAML.
fn yaml(key: &str, value: &Value) -> String {
    let mut lines = Vec::new();
    write(&format!("{key}:"), "", value, &mut lines);
    lines.join("\n")
}

/// Writes `value` behind `lead`; what is inside it is indented by `indent` and two spaces.
fn write(lead: &str, indent: &str, value: &Value, lines: &mut Vec<String>) {
    let deeper = format!("{indent}  ");
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            lines.push(lead.to_owned());
            for (key, value) in entries {
                write(&format!("{deeper}{key}:"), &deeper, value, lines);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            lines.push(lead.to_owned());
            for item in items {
                let first = lines.len();
                for (key, value) in item.as_object().into_iter().flatten() {
                    let inner = format!("{deeper}  ");
                    write(&format!("{inner}{key}:"), &inner, value, lines);
                }
                if let Some(line) = lines.get_mut(first) {
                    line.replace_range(deeper.len()..=deeper.len(), "-");
                }
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            lines.push(format!("{lead} [{}]", items.join(", ")));
        }
        value => lines.push(format!("{lead} {}", scalar(value))),
    }
}

/// A scalar: plain where nothing in it can be taken for something else, in single quotes where one line holds it, else as
/// JSON, which YAML reads, too.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    let words = ["true", "false", "yes", "no", "on", "off", "null"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " ._/-".contains(c))
        && !words.contains(&text.as_str());
    if plain {
        text.clone()
    } else if text.chars().any(char::is_control) {
        value.to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::spec::parse::load;
    use crate::spec::source::SourceFile;

    #[test]
    fn every_key_has_an_example_that_reads_as_it_was_written() {
        for kind in keys() {
            assert!(kind.keys.len() > 5, "{}", kind.place);
            for key in kind.keys {
                assert!(!key.example.ends_with(" null"), "{}: {key:?}", kind.place);
                let file = SourceFile::new(PathBuf::from("example.yaml"), key.example.clone());
                let read: Value = load(&file).expect("it is YAML");
                let name = key.path.rsplit('.').next().expect("it has a name");
                assert_eq!(yaml(name, &read[name]), key.example, "{}", key.path);
            }
        }
    }

    #[test]
    fn keys_are_told_with_their_place_and_their_words() {
        let all = keys();
        let find = |path: &str| {
            let mut keys = all.iter().flat_map(|kind| &kind.keys);
            keys.find(|key| key.path == path).expect("it is there")
        };
        assert!(find("sign_in.ways.connect").required);
        assert!(!find("sign_in.ways.options").required);
        let words = &find("states").words;
        assert!(words.is_empty(), "{words:?}");
        let words = &find("sign_in.ways.as").words;
        assert_eq!(words[1].0, "application", "{words:?}");
        assert_eq!(
            find("sign_in.clouds").example,
            "clouds:\n  china: '--cloud china'"
        );
    }
}
