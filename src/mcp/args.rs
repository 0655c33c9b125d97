//! What the tools take. One name means one thing everywhere; unknown keys are refused, so that a misspelt one is not
//! silently left out. The comments of the fields are what a model reads.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::clean;

/// What only a command takes that may change something.
const ONLY_OF_RUN: [&str; 3] = ["what_if", "reason", "ticket"];

/// How much of what is wrong with arguments is told.
const ERROR_CHARS: usize = 600;

/// `connections`: nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoArgs {}

/// Which sessions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusArgs {
    /// Only sessions of this connection.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) connection: Option<String>,
    /// Only sessions of this module.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) module: Option<String>,
}

/// Which session.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionArgs {
    /// Name of the connection, as `connections` lists it.
    pub(super) connection: String,
    /// Name of the module, as `connections` lists it: exo, azure, ...
    pub(super) module: String,
}

/// Whose end to wait for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitArgs {
    /// Wait for this run. Leave it out to wait for a sign-in.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) run_id: Option<String>,
    /// Wait for the sign-in of this connection.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) connection: Option<String>,
    /// Wait for the sign-in of this module.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) module: Option<String>,
    /// Return after this many seconds at the latest.
    #[serde(default = "wait_seconds", deserialize_with = "given_wait_seconds")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u32,
}

/// How objects are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
    Csv,
    Count,
    List,
}

impl Format {
    /// As an argument says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Count => "count",
            Self::List => "list",
        }
    }
}

/// A command and how to show its output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunArgs {
    /// Name of the connection, as `connections` lists it.
    pub(super) connection: String,
    /// Name of the module, as `connections` lists it: exo, azure, ...
    pub(super) module: String,
    /// The command, for example `Get-Mailbox -ResultSize 5`.
    pub(super) command: String,
    /// text: as the program prints it. json: one object a line. csv, list: properties. count: how many objects.
    #[serde(default)]
    pub(super) format: Format,
    /// Only these properties of each object; not with format text.
    #[serde(default)]
    pub(super) select: Vec<String>,
    /// Only so many objects; not with format text.
    #[serde(default, deserialize_with = "given_first")]
    #[schemars(with = "u32", range(min = 1))]
    pub(super) first: Option<u32>,
    /// Only say what it would do, with `-WhatIf`; refused where the command does not support that.
    #[serde(default)]
    pub(super) what_if: bool,
    /// Why it is to be run, for the person who may have to approve it.
    #[serde(default)]
    #[schemars(with = "String", length(max = 500))]
    pub(super) reason: Option<String>,
    /// The ticket that the person names for it, where the connection wants one.
    #[serde(default)]
    #[schemars(with = "String", length(max = 64))]
    pub(super) ticket: Option<String>,
    /// Return after this many seconds at the latest; the command then goes on and `wait` follows it.
    #[serde(default = "wait_seconds", deserialize_with = "given_wait_seconds")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u32,
    /// Stop the command after this many seconds.
    #[serde(
        default = "timeout_seconds",
        deserialize_with = "given_timeout_seconds"
    )]
    #[schemars(range(min = 1, max = 86_400))]
    pub(super) timeout_seconds: u32,
    /// Show so many characters of the output at most.
    #[serde(default = "max_chars", deserialize_with = "given_max_chars")]
    #[schemars(range(min = 500, max = 45_000))]
    pub(super) max_chars: u32,
}

/// Which part of a run's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Part {
    #[default]
    HeadAndTail,
    Head,
    Tail,
}

/// A run's kept output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputArgs {
    /// Id of the run, as `run` answered it.
    pub(super) run_id: String,
    /// Begin here: the number that an earlier answer gave.
    #[serde(default)]
    #[schemars(with = "u64")]
    pub(super) from: Option<u64>,
    /// Which part, where `from` is left out.
    #[serde(default)]
    pub(super) part: Part,
    /// Only lines with this text in them; case does not count.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) search: Option<String>,
    /// How objects are shown; only for runs made with another format than text.
    #[serde(default)]
    #[schemars(with = "Format")]
    pub(super) format: Option<Format>,
    /// Only these properties of each object.
    #[serde(default)]
    pub(super) select: Vec<String>,
    /// Only so many objects.
    #[serde(default, deserialize_with = "given_first")]
    #[schemars(with = "u32", range(min = 1))]
    pub(super) first: Option<u32>,
    /// Write all of it to a file on this machine and answer with its path.
    #[serde(default)]
    pub(super) export: bool,
    /// Show so many characters at most.
    #[serde(default = "max_chars", deserialize_with = "given_max_chars")]
    #[schemars(range(min = 500, max = 45_000))]
    pub(super) max_chars: u32,
}

/// An answer to a question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerArgs {
    /// Id of the run that asks.
    pub(super) run_id: String,
    /// The answer: one line, or the key of a choice.
    pub(super) text: String,
}

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StopArgs {
    /// Id of the run, as `run` answered it.
    pub(super) run_id: String,
}

/// The page that a client gets where it does not say.
pub(super) const MAX_CHARS: u32 = 10_000;

/// Below the 60 seconds after which common clients give a call up.
const WAIT_SECONDS: u32 = 45;

fn wait_seconds() -> u32 {
    WAIT_SECONDS
}

fn timeout_seconds() -> u32 {
    30 * 60
}

fn max_chars() -> u32 {
    MAX_CHARS
}

