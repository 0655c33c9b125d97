//! What the tools take. One name means one thing everywhere; unknown keys are refused, so that a misspelt one is not
//! silently left out. The comments of the fields are what a model reads.

use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

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

/// A command that only reads, and how to show its output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadArgs {
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

impl From<ReadArgs> for RunArgs {
    fn from(args: ReadArgs) -> Self {
        Self {
            connection: args.connection,
            module: args.module,
            command: args.command,
            format: args.format,
            select: args.select,
            first: args.first,
            what_if: false,
            reason: None,
            wait_seconds: args.wait_seconds,
            timeout_seconds: args.timeout_seconds,
            max_chars: args.max_chars,
        }
    }
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

/// A number as its schema has it. Another one is refused: a model that is not told of it counts on what it asked for.
fn ranged<'d, D>(from: D, key: &str, range: RangeInclusive<u32>) -> Result<u32, D::Error>
where
    D: Deserializer<'d>,
{
    let number = i64::deserialize(from).map_err(|error| {
        let error = error.to_string();
        D::Error::custom(format!("`{key}`: {error}"))
    })?;
    u32::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (from, to) = (range.start(), range.end());
            D::Error::custom(if *to == u32::MAX {
                format!("`{key}` is {number} and has to be {from} or more")
            } else {
                format!("`{key}` is {number} and has to be from {from} to {to}")
            })
        })
}

fn given_wait_seconds<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    ranged(from, "wait_seconds", 0..=300)
}

fn given_timeout_seconds<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    ranged(from, "timeout_seconds", 1..=86_400)
}

fn given_max_chars<'d, D: Deserializer<'d>>(from: D) -> Result<u32, D::Error> {
    ranged(from, "max_chars", 500..=45_000)
}

fn given_first<'d, D: Deserializer<'d>>(from: D) -> Result<Option<u32>, D::Error> {
    ranged(from, "first", 1..=u32::MAX).map(Some)
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
    use serde_json::{Value, json};

    use super::*;

    /// What is said about `RunArgs` with this key; nothing where it is taken.
    fn said(key: &str, value: Value) -> String {
        let mut arguments = json!({"connection": "Contoso", "module": "exo", "command": "1"});
        arguments[key] = value;
        let taken = serde_json::from_value::<RunArgs>(arguments);
        taken
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_number_outside_its_schemas_range_is_refused_by_name() {
        let schema = crate::mcp::schema::of::<RunArgs>();
        for key in ["wait_seconds", "timeout_seconds", "max_chars", "first"] {
            let bound = |name: &str| schema["properties"][key].get(name).and_then(Value::as_i64);
            let least = bound("minimum").expect("it has a least");
            assert_eq!(said(key, json!(least)), "", "{key}");
            let below = said(key, json!(least - 1));
            assert!(
                below.contains(&format!("`{key}` is {}", least - 1)),
                "{below}"
            );
            if let Some(most) = bound("maximum") {
                assert_eq!(said(key, json!(most)), "", "{key}");
                let above = said(key, json!(most + 1));
                assert!(
                    above.contains(&format!("from {least} to {most}")),
                    "{above}"
                );
            }
            let text = said(key, json!("5"));
            assert!(text.contains(&format!("`{key}`: invalid type")), "{text}");
        }
    }
}
