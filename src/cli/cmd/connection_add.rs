//! `mm connections add`: from nothing to a signed-in session, one question at a time. Every question is a flag too; without
//! a terminal nothing is asked.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::connection_app::{self, Registration};
use super::connections::{answer, change, parse, refused, written};
use super::login;
use crate::api::{LoginRequest, Session};
use crate::cli::args::AddArgs;
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;
use crate::connection::{EditError, Editor, Registry, doubts, is_guid};
use crate::name::ConnectionName;

/// Whoever can be asked, and the screen to ask on.
pub(super) struct Interview<'s> {
    pub(super) screen: &'s mut Screen,
    /// Whether somebody is there, and wants to be asked.
    asks: bool,
}

impl Interview<'_> {
    /// The flag's value, or an answer that `judge` takes: it says what is kept, or why that cannot be. An empty answer
    /// is `None`, and so is a question that nobody is there for.
    pub(super) fn ask(
        &mut self,
        given: Option<String>,
        question: &str,
        judge: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, CliError> {
        if given.is_some() || !self.asks {
            return Ok(given);
        }
        loop {
            let Some(text) = answer(question, self.screen)? else {
                return Ok(None);
            };
            match judge(&text) {
                Ok(()) => return Ok(Some(text)),
                Err(why) => self.screen.note(&why),
            }
        }
    }

    /// As [`ask`](Self::ask), for what a connection cannot do without.
    fn need(
        &mut self,
        given: Option<String>,
        question: &str,
        judge: impl Fn(&str) -> Result<(), String>,
        (lack, help): (&str, &str),
    ) -> Result<String, CliError> {
        loop {
            match self.ask(given.clone(), question, &judge)? {
                Some(text) => return Ok(text),
                None if self.asks => self.screen.note(lack),
                None => return Err(CliError::usage(lack, help)),
            }
        }
    }

    /// Whether the answer is yes. An empty one is `preset`, and so is a question that nobody is there for.
    pub(super) fn agrees(&mut self, question: &str, preset: bool) -> Result<bool, CliError> {
        if !self.asks {
            return Ok(preset);
        }
        let choice = if preset { "Y/n" } else { "y/N" };
        loop {
            let said = answer(&format!("{question} [{choice}]"), self.screen)?;
            match said.map(|said| said.to_lowercase()).as_deref() {
                None => return Ok(preset),
                Some("y" | "yes") => return Ok(true),
                Some("n" | "no") => return Ok(false),
                Some(_) => self.screen.note("answer y or n"),
            }
        }
    }
}

/// Adds a connection, and signs in to it where that is wanted.
pub(super) fn add(file: &Path, args: AddArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let asks = screen.asks_people() && !args.no_input;
    let mut interview = Interview { screen, asks };
    let name = name(file, args.name.clone(), &mut interview)?;
    let values = values(&name, &args, &mut interview)?;
    let modules = with_applications(&values);
    change(file.to_owned(), name.as_str(), |editor, name| {
        write(editor, name, values, &args.set)
    })?;
    let screen = &mut *interview.screen;
    screen.text(&format!("`{name}` is added\n"))?;
    let module = interview.ask(
        args.sign_in.clone(),
        "Sign in now? Name a module, such as exo; empty: not now",
        is_module,
    )?;
    let exit = if let Some(module) = module {
        sign_in(file, &name, module, args.pin, &mut interview)?
    } else {
        interview.screen.note(&how_to_sign_in(&name, &modules));
        Exit::Done
    };
    let registry = Registry::load(file).map_err(|error| refused(&error, error.help()))?;
    for doubt in doubts(&registry) {
        if doubt.connection == name.as_str() {
            interview
                .screen
                .note(&format!("{}; {}", doubt.message, doubt.help));
        }
    }
    Ok(exit)
}

/// The modules that the entry has an application of their own for.
fn with_applications(values: &[(String, String)]) -> Vec<String> {
    let modules = values
        .iter()
        .filter_map(|(key, _)| key.strip_prefix("moduleApps."));
    modules.map(str::to_owned).collect()
}

