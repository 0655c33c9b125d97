//! `mm connections`: the connections file, read and changed. Needs no daemon: a running one sees the file change.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::connection_add;
use super::connection_uses::Use;
use crate::cli::args::{ConnectionsArgs, ConnectionsVerb, ListArgs};
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::table::table;
use crate::cli::wiring;
use crate::connection::{
    Connection, Doubt, EditError, Editor, Import, Imported, LookupError, Registry, doubts,
};
use crate::name::ConnectionName;
use crate::redact::{mask, mask_object};

/// Lists, shows, checks or changes connections.
pub(crate) fn connections(args: ConnectionsArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let file = wiring::config()?.connections_file;
    match args.verb.unwrap_or(ConnectionsVerb::List(args.list)) {
        ConnectionsVerb::List(ListArgs { json }) => list(&read(file)?, json, screen)?,
        ConnectionsVerb::Show { name, json } => show(&read(file)?, &parse(&name)?, json, screen)?,
        ConnectionsVerb::Check { json } => return check(&read(file)?, json, screen),
        ConnectionsVerb::Add(args) => return connection_add::add(&file, args, screen),
        ConnectionsVerb::Import {
            file: from,
            dry_run,
        } => import(&file, &from, dry_run, screen)?,
        ConnectionsVerb::Edit { name, key, value } => {
            let value = written(&value)?;
            let set = if value.is_some() { "set" } else { "taken out" };
            change(file, &name, |editor, name| editor.set(name, &key, value))?;
            screen.text(&format!("`{key}` of `{name}` is {set}\n"))?;
        }
        ConnectionsVerb::Rename { name, new } => {
            let old = parse(&name)?;
            change(file, &new, |editor, new| editor.rename(&old, new))?;
            screen.text(&format!("`{name}` is now `{new}`\n"))?;
            screen.note("sessions and runs keep the old name; sign in again under the new one");
        }
        ConnectionsVerb::Remove { name, yes } => {
            let what = parse(&name)?;
            if !yes && !confirmed(&what, screen)? {
                screen.note("nothing was changed");
                return Ok(Exit::Refused);
            }
            change(file, &name, Editor::remove)?;
            screen.text(&format!("`{name}` is taken out\n"))?;
        }
        ConnectionsVerb::Duplicate { name, new } => {
            let old = parse(&name)?;
            change(file, &new, |editor, new| editor.duplicate(&old, new))?;
            screen.text(&format!(
                "`{new}` is a copy of `{name}`, without its account\n"
            ))?;
            screen.note(&format!(
                "say who signs in: mm connections edit '{new}' expectedEmail USER"
            ));
        }
    }
    Ok(Exit::Done)
}

fn read(file: PathBuf) -> Result<Registry, CliError> {
    Registry::load(&file).map_err(|error| refused_at(&error, error.excerpt(), error.help()))
}

/// What is wrong with the file or a name, and what to do.
pub(super) fn refused(error: &dyn std::error::Error, help: impl Into<String>) -> CliError {
    let why = error.source().map(|source| format!(": {source}"));
    CliError::Spec {
        message: format!("{error}{}", why.unwrap_or_default()),
        help: Some(help.into()),
    }
}

/// A name, checked.
pub(super) fn parse(name: &str) -> Result<ConnectionName, CliError> {
    name.parse()
        .map_err(|error: crate::name::NameError| CliError::usage(error.to_string(), error.help()))
}

/// Opens the file, changes it, and writes it with `name` checked.
pub(super) fn change(
    file: PathBuf,
    name: &str,
    how: impl FnOnce(&mut Editor, &ConnectionName) -> Result<(), EditError>,
) -> Result<(), CliError> {
    let name = parse(name)?;
    let write = || {
        let mut editor = Editor::open(&file)?;
        how(&mut editor, &name)?;
        editor.save(&name)
    };
    write().map_err(|error| unwritten(&error))
}

/// Why the file was not changed, with the place where that has one.
fn unwritten(error: &EditError) -> CliError {
    refused_at(error, error.excerpt(), error.help())
}

