//! What the tools take. One name means one thing everywhere; unknown keys are refused, so that a misspelt one is not
//! silently left out. The comments of the fields are what a model reads.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

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
    #[serde(default = "wait_seconds")]
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
    #[serde(default)]
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
    #[serde(default = "wait_seconds")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u32,
    /// Stop the command after this many seconds.
    #[serde(default = "timeout_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(super) timeout_seconds: u32,
    /// Show so many characters of the output at most.
    #[serde(default = "max_chars")]
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
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1))]
    pub(super) first: Option<u32>,
    /// Return after this many seconds at the latest; the command then goes on and `wait` follows it.
    #[serde(default = "wait_seconds")]
    #[schemars(range(max = 300))]
    pub(super) wait_seconds: u32,
    /// Stop the command after this many seconds.
    #[serde(default = "timeout_seconds")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(super) timeout_seconds: u32,
    /// Show so many characters of the output at most.
    #[serde(default = "max_chars")]
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
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1))]
    pub(super) first: Option<u32>,
    /// Write all of it to a file on this machine and answer with its path.
    #[serde(default)]
    pub(super) export: bool,
    /// Show so many characters at most.
    #[serde(default = "max_chars")]
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

/// `seconds`, within what a call may take.
pub(super) fn within(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.min(300)))
}

/// The wait where nobody says how long.
pub(super) fn default_wait() -> Duration {
    within(WAIT_SECONDS)
}

/// `chars`, within what a page may have.
pub(super) fn page(chars: u32) -> usize {
    usize::try_from(chars.clamp(500, 45_000)).unwrap_or(45_000)
}