/// The next step. Which module is meant is only known where the entry was made for one.
fn how_to_sign_in(name: &ConnectionName, modules: &[String]) -> String {
    match modules {
        [module] => format!("sign in: mm login -c '{name}' -m {module}"),
        _ => format!(
            "sign in: mm login -c '{name}' -m MODULE, such as exo; the modules that it can be used with: mm connections show '{name}'"
        ),
    }
}

/// A name that is free, before anything else is asked. A file that is not there yet has no entry either, and a broken one
/// is told when it is changed.
fn name(
    file: &Path,
    given: Option<String>,
    interview: &mut Interview<'_>,
) -> Result<ConnectionName, CliError> {
    let registry = Registry::load(file).ok();
    let is_taken =
        |name: &ConnectionName| registry.as_ref().is_some_and(|all| all.get(name).is_ok());
    let judge = |text: &str| match text.parse::<ConnectionName>() {
        Err(error) => Err(format!("{error}; {}", error.help())),
        Ok(name) if is_taken(&name) => Err(EditError::Taken { name }.to_string()),
        Ok(_) => Ok(()),
    };
    let name = interview.need(
        given,
        "What do you call the connection? (Contoso)",
        judge,
        (
            "a connection needs a name",
            "mm connections add NAME --tenant contoso.com",
        ),
    )?;
    let name = parse(&name)?;
    if is_taken(&name) {
        let error = EditError::Taken { name };
        return Err(refused(&error, error.help()));
    }
    Ok(name)
}

/// All keys of the entry, as paths, in order.
fn values(
    name: &ConnectionName,
    args: &AddArgs,
    interview: &mut Interview<'_>,
) -> Result<Vec<(String, String)>, CliError> {
    let tenant = interview.need(
        args.tenant.clone(),
        "The tenant's domain (contoso.com)",
        is_domain,
        (
            "a connection needs a tenant",
            "name its domain: mm connections add NAME --tenant contoso.com",
        ),
    )?;
    let account = interview.ask(
        args.expected_email.clone(),
        "Who has to sign in (ada@contoso.com); empty: you are asked when somebody has",
        |text| {
            text.contains('@')
                .then_some(())
                .ok_or_else(|| format!("`{text}` is no address"))
        },
    )?;
    let tenant_id = interview.ask(
        args.tenant_id.clone(),
        "The tenant's id; empty: it is found out at the sign-in",
        is_id,
    )?;
    let mut apps = args.module_app.clone();
    let mut host = args.sharepoint_host.clone();
    let has_app = args.app_id.is_some() || apps.iter().any(|(module, _)| module == "pnp");
    let wants_app = !has_app
        && (args.register_app || interview.agrees("Is SharePoint (PnP) to be used?", false)?);
    if wants_app {
        let usual = tenant.split('.').next().unwrap_or(&tenant);
        let question = format!("NAME in https://NAME.sharepoint.com; empty: {usual}");
        host = interview.ask(host, &question, is_label)?;
        let registration = Registration::of(&tenant);
        match connection_app::app(&registration, args.register_app, interview)? {
            Some(app) => apps.push(("pnp".to_owned(), app)),
            None => interview.screen.note(&format!(
                "once there is one: mm connections edit '{name}' moduleApps.pnp ID"
            )),
        }
    }
    let description = interview.ask(
        args.description.clone(),
        "What do you want to remember about it?",
        |_| Ok(()),
    )?;
    let keys = [
        ("tenant", Some(tenant)),
        ("tenantId", tenant_id),
        ("appId", args.app_id.clone()),
        ("expectedEmail", account),
        ("sharepoint_host", host),
        ("description", description),
    ];
    let mut values: Vec<(String, String)> = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    values.extend(
        apps.into_iter()
            .map(|(module, app)| (format!("moduleApps.{module}"), app)),
    );
    Ok(values)
}

/// What each key of the new entry is set to; `set` is what was written as `KEY=VALUE`.
fn write(
    editor: &mut Editor,
    name: &ConnectionName,
    values: Vec<(String, String)>,
    set: &[(String, String)],
) -> Result<(), EditError> {
    editor.add(name, Map::new())?;
    for (key, value) in values {
        editor.set(name, &key, Some(Value::String(value)))?;
    }
    editor.set(name, "mcps", Some(json!(["mm"])))?;
    for (key, value) in set {
        let value = written(value).unwrap_or_else(|_| Some(Value::String(value.clone())));
        editor.set(name, key, value)?;
    }
    Ok(())
}

