//! The errors that an end marker reports.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::event::ReportedError;

/// Reads the report of an end marker: base64 of a JSON array, or nothing. One that cannot be read is itself an error of
/// the command, because something did go wrong.
pub(crate) fn errors(report: &str) -> Vec<ReportedError> {
    if report.is_empty() {
        return Vec::new();
    }
    let value = STANDARD
        .decode(report)
        .ok()
        .and_then(|json| serde_json::from_slice::<Vec<Value>>(&json).ok());
    match value {
        Some(errors) => errors.iter().map(error).collect(),
        None => vec![ReportedError {
            message: "the program's error report could not be read".to_owned(),
            ..ReportedError::default()
        }],
    }
}

/// One error, as the bootstrap describes it.
pub(crate) fn error(value: &Value) -> ReportedError {
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let number = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0)
    };
    ReportedError {
        message: text("message"),
        id: text("id"),
        category: text("category"),
        line: number("line"),
        column: number("column"),
    }
}
