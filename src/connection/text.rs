//! [`Text`]: the file's own text, changed only in the place that a change is about. What is around it stays as somebody
//! wrote it, byte for byte. Every text here has been read as JSON before, so nothing is checked again.

use std::ops::Range;

use serde_json::Value;

/// What a file without entries is written as.
const EMPTY: &str = "{\n  \"connections\": {}\n}\n";

/// The text of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(String);

/// A key and its value, as places in the text.
struct Member {
    key: String,
    name: Range<usize>,
    value: Range<usize>,
}

/// An object, as places in the text.
struct Object {
    /// Of its brace.
    open: usize,
    /// Of its other brace.
    close: usize,
    members: Vec<Member>,
}

impl Text {
    /// The text of a file; one without any is a file without entries.
    pub(super) fn new(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self(EMPTY.to_owned());
        }
        Self(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Sets the value at `path`. All of the path but its last key has to be there, as objects.
    pub(super) fn set(&mut self, path: &[&str], value: &Value) {
        let written = |text: &Self, indent: &str, broken| text.style().value(value, indent, broken);
        self.put(path, written);
    }

    /// Adds a copy of the value at `from`, as it is written, under another key of the same object.
    pub(super) fn copy(&mut self, from: &[&str], key: &str) {
        let Some((object, at)) = self.find(from) else {
            return;
        };
        let value = self.0[object.members[at].value.clone()].to_owned();
        let above = &from[..from.len() - 1];
        let path: Vec<&str> = above.iter().copied().chain([key]).collect();
        self.put(&path, |_, _, _| value);
    }

    /// Takes the value at `path` out, with its key.
    pub(super) fn remove(&mut self, path: &[&str]) {
        let Some((object, at)) = self.find(path) else {
            return;
        };
        let members = &object.members;
        let gone = match (at.checked_sub(1), members.get(at + 1)) {
            (_, Some(next)) => members[at].name.start..next.name.start,
            (Some(before), None) => members[before].value.end..members[at].value.end,
            (None, None) => object.open + 1..object.close,
        };
        self.0.replace_range(gone, "");
    }

    /// Gives the value at `path` another key, in its place.
    pub(super) fn rename(&mut self, path: &[&str], key: &str) {
        if let Some((object, at)) = self.find(path) {
            self.0
                .replace_range(object.members[at].name.clone(), &quoted(key));
        }
    }

    /// The first key that stands twice in one object, of those that are read: in the file, among the connections, or in the
    /// entry that the path begins with. Keys that people write notes under may repeat.
    pub(super) fn repeated(&self) -> Vec<Vec<String>> {
        let root = Object::at(&self.0, 0);
        let mut found = Vec::new();
        let twice = |object: &Object, key: &str| {
            let times = object.members.iter().filter(|one| one.key == key);
            times.count() > 1
        };
        if twice(&root, "connections") {
            found.push(vec!["connections".to_owned()]);
        }
        let Some(entries) = root.inner(&self.0, "connections") else {
            return found;
        };
        for entry in &entries.members {
            let path = vec!["connections".to_owned(), entry.key.clone()];
            if twice(&entries, &entry.key) {
                found.push(path);
            } else if let Some(object) = Object::of(&self.0, &entry.value) {
                found.extend(object.repeated(&self.0, &path));
            }
        }
        found
    }

    /// Puts what `written` makes of an indent, and of whether values are broken into lines here, to `path`.
    fn put(&mut self, path: &[&str], written: impl FnOnce(&Self, &str, bool) -> String) {
        let Some((key, above)) = path.split_last() else {
            return;
        };
        let Some(object) = self.object(above) else {
            return;
        };
        let broken = self.is_broken(&object);
        let base = self.indent_of_line(object.open);
        let style = self.style();
        let indent = match object.members.first() {
            Some(first) if broken => self.indent_of_line(first.name.start),
            _ => format!("{base}{}", style.unit),
        };
        let value = written(self, &indent, broken);
        if let Some(there) = object.members.iter().rfind(|one| one.key == *key) {
            self.0.replace_range(there.value.clone(), &value);
            return;
        }
        let member = format!("{}{}{value}", quoted(key), style.colon);
        let newline = style.newline;
        match object.members.last() {
            Some(last) if broken => self
                .0
                .insert_str(last.value.end, &format!(",{newline}{indent}{member}")),
            Some(last) => self
                .0
                .insert_str(last.value.end, &format!("{}{member}", style.comma)),
            None if broken => self.0.replace_range(
                object.open + 1..object.close,
                &format!("{newline}{indent}{member}{newline}{base}"),
            ),
            None => self.0.replace_range(object.open + 1..object.close, &member),
        }
    }

    /// The object at `path`.
    fn object(&self, path: &[&str]) -> Option<Object> {
        path.iter().try_fold(Object::at(&self.0, 0), |object, key| {
            object.inner(&self.0, key)
        })
    }

    /// The object that has the last key of `path`, and which of its members that is.
    fn find(&self, path: &[&str]) -> Option<(Object, usize)> {
        let (key, above) = path.split_last()?;
        let object = self.object(above)?;
        let at = object.members.iter().rposition(|one| one.key == *key)?;
        Some((object, at))
    }

    /// Whether the members of `object` stand in lines of their own; of one without any, whether those of the file do.
    fn is_broken(&self, object: &Object) -> bool {
        let object = match object.members.first() {
            Some(_) => object,
            None => &Object::at(&self.0, 0),
        };
        let Some(first) = object.members.first() else {
            return false;
        };
        self.0[object.open..first.name.start].contains('\n')
    }

    /// The blanks that the line of `at` begins with.
    fn indent_of_line(&self, at: usize) -> String {
        let begin = self.0[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &self.0[begin..];
        line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned()
    }

    fn style(&self) -> Style {
        let root = Object::at(&self.0, 0);
        let newline = if self.0.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let first = root.members.first();
        let compact = first.is_some_and(|first| {
            let between = &self.0[first.name.end..first.value.start];
            between == ":" && !self.is_broken(&root)
        });
        let unit = first.map(|first| self.indent_of_line(first.name.start));
        let unit = unit.filter(|unit| !unit.is_empty());
        Style {
            newline,
            unit: unit.unwrap_or_else(|| "  ".to_owned()),
            colon: if compact { ":" } else { ": " },
            comma: if compact { "," } else { ", " },
        }
    }
}

/// How the file is written.
struct Style {
    newline: &'static str,
    /// What each level is indented by.
    unit: String,
    colon: &'static str,
    /// Between values in one line.
    comma: &'static str,
}

impl Style {
    /// A value, written at this indent. Lists stay in one line.
    fn value(&self, value: &Value, indent: &str, broken: bool) -> String {
        match value {
            Value::Object(object) if !object.is_empty() => {
                let inner = format!("{indent}{}", self.unit);
                let members = object.iter().map(|(key, value)| {
                    let value = self.value(value, &inner, broken);
                    format!("{}{}{value}", quoted(key), self.colon)
                });
                let members: Vec<String> = members.collect();
                if !broken {
                    return format!("{{{}}}", members.join(self.comma));
                }
                let newline = self.newline;
                let between = format!(",{newline}{inner}");
                format!(
                    "{{{newline}{inner}{}{newline}{indent}}}",
                    members.join(&between)
                )
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item, indent, false));
                let items: Vec<String> = items.collect();
                format!("[{}]", items.join(self.comma))
            }
            other => other.to_string(),
        }
    }
}

