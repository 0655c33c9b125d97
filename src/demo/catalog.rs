//! From a scenario's name to a [`Scenario`]: finds the file, the built-in ones first, joins it with what it extends, sets
//! its parameters and compiles its patterns. It runs nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use super::holes;
use super::scenario::{CommandSpec, Outcome, ScenarioFile, Start, Step};
use crate::spec::{Diagnostics, SourceFile, load};

/// Why there is no such scenario.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioError {
    /// Not built in, and not a path.
    #[error("there is no scenario `{name}`")]
    Unknown {
        /// As it was asked for.
        name: String,
    },
    /// A file that cannot be read.
    #[error("the scenario `{path}` cannot be read")]
    Read {
        /// Where it should be.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not a scenario.
    #[error("the scenario is not well formed\n{0}")]
    Syntax(Diagnostics),
    /// Well formed, but it cannot mean anything.
    #[error("the scenario `{name}` cannot be played: {message}")]
    Meaning {
        /// Which file, or what was asked for.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The terminal is not to be had.
    #[error("the terminal cannot be taken over")]
    Terminal(#[source] std::io::Error),
}

impl ScenarioError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unknown { .. } => format!(
                "built in are {}; a file's path works too",
                names().collect::<Vec<_>>().join(", ")
            ),
            Self::Read { .. } => "check the path".to_owned(),
            Self::Syntax(_) | Self::Meaning { .. } => {
                "compare it with the files in fixtures/scenarios".to_owned()
            }
            Self::Terminal(_) => "run it in a terminal".to_owned(),
        }
    }
}

macro_rules! built_in {
    ($($name:literal: $path:literal,)*) => {
        const BUILT_IN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../fixtures/scenarios/", $path))),)*
        ];
    };
}

built_in! {
    "exo": "exo.yaml",
    "azure": "azure.yaml",
    "teams": "teams.yaml",
    "pnp": "pnp.yaml",
    "graph": "graph.yaml",
    "tenant": "tenant.yaml",
    "declined": "declined.yaml",
    "expired-code": "expired-code.yaml",
    "blocked": "blocked.yaml",
    "wrong-account": "wrong-account.yaml",
    "bad-app": "bad-app.yaml",
    "token-dies": "token-dies.yaml",
    "deaf": "deaf.yaml",
    "flood": "flood.yaml",
    "question": "question.yaml",
    "crash": "crash.yaml",
    "slow-start": "slow-start.yaml",
    "never-ready": "never-ready.yaml",
    "eats-frames": "eats-frames.yaml",
    "not-installed": "not-installed.yaml",
    "late-cancel": "late-cancel.yaml",
    "shared/azure": "shared/azure.yaml",
    "shared/entra": "shared/entra.yaml",
    "shared/exchange": "shared/exchange.yaml",
    "shared/graph": "shared/graph.yaml",
    "shared/pnp": "shared/pnp.yaml",
    "shared/powershell": "shared/powershell.yaml",
    "shared/teams": "shared/teams.yaml",
}

/// The scenarios that can be asked for by name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.contains('/'))
}

/// A scenario that can be played.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    /// Parameters and the state as it is at the start: what fills holes.
    pub(super) values: BTreeMap<String, String>,
    pub(super) start: Start,
    pub(super) late_cancel: Option<Duration>,
    pub(super) outcomes: BTreeMap<String, Outcome>,
    pub(super) commands: Vec<Command>,
}

/// A command of a scenario.
#[derive(Debug)]
pub(crate) struct Command {
    pattern: Regex,
    /// Whether it was written out and not as a pattern.
    is_text: bool,
    when: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

impl Command {
    fn holds(&self, values: &BTreeMap<String, String>) -> bool {
        self.when
            .iter()
            .all(|(key, wanted)| values.get(key) == Some(wanted))
    }
}

impl Scenario {
    /// Finds `name`, `path/to/file.yaml`, and either with `?key=value&key=value`.
    pub(crate) fn find(name: &str) -> Result<Self, ScenarioError> {
        let (file, parameters) = name.split_once('?').unwrap_or((name, ""));
        let mut loading = Loading::default();
        loading.add(file, None, 0)?;
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            loading.set(name, key, value)?;
        }
        loading.finish(name)
    }

