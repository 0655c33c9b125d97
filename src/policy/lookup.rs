//! [`Lookup`]: what a command's names mean in its session. A text that only reads by its names does not read if the session
//! has something else under one of them.
//!
//! `PowerShell`'s own lookup is asked (`CommandInvocationIntrinsics.GetCommand`), with language and methods alone: a cmdlet's
//! name could be taken as well. An alias is followed, and what it stands for is judged; a function has to be a module's. A
//! name that is not found fails by itself. A command that is told to say only what it would do has to be one that `PowerShell`
//! itself gives `-WhatIf`: a parameter of that name alone proves nothing.
//!
//! A variable that stands where a block would run has to hold a plain value: an earlier run may have left code in it. And
//! nothing may lie in wait in the session that changes what every command does.

use std::collections::BTreeSet;

use serde_json::Value;

use self::asked::Meaning;
use super::judge::{is_comparison, is_told_by_alias, judge};
use super::parsed::Parsed;
use super::places;
use super::read::parse;
use crate::script::{Effect, EffectRules, Module};

mod asked;

/// The modules of Exchange's commands, which are made anew at each sign-in. Each of their functions declares its parameters by
/// itself and hands them to the service, which is what knows `-WhatIf`.
const PROXIES: &str = "tmpexo_";

/// The names of a text that is to pass as reading.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    parsed: Parsed,
    rules: EffectRules,
    names: Vec<String>,
    /// Variables that have to hold plain values, in lower case.
    variables: BTreeSet<String>,
    /// The commands that are told `-WhatIf`: each has to know it.
    told: Vec<String>,
    /// What the text does by its names.
    effects: Vec<Effect>,
    /// The names that the text defines itself.
    own: Vec<String>,
    is_bash: bool,
}

impl Lookup {
    /// The lookup of `text`. `None`: there is nothing to look up.
    pub(crate) fn new(
        text: &str,
        module: &Module,
        rules: EffectRules,
        told: Vec<String>,
    ) -> Option<Self> {
        let parsed = parse(text, Some(module));
        let defined = |name: &str| {
            let is_it = |word: &super::parsed::Word| word.text.eq_ignore_ascii_case(name);
            parsed.functions.iter().any(is_it)
        };
        let bash = module.shell.name.as_str() == "bash";
        let effects = judge(&parsed, rules.iter()).effects();
        let mut names: Vec<String> = Vec::new();
        let called = parsed
            .commands
            .iter()
            .filter(|one| !(one.in_filter && is_comparison(one)));
        for name in called.filter_map(|one| one.name.as_ref()) {
            // What the text defines itself can still be the name of an alias, which goes before it.
            let is_listed = names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let is_skipped = bash && defined(name);
            if !is_listed && !is_skipped {
                names.push(name.clone());
            }
        }
        let held = places::held(&parsed);
        let variables: BTreeSet<String> = held.into_iter().map(str::to_owned).collect();
        (!names.is_empty() || !variables.is_empty()).then_some(Self {
            is_bash: bash,
            variables,
            own: names.iter().filter(|name| defined(name)).cloned().collect(),
            effects,
            parsed,
            rules,
            names,
            told,
        })
    }

    /// What to ask the session. An error where a name cannot be asked about.
    pub(crate) fn command(&self) -> Result<String, String> {
        let plain = |name: &String| name.chars().all(is_plain);
        if let Some(odd) = self.names.iter().find(|name| !plain(name)) {
            return Err(format!("`{odd}` is no name that can be looked up"));
        }
        Ok(if self.is_bash {
            asked::of_bash(&self.names)
        } else {
            asked::of_powershell(&self.names, &self.variables, !self.told.is_empty())
        })
    }

    /// Whether the text still only reads, by what the session answered. An error says what is in the way.
    pub(crate) fn verdict(mut self, objects: Vec<Value>, text: &str) -> Result<(), String> {
        let meanings = if self.is_bash {
            asked::bash_said(text)?
        } else {
            asked::powershell_said(&objects, &self.variables)?
        };
        for name in self.names.clone() {
            let meaning = meanings.iter().find(|one| one.name == name);
            let meaning = meaning.ok_or_else(|| {
                format!("the session does not say what `{name}` is, so it does not pass as reading")
            })?;
            self.check(&name, meaning)?;
        }
        // Behind an alias, more may stand where a block would run.
        if let Some(name) = places::held(&self.parsed)
            .into_iter()
            .find(|name| !self.variables.contains(*name))
        {
            return Err(format!(
                "what `${name}` holds was not looked up, so it does not pass as reading"
            ));
        }
        let judged = judge(&self.parsed, self.rules.iter());
        let is_new =
            |found: &&super::Finding| !found.is_reading() && !self.effects.contains(&found.effect);
        match judged.findings.iter().find(is_new) {
            None => Ok(()),
            Some(found) => Err(format!(
                "`{}`, which the session has behind an alias, may do more than read: {}",
                found.what, found.reason
            )),
        }
    }

    /// Refuses what is not a module's own, and puts what an alias stands for in its place.
    fn check(&mut self, name: &str, meaning: &Meaning) -> Result<(), String> {
        let not = |what: &str| {
            Err(format!(
                "`{name}` is {what} in the session, so it does not pass as reading"
            ))
        };
        let is_own = self.own.iter().any(|own| own == name);
        if is_own && !matches!(meaning.kind.as_str(), "" | "Function" | "Filter") {
            return not("something else than the function that the text defines");
        }
        match meaning.resolved.as_str() {
            "Function" | "Filter" if is_own => {}
            "Cmdlet" | "file" | "builtin" | "keyword" => {}
            "Function" | "Filter" if !meaning.module.is_empty() => {}
            "Function" | "Filter" | "Configuration" => {
                return not("a function that no module owns");
            }
            "function" => return not("a function"),
            "alias" => return not("an alias"),
            "Application" => return not("another program"),
            "ExternalScript" | "Script" => return not("a script"),
            // It is not there, and calling it fails.
            "" if meaning.kind.is_empty() => {}
            "" => return not("an alias of something that is not there"),
            other => return not(&format!("of a kind that is not known ({other})")),
        }
        let is_told = self.told.iter().any(|told| told.eq_ignore_ascii_case(name));
        let mut calls = self.parsed.commands.iter();
        let by_alias = calls.any(|one| one.name.as_deref() == Some(name) && is_told_by_alias(one));
        let is_proxy = meaning.module.to_lowercase().starts_with(PROXIES);
        let holds_back = meaning.holds_back || (meaning.what_if && is_proxy && !by_alias);
        if is_told && !holds_back {
            return Err(format!(
                "`{name}` does not know `-WhatIf` in the session, and would simply act"
            ));
        }
        if meaning.kind == "Alias" {
            // Only a command that really takes a filter as text leaves what is in it alone.
            for command in &mut self.parsed.commands {
                command.in_filter = false;
            }
            for command in &mut self.parsed.commands {
                if command.name.as_deref() == Some(name) {
                    command.name = Some(meaning.target.clone());
                }
            }
        }
        Ok(())
    }
}

/// What a name may be of to be asked about: nothing that a quote, a shell or a pattern would take for its own.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\\' | '.' | '%' | '?')
}

#[cfg(test)]
mod tests;