/// Signs in, and has whoever that proved to be expected from then on, where that is wanted.
fn sign_in(
    file: &Path,
    name: &ConnectionName,
    module: String,
    pin: bool,
    interview: &mut Interview<'_>,
) -> Result<Exit, CliError> {
    let request = LoginRequest {
        connection: name.to_string(),
        module,
        way: None,
        forget_identity: false,
        record: None,
    };
    let screen = &mut *interview.screen;
    let session = block_on(async {
        let client = wiring::client().await?;
        login::session(&client, &request, false, screen).await
    })?;
    let Some(session) = session else {
        return Ok(Exit::SignInNeeded);
    };
    let exit = login::conclude(&session, false, screen)?;
    if session.signed_in() {
        expect(file, name, &session, pin, interview)?;
    }
    Ok(exit)
}

/// Writes down who was proven, in the keys that the entry leaves open.
fn expect(
    file: &Path,
    name: &ConnectionName,
    session: &Session,
    pin: bool,
    interview: &mut Interview<'_>,
) -> Result<(), CliError> {
    let registry = Registry::load(file).map_err(|error| refused(&error, error.help()))?;
    let connection = registry
        .get(name)
        .map_err(|error| refused(&error, error.help()))?;
    let account = session
        .account
        .clone()
        .filter(|account| account.contains('@'));
    let account = account.filter(|_| connection.expected_email().is_none());
    let tenant = session.tenant.clone().filter(|tenant| is_guid(tenant));
    let tenant = tenant.filter(|_| connection.expected_tenant_id().is_none());
    let open = [("expectedEmail", account), ("tenantId", tenant)];
    let open: Vec<(&str, String)> = open
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = open
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    let question = format!("Expect only this from now on: {}?", told.join(", "));
    // Nobody agrees where nobody is: then only the flag does.
    let is_wanted = pin || interview.asks && interview.agrees(&question, true)?;
    if !is_wanted {
        return Ok(());
    }
    change(file.to_owned(), name.as_str(), |editor, name| {
        for (key, value) in &open {
            editor.set(name, key, Some(Value::String(value.clone())))?;
        }
        Ok(())
    })?;
    let kept = format!("`{name}` expects {}\n", told.join(", "));
    interview.screen.text(&kept)
}

fn is_module(text: &str) -> Result<(), String> {
    let catalog = wiring::catalog(&[]).map_err(|error| error.to_string())?;
    match catalog.module(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{error}; {}", error.help())),
    }
}

fn is_domain(text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let is_one = text.contains('.')
        && text.chars().all(allowed)
        && text.split('.').all(|label| !label.is_empty());
    is_one
        .then_some(())
        .ok_or_else(|| format!("`{text}` is no domain such as contoso.com"))
}

fn is_label(text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.chars()
        .all(allowed)
        .then_some(())
        .ok_or_else(|| format!("`{text}` is more than the first part of the address"))
}

/// Whether it is an id as Entra writes them.
pub(super) fn is_id(text: &str) -> Result<(), String> {
    is_guid(text).then_some(()).ok_or_else(|| {
        format!("`{text}` is no id: those have 8, 4, 4, 4 and 12 hexadecimal digits")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_names_the_module_that_was_meant_and_no_other() {
        let name: ConnectionName = "Contoso".parse().expect("it is a name");
        let of = |keys: &[&str]| {
            let values: Vec<_> = keys
                .iter()
                .map(|key| ((*key).to_owned(), "x".to_owned()))
                .collect();
            how_to_sign_in(&name, &with_applications(&values))
        };
        let pnp = of(&["tenant", "moduleApps.pnp"]);
        assert_eq!(pnp, "sign in: mm login -c 'Contoso' -m pnp");
        for open in [of(&["tenant"]), of(&["moduleApps.pnp", "moduleApps.m365"])] {
            assert!(open.contains("-m MODULE"), "{open}");
            assert!(open.contains("mm connections show 'Contoso'"), "{open}");
        }
    }
}
