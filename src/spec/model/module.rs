//! A file of `modules.d/`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    BootstrapSpec, EffectSpec, EnvironmentSpec, FrameSpec, InterruptSpec, MarkersSpec, NeedSpec,
    QuerySpec, QuestionSpec, QuotingName, ReadySpec, SignInSpec, StartSpec, StateName, StreamName,
    TerminalSpec,
};
use crate::spec::source::At;
use crate::spec::value::{Entries, Name, Text};

/// What to sign in to, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModuleSpec {
    /// The module's name: the name of its file without `.yaml`.
    pub(crate) module: At<Name>,
    /// What people call it.
    pub(crate) title: At<Text>,
    /// Other names it answers to.
    #[serde(default)]
    pub(crate) aliases: Vec<At<Name>>,
    /// The shell it runs in: the name of a file in `shells/`.
    pub(crate) shell: At<Name>,
    /// What has to be installed, besides what its shell needs. `mm doctor` judges a machine by it, and `mm modules show`
    /// tells it.
    #[serde(default)]
    pub(crate) needs: Vec<At<NeedSpec>>,
    /// What this module needs otherwise than its shell has it.
    pub(crate) overrides: Option<At<OverridesSpec>>,
    /// What a person's command is put into, quoted, for programs that read no commands themselves: `sqlite3 db {command}`.
    pub(crate) run: Option<At<String>>,
    /// How it signs in. Leave it out for a module that needs no sign-in.
    pub(crate) sign_in: Option<SignInSpec>,
    /// What its commands do, in addition to the rules that hold for every module (`include/effects.yaml`).
    #[serde(default)]
    pub(crate) effects: Vec<At<EffectSpec>>,
    /// Limits that people should know of, and what could not be verified.
    #[serde(default)]
    pub(crate) notes: Vec<At<Text>>,
}

/// Keys of the shell. Each replaces the shell's key as a whole, but `environment`, whose variables are added to the
/// shell's.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverridesSpec {
    /// The program and its arguments.
    pub(crate) start: Option<StartSpec>,
    /// Variables in addition to the shell's.
    pub(crate) environment: Option<EnvironmentSpec>,
    /// How the terminal is set before the program starts.
    pub(crate) terminal: Option<TerminalSpec>,
    /// A text that the program runs first.
    pub(crate) bootstrap: Option<At<BootstrapSpec>>,
    /// When the program takes its first command.
    pub(crate) ready: Option<ReadySpec>,
    /// How a command is sent.
    pub(crate) frame: Option<FrameSpec>,
    /// The lines between which its output stands.
    pub(crate) markers: Option<MarkersSpec>,
    /// What the end marker's `{state}` may say.
    pub(crate) states: Option<At<Entries<String, StateName>>>,
    /// The tags of records mode.
    pub(crate) records: Option<At<Entries<String, StreamName>>>,
    /// How a command is stopped.
    pub(crate) interrupt: Option<InterruptSpec>,
    /// What programs of this kind ask.
    pub(crate) questions: Option<Vec<QuestionSpec>>,
    /// What the program asks its terminal.
    pub(crate) queries: Option<Vec<QuerySpec>>,
    /// Whether typed answers are written back, by prefixes or as `*`.
    pub(crate) echoes_answers: Option<At<bool>>,
    /// How values are written into commands.
    pub(crate) quoting: Option<At<QuotingName>>,
}
