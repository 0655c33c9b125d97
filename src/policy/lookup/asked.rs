//! What a session is asked about names, and how its answer is read.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

/// What the session says about a name.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Meaning {
    pub(super) name: String,
    /// `CommandType` of what the name finds; empty where it finds nothing.
    #[serde(default)]
    pub(super) kind: String,
    /// Behind all aliases: the name, `CommandType`, and the module that owns it.
    #[serde(default)]
    pub(super) target: String,
    #[serde(default)]
    pub(super) resolved: String,
    #[serde(default)]
    pub(super) module: String,
    /// Whether it has a parameter called `WhatIf`, and whether that is the one of `SupportsShouldProcess`.
    #[serde(default)]
    pub(super) what_if: bool,
    #[serde(default)]
    pub(super) holds_back: bool,
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

/// Asks Bash what runs beside its commands, and then what `names` are, by the function that its bootstrap has for that: what
/// runs beside them could change their meaning as that function returns, and be gone (`trap … RETURN`).
pub(super) fn of_bash(names: &[String]) -> String {
    let names = names.join(" ");
    format!(r"\builtin printf '*trap\t'; \builtin trap -p; \builtin echo; \__mm_what {names}")
}

/// Asks `PowerShell` what `names` are, whether `variables` hold plain values, and, where a command `tells` another to say only
/// what it would do, whether that one knows how.
pub(super) fn of_powershell(names: &[String], variables: &BTreeSet<String>, tells: bool) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    // Reading a command's parameters loads what it is made of, so it is only done where it matters.
    let what_if = if tells {
        "what_if = [bool]($__mmt.Parameters -and $__mmt.Parameters.ContainsKey('WhatIf')); holds_back = [bool]($__mmt -and [System.Management.Automation.CommandMetadata]::new($__mmt).SupportsShouldProcess)"
    } else {
        "what_if = $false; holds_back = $false"
    };
    let list = |names: &[String]| match names {
        [] => "@()".to_owned(),
        names => names.join(","),
    };
    let variables = variables.iter();
    let variables: Vec<String> = variables.map(|name| format!("'{name}'")).collect();
    format!(
        "& {{ foreach ($__mmn in {}) {{ $__mmc = $ExecutionContext.InvokeCommand.GetCommand($__mmn, 'All'); $__mmt = $__mmc; while ($__mmt -and \"$($__mmt.CommandType)\" -eq 'Alias') {{ $__mmt = $__mmt.ResolvedCommand }}; [pscustomobject]@{{ name = $__mmn; kind = \"$($__mmc.CommandType)\"; target = \"$($__mmt.Name)\"; resolved = \"$($__mmt.CommandType)\"; module = \"$($__mmt.ModuleName)\"; {what_if} }} }}; foreach ($__mmv in {}) {PLAIN}; {WAITING} }}",
        list(&names),
        list(&variables),
    )
}

/// Whether `$__mmv` holds a plain value: no code, and nothing that could hand it out. With language and methods alone; a list is
/// only gone through where it is no class's own.
const PLAIN: &str = "{ $__mmo = $ExecutionContext.SessionState.PSVariable.GetValue($__mmv); $__mmp = $null -eq $__mmo -or $__mmo -is [string] -or $__mmo -is [valuetype]; if ($__mmo -is [object[]] -or $__mmo -is [string[]]) { $__mmp = $true; foreach ($__mmi in $__mmo) { if (-not ($null -eq $__mmi -or $__mmi -is [string] -or $__mmi -is [valuetype])) { $__mmp = $false } } }; [pscustomobject]@{ variable = $__mmv; plain = $__mmp } }";

/// What changes every command of a session. A table's own entries could answer for its properties, but not for its methods.
const WAITING: &str = "$__mmw = $ExecutionContext.InvokeCommand; [pscustomobject]@{ defaults = [bool]($null -ne $PSDefaultParameterValues -and $PSDefaultParameterValues.get_Count()); hooks = [bool]($__mmw.PreCommandLookupAction -or $__mmw.PostCommandLookupAction -or $__mmw.CommandNotFoundAction) }";

/// What Bash said of the names. An error where another program may stand under one, or something runs beside each.
pub(super) fn bash_said(text: &str) -> Result<Vec<Meaning>, String> {
    let meanings: Vec<Meaning> = text.lines().filter_map(bash_meaning).collect();
    check_bash(&meanings)?;
    Ok(meanings)
}

/// What `PowerShell` said of the names. An error where one of `variables` may hold code, or something lies in wait.
pub(super) fn powershell_said(
    objects: &[Value],
    variables: &BTreeSet<String>,
) -> Result<Vec<Meaning>, String> {
    check_state(objects, variables)?;
    Ok(read(objects))
}

/// Refuses a variable that may hold code where it would run, and a session in which something lies in wait.
fn check_state(objects: &[Value], variables: &BTreeSet<String>) -> Result<(), String> {
    let held: Vec<Held> = read(objects);
    for name in variables {
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

/// The objects of one form among those that the session answered with.
fn read<T: serde::de::DeserializeOwned>(objects: &[Value]) -> Vec<T> {
    let read = |object: &Value| T::deserialize(object).ok();
    objects.iter().filter_map(read).collect()
}

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
        return Err("the session runs something beside its commands (`trap`), so nothing passes as reading in it".to_owned());
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
