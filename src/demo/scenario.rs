//! The written form of a scenario: what a file in `fixtures/scenarios/` may say, key for key, and the one place that reads
//! its YAML. Texts may hold `{name}` holes for parameters, state and captures; `{{` is a brace. Nothing here runs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScenarioFile {
    /// Scenarios whose commands, parameters and state this one builds on, by name or by path from this file.
    pub(super) extends: Vec<String>,
    /// What may be set as `NAME?key=value`, with what holds otherwise.
    pub(super) parameters: BTreeMap<String, String>,
    /// What commands may change with `set` and ask for with `when`.
    pub(super) state: BTreeMap<String, String>,
    pub(super) start: Option<Start>,
    /// A Ctrl-C that was taken strikes once more so long afterwards (`pwsh-pty.md`, "A late cancel jumps").
    pub(super) late_cancel: Option<String>,
    /// How a device-code sign-in may end, by name.
    pub(super) outcomes: BTreeMap<String, Outcome>,
    /// The first one that fits is played.
    pub(super) commands: Vec<CommandSpec>,
}

/// How the program starts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Start {
    /// From the first cursor query's answer to readiness.
    pub(super) delay: String,
    /// Whether it gets ready at all.
    pub(super) never: bool,
    /// Played before it is ready.
    pub(super) steps: Vec<Step>,
}

/// How a sign-in ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// Whether the code is shown at all.
    #[serde(default = "yes")]
    pub(super) challenge: bool,
    pub(super) steps: Vec<Step>,
}

/// A command: exactly one of `text` and `pattern`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandSpec {
    /// The statement or the whole command, as it is written; case is ignored.
    pub(super) text: Option<String>,
    /// A regular expression for all of it; its named groups fill holes. Case is ignored.
    pub(super) pattern: Option<String>,
    /// Only while the state says so.
    #[serde(default)]
    pub(super) when: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One thing that a command does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Straight to the terminal in both modes, as it is: `[Console]::Write`.
    Console(String),
    /// Formatted text, in text mode only.
    Text(String),
    /// Objects into the output stream; tables and lists in text mode.
    Objects(Vec<Value>),
    /// Many objects made from one.
    Rows(Rows),
    Warning(String),
    Verbose(String),
    Debug(String),
    /// `Write-Host` and `Write-Information`.
    Information(String),
    /// An error that lets the command go on.
    Error(ErrorSpec),
    /// A terminating error: the first is shown, all are reported.
    Throw(Vec<ErrorSpec>),
    /// What `$?` says afterwards is false.
    Failed(bool),
    /// A native program.
    Native(Native),
    /// A wait that Ctrl-C ends.
    Delay(String),
    /// A wait that does not hear Ctrl-C: the command ends after it.
    Deaf(String),
    /// A wait that only Ctrl-C ends.
    Forever,
    Ask(Ask),
    /// The cursor is asked for before the next prompt.
    CursorQuery(bool),
    Set(BTreeMap<String, String>),
    DeviceCode(DeviceCode),
    Flood(Flood),
    Crash(Crash),
    /// Leaves a child behind that reads what is typed next, up to the end of a frame.
    EatFrame(bool),
    /// The prompt is this text instead, once.
    Prompt(String),
    Try(Try),
    /// Leaves the command.
    Return,
    /// Ends the process.
    Exit(u8),
    /// A variable of the session, for the built-in forms.
    Assign(BTreeMap<String, Value>),
    /// `Set-StrictMode`.
    Strict(bool),
    /// Steps for one mode.
    InText(Vec<Step>),
    InRecords(Vec<Step>),
}

/// `count` objects, `{i}` counting from 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rows {
    pub(super) count: String,
    pub(super) object: Value,
    /// A wait after each, that Ctrl-C ends.
    #[serde(default)]
    pub(super) every: String,
}

/// An error record. Line and column are the statement's unless given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ErrorSpec {
    pub(super) message: String,
    /// What stands before the message in text: `command` unless given.
    pub(super) prefix: Option<String>,
    pub(super) id: String,
    pub(super) category: Option<String>,
    pub(super) target: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) command: String,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    /// Not in the report of the `end` marker: a native program's standard error.
    pub(super) unreported: bool,
}

/// A native program: the cursor is asked for after it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Native {
    #[serde(default)]
    pub(super) runs_for: String,
    #[serde(default)]
    pub(super) exit_code: i32,
    /// Whether SIGINT ends it, with 130.
    #[serde(default = "yes")]
    pub(super) hears: bool,
}

/// What wants an answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ask {
    pub(super) kind: AskKind,
    /// What Read-Host asks, or the missing parameter's name.
    pub(super) prompt: String,
    /// Of a choice.
    pub(super) title: String,
    pub(super) message: String,
    /// Labels with `&` before their letter.
    pub(super) choices: Vec<String>,
    pub(super) default: usize,
    /// Of a confirmation.
    pub(super) operation: String,
    pub(super) target: String,
    /// Whose parameter is missing.
    pub(super) command: String,
    /// The answer goes into this hole.
    pub(super) into: Option<String>,
    /// The answer is an object of the output.
    pub(super) emit: bool,
    /// What follows, by the choice's number; a confirmation has `yes` and `no`.
    pub(super) then: BTreeMap<String, Vec<Step>>,
}

/// The kinds of questions (`pwsh-pty.md`, "What asks").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskKind {
    #[default]
    Text,
    Secret,
    Confirm,
    Choice,
    Parameter,
    Credential,
}

/// A sign-in by device code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceCode {
    /// The sentence with page and code.
    pub(super) prompt: String,
    /// How long the user takes.
    pub(super) after: String,
    /// One of the scenario's outcomes.
    pub(super) outcome: String,
    /// Whether Ctrl-C ends the waiting.
    #[serde(default)]
    pub(super) hears: bool,
}

/// Much output, as lines of 79 characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flood {
    pub(super) megabytes: String,
    /// Whether there are lines at all.
    #[serde(default = "yes")]
    pub(super) line_ends: bool,
}

/// A death: exactly one of both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crash {
    pub(super) code: Option<String>,
    /// A signal's number.
    pub(super) signal: Option<String>,
}

/// Steps, and what runs after them however they end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    pub(super) steps: Vec<Step>,
    pub(super) finally: Vec<Step>,
}

fn yes() -> bool {
    true
}
