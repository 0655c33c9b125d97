//! [`Lookup`]: what a command's names mean in its session. A text that only reads by its names does not read if the session
//! has something else under one of them.
//!
//! `PowerShell`'s own lookup is asked (`CommandInvocationIntrinsics.GetCommand`), with language and methods alone: a cmdlet's
//! name could be taken as well. An alias is followed, and what it stands for is judged; a function has to be a module's. A
//! name that is not found fails by itself. A command that is told to say only what it would do has to be one that `PowerShell`
//! itself gives `-WhatIf`: a parameter of that name alone proves nothing.

use serde::Deserialize;
use serde_json::Value;

use super::judge::{is_comparison, is_told_by_alias, judge};
use super::parsed::Parsed;
use super::read::parse;
use crate::script::{Effect, EffectRules, Module};

/// The modules of Exchange's commands, which are made anew at each sign-in. Each of their functions declares its parameters by
/// itself and hands them to the service, which is what knows `-WhatIf`.
const PROXIES: &str = "tmpexo_";

/// The names of a text that is to pass as reading.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    parsed: Parsed,
    rules: EffectRules,
    names: Vec<String>,
    /// The commands that are told `-WhatIf`: each has to know it.
    told: Vec<String>,
    /// What the text does by its names.
    effects: Vec<Effect>,
    /// The names that the text defines itself.
    own: Vec<String>,
    is_bash: bool,
}