impl Object {
    /// The object that begins at or after `at`.
    fn at(text: &str, at: usize) -> Self {
        let bytes = text.as_bytes();
        let open = blanks_end(bytes, at);
        let mut members = Vec::new();
        let mut next = blanks_end(bytes, open + 1);
        while bytes[next] != b'}' {
            let name = next..value_end(bytes, next);
            let colon = blanks_end(bytes, name.end);
            let begin = blanks_end(bytes, colon + 1);
            let value = begin..value_end(bytes, begin);
            let key = serde_json::from_str(&text[name.clone()]).expect("a key is text");
            next = blanks_end(bytes, value.end);
            if bytes[next] == b',' {
                next = blanks_end(bytes, next + 1);
            }
            members.push(Member { key, name, value });
        }
        Self {
            open,
            close: next,
            members,
        }
    }

    /// The object that a value is, if it is one.
    fn of(text: &str, value: &Range<usize>) -> Option<Self> {
        text[value.clone()]
            .starts_with('{')
            .then(|| Self::at(text, value.start))
    }

    /// The object that is the value of `key`; of a key that is there twice, the last, as readers of JSON have it.
    fn inner(&self, text: &str, key: &str) -> Option<Self> {
        let member = self.members.iter().rfind(|one| one.key == key)?;
        Self::of(text, &member.value)
    }

