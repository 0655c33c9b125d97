//! The application that `pnp` signs in with: what an administrator does to register it, the command run where that can be
//! done, and its id, checked.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use super::connection_add::{Interview, is_id};
use crate::cli::error::CliError;
use crate::cli::output::Screen;
use crate::cli::programs;
use crate::script::Quoting;

/// What it takes to register an application in a tenant.
pub(super) struct Registration {
    command: String,
}

impl Registration {
    /// In the tenant of this domain.
    pub(super) fn of(tenant: &str) -> Self {
        let tenant = Quoting::PowerShell.quote(tenant);
        Self {
            command: format!(
                "Register-PnPEntraIDAppForInteractiveLogin -ApplicationName 'mm' -Tenant {tenant} -DeviceLogin"
            ),
        }
    }

    /// Both ways, for people.
    fn told(&self) -> String {
        format!(
            "PnP signs in with an application of the tenant's own; the one that all tenants shared was deleted in 2024.
An administrator of the tenant registers it once, in one of two ways:
  in PowerShell 7.4 or newer, with the module PnP.PowerShell:
    {}
  or in https://entra.microsoft.com, under App registrations:
    New registration, for accounts in this directory only
    Authentication: `Allow public client flows` is Yes (without it every sign-in fails with AADSTS7000218)
    API permissions: SharePoint, Delegated, `AllSites.FullControl` or less; then `Grant admin consent`
Its overview shows the id, as `Application (client) ID`.",
            self.command
        )
    }

    /// Runs the command at this terminal, and finds the id in what it says. It goes in through the environment: what is
    /// started has no names of tenants among its arguments.
    fn run(&self, pwsh: &PathBuf, screen: &mut Screen) -> Result<Option<String>, CliError> {
        let failed = |source| CliError::Io {
            what: format!("`{}` cannot be run", pwsh.display()),
            source,
        };
        let mut child = Command::new(pwsh)
            .args(["-NoProfile", "-NoLogo", "-Command"])
            .arg("& ([scriptblock]::Create($env:MM_REGISTRATION))")
            .env("MM_REGISTRATION", &self.command)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut output = child.stdout.take().expect("it is piped");
        let (mut said, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let count = output.read(&mut part).map_err(failed)?;
            if count == 0 {
                break;
            }
            screen.output(&part[..count])?;
            said.extend_from_slice(&part[..count]);
        }
        screen.output_ended()?;
        if !child.wait().map_err(failed)?.success() {
            screen.note("the application was not registered");
            return Ok(None);
        }
        Ok(found(&String::from_utf8_lossy(&said)))
    }
}

/// The application's id: one that there is, or one that is registered now. `runs` is whether to do so without a question.
pub(super) fn app(
    registration: &Registration,
    runs: bool,
    interview: &mut Interview<'_>,
) -> Result<Option<String>, CliError> {
    if !runs {
        let question = "The id of the application that PnP signs in with; empty: there is none yet";
        if let Some(id) = interview.ask(None, question, is_id)? {
            return Ok(Some(id));
        }
        interview.screen.text(&registration.told())?;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = match programs::find("pwsh", &path) {
        Some(pwsh) if runs || interview.agrees("Run that command here, now?", false)? => {
            registration.run(&pwsh, interview.screen)?
        }
        None if runs => {
            return Err(CliError::usage(
                "there is no `pwsh` here to register the application with",
                "install PowerShell and PnP.PowerShell, or register it in the portal and name it with --module-app pnp=ID",
            ));
        }
        Some(_) | None => None,
    };
    if let Some(id) = found {
        interview.screen.text(&format!("the application is {id}"))?;
        return Ok(Some(id));
    }
    interview.ask(None, "The application's id; empty: later", is_id)
}

/// The id in what the registration says: an object with the property `AzureAppId/ClientId`, which PowerShell shows as a list, or
/// as a table with a line of dashes. The property's name is what scripts use that read it; it was not tried against a tenant.
fn found(said: &str) -> Option<String> {
    static ID: LazyLock<Regex> = LazyLock::new(|| {
        let id = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";
        let list = format!(r"client\s?id\W{{1,40}}{id}\b");
        let table =
            format!(r"^[^\r\n]*AzureAppId/ClientId[^\r\n]*\r?\n[ -]*--[ -]*\r?\n[^\r\n]*?\b{id}\b");
        Regex::new(&format!("(?im){list}|{table}")).expect("the pattern is sound")
    });
    let groups = ID.captures(said)?;
    let id = groups.get(1).or_else(|| groups.get(2))?;
    Some(id.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_what_is_said() {
        let id = "11112222-3333-4444-5555-666677778888";
        let said =
            format!("WARNING: enter the code ABCD1234E\r\n\r\nAzureAppId/ClientId : {id}\r\n");
        assert_eq!(found(&said).as_deref(), Some(id));
        assert_eq!(found(&format!("Tenant : {id}")), None);
        let table = format!(
            "\r\nAzureAppId/ClientId                  Name\r\n-------------------                  ----\r\n{id} mm\r\n"
        );
        assert_eq!(found(&table).as_deref(), Some(id));
        let command = Registration::of("it's.com").command;
        assert!(command.contains("-Tenant 'it''s.com'"), "{command}");
    }
}
