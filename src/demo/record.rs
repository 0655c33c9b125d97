//! [`ErrorRecord`]: an error as the `end` marker's report and the `e` records carry it, key for key as the bootstrap writes
//! them, and as text.

use serde::Serialize;

use super::command::ParseError;
use super::format;
use super::holes::{Values, fill};
use super::scenario::ErrorSpec;

/// An error that a command added.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErrorRecord {
    message: String,
    details: Option<String>,
    id: String,
    category: String,
    target: String,
    #[serde(rename = "type")]
    kind: String,
    command: String,
    line: u32,
    column: u32,
    /// What stands before the message in text.
    #[serde(skip)]
    prefix: String,
}

impl ErrorRecord {
    /// The record of a scenario's error, with `place` for what it does not say.
    pub(super) fn new(spec: &ErrorSpec, values: &Values, place: (u32, u32)) -> Self {
        let command = fill(&spec.command, values);
        Self {
            message: fill(&spec.message, values),
            details: None,
            id: fill(&spec.id, values),
            category: spec
                .category
                .clone()
                .unwrap_or_else(|| "NotSpecified".to_owned()),
            target: fill(&spec.target, values),
            kind: spec.kind.clone(),
            prefix: spec
                .prefix
                .as_ref()
                .map_or_else(|| command.clone(), |prefix| fill(prefix, values)),
            command,
            line: spec.line.unwrap_or(place.0),
            column: spec.column.unwrap_or(place.1),
        }
    }

    /// As the console shows it: the message is wrapped, what stands before it does not count.
    pub(super) fn text(&self, width: usize) -> String {
        format!(
            "{}: {}\n",
            self.prefix,
            format::wrap(&format::plain(&self.message), width)
        )
    }

    /// As a record's line carries it.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("its fields are texts and numbers")
    }
}

/// What an unknown command's error says.
pub(super) fn not_recognized(name: &str) -> ErrorSpec {
    let name = super::holes::literal(name);
    ErrorSpec {
        message: format!(
            "The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program.\nCheck the spelling of the name, or if a path was included, verify that the path is correct and try again."
        ),
        prefix: Some(name.clone()),
        id: "CommandNotFoundException".to_owned(),
        category: Some("ObjectNotFound".to_owned()),
        target: name,
        kind: "System.Management.Automation.CommandNotFoundException".to_owned(),
        ..ErrorSpec::default()
    }
}

/// The newest twenty, oldest first, as the `end` marker carries them; nothing for none.
pub(super) fn report(errors: &[ErrorRecord]) -> String {
    encode(&errors[errors.len().saturating_sub(20)..])
}

/// The same for what the parser says.
pub(super) fn parse_report(error: &ParseError) -> String {
    #[derive(Serialize)]
    struct Parse<'a> {
        message: &'a str,
        id: &'a str,
        category: &'a str,
        line: u32,
        column: u32,
        incomplete: bool,
    }
    encode(&[Parse {
        message: &error.message,
        id: error.id,
        category: "ParserError",
        line: error.line,
        column: error.column,
        incomplete: error.incomplete,
    }])
}

fn encode<T: Serialize>(errors: &[T]) -> String {
    use base64::Engine as _;
    if errors.is_empty() {
        return String::new();
    }
    let json = serde_json::to_vec(errors).expect("its fields are texts and numbers");
    base64::engine::general_purpose::STANDARD.encode(json)
}
