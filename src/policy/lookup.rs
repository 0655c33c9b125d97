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

use serde::Deserialize;
use serde_json::Value;

use super::judge::{is_comparison, is_told_by_alias, judge};
use super::parsed::Parsed;
use super::places;
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

/// What the session says about a variable.
#[derive(Debug, Deserialize)]
struct Held {
    variable: String,
    /// Whether it is a text, a number or the like, or a list of such.
    plain: bool,
}

/// What the session says about what lies in wait in it.
#[derive(Debug, Deserialize)]
struct Waiting {
    /// Whether commands have values for parameters that nobody gives them (`$PSDefaultParameterValues`).
    defaults: bool,
    /// Whether code runs when a command is looked up.
    hooks: bool,
}

/// What the session says about a name.
#[derive(Debug, Clone, Default, Deserialize)]
struct Meaning {
    name: String,
    /// `CommandType` of what the name finds; empty where it finds nothing.
    #[serde(default)]
    kind: String,
    /// Behind all aliases: the name, `CommandType`, and the module that owns it.
    #[serde(default)]
    target: String,
    #[serde(default)]
    resolved: String,
    #[serde(default)]
    module: String,
    /// Whether it has a parameter called `WhatIf`, and whether that is the one of `SupportsShouldProcess`.
    #[serde(default)]
    what_if: bool,
    #[serde(default)]
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
        if self.is_bash {
            let names = self.names.join(" ");
            return Ok(format!(
                r#"{BASH_STATE}; for mm_name in {names}; do builtin printf '%s\t' "$mm_name"; builtin type -t -- "$mm_name" || builtin printf '\n'; done; builtin unset mm_name mm_line mm_path"#
            ));
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("'{name}'")).collect();
        // Reading a command's parameters loads what it is made of, so it is only done where it matters.
        let what_if = if self.told.is_empty() {
            "what_if = $false; holds_back = $false"
        } else {
            "what_if = [bool]($__mmt.Parameters -and $__mmt.Parameters.ContainsKey('WhatIf')); holds_back = [bool]($__mmt -and [System.Management.Automation.CommandMetadata]::new($__mmt).SupportsShouldProcess)"
        };
        let list = |names: &[String]| match names {
            [] => "@()".to_owned(),
            names => names.join(","),
        };
        let variables = self.variables.iter();
        let variables: Vec<String> = variables.map(|name| format!("'{name}'")).collect();
        Ok(format!(
            "& {{ foreach ($__mmn in {}) {{ $__mmc = $ExecutionContext.InvokeCommand.GetCommand($__mmn, 'All'); $__mmt = $__mmc; while ($__mmt -and \"$($__mmt.CommandType)\" -eq 'Alias') {{ $__mmt = $__mmt.ResolvedCommand }}; [pscustomobject]@{{ name = $__mmn; kind = \"$($__mmc.CommandType)\"; target = \"$($__mmt.Name)\"; resolved = \"$($__mmt.CommandType)\"; module = \"$($__mmt.ModuleName)\"; {what_if} }} }}; foreach ($__mmv in {}) {PLAIN}; {WAITING} }}",
            list(&names),
            list(&variables),
        ))
    }

    /// Whether the text still only reads, by what the session answered. An error says what is in the way.
    pub(crate) fn verdict(mut self, objects: Vec<Value>, text: &str) -> Result<(), String> {
        let meanings: Vec<Meaning> = if self.is_bash {
            text.lines().filter_map(bash_meaning).collect()
        } else {
            read(&objects)
        };
        if self.is_bash {
            check_bash(&meanings)?;
        } else {
            self.check_state(&objects)?;
        }
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

    /// Refuses a variable that may hold code where it would run, and a session in which something lies in wait.
    fn check_state(&self, objects: &[Value]) -> Result<(), String> {
        let held: Vec<Held> = read(objects);
        for name in &self.variables {
            let said = held.iter().find(|held| held.variable == *name);
            if !said.is_some_and(|held| held.plain) {
                return Err(format!(
                    "`${name}` may hold code in the session, and stands where that would run, so it does not pass as reading"
                ));
            }
        }
        match read(objects).as_slice() {
            [Waiting { defaults: false, hooks: false }] => Ok(()),
            [Waiting { defaults: true, .. }] => Err(
                "the session has values for parameters that nobody gives (`$PSDefaultParameterValues`), so nothing passes as reading in it".to_owned(),
            ),
            [Waiting { hooks: true, .. }] => Err(
                "the session runs code when a command is looked up, so nothing passes as reading in it".to_owned(),
            ),
            [] | [_, _, ..] => Err("the session does not say what lies in wait in it, so it does not pass as reading".to_owned()),
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

/// Whether `$__mmv` holds a plain value: no code, and nothing that could hand it out. With language and methods alone; a list is
/// only gone through where it is no class's own.
const PLAIN: &str = "{ $__mmo = $ExecutionContext.SessionState.PSVariable.GetValue($__mmv); $__mmp = $null -eq $__mmo -or $__mmo -is [string] -or $__mmo -is [valuetype]; if ($__mmo -is [object[]] -or $__mmo -is [string[]]) { $__mmp = $true; foreach ($__mmi in $__mmo) { if (-not ($null -eq $__mmi -or $__mmi -is [string] -or $__mmi -is [valuetype])) { $__mmp = $false } } }; [pscustomobject]@{ variable = $__mmv; plain = $__mmp } }";

/// What changes every command of a session. A table's own entries could answer for its properties, but not for its methods.
const WAITING: &str = "$__mmw = $ExecutionContext.InvokeCommand; [pscustomobject]@{ defaults = [bool]($null -ne $PSDefaultParameterValues -and $PSDefaultParameterValues.get_Count()); hooks = [bool]($__mmw.PreCommandLookupAction -or $__mmw.PostCommandLookupAction -or $__mmw.CommandNotFoundAction) }";

/// The objects of one form among those that the session answered with.
fn read<T: serde::de::DeserializeOwned>(objects: &[Value]) -> Vec<T> {
    let read = |object: &Value| T::deserialize(object).ok();
    objects.iter().filter_map(read).collect()
}

/// Whether programs are looked for where they were when the session began, with nothing remembered under a name; and what runs
/// before every command. Without a subshell: a fork takes longer than all the rest.
const BASH_STATE: &str = r#"builtin hash -r; mm_path=changed; while IFS= builtin read -r -d '' mm_line; do [[ $mm_line != "PATH=$PATH" ]] || mm_path=same; done < "/proc/$$/environ"; builtin printf '%s\t%s\n*trap\t' '*path' "$mm_path"; builtin trap -p DEBUG; builtin printf '\n'"#;

/// Refuses a session in which another program may stand under a name, or something runs beside each.
fn check_bash(meanings: &[Meaning]) -> Result<(), String> {
    let is = |name: &str, wanted: &str| {
        // Said once: what runs before each command could say it too.
        let mut said = meanings.iter().filter(|one| one.name == name);
        matches!((said.next(), said.next()), (Some(one), None) if one.kind == wanted)
    };
    if !is("*path", "same") {
        return Err(
            "`PATH` is not what the session began with, so nothing passes as reading in it"
                .to_owned(),
        );
    }
    if !is("*trap", "") {
        return Err("the session runs something before each command (`trap … DEBUG`), so nothing passes as reading in it".to_owned());
    }
    Ok(())
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

    /// What a session says in which nothing lies in wait.
    fn nothing_waits() -> Value {
        json!({"defaults": false, "hooks": false})
    }

    #[test]
    fn what_stands_where_a_block_would_run_has_to_be_plain() {
        let text = "Get-Mailbox | Sort-Object Name, $by; 'a' -replace 'b', $to";
        let asked = || lookup("exo", text, &[]);
        let command = asked().command().expect("they are plain names");
        assert!(command.contains("in 'by','to') "), "{command}");
        let names = || {
            vec![
                meaning("Get-Mailbox", "Function", "Get-Mailbox", "Function", "m"),
                meaning("Sort-Object", "Cmdlet", "Sort-Object", "Cmdlet", "m"),
                nothing_waits(),
            ]
        };
        let with = |by: bool| {
            let mut answer = names();
            answer.push(json!({"variable": "by", "plain": by}));
            answer.push(json!({"variable": "to", "plain": true}));
            asked().verdict(answer, "")
        };
        assert_eq!(with(true), Ok(()));
        assert!(with(false).is_err_and(|said| said.contains("`$by` may hold code")));
        assert!(asked().verdict(names(), "").is_err());
        let alone = lookup("exo", "'a' -split $by", &[]).command();
        assert!(alone.is_ok_and(|command| command.contains("in @()) ")));
        // An alias may put a value where it would run.
        let answer = vec![
            meaning("Get-By", "Alias", "Sort-Object", "Cmdlet", "m"),
            nothing_waits(),
        ];
        let said = lookup("exo", "Get-By $by", &[]).verdict(answer, "");
        assert!(said.is_err_and(|said| said.contains("not looked up")));
    }

    #[test]
    fn nothing_reads_where_something_lies_in_wait() {
        let command = || meaning("Get-X", "Cmdlet", "Get-X", "Cmdlet", "m");
        for (waiting, why) in [
            (
                json!({"defaults": true, "hooks": false}),
                "PSDefaultParameterValues",
            ),
            (json!({"defaults": false, "hooks": true}), "looked up"),
            (json!({}), "does not say"),
        ] {
            let said = lookup("exo", "Get-X", &[]).verdict(vec![command(), waiting], "");
            assert!(
                said.as_ref().is_err_and(|said| said.contains(why)),
                "{said:?}"
            );
        }
    }

    #[test]
    fn the_session_is_asked_without_its_own_commands() {
        let asked = lookup("exo", "Get-Mailbox | ? Name | Sort-Object Name", &[]);
        let command = asked.command().expect("they are plain names");
        assert!(
            command.contains("in 'Get-Mailbox','?','Sort-Object') "),
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
            nothing_waits(),
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
            let verdict = lookup("exo", "Get-X", &[]).verdict(vec![answer, nothing_waits()], "");
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
        let said = in_bash("PATH=/tmp:$PATH", "az vm list");
        assert!(said.is_err_and(|said| said.contains("`PATH` is not")));
        let said = in_bash("trap : DEBUG", "az vm list");
        assert!(said.is_err_and(|said| said.contains("DEBUG")));
        let said = in_bash(
            "hash -p /tmp/evil jq; alias az=x; shopt -s expand_aliases",
            "az vm list | jq x",
        );
        assert!(said.is_err_and(|said| said.contains("`az` is an alias")));
        assert_eq!(
            in_bash("hash -p /tmp/evil jq", "jq x"),
            Ok(()),
            "it is forgotten"
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
        let said = asked().verdict(vec![answer.clone(), nothing_waits()], "");
        assert!(said.is_err_and(|said| said.contains("would simply act")));
        // A parameter that a function declares by itself is nothing that it has to heed.
        answer["what_if"] = json!(true);
        assert!(
            asked()
                .verdict(vec![answer.clone(), nothing_waits()], "")
                .is_err()
        );
        // But Exchange's own do, by its full name.
        answer["module"] = json!("tmpEXO_abc.def");
        assert_eq!(
            asked().verdict(vec![answer.clone(), nothing_waits()], ""),
            Ok(())
        );
        let short = lookup("exo", "Remove-Mailbox -wi x", &["Remove-Mailbox"]);
        assert!(
            short
                .verdict(vec![answer.clone(), nothing_waits()], "")
                .is_err()
        );
        answer["module"] = json!("m");
        answer["holds_back"] = json!(true);
        assert_eq!(asked().verdict(vec![answer, nothing_waits()], ""), Ok(()));
    }

    /// What a real Bash answers after `before`.
    fn asked_bash(before: &str, text: &str) -> Result<(), String> {
        let lookup = lookup("az", text, &[]);
        let command = lookup.command().expect("its names are plain");
        let said = std::process::Command::new("bash")
            .args([
                "--noprofile",
                "--norc",
                "-c",
                &format!("{before}\n{command}"),
            ])
            .output()
            .expect("bash is there");
        lookup.verdict(Vec::new(), &String::from_utf8_lossy(&said.stdout))
    }

    #[test]
    fn a_real_bash_says_what_names_are_and_what_lies_in_wait() {
        assert_eq!(asked_bash("", "echo x; pwd"), Ok(()));
        for (before, why) in [
            ("echo() { rm -rf /; }", "`echo` is"),
            ("trap ': # quiet' DEBUG", "trap"),
            ("trap 'builtin printf \"*trap\\t\\n\"' DEBUG", "trap"),
            ("PATH=/tmp:$PATH", "PATH"),
        ] {
            let said = asked_bash(before, "echo x; pwd");
            assert!(
                said.as_ref().is_err_and(|said| said.contains(why)),
                "{before}: {said:?}"
            );
        }
    }
}