    /// The keys that are here twice, or in the objects inside.
    fn repeated(&self, text: &str, path: &[String]) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            let path: Vec<String> = path.iter().chain([&member.key]).cloned().collect();
            let is_note = member.key.starts_with(['_', '/', '#']);
            let is_second = self.members[..at].iter().any(|one| one.key == member.key);
            if is_second && !is_note {
                found.push(path);
            } else if let Some(object) = Self::of(text, &member.value) {
                found.extend(object.repeated(text, &path));
            }
        }
        found
    }
}

fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}

/// The next byte that is no blank.
fn blanks_end(bytes: &[u8], at: usize) -> usize {
    let blanks = bytes[at..].iter().take_while(|b| b.is_ascii_whitespace());
    at + blanks.count()
}

/// Where the value that begins at `at` ends.
fn value_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut next = at;
    loop {
        match bytes[next] {
            b'"' => next = text_end(bytes, next),
            b'{' | b'[' => {
                depth += 1;
                next += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                next += 1;
            }
            b',' | b':' => next += 1,
            byte if byte.is_ascii_whitespace() => next += 1,
            _ => {
                let word = |b: &&u8| !b.is_ascii_whitespace() && !b",:]}".contains(b);
                next += bytes[next..].iter().take_while(word).count();
            }
        }
        if depth == 0 {
            return next;
        }
    }
}