/// What the session says about a name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Meaning {
    name: String,
    /// `CommandType` of what the name finds; empty where it finds nothing.
    kind: String,
    /// Behind all aliases: the name, `CommandType`, and the module that owns it.
    target: String,
    resolved: String,
    module: String,
    /// Whether it has a parameter called `WhatIf`, and whether that is the one of `SupportsShouldProcess`.
    what_if: bool,
    holds_back: bool,
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
        (!names.is_empty()).then_some(Self {
            is_bash: bash,
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
        if self.is_bash {
            let names = self.names.join(" ");
            return Ok(format!(
                r#"for mm_name in {names}; do builtin printf '%s\t%s\n' "$mm_name" "$(builtin type -t -- "$mm_name")"; done; builtin unset mm_name"#
            ));
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("'{name}'")).collect();
        // Reading a command's parameters loads what it is made of, so it is only done where it matters.
        let what_if = if self.told.is_empty() {
            "what_if = $false; holds_back = $false"
        } else {
            "what_if = [bool]($t.Parameters -and $t.Parameters.ContainsKey('WhatIf')); holds_back = [bool]($t -and [System.Management.Automation.CommandMetadata]::new($t).SupportsShouldProcess)"
        };
        Ok(format!(
            "& {{ foreach ($n in {}) {{ $c = $ExecutionContext.InvokeCommand.GetCommand($n, 'All'); $t = $c; while ($t -and \"$($t.CommandType)\" -eq 'Alias') {{ $t = $t.ResolvedCommand }}; [pscustomobject]@{{ name = $n; kind = \"$($c.CommandType)\"; target = \"$($t.Name)\"; resolved = \"$($t.CommandType)\"; module = \"$($t.ModuleName)\"; {what_if} }} }} }}",
            names.join(",")
        ))
    }

    /// Whether the text still only reads, by what the session answered. An error says what is in the way.
    pub(crate) fn verdict(mut self, objects: Vec<Value>, text: &str) -> Result<(), String> {
        let meanings: Vec<Meaning> = if self.is_bash {
            text.lines().filter_map(bash_meaning).collect()
        } else {
            objects
                .into_iter()
                .filter_map(|object| serde_json::from_value(object).ok())
                .collect()
        };
        for name in self.names.clone() {
            let meaning = meanings.iter().find(|one| one.name == name);
            let meaning = meaning.ok_or_else(|| {
                format!("the session does not say what `{name}` is, so it does not pass as reading")
            })?;
            self.check(&name, meaning)?;
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

/// A line of what Bash answered: the name and what `type -t` calls it.
fn bash_meaning(line: &str) -> Option<Meaning> {
    let (name, kind) = line.split_once('\t')?;
    Some(Meaning {
        name: name.to_owned(),
        kind: kind.to_owned(),
        resolved: kind.to_owned(),
        ..Meaning::default()
    })
}

/// What a name may be of to be asked about: nothing that a quote, a shell or a pattern would take for its own.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\\' | '.' | '%' | '?')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::spec::Catalog;

    fn lookup(module: &str, text: &str, told: &[&str]) -> Lookup {
        let catalog = Catalog::load(&[]);
        let module = catalog.module(module).expect("it is built in");
        let rules = EffectRules::new(catalog.effects(), Arc::clone(&module.effects));
        let told = told.iter().map(|name| (*name).to_owned()).collect();
        Lookup::new(text, &module, rules, told).expect("it has names")
    }

    fn meaning(name: &str, kind: &str, target: &str, resolved: &str, module: &str) -> Value {
        json!({"name": name, "kind": kind, "target": target, "resolved": resolved, "module": module, "what_if": false, "holds_back": false})
    }

    #[test]
    fn the_session_is_asked_without_its_own_commands() {
        let asked = lookup("exo", "Get-Mailbox | ? Name | Sort-Object Name", &[]);
        let command = asked.command().expect("they are plain names");
        assert!(
            command.contains("in 'Get-Mailbox','?','Sort-Object')"),
            "{command}"
        );
        assert!(!command.contains("ContainsKey"), "{command}");
        let told = lookup("exo", "Remove-Mailbox -WhatIf x", &["Remove-Mailbox"]);
        assert!(
            told.command()
                .is_ok_and(|command| command.contains("ContainsKey('WhatIf')"))
        );
        assert!(lookup("exo", "& \"Get-Mail'box\"", &[]).command().is_err());
    }

    #[test]
    fn a_modules_own_commands_pass() {
        let asked = lookup("exo", "Get-Mailbox | select Name; Get-Nothing", &[]);
        let answer = vec![
            meaning(
                "Get-Mailbox",
                "Function",
                "Get-Mailbox",
                "Function",
                "tmpEXO_x",
            ),
            meaning(
                "select",
                "Alias",
                "Select-Object",
                "Cmdlet",
                "Microsoft.PowerShell.Utility",
            ),
            meaning("Get-Nothing", "", "", "", ""),
        ];
        assert_eq!(asked.verdict(answer, ""), Ok(()));
    }

    #[test]
    fn what_is_something_else_does_not_pass() {
        for (answer, why) in [
            (
                meaning("Get-X", "Function", "Get-X", "Function", ""),
                "no module owns",
            ),
            (
                meaning("Get-X", "Application", "Get-X", "Application", ""),
                "another program",
            ),
            (
                meaning("Get-X", "ExternalScript", "Get-X.ps1", "ExternalScript", ""),
                "a script",
            ),
            (
                meaning("Get-X", "Alias", "Remove-Mailbox", "Function", "m"),
                "may do more than read",
            ),
            (meaning("Get-X", "Alias", "", "", ""), "not there"),
            (
                meaning("Get-X", "Alias", "Get-Y", "Function", ""),
                "no module owns",
            ),
            (
                meaning("Get-Z", "Cmdlet", "Get-Z", "Cmdlet", "m"),
                "does not say what",
            ),
        ] {
            let verdict = lookup("exo", "Get-X", &[]).verdict(vec![answer], "");
            assert!(
                verdict.as_ref().is_err_and(|said| said.contains(why)),
                "{verdict:?}"
            );
        }
    }

    /// The lookup of a text in a real Bash that has run `before`.
    fn in_bash(before: &str, text: &str) -> Result<(), String> {
        let asked = lookup("az", text, &[]);
        let command = asked.command().expect("they are plain names");
        let said = std::process::Command::new("bash")
            .args(["--norc", "-c", &format!("{before}\n{command}")])
            .output()
            .expect("there is a Bash");
        asked.verdict(Vec::new(), &String::from_utf8_lossy(&said.stdout))
    }

    #[test]
    fn bash_says_what_is_a_function_of_its_own() {
        assert_eq!(in_bash("", "az vm list | jq x"), Ok(()));
        let said = in_bash("az() { :; }", "az vm list");
        assert_eq!(
            said,
            Err("`az` is a function in the session, so it does not pass as reading".to_owned())
        );
    }

    #[test]
    fn what_if_is_only_for_what_knows_it() {
        let mut answer = meaning(
            "Remove-Mailbox",
            "Function",
            "Remove-Mailbox",
            "Function",
            "m",
        );
        let asked = || lookup("exo", "Remove-Mailbox -WhatIf x", &["Remove-Mailbox"]);
        let said = asked().verdict(vec![answer.clone()], "");
        assert!(said.is_err_and(|said| said.contains("would simply act")));
        // A parameter that a function declares by itself is nothing that it has to heed.
        answer["what_if"] = json!(true);
        assert!(asked().verdict(vec![answer.clone()], "").is_err());
        // But Exchange's own do, by its full name.
        answer["module"] = json!("tmpEXO_abc.def");
        assert_eq!(asked().verdict(vec![answer.clone()], ""), Ok(()));
        let short = lookup("exo", "Remove-Mailbox -wi x", &["Remove-Mailbox"]);
        assert!(short.verdict(vec![answer.clone()], "").is_err());
        answer["module"] = json!("m");
        answer["holds_back"] = json!(true);
        assert_eq!(asked().verdict(vec![answer], ""), Ok(()));
    }
}