    /// The command that is written out and is all of `text`, be it several statements.
    pub(super) fn whole(&self, text: &str, values: &BTreeMap<String, String>) -> Option<&Command> {
        self.commands.iter().find(|command| {
            command.is_text && command.holds(values) && command.pattern.is_match(text)
        })
    }

    /// The command that the statement `text` is, and its captures.
    pub(super) fn command(
        &self,
        text: &str,
        values: &BTreeMap<String, String>,
    ) -> Option<(&Command, BTreeMap<String, String>)> {
        self.commands.iter().find_map(|command| {
            let holds = command.holds(values);
            let captures = holds.then(|| command.pattern.captures(text)).flatten()?;
            let named = command.pattern.capture_names().flatten();
            let filled = named
                .map(|name| {
                    let value = captures.name(name).map_or("", |group| group.as_str());
                    (name.to_owned(), value.to_owned())
                })
                .collect();
            Some((command, filled))
        })
    }
}

/// Files that are being joined: the first one to say something wins.
#[derive(Default)]
struct Loading {
    parameters: BTreeMap<String, String>,
    state: BTreeMap<String, String>,
    start: Option<Start>,
    late_cancel: Option<String>,
    outcomes: BTreeMap<String, Outcome>,
    commands: Vec<Command>,
    /// Holes that are used, each with the file that does.
    holes: Vec<(String, String)>,
}

