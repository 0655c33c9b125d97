//! What a command's name and its own values say, whatever the rules.

use super::super::parsed::{Command, Value};
use super::super::{dotnet, written};
use super::Judge;
use crate::script::{Effect, EffectRule, Glob};

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    /// `ForEach-Object Delete` calls a method by its name.
    pub(super) fn members_by_name(&mut self, command: &Command) {
        let given = command
            .parameters()
            .filter(|(name, _)| Glob::new("MemberName").fits_parameter(&name.to_lowercase()))
            .filter_map(|(_, value)| value);
        let names: Vec<Value> = given.chain(command.positional()).cloned().collect();
        for value in names {
            let harmless = match &value {
                Value::Text(name) => dotnet::is_harmless_name(name),
                Value::Block => true,
                Value::List(values) => values.iter().all(|value| *value == Value::Block),
                Value::Flag(_)
                | Value::Pattern(_)
                | Value::Table(_)
                | Value::Variable(_)
                | Value::Expression
                | Value::Unknown => false,
            };
            if !harmless {
                let what = value.as_text().unwrap_or(&command.first).to_owned();
                let why = "it may call a method of this name";
                self.language(Effect::UnknownCode, &what, command.line, why);
            }
        }
    }
}

/// Whether `New-Object` makes a mere list, table or record.
pub(super) fn makes_plain_object(command: &Command) -> bool {
    let name = |name: &str| {
        let name = name.to_lowercase();
        ["typename", "property", "argumentlist"]
            .iter()
            .any(|full| full.starts_with(&name))
    };
    let typed = command
        .parameters()
        .find(|(name, _)| "typename".starts_with(&name.to_lowercase()))
        .and_then(|(_, value)| value)
        .or_else(|| command.positional().next());
    command.parameters().all(|(given, _)| name(given))
        && typed
            .and_then(Value::as_text)
            .is_some_and(|typed| dotnet::is_plain_type(&format!("[{typed}]")))
}

/// Whether it is a command that runs what it is given, and that is no literal block.
pub(super) fn runs_given_code(name: &str, command: &Command) -> bool {
    let unknown = |value: &Value| value.is_unknown() || matches!(value, Value::Pattern(_));
    let positional = command.positional().any(unknown);
    let named = |wanted: &[&str]| {
        command.parameters().any(|(name, value)| {
            let name = name.to_lowercase();
            let is_wanted = wanted.iter().any(|one| one.starts_with(&name));
            is_wanted && value.is_some_and(unknown)
        })
    };
    match name {
        "invoke-command" | "icm" | "start-job" | "sajb" | "measure-command" => {
            positional || named(&["scriptblock", "expression"])
        }
        "foreach-object" | "foreach" | "%" => {
            positional || named(&["process", "begin", "end", "remainingscripts", "parallel"])
        }
        "where-object" | "where" | "?" => positional || named(&["filterscript"]),
        _ => false,
    }
}

/// In lower case, with plain dashes: PowerShell takes long ones in the names of cmdlets, too.
pub(super) fn plain_name(name: &str) -> String {
    name.chars()
        .map(|c| if written::is_dash(c) { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

pub(super) fn is_file(name: &str) -> bool {
    name.starts_with(['.', '~', '/', '\\'])
        || name.contains(['/', ':'])
        || [".ps1", ".exe", ".cmd", ".bat", ".sh", ".com"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether it reads like `Name -eq 'x'`.
pub(in crate::policy) fn is_comparison(command: &Command) -> bool {
    let is_word = command.name.as_deref().is_some_and(|name| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    });
    let compares = command.parameters().next().is_some_and(|(name, _)| {
        [
            "eq", "ne", "like", "notlike", "gt", "ge", "lt", "le", "match", "contains",
        ]
        .contains(&name.to_lowercase().as_str())
    });
    is_word && compares
}

/// Whether it is told by the other name of `-WhatIf`, which only commands have that support it in full.
pub(in crate::policy) fn is_told_by_alias(command: &Command) -> bool {
    command
        .parameters()
        .any(|(name, _)| name.eq_ignore_ascii_case("wi"))
}
