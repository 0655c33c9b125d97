//! Objects as JSON, CSV, a list or a number: what a run in records mode has kept, made smaller for a model.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::args::Format;
use super::clean;

/// How objects are to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) format: Format,
    /// Only these properties; case does not count.
    pub(super) select: Vec<String>,
    pub(super) first: Option<u32>,
}

/// What was made of a run's objects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// The objects in their shape, and after them what was said beside them. A tenant's words.
    pub(super) text: String,
    /// How many objects there are and what was asked for in vain, in our own words: sentences, each after a space.
    pub(super) note: String,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    stream: &'l str,
    value: Value,
}

impl Shape {
    /// Whether the command has to be run in records mode for it. Properties of text cannot be chosen, so that asking for
    /// some means a list.
    pub(super) fn needs_records(&self) -> bool {
        self.format != Format::Text || !self.select.is_empty() || self.first.is_some()
    }

    /// What was kept of a run in records mode, in this shape.
    pub(super) fn show(&self, kept: &[u8]) -> Made {
        let (mut objects, mut beside) = (Vec::new(), String::new());
        for line in kept
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            match serde_json::from_slice::<Line<'_>>(line) {
                Ok(Line {
                    stream: "output",
                    value,
                }) => objects.push(value),
                // The run's end tells of its errors.
                Ok(Line {
                    stream: "error", ..
                }) => {}
                Ok(Line { stream, value }) => {
                    writeln!(beside, "{stream}: {}", cell(&value))
                        .expect("a string takes everything");
                }
                Err(_half_a_line) => beside.push_str("[... some output was not kept ...]\n"),
            }
        }
        let count = objects.len();
        let absent = self.absent(&objects);
        if let Some(first) = self.first {
            objects.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        }
        let objects: Vec<Value> = objects
            .into_iter()
            .map(|object| self.selected(object))
            .collect();
        let mut text = match self.format {
            Format::Count => format!("{count}\n"),
            Format::Json => lines(objects.iter().map(Value::to_string)),
            Format::Csv => csv(&objects),
            Format::List | Format::Text => list(&objects),
        };
        text.push_str(&beside);
        Made {
            text: clean::text(text.as_bytes()),
            note: self.note(count, objects.len(), &absent),
        }
    }

    /// The properties that were asked for and that no object has: a misspelt name must not pass for an empty value.
    fn absent(&self, objects: &[Value]) -> Vec<String> {
        let has = |object: &Value, wanted: &str| {
            let properties = object.as_object().into_iter().flatten();
            properties
                .map(|(name, _)| name)
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let wanted = self.select.iter().filter(|_| !objects.is_empty());
        let absent = wanted.filter(|wanted| !objects.iter().any(|object| has(object, wanted)));
        absent.map(|name| clean::line(name, 80)).collect()
    }

    fn note(&self, count: usize, shown: usize, absent: &[String]) -> String {
        let mut note = match (self.format, count) {
            (Format::Count, _) | (_, 0) => String::new(),
            (_, 1) => " 1 object.".to_owned(),
            _ if shown < count => format!(" {count} objects; shown of them: {shown}."),
            _ => format!(" {count} objects."),
        };
        if !absent.is_empty() {
            write!(note, " No object has `{}`.", absent.join("`, `"))
                .expect("a string takes everything");
        }
        note
    }

    /// The objects alone, of what was kept of a run in records mode.
    pub(super) fn objects(kept: &[u8]) -> Vec<Value> {
        kept.split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Line<'_>>(line).ok())
            .filter(|line| line.stream == "output")
            .map(|line| line.value)
            .collect()
    }

    fn selected(&self, object: Value) -> Value {
        let Value::Object(all) = object else {
            return object;
        };
        if self.select.is_empty() {
            return Value::Object(all);
        }
        let mut chosen = Map::new();
        for wanted in &self.select {
            let found = all
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            match found {
                Some((name, value)) => chosen.insert(name.clone(), value.clone()),
                None => chosen.insert(wanted.clone(), Value::Null),
            };
        }
        Value::Object(chosen)
    }
}

/// Each with a line end.
fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.fold(String::new(), |all, text| all + &text + "\n")
}

/// A value on one line, as in a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(['\r', '\n'], " "),
        other => other.to_string(),
    }
}

/// A header of all names, in the order they are met, and a line for each object (RFC 4180).
fn csv(objects: &[Value]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for object in objects {
        for name in object.as_object().into_iter().flat_map(Map::keys) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let row = |cells: Vec<String>| format!("{}\n", cells.join(","));
    if names.is_empty() {
        return lines(objects.iter().map(|value| quoted(&cell(value))));
    }
    let mut text = row(names.iter().map(|name| quoted(name)).collect());
    for object in objects {
        let value = |name: &&str| quoted(&object.get(*name).map(cell).unwrap_or_default());
        text.push_str(&row(names.iter().map(value).collect()));
    }
    text
}

fn list(objects: &[Value]) -> String {
    let mut text = String::new();
    for object in objects {
        match object {
            Value::Object(properties) => {
                for (name, value) in properties {
                    writeln!(text, "{name} : {}", cell(value)).expect("a string takes everything");
                }
                text.push('\n');
            }
            other => writeln!(text, "{}", cell(other)).expect("a string takes everything"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = concat!(
        r#"{"stream":"output","value":{"Name":"a, b","Size":1,"Tags":["x"]}}"#,
        "\n",
        r#"{"stream":"warning","value":"careful"}"#,
        "\n",
        r#"{"stream":"output","value":{"Name":"c","Other":null}}"#,
        "\n",
    );

    fn show(format: Format, select: &[&str], first: Option<u32>) -> String {
        made(format, select, first).text
    }

    fn made(format: Format, select: &[&str], first: Option<u32>) -> Made {
        let select = select.iter().map(|name| (*name).to_owned()).collect();
        let shape = Shape {
            format,
            select,
            first,
        };
        shape.show(KEPT.as_bytes())
    }

    #[test]
    fn every_format_is_kept() {
        assert_eq!(show(Format::Count, &[], None), "2\nwarning: careful\n");
        assert_eq!(
            show(Format::Json, &["size"], Some(1)),
            "{\"Size\":1}\nwarning: careful\n"
        );
        assert_eq!(
            show(Format::Csv, &[], None),
            "Name,Size,Tags,Other\n\"a, b\",1,\"[\"\"x\"\"]\",\nc,,,\nwarning: careful\n"
        );
        assert_eq!(
            show(Format::List, &["Name"], None),
            "Name : a, b\n\nName : c\n\nwarning: careful\n"
        );
    }

    #[test]
    fn what_is_not_shown_is_noted() {
        let note = |format, select: &[&str], first| made(format, select, first).note;
        assert_eq!(note(Format::Json, &[], None), " 2 objects.");
        assert_eq!(
            note(Format::Csv, &["name", "nome"], Some(1)),
            " 2 objects; shown of them: 1. No object has `nome`."
        );
        assert_eq!(note(Format::Count, &[], Some(1)), "");
        let one = Shape::default().show(br#"{"stream":"output","value":1}"#);
        assert_eq!(
            (one.text.as_str(), one.note.as_str()),
            ("1\n", " 1 object.")
        );
    }
}
