//! What sessions answer, and what comes of it; Bash's answers come from a real one.

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

/// The bootstrap of the sessions' Bash.
const BOOTSTRAP: &str = include_str!("../../../modules.d/shells/bash-bootstrap.sh");

/// The lookup of a text in a real Bash that has run `before`.
fn in_bash(before: &str, text: &str) -> Result<(), String> {
    let lookup = lookup("az", text, &[]);
    let command = lookup.command().expect("its names are plain");
    let (_, bootstrap) = BOOTSTRAP
        .split_once("\n__mm_path=")
        .expect("it keeps the path");
    let (function, _) = bootstrap
        .split_once("\n}\n")
        .expect("it has the function that is asked");
    let said = std::process::Command::new("bash")
        .args([
            "--noprofile",
            "--norc",
            "-c",
            &format!("__mm_path={function}\n}}\n{before}\n{command}"),
        ])
        .output()
        .expect("bash is there");
    lookup.verdict(Vec::new(), &String::from_utf8_lossy(&said.stdout))
}

#[test]
fn a_real_bash_says_what_names_are_and_what_lies_in_wait() {
    for (before, text) in [
        ("", "echo x; pwd"),
        ("", "az vm list | jq x"),
        // It is forgotten.
        ("hash -p /tmp/evil jq", "jq x"),
        ("PATH=/tmp:$PATH PATH=${PATH#/tmp:}", "jq x"),
    ] {
        assert_eq!(in_bash(before, text), Ok(()), "{before}");
    }
    for (before, text, why) in [
        (
            "az() { :; }",
            "az vm list",
            "`az` is a function in the session, so it does not pass as reading",
        ),
        (
            "echo() { rm -rf /; }",
            "echo x; pwd",
            "`echo` is a function",
        ),
        (
            "alias az=x; shopt -s expand_aliases",
            "az vm list | jq x",
            "`az` is an alias",
        ),
        ("PATH=/tmp:$PATH", "az vm list", "`PATH` is not"),
        ("trap ': # quiet' DEBUG", "echo x", "`trap`"),
        (
            "trap 'builtin printf \"*trap\\t\\n\"' DEBUG",
            "echo x",
            "`trap`",
        ),
        ("trap ': # quiet' ERR", "echo x", "`trap`"),
        (
            "set -T; trap 'echo() { :; }; trap - RETURN' RETURN",
            "echo x",
            "`trap`",
        ),
        ("trap ': # quiet' CHLD", "echo x", "`trap`"),
    ] {
        let said = in_bash(before, text);
        assert!(
            said.as_ref().is_err_and(|said| said.contains(why)),
            "{before}: {said:?}"
        );
    }
}