/// Arguments as a tool takes them; an error names the argument that is not right.
pub(super) fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let at = error.path().to_string();
        let why = error.inner().to_string();
        // The words of JSON, which models know.
        let why = why
            .replace("a sequence", "a list")
            .replace("type: sequence", "type: list")
            .replace("type: map", "type: object");
        let named = at == "." || why.contains(&format!("`{at}`"));
        clean::line(
            &if named { why } else { format!("`{at}`: {why}") },
            ERROR_CHARS,
        )
    })
}

/// The arguments of `read`: those of `run` but for what only a change needs.
pub(super) fn read_only(arguments: Value) -> Result<RunArgs, String> {
    match ONLY_OF_RUN.iter().find(|key| arguments.get(key).is_some()) {
        Some(key) => Err(format!("`{key}` is an argument of `run`")),
        None => read(arguments),
    }
}

/// The schema of [`read_only`], for the test that keeps the schemas.
#[cfg(test)]
pub(super) fn read_only_schema() -> std::sync::Arc<rmcp::model::JsonObject> {
    let mut schema = super::schema::of::<RunArgs>();
    if let Some(Value::Object(properties)) =
        std::sync::Arc::make_mut(&mut schema).get_mut("properties")
    {
        properties.retain(|key, _| !ONLY_OF_RUN.contains(&key.as_str()));
    }
    schema
}

/// A whole number within a range.
struct Ranged(RangeInclusive<u32>);

impl Visitor<'_> for Ranged {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.0.start(), self.0.end());
        if *to == u32::MAX {
            write!(f, "a whole number, {from} or more")
        } else {
            write!(f, "a whole number from {from} to {to}")
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u32, E> {
        let fits = u32::try_from(number)
            .ok()
            .filter(|fits| self.0.contains(fits));
        fits.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    /// `5.0` is a whole number, as JSON Schema counts.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<u32, E> {
        match number.to_string().parse() {
            Ok(whole) => self.visit_u64(whole),
            Err(_) => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }
}

/// A number as its schema has it. Another one is refused: a model that is not told of it counts on what it asked for.
fn given_wait_seconds<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Ranged(0..=300))
}

fn given_timeout_seconds<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Ranged(1..=86_400))
}

fn given_max_chars<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_u32(Ranged(500..=45_000))
}

fn given_first<'d, D: Deserializer<'d>>(from: D) -> Result<Option<u32>, D::Error> {
    from.deserialize_u32(Ranged(1..=u32::MAX)).map(Some)
}

/// How long a call may take.
pub(super) fn within(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// The wait where nobody says how long.
pub(super) fn default_wait() -> Duration {
    within(WAIT_SECONDS)
}

/// How many characters a page may have.
pub(super) fn page(chars: u32) -> usize {
    usize::try_from(chars).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mcp::schema;

    /// What is said about `RunArgs` with this key; nothing where it is taken.
    fn said(key: &str, value: Value) -> String {
        let mut arguments = json!({"connection": "Contoso", "module": "exo", "command": "1"});
        arguments[key] = value;
        read::<RunArgs>(arguments).err().unwrap_or_default()
    }

    #[test]
    fn a_number_outside_its_schemas_range_is_refused_by_name() {
        let schema = schema::of::<RunArgs>();
        for key in ["wait_seconds", "timeout_seconds", "max_chars", "first"] {
            let bound = |name: &str| schema["properties"][key].get(name).and_then(Value::as_i64);
            let least = bound("minimum").expect("it has a least");
            assert_eq!(said(key, json!(least)), "", "{key}");
            assert_eq!(
                said(key, json!(600.0)).is_empty(),
                said(key, json!(600)).is_empty()
            );
            let range = match bound("maximum") {
                Some(most) => {
                    assert_eq!(said(key, json!(most)), "", "{key}");
                    let above = said(key, json!(most + 1));
                    assert!(
                        above.contains(&format!("from {least} to {most}")),
                        "{above}"
                    );
                    format!("from {least} to {most}")
                }
                None => format!(", {least} or more"),
            };
            for other in [json!(least - 1), json!("5"), json!(1.5), json!(true)] {
                let refused = said(key, other);
                assert!(refused.starts_with(&format!("`{key}`: ")), "{refused}");
                assert!(
                    refused.ends_with(&format!("expected a whole number {range}"))
                        || refused.ends_with(&format!("expected a whole number{range}")),
                    "{refused}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_right_is_named() {
        assert_eq!(
            said("command", json!(5)),
            "`command`: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            said("command", json!(["1"])),
            "`command`: invalid type: list, expected a string"
        );
        assert_eq!(
            said("select", json!("Name")),
            "`select`: invalid type: string \"Name\", expected a list"
        );
        assert_eq!(
            said("select", json!(["Name", 5])),
            "`select[1]`: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            said("format", json!("table")),
            "`format`: unknown variant `table`, expected one of `text`, `json`, `csv`, `count`, `list`"
        );
        let unknown = said("script\n", json!("x"));
        assert!(
            unknown.starts_with("unknown field `script `, expected one of `connection`,"),
            "{unknown}"
        );
        let arguments =
            json!({"connection": "Contoso", "module": "exo", "command": "1", "what_if": true});
        assert_eq!(
            read_only(arguments).expect_err("reading would do nothing"),
            "`what_if` is an argument of `run`"
        );
        let missing = read::<SessionArgs>(json!({"connection": "Contoso"}));
        assert_eq!(
            missing.expect_err("it has no module"),
            "missing field `module`"
        );
    }
}