impl Loading {
    fn add(
        &mut self,
        name: &str,
        beside: Option<&Path>,
        depth: usize,
    ) -> Result<(), ScenarioError> {
        let (text, path) = source(name, beside)?;
        let meaning = |message: String| ScenarioError::Meaning {
            name: name.to_owned(),
            message,
        };
        if depth > 8 {
            return Err(meaning("it extends itself".to_owned()));
        }
        let file: ScenarioFile =
            load(&SourceFile::new(name, text.as_str())).map_err(ScenarioError::Syntax)?;
        for (key, value) in file.parameters {
            self.parameters.entry(key).or_insert(value);
        }
        for (key, value) in file.state {
            self.state.entry(key).or_insert(value);
        }
        for (key, outcome) in file.outcomes {
            self.outcomes.entry(key).or_insert(outcome);
        }
        self.start = self.start.take().or(file.start);
        self.late_cancel = self.late_cancel.take().or(file.late_cancel);
        for command in file.commands {
            self.commands.push(compile(command).map_err(meaning)?);
        }
        self.holes
            .extend(holes::names(&text).map(|hole| (name.to_owned(), hole.to_owned())));
        for base in &file.extends {
            self.add(base, path.as_deref(), depth + 1)?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, key: &str, value: &str) -> Result<(), ScenarioError> {
        let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
        let meaning = |message: String| ScenarioError::Meaning {
            name: name.to_owned(),
            message,
        };
        let Some(old) = self.parameters.get(key) else {
            return Err(meaning(format!(
                "`{key}` is not a parameter of it; it has {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            )));
        };
        if holes::duration(old).is_some() && holes::duration(value).is_none() {
            return Err(meaning(format!(
                "`{value}` is not a duration such as `50ms` or `3s`"
            )));
        }
        self.parameters.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn finish(self, name: &str) -> Result<Scenario, ScenarioError> {
        let meaning = |name: &str, message: String| ScenarioError::Meaning {
            name: name.to_owned(),
            message,
        };
        let known = |hole: &str| {
            hole == "i"
                || self.parameters.contains_key(hole)
                || self.state.contains_key(hole)
                || self.commands.iter().any(|command| {
                    command
                        .pattern
                        .capture_names()
                        .flatten()
                        .any(|group| group == hole)
                })
        };
        if let Some((file, hole)) = self.holes.iter().find(|(_, hole)| !known(hole)) {
            return Err(meaning(
                file,
                format!("nothing fills the hole `{{{hole}}}`"),
            ));
        }
        let late_cancel = match &self.late_cancel {
            None => None,
            Some(text) => Some(
                holes::duration(text)
                    .ok_or_else(|| meaning(name, format!("`{text}` is not a duration")))?,
            ),
        };
        if let Some(outcome) = self.parameters.get("outcome")
            && !self.outcomes.contains_key(outcome)
        {
            let known: Vec<&str> = self.outcomes.keys().map(String::as_str).collect();
            return Err(meaning(
                name,
                format!(
                    "there is no outcome `{outcome}`; there are {}",
                    known.join(", ")
                ),
            ));
        }
        let mut values = self.state;
        values.extend(self.parameters);
        Ok(Scenario {
            values,
            start: self.start.unwrap_or_default(),
            late_cancel,
            outcomes: self.outcomes,
            commands: self.commands,
        })
    }
}

/// A scenario's text, and its path if it is a file.
fn source(name: &str, beside: Option<&Path>) -> Result<(String, Option<PathBuf>), ScenarioError> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Ok(((*text).to_owned(), None));
    }
    if !name.contains('/') && Path::new(name).extension().is_none() {
        return Err(ScenarioError::Unknown {
            name: name.to_owned(),
        });
    }
    let folder = beside.and_then(Path::parent).unwrap_or(Path::new(""));
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((text, Some(path))),
        Err(source) => Err(ScenarioError::Read {
            path: path.display().to_string(),
            source,
        }),
    }
}

fn compile(command: CommandSpec) -> Result<Command, String> {
    let pattern = match (&command.text, &command.pattern) {
        (Some(text), None) => regex::escape(text),
        (None, Some(pattern)) => pattern.clone(),
        _ => return Err("a command has either `text` or `pattern`".to_owned()),
    };
    let pattern = RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .build()
        .map_err(|error| format!("`{pattern}` is not a pattern: {error}"))?;
    Ok(Command {
        pattern,
        is_text: command.text.is_some(),
        when: command.when,
        steps: command.steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(text: &str) -> Result<Scenario, ScenarioError> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("own.yaml");
        std::fs::write(&path, text).expect("it can be written");
        Scenario::find(&path.display().to_string())
    }

    #[test]
    fn every_built_in_scenario_can_be_played() {
        for name in names() {
            assert!(
                Scenario::find(name).is_ok(),
                "{name}: {:?}",
                Scenario::find(name)
            );
        }
    }

    #[test]
    fn unknown_keys_holes_and_parameters_refuse() {
        for (text, says) in [
            ("titel: x", "titel"),
            ("commands: [{text: a, steps: [{sleep: 3s}]}]", "sleep"),
            (
                "commands: [{text: a, steps: [{text: '{nobody}'}]}]",
                "{nobody}",
            ),
            (
                "commands: [{text: a, pattern: b, steps: []}]",
                "either `text` or `pattern`",
            ),
            ("commands: [{pattern: '(', steps: []}]", "not a pattern"),
            ("late_cancel: soon", "not a duration"),
            ("state: {a: x, a: y}", "given twice"),
            ("commands: [{text: a, steps: [{ask: {knd: text}}]}]", "knd"),
        ] {
            let error = from_text(text).expect_err("it is not a scenario");
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
        for name in [
            "exo?aprove=1s",
            "exo?approve=soon",
            "exo?outcome=maybe",
            "nope",
        ] {
            assert!(Scenario::find(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_users_file_builds_on_the_shared_ones() {
        let scenario = from_text("extends: [exo]\nparameters: {account: eve@contoso.com}")
            .expect("it is a scenario");
        assert_eq!(scenario.values["account"], "eve@contoso.com");
        assert!(!scenario.commands.is_empty());
    }
}
