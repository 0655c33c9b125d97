//! What commands do: the written form of a rule.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::script::{Effect, Guard};
use crate::spec::source::At;
use crate::spec::value::Text;

/// When a command has effects.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EffectSpec {
    /// The command's name: `*` stands for any characters, `{a,b}` for either. A program's name may be followed by its
    /// first words: `pac admin delete`.
    pub(crate) name: At<Text>,
    /// One of these parameters has to be given. Names may be typed short, and `*` stands for any characters.
    #[serde(default)]
    pub(crate) parameters: Vec<At<Text>>,
    /// The parameter's value has to be one of these, or not known before the command runs.
    #[serde(default)]
    pub(crate) values: Vec<At<Text>>,
    /// The parameter's value must be none of these.
    #[serde(default)]
    pub(crate) except_values: Vec<At<Text>>,
    /// One of the command's values, wherever it stands, has to be one of these.
    #[serde(default)]
    pub(crate) arguments: Vec<At<Text>>,
    /// Of what the command hands out, one of these properties may be shown: the text does not pick others by their names
    /// (`| Select-Object Name, Location`, `(…).Location`). Properties of a property follow a dot.
    #[serde(default)]
    pub(crate) shows: Vec<At<Text>>,
    /// What follows.
    pub(crate) effects: Vec<At<EffectName>>,
    /// Why, in words for the person who is asked.
    pub(crate) reason: At<Text>,
    /// Whether the rule of the verb (`Set-*`) does not count for these names. Default: false.
    #[serde(default)]
    pub(crate) instead_of_verb: bool,
    /// Whether these commands do it even with `-WhatIf`. Default: false.
    #[serde(default)]
    pub(crate) ignores_what_if: bool,
    /// What is decided at least, whatever the effects: `ask` asks everybody, `refuse` refuses programs and asks people, `programs`
    /// refuses programs and is reading for people.
    #[serde(default)]
    pub(crate) guard: Option<GuardName>,
}

/// A guard's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GuardName {
    /// Everybody is asked.
    Ask,
    /// Programs are refused, people are asked.
    Refuse,
    /// Programs are refused, for people it is reading.
    Programs,
}

impl From<GuardName> for Guard {
    fn from(name: GuardName) -> Self {
        match name {
            GuardName::Ask => Self::Ask,
            GuardName::Refuse => Self::Refuse,
            GuardName::Programs => Self::Programs,
        }
    }
}

/// An effect's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EffectName {
    /// Looks, and changes nothing.
    Reads,
    /// Changes something.
    Writes,
    /// Removes, disables or resets something.
    Destroys,
    /// Shows or hands out a secret.
    RevealsSecret,
    /// Sends something to people.
    Sends,
    /// Changes who may do what.
    ChangesRights,
    /// Makes mail go elsewhere, or go unseen.
    ForwardsMail,
    /// Shows what is in files on this machine.
    ReadsLocalFiles,
    /// Writes files on this machine.
    WritesLocalFiles,
    /// Signs in or out.
    SignsInOrOut,
    /// Ends the session's program.
    EndsSession,
    /// Runs what the text does not tell.
    UnknownCode,
}

impl From<EffectName> for Effect {
    fn from(name: EffectName) -> Self {
        match name {
            EffectName::Reads => Self::Reads,
            EffectName::Writes => Self::Writes,
            EffectName::Destroys => Self::Destroys,
            EffectName::RevealsSecret => Self::RevealsSecret,
            EffectName::Sends => Self::Sends,
            EffectName::ChangesRights => Self::ChangesRights,
            EffectName::ForwardsMail => Self::ForwardsMail,
            EffectName::ReadsLocalFiles => Self::ReadsLocalFiles,
            EffectName::WritesLocalFiles => Self::WritesLocalFiles,
            EffectName::SignsInOrOut => Self::SignsInOrOut,
            EffectName::EndsSession => Self::EndsSession,
            EffectName::UnknownCode => Self::UnknownCode,
        }
    }
}