/// Where the text whose quote is at `at` ends.
fn text_end(bytes: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while bytes[next] != b'"' {
        next += if bytes[next] == b'\\' { 2 } else { 1 };
    }
    next + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn changed(text: &str, how: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::new(text);
        how(&mut text);
        text.0
    }

    const A: [&str; 2] = ["connections", "A"];

    #[test]
    fn only_the_place_of_a_change_changes() {
        let file = "{\r\n\t\"_n\": [1.50,\r\n2],\r\n\t\"connections\": {\r\n\t\t\"A\": {\"tenant\":\"a.com\"  ,\"mcps\": [\"mm\",\r\n \"x\"]},\r\n\
                    \t\t\"B\": { }\r\n\t},  \"z\": \"\\u0041\"\r\n}";
        let set = changed(file, |text| {
            text.set(&["connections", "A", "tenant"], &json!("b.com"));
        });
        assert_eq!(set, file.replace("a.com", "b.com"));
        let added = changed(file, |text| {
            text.set(
                &["connections", "C"],
                &json!({"tenant": "c.com", "mcps": ["mm", "x"]}),
            );
        });
        let new = "\"B\": { },\r\n\t\t\"C\": {\r\n\t\t\t\"tenant\": \"c.com\",\r\n\t\t\t\"mcps\": [\"mm\", \"x\"]\r\n\t\t}";
        assert_eq!(added, file.replace("\"B\": { }", new));
        let more = changed(file, |text| {
            text.set(&["connections", "A", "appId"], &json!(null));
        });
        assert_eq!(more, file.replace(" \"x\"]", " \"x\"], \"appId\": null"));
        let inside = changed(file, |text| {
            text.set(&["connections", "B", "k"], &json!(1));
        });
        assert_eq!(inside, file.replace("{ }", "{\r\n\t\t\t\"k\": 1\r\n\t\t}"));
        let renamed = changed(file, |text| text.rename(&A, "Ä \"quoted\""));
        assert_eq!(renamed, file.replace("\"A\"", "\"Ä \\\"quoted\\\"\""));
        let copied = changed(file, |text| text.copy(&A, "D"));
        let entry = "{\"tenant\":\"a.com\"  ,\"mcps\": [\"mm\",\r\n \"x\"]}";
        assert_eq!(
            copied,
            file.replace(
                "\"B\": { }",
                &format!("\"B\": {{ }},\r\n\t\t\"D\": {entry}")
            )
        );
        let first = changed(file, |text| text.remove(&A));
        assert_eq!(first, file.replace(&format!("\"A\": {entry},\r\n\t\t"), ""));
        let last = changed(file, |text| text.remove(&["connections", "B"]));
        assert_eq!(last, file.replace(",\r\n\t\t\"B\": { }", ""));
        let only = changed("{\"connections\":{\"A\":1}}", |text| text.remove(&A));
        assert_eq!(only, "{\"connections\":{}}");
        let compact = changed(&only, |text| text.set(&A, &json!({"a": [1, 2], "b": {}})));
        assert_eq!(compact, "{\"connections\":{\"A\":{\"a\":[1,2],\"b\":{}}}}");
    }

    #[test]
    fn keys_that_are_there_twice_are_told() {
        let text = Text::new(
            r#"{"_x": 1, "_x": 2, "connections": {"A": {"tenant": "a", "//": 1, "//": 2}, "B": {"tenant": 1, "tenant": 2},
                "C": {"moduleApps": {"pnp": 1, "pnp": 2}}, "D": {}, "D": {}}}"#,
        );
        let found: Vec<String> = text
            .repeated()
            .iter()
            .map(|path| path[1..].join("."))
            .collect();
        assert_eq!(found, ["B.tenant", "C.moduleApps.pnp", "D", "D"]);
    }

    /// Values as people and programs write them.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~äß\"\\\\{},:\\[\\]]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d\"\\\\]{1,2}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The entries' texts, as they stand.
    fn raw(text: &Text) -> Vec<(String, String)> {
        let entries = text.object(&["connections"]).expect("it has some");
        let of = |one: &Member| (one.key.clone(), text.0[one.value.clone()].to_owned());
        entries.members.iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn a_change_means_the_same_in_the_text_as_in_the_value(
            entries in prop::collection::vec(("[A-E]", values()), 0..5),
            pretty in any::<bool>(),
            name in "[A-F]",
            key in "[a-d]",
            value in values(),
            verb in 0..5,
        ) {
            let entries: Map<String, Value> = entries.into_iter().collect();
            let mut document = json!({"_first": {"x": [1]}, "connections": entries, "last": null});
            let written = if pretty {
                serde_json::to_string_pretty(&document).expect("it is JSON")
            } else {
                document.to_string()
            };
            let mut text = Text::new(&written);
            let before = raw(&text);
            let path = ["connections", name.as_str()];
            let entries = document["connections"].as_object_mut().expect("it is one");
            match verb {
                0 => {
                    text.set(&path, &value);
                    entries.insert(name.clone(), value);
                }
                1 => {
                    text.remove(&path);
                    entries.shift_remove(&name);
                }
                2 if entries.contains_key(&name) => {
                    text.copy(&path, "G");
                    entries.insert("G".to_owned(), entries[&name].clone());
                }
                3 => {
                    text.rename(&path, "G");
                    *entries = std::mem::take(entries)
                        .into_iter()
                        .map(|(key, value)| (if key == name { "G".to_owned() } else { key }, value))
                        .collect();
                }
                _ => {
                    if let Some(Value::Object(entry)) = entries.get_mut(&name) {
                        text.set(&[path[0], path[1], &key], &value);
                        entry.insert(key, value);
                    }
                }
            }
            let read: Value = serde_json::from_str(&text.0).expect("it is JSON still");
            prop_assert_eq!(read.to_string(), document.to_string());
            let after = raw(&text);
            for (other, was) in before {
                if other != name {
                    prop_assert!(after.contains(&(other, was)));
                }
            }
        }
    }
}