fn refused_at(
    error: &dyn std::error::Error,
    excerpt: Option<&str>,
    help: impl Into<String>,
) -> CliError {
    match (refused(error, help), excerpt) {
        (CliError::Spec { message, help }, Some(excerpt)) => CliError::Spec {
            message: format!("{message}\n{excerpt}"),
            help,
        },
        (other, _) => other,
    }
}

fn list(registry: &Registry, json: bool, screen: &mut Screen) -> Result<(), CliError> {
    if json {
        let entries: Map<String, Value> = registry
            .connections()
            .map(|one| {
                (
                    one.name().to_string(),
                    Value::Object(mask_object(one.raw())),
                )
            })
            .collect();
        screen.json(&json!({ "file": registry.path(), "connections": entries }))?;
    } else {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let rows: Vec<Vec<String>> = registry
            .connections()
            .map(|one| {
                vec![
                    one.name().to_string(),
                    one.tenant().to_owned(),
                    or_dash(one.expected_email()),
                    mask(one.description().unwrap_or_default()).into(),
                ]
            })
            .collect();
        let head = ["CONNECTION", "TENANT", "ACCOUNT", "DESCRIPTION"];
        screen.text(&table(&head, &rows, screen.width()))?;
    }
    for (name, error) in registry.faults() {
        screen.note(&format!("`{name}` cannot be used: {error}"));
    }
    Ok(())
}

fn show(
    registry: &Registry,
    name: &ConnectionName,
    json: bool,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let connection = registry.get(name).map_err(|error: LookupError| {
        let help = error.help();
        refused(&error, help)
    })?;
    let catalog = wiring::catalog(&[])?;
    let enforces_mcps = wiring::settings()?.enforce_mcps;
    let uses: Vec<Use<'_>> = catalog
        .modules()
        .filter_map(|listing| listing.value)
        .map(|module| Use::of(connection, module, enforces_mcps))
        .collect();
    if json {
        let needs: Map<String, Value> = uses.iter().map(|one| one.report(connection)).collect();
        return screen.json(&json!({
            "name": name, "entry": mask_object(connection.raw()), "modules": needs,
        }));
    }
    let rows: Vec<Vec<String>> = mask_object(connection.raw())
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => vec![format!("  {key}"), text.clone()],
            other => vec![format!("  {key}"), other.to_string()],
        })
        .collect();
    let mut lines = vec![
        table(&[name.as_str(), ""], &rows, screen.width()),
        "Modules".to_owned(),
    ];
    lines.extend(uses.iter().map(Use::line));
    screen.text(&lines.join("\n"))
}

fn check(registry: &Registry, json: bool, screen: &mut Screen) -> Result<Exit, CliError> {
    let faults: Vec<(String, String, String)> = registry
        .faults()
        .map(|(name, error)| (name.to_owned(), error.to_string(), error.help()))
        .collect();
    let mut doubts = doubts(registry);
    if wiring::settings()?.enforce_mcps {
        doubts.extend(closed(registry)?);
    }
    let exit = if faults.is_empty() {
        Exit::Done
    } else {
        Exit::BadSpec
    };
    if json {
        let one = |level: &str, name: &str, message: &str, help: &str| json!({ "level": level, "connection": name, "message": message, "help": help });
        let findings: Vec<Value> = faults
            .iter()
            .map(|(name, message, help)| one("error", name, message, help))
            .chain(
                doubts
                    .iter()
                    .map(|doubt| one("warning", &doubt.connection, &doubt.message, &doubt.help)),
            )
            .collect();
        screen.json(&json!({ "file": registry.path(), "findings": findings }))?;
        return Ok(exit);
    }
    let mut lines: Vec<String> = faults
        .iter()
        .map(|(name, message, help)| format!("error: {name}: {message}\n  help: {help}"))
        .collect();
    lines.extend(doubts.iter().map(|doubt| {
        let (name, message, help) = (&doubt.connection, &doubt.message, &doubt.help);
        format!("warning: {name}: {message}\n  help: {help}")
    }));
    let sound = registry.connections().count();
    lines.push(format!("{sound} connections can be used"));
    screen.text(&lines.join("\n"))?;
    Ok(exit)
}

