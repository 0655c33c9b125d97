//! Rows of the audit as comma-separated values (RFC 4180), for people with a spreadsheet.

use serde_json::Value;

/// The columns, in order: the row's fields, its hash, and the line that is hashed.
pub(crate) const COLUMNS: [&str; 25] = [
    "v",
    "number",
    "previous",
    "at",
    "kind",
    "user",
    "client",
    "token",
    "connection",
    "module",
    "run",
    "approval",
    "account",
    "tenant",
    "text",
    "text_bytes",
    "text_hash",
    "effects",
    "decision",
    "rule",
    "outcome",
    "duration_ms",
    "reason",
    "hash",
    "line",
];

/// A row as it is exported, as a line of the table. Of one that is no JSON object any more only the last two columns are filled.
pub(crate) fn row(exported: &str) -> String {
    let value: Value = serde_json::from_str(exported).unwrap_or_default();
    let text = value.as_str().unwrap_or(exported);
    let (hashed, hash) = match text.rsplit_once(",\"hash\":\"") {
        Some((line, hash)) => (format!("{line}}}"), hash.trim_end_matches("\"}")),
        None => (text.to_owned(), ""),
    };
    let mut cells: Vec<String> = COLUMNS[..COLUMNS.len() - 1]
        .iter()
        .map(|column| cell(&value[*column]))
        .collect();
    if let Some(last) = cells.last_mut() {
        hash.clone_into(last);
    }
    cells.push(hashed);
    line(cells)
}

/// One line of a table, with its end.
pub(crate) fn line(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells
        .into_iter()
        .map(|cell| quoted(cell.as_ref()))
        .collect();
    cells.join(",") + "\r\n"
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => unformula(text),
        Value::Array(values) => values
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

/// A spreadsheet would compute a text that begins like a formula, with whatever a command's author put there.
fn unformula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let row = row(
            r#"{"v":1,"number":2,"text":"=1+1, \"a\"","effects":["reads","writes"],"hash":"ff"}"#,
        );
        let cells: Vec<&str> = row.trim_end().split(',').collect();
        assert_eq!(&cells[..2], ["1", "2"]);
        assert!(row.contains(r#""'=1+1, ""a""""#), "{row}");
        assert!(row.contains(",reads writes,"), "{row}");
        assert!(row.ends_with("\r\n"));
        let last = r#""{""v"":1,""number"":2,""text"":""=1+1, \""a\"""",""effects"":[""reads"",""writes""]}""#;
        assert!(row.trim_end().ends_with(last), "{row}");
    }

    #[test]
    fn a_row_that_is_no_json_fills_the_last_column() {
        let row = row(r#""{bent,\"hash\":\"ff\"}""#);
        assert!(row.ends_with(",ff,{bent}\r\n"), "{row}");
    }
}
