//! Where the parts are joined: from the environment to a place, from a place to a service.

use std::path::PathBuf;

use super::error::CliError;
use crate::client::{Client, Place};
use crate::config::{Config, Overrides, Settings, SettingsFile};
use crate::connection::{Connection, Registry as Connections};
use crate::daemon::Service;
use crate::logging::{self, LogTarget};
use crate::name::{ConnectionName, NameError};
use crate::spec::Catalog;

/// The settings of this process, from its environment.
pub(crate) fn config() -> Result<Config, CliError> {
    load(Overrides::default())
}

/// What a person wants of the daemon, as the settings file says it now.
pub(crate) fn settings() -> Result<Settings, CliError> {
    SettingsFile::open(&config()?.settings_file)
        .map(|file| file.settings().clone())
        .map_err(|error| CliError::usage(error.to_string(), "mend the file, or take it away"))
}

fn load(overrides: Overrides) -> Result<Config, CliError> {
    Config::load(overrides).map_err(|error| CliError::usage(error.to_string(), error.help()))
}

/// Where the daemon is to be found.
pub(crate) fn place() -> Result<Place, CliError> {
    let config = config()?;
    Ok(Place {
        socket: config.socket,
        state_dir: config.state_dir,
    })
}

/// The daemon's verbs, for `mm daemon run`.
pub(crate) async fn service() -> Result<Service, CliError> {
    let config = config()?;
    config.prepare_folders().map_err(|error| CliError::Daemon {
        message: error.to_string(),
        help: Some(error.help()),
    })?;
    Service::open(config)
        .await
        .map_err(|error| CliError::Daemon {
            message: error.to_string(),
            help: error.help(),
        })
}

/// Starts the log of a process that is the daemon: the state folder's file once nobody watches its standard error.
pub(crate) fn start_log(detached: bool) -> Result<(), CliError> {
    let config = config()?;
    let file = config.log_file();
    let target = if detached {
        LogTarget::File(&file)
    } else {
        LogTarget::Stderr
    };
    logging::start(&config.log, &[], target)
        .map_err(|error| CliError::usage(error.to_string(), error.help()))
}

/// Starts the log of a server for an assistant, on standard error. The protocol's library logs whole requests and answers,
/// whatever was asked for, and has to be silent.
pub(crate) fn start_mcp_log() -> Result<(), CliError> {
    logging::start(&config()?.log, &["rmcp"], LogTarget::Stderr)
        .map_err(|error| CliError::usage(error.to_string(), error.help()))
}

/// The modules and shells there are, those of `folders` last. A folder that a person named has to be there.
pub(crate) fn catalog(folders: &[PathBuf]) -> Result<Catalog, CliError> {
    let modules = folders.to_vec();
    let folders = load(Overrides {
        modules,
        ..Overrides::default()
    })?
    .module_folders;
    if let Some(missing) = folders
        .iter()
        .find(|folder| folder.named && !folder.path.is_dir())
    {
        return Err(CliError::usage(
            format!("there is no folder `{}`", missing.path.display()),
            "name a folder of module files with --modules or MM_MODULES",
        ));
    }
    let folders: Vec<PathBuf> = folders.into_iter().map(|folder| folder.path).collect();
    Ok(Catalog::load(&folders))
}

/// Where a new module goes: the last of `folders`, or else the user's own folder.
pub(crate) fn new_modules(folders: &[PathBuf]) -> Result<PathBuf, CliError> {
    if let Some(folder) = folders.last() {
        return Ok(folder.clone());
    }
    let own = config()?.module_folders.into_iter().next();
    Ok(own.expect("the user's own folder is always one").path)
}

/// The connections file, where the environment names one: the daemon may have been started with another.
fn named_connections() -> Result<Option<String>, CliError> {
    if std::env::var_os("MM_CONNECTIONS").is_none_or(|path| path.is_empty()) {
        return Ok(None);
    }
    Ok(Some(
        config()?.connections_file.to_string_lossy().into_owned(),
    ))
}

/// An entry of the connections file.
pub(crate) fn connection(name: &str) -> Result<Connection, CliError> {
    let bad = |message: String, help: String| CliError::Spec {
        message,
        help: Some(help),
    };
    let name: ConnectionName = name
        .parse()
        .map_err(|error: NameError| bad(error.to_string(), error.help().to_owned()))?;
    let connections = Connections::load(&config()?.connections_file)
        .map_err(|error| bad(error.to_string(), error.help().to_owned()))?;
    connections
        .get(&name)
        .cloned()
        .map_err(|error| bad(error.to_string(), error.help()))
}

/// A client of the daemon; starts one where there is none.
pub(crate) async fn client() -> Result<Client, CliError> {
    Ok(Client::find_or_start(place()?)
        .await?
        .meaning(named_connections()?))
}

/// A client of the daemon that is running.
pub(crate) async fn running_client() -> Result<Client, CliError> {
    Ok(Client::find(place()?).await?.meaning(named_connections()?))
}