/// The connections whose `mcps` let no module use them.
fn closed(registry: &Registry) -> Result<Vec<Doubt>, CliError> {
    let catalog = wiring::catalog(&[])?;
    let modules: Vec<_> = catalog
        .modules()
        .filter_map(|listing| listing.value)
        .collect();
    let is_closed = |one: &&Connection| modules.iter().all(|module| !one.is_for(module));
    let doubt = |one: &Connection| Doubt {
        connection: one.name().to_string(),
        message: "no module may use it: `enforce_mcps` is on, and its `mcps` name none".to_owned(),
        help: format!(
            "mm connections edit '{}' mcps '[\"mm\"]' lets every module use it",
            one.name()
        ),
    };
    Ok(registry
        .connections()
        .filter(is_closed)
        .map(doubt)
        .collect())
}

fn import(file: &Path, from: &Path, dry_run: bool, screen: &mut Screen) -> Result<(), CliError> {
    let text = std::fs::read_to_string(from).map_err(|source| CliError::Io {
        what: format!("`{}` cannot be read", from.display()),
        source,
    })?;
    let found = Import::read(&text).ok_or_else(|| {
        CliError::usage(
            format!(
                "`{}` has no TENANT_ALIASES and no SHAREPOINT_TENANTS",
                from.display()
            ),
            "name the session manager's `mcp_server.py`, or a JSON file with such objects",
        )
    })?;
    let failed = |error: EditError| unwritten(&error);
    let mut editor = Editor::open(file).map_err(failed)?;
    let done = found.apply(&mut editor).map_err(failed)?;
    let mut changed = Vec::new();
    for one in &done {
        match one {
            Imported::Added(name) => {
                screen.text(&format!("`{name}` is added\n"))?;
                changed.push(name.clone());
            }
            Imported::Host(name) => {
                screen.text(&format!("`{name}` has its SharePoint host\n"))?;
                changed.push(name.clone());
            }
            Imported::Left { what, why } => screen.note(&format!("`{what}` is left out: {why}")),
        }
    }
    if dry_run {
        screen.note("nothing was changed");
        return Ok(());
    }
    editor.save_all(&changed).map_err(failed)?;
    screen.note("say who signs in: mm connections edit NAME expectedEmail USER");
    Ok(())
}

/// A value as people type it. `None` takes the key out.
pub(super) fn written(text: &str) -> Result<Option<Value>, CliError> {
    Ok(match text.trim() {
        "" | "null" => None,
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        json if json.starts_with(['[', '{']) => {
            Some(serde_json::from_str(json).map_err(|error| {
                CliError::usage(
                    format!("the value is not JSON: {error}"),
                    "quote it for the shell: mm connections edit NAME mcps '[\"mm\"]'",
                )
            })?)
        }
        text => Some(Value::String(text.to_owned())),
    })
}

/// Asks at the terminal. `None` for an empty answer.
pub(super) fn answer(question: &str, screen: &mut Screen) -> Result<Option<String>, CliError> {
    let failed = |source| CliError::Io {
        what: "the terminal cannot be read".to_owned(),
        source,
    };
    screen.ask(&format!("{question}: "));
    let line = block_on(async {
        let mut prompt = Prompt::open(false).map_err(failed)?;
        prompt.line().await.map_err(failed)
    })?
    .ok_or_else(|| {
        CliError::usage(
            "the question was not answered",
            "answer the questions, or use flags",
        )
    })?;
    let text = line.expose().trim().to_owned();
    Ok((!text.is_empty()).then_some(text))
}

fn confirmed(name: &ConnectionName, screen: &mut Screen) -> Result<bool, CliError> {
    if !screen.asks_people() {
        return Err(CliError::usage(
            format!("`{name}` is not removed without being asked"),
            "say it with --yes",
        ));
    }
    let answer = answer(&format!("Remove `{name}`? y/N"), screen)?;
    Ok(answer.is_some_and(|text| matches!(text.to_lowercase().as_str(), "y" | "yes")))
}
