//! What follows from the language: methods, types, redirections, definitions and assignments.

use super::super::parsed::{Parsed, Word};
use super::super::places::Place;
use super::super::{dotnet, local, places};
use super::Judge;
use super::names::plain_name;
use crate::script::{Effect, EffectRule};

impl<'r, R: Iterator<Item = &'r EffectRule> + Clone> Judge<R> {
    pub(super) fn rest(&mut self, parsed: &Parsed) {
        for setting in &parsed.settings {
            self.language(
                Effect::UnknownCode,
                &setting.text,
                setting.line,
                "it can change what later commands do",
            );
        }
        for member in parsed
            .members
            .iter()
            .filter(|member| !dotnet::is_harmless(member, &parsed.collections))
        {
            let what = member.name.as_deref().unwrap_or(&member.on);
            let is_exit = member.is_static && what.eq_ignore_ascii_case("exit");
            if is_exit {
                self.language(
                    Effect::EndsSession,
                    what,
                    member.line,
                    "it ends the program",
                );
            }
            let why = "what the method does is not known";
            self.language(Effect::UnknownCode, what, member.line, why);
        }
        for operand in &parsed.operands {
            if places::of_operand(&operand.value, parsed) == Place::Unknown {
                let Word { text, line } = &operand.word;
                self.language(Effect::UnknownCode, text, *line, super::MAY_BE_CODE);
            }
        }
        self.types(parsed);
        for word in &parsed.drives {
            if let Some((effect, why)) = local::drive(&word.text) {
                self.language(effect, &word.text, word.line, why);
            }
        }
        for word in &parsed.files {
            let (effect, why) = local::file(Some(&word.text));
            self.language(effect, &word.text, word.line, why);
        }
        for word in &parsed.code {
            let why = "it may be the code of a command, which then runs under no name";
            self.language(Effect::UnknownCode, &word.text, word.line, why);
        }
        for target in &parsed.redirects {
            if !matches!(target.text.to_lowercase().as_str(), "$null" | "/dev/null") {
                let why = "output is written to a file";
                self.language(Effect::WritesLocalFiles, &target.text, target.line, why);
                if target.text.contains(':') || target.text.contains("/dev/") {
                    let why = "it may be no file, but a command, a setting or another machine";
                    self.language(Effect::UnknownCode, &target.text, target.line, why);
                }
            }
        }
        for function in &parsed.functions {
            let name = plain_name(&function.text);
            let shadows = name.contains(['-', ':', '%', '?'])
                || matches!(
                    name.as_str(),
                    "prompt" | "tabexpansion2" | "psconsolehostreadline"
                )
                || self
                    .rules
                    .clone()
                    .any(|rule| rule.names.iter().any(|glob| glob.fits(&name)));
            if shadows {
                let why = "it takes the place of a command of this name";
                self.language(Effect::UnknownCode, &function.text, function.line, why);
            }
        }
        for using in &parsed.usings {
            let words = using.text.to_lowercase();
            let mut words = words.split_whitespace().skip(1);
            let is_name = words.next() == Some("namespace")
                && words.next().is_some_and(|name| name.starts_with("system"));
            if !is_name {
                let why = "it loads code";
                self.language(Effect::UnknownCode, &using.text, using.line, why);
            }
        }
        for assign in &parsed.assigns {
            if let Some((effect, why)) = assigned(&assign.text) {
                self.language(effect, &assign.text, assign.line, why);
            }
        }
        for line in &parsed.exits {
            self.language(Effect::EndsSession, "exit", *line, "it ends the program");
        }
    }

    /// Types that are defined or named: turning a value into one can do anything that its class does.
    fn types(&mut self, parsed: &Parsed) {
        for word in &parsed.types {
            let why = "a class runs its code where no command is seen";
            self.language(Effect::UnknownCode, &word.text, word.line, why);
        }
        for word in &parsed.named_types {
            if !dotnet::is_plain_type(&word.text) {
                let why = "what becomes of a value that is turned into this type is not known";
                self.language(Effect::UnknownCode, &word.text, word.line, why);
            }
        }
    }
}

/// Whether an assignment sets a property: of a file it may be its mode, of a process its priority. An index is none.
fn sets_property(target: &str) -> bool {
    let mut quote = None;
    let mut unquoted = String::with_capacity(target.len());
    for c in target.chars() {
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        } else if quote.is_none() {
            unquoted.push(c);
        }
    }
    unquoted
        .split_once('$')
        .is_some_and(|(_, rest)| rest.contains('.') && !rest.trim_end().ends_with(']'))
}

/// What an assignment does beyond giving a variable of the session a value.
fn assigned(target: &str) -> Option<(Effect, &'static str)> {
    let target = target.to_lowercase();
    let mut found = None;
    if sets_property(&target) {
        found = Some((
            Effect::UnknownCode,
            "it sets a property of an object that the text has not made",
        ));
    }
    let root = target
        .rsplit_once(']')
        .map_or(target.as_str(), |(_, rest)| rest);
    if target.contains("::")
        || !(target.contains('$') || root.starts_with('@'))
        || target.starts_with('(')
    {
        found = Some((
            Effect::UnknownCode,
            "it changes an object that lasts longer than the text",
        ));
    }
    for part in target.split('$').skip(1) {
        let name: String = part
            .trim_start_matches('{')
            .chars()
            .take_while(|c| !matches!(c, '}' | ',' | ' ' | '.' | '['))
            .collect();
        let (drive, name) = name.split_once(':').unwrap_or(("", &name));
        found = found.or(match (drive, name) {
            ("" | "global" | "script" | "local" | "private" | "variable", name) => match name {
                "psdefaultparametervalues"
                | "executioncontext"
                | "psmoduleautoloadingpreference" => {
                    Some((Effect::UnknownCode, "it changes what later commands do"))
                }
                "confirmpreference" | "whatifpreference" => {
                    Some((Effect::Writes, "it changes whether later commands ask"))
                }
                _ => None,
            },
            ("env", _) => Some((
                Effect::UnknownCode,
                "it changes what programs are found and how they behave",
            )),
            ("function" | "alias", _) => Some((Effect::UnknownCode, "it redefines a command")),
            _ => Some((Effect::WritesLocalFiles, "it writes to a drive")),
        });
    }
    found
}
