//! How PowerShell shows values as text: tables, lists, wrapped messages. Pure; knows no console and no streams.

use serde_json::{Map, Value};

/// The text of one value in a cell or after `Write-Output`: invariant culture, `True`, `{a, b}`, dates as PowerShell shows
/// them.
pub(crate) fn display(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => date(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(display).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}={}", display(value)))
                .collect();
            format!("@{{{}}}", fields.join("; "))
        }
    }
}

/// A JSON date and time (`2026-01-02T03:04:05+00:00`) as the invariant culture writes it.
fn date(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)?
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(())
    };
    digits(0..4)?;
    digits(5..7)?;
    digits(8..10)?;
    digits(11..13)?;
    digits(14..16)?;
    digits(17..19)?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    Some(format!(
        "{}/{}/{} {}",
        &text[5..7],
        &text[8..10],
        &text[..4],
        &text[11..19]
    ))
}

/// Objects of one shape as `Format-Table` shows them, or as `Format-List` does if they have more than four fields.
pub(crate) fn objects(rows: &[Map<String, Value>], list: Option<bool>) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    if list.unwrap_or(first.len() > 4) {
        return lists(rows);
    }
    let columns: Vec<(&String, Vec<String>, bool)> = first
        .iter()
        .map(|(name, value)| {
            let cells = rows
                .iter()
                .map(|row| row.get(name).map(display).unwrap_or_default())
                .collect();
            (name, cells, value.is_number() || value.is_boolean())
        })
        .collect();
    let mut lines = vec![String::new(); rows.len() + 2];
    let rightmost = columns.len() - 1;
    for (at, (name, cells, right)) in columns.iter().enumerate() {
        let width = cells
            .iter()
            .chain([*name])
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0);
        let dashes = "-".repeat(name.chars().count());
        for (line, cell) in lines
            .iter_mut()
            .zip([*name, &dashes].into_iter().chain(cells))
        {
            if at > 0 {
                line.push(' ');
            }
            if *right {
                let space = width - cell.chars().count();
                line.extend(std::iter::repeat_n(' ', space));
                line.push_str(cell);
            } else if at == rightmost {
                line.push_str(cell);
            } else {
                let space = width - cell.chars().count();
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', space));
            }
        }
    }
    format!("\n{}\n\n", lines.join("\n"))
}

fn lists(rows: &[Map<String, Value>]) -> String {
    let mut text = "\n".to_owned();
    for row in rows {
        let width = row.keys().map(|key| key.chars().count()).max().unwrap_or(0);
        for (key, value) in row {
            let line = format!("{key:<width$} : {}\n", display(value));
            text.push_str(&line);
        }
        text.push('\n');
    }
    text
}

/// Breaks the lines of `text` at spaces so that none is longer than `width`.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = Vec::new();
    for line in text.split('\n') {
        let mut current = String::new();
        let mut length = 0;
        for word in line.split(' ') {
            let word_length = word.chars().count();
            if length > 0 && length + 1 + word_length > width {
                wrapped.push(std::mem::take(&mut current));
                length = 0;
            } else if !current.is_empty() {
                current.push(' ');
                length += 1;
            }
            current.push_str(word);
            length += word_length;
        }
        wrapped.push(current);
    }
    wrapped.join("\n")
}

/// `text` without its control sequences, as `OutputRendering = PlainText` leaves it.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            chars.next();
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

/// `value` as `ConvertTo-Json -Depth` writes it: what lies deeper than `depth` levels is its text.
pub(crate) fn cut(value: &Value, depth: usize) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => match value {
            Value::Object(fields) if !fields.is_empty() => {
                Value::String("System.Collections.Hashtable".to_owned())
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(display).collect();
                Value::String(items.join(" "))
            }
            other => Value::String(display(other)),
        },
        Value::Array(items) => items.iter().map(|item| cut(item, depth - 1)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), cut(value, depth - 1)))
            .collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_words_are_left_whole_and_spaces_break_lines() {
        assert_eq!(wrap("aa bb cc", 5), "aa bb\ncc");
        assert_eq!(wrap("aaaaaaaa b", 5), "aaaaaaaa\nb");
        assert_eq!(wrap("one\ntwo", 5), "one\ntwo");
    }

    #[test]
    fn more_than_four_fields_make_a_list() {
        let row = json!({"A": 1, "Bee": true, "C": null, "D": ["x", "y"], "E": "2026-01-02T03:04:05+00:00"});
        let row = row.as_object().expect("it is an object").clone();
        assert_eq!(
            objects(&[row], None),
            "\nA   : 1\nBee : True\nC   : \nD   : {x, y}\nE   : 01/02/2026 03:04:05\n\n"
        );
    }

    #[test]
    fn control_sequences_go_and_text_stays() {
        assert_eq!(plain("a\u{1b}[31mb\u{1b}[0m"), "ab");
    }
}
