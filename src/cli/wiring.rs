//! Where the parts are joined: from the environment to a place, from a place to a service.

use std::env;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::exit::Exit;
use super::output::Screen;
use crate::client::{Client, Place};
use crate::daemon::Service;

/// Where the daemon is to be found. `MM_STATE_DIR` and `MM_SOCKET` decide; otherwise the user id does, not the rest of the
/// environment: clients that pass almost none must find the same daemon.
pub(crate) fn place() -> Result<Place, CliError> {
    let state_dir = match variable("MM_STATE_DIR") {
        Some(dir) => absolute(PathBuf::from(dir))?,
        None => home()?.join(".local/state/mm"),
    };
    let socket = if let Some(path) = variable("MM_SOCKET") {
        absolute(PathBuf::from(path))?
    } else {
        let runtime = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
        if variable("MM_STATE_DIR").is_none() && runtime.is_dir() {
            runtime.join("mm/mm.sock")
        } else {
            state_dir.join("run/mm.sock")
        }
    };
    Ok(Place { socket, state_dir })
}

/// The daemon's verbs, for `mm daemon run`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "opening the state folder can fail"
)]
pub(crate) fn service(_place: &Place) -> Result<Service, CliError> {
    Ok(Service {})
}

/// A client of the daemon; starts one where there is none.
pub(crate) async fn client() -> Result<Client, CliError> {
    Ok(Client::find_or_start(place()?).await?)
}

/// A client of the daemon that is running.
pub(crate) async fn running_client() -> Result<Client, CliError> {
    Ok(Client::find(place()?).await?)
}

/// An empty variable counts as none.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn home() -> Result<PathBuf, CliError> {
    env::home_dir().ok_or_else(|| {
        CliError::usage(
            "there is no home folder",
            "set HOME, or MM_STATE_DIR to a folder for the daemon's state",
        )
    })
}

fn absolute(path: PathBuf) -> Result<PathBuf, CliError> {
    std::path::absolute(&path).map_err(|source| CliError::Io {
        what: format!("`{}` is not a path", path.display()),
        source,
    })
}

/// What a check of module files found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The findings as people read them, or that there are none.
    pub(crate) text: String,
    pub(crate) faults: usize,
}

/// All modules, as a table.
pub(crate) fn modules_list(_folders: &[PathBuf]) -> Result<String, CliError> {
    Err(missing("modules list"))
}

/// One module, as it is meant.
pub(crate) fn modules_show(_folders: &[PathBuf], _name: &str) -> Result<String, CliError> {
    Err(missing("modules show"))
}

/// Findings in `files`, or in everything that is used.
pub(crate) fn modules_check(_folders: &[PathBuf], _files: &[PathBuf]) -> Result<Checked, CliError> {
    Err(missing("modules check"))
}

/// The JSON Schema of module files.
pub(crate) fn modules_schema() -> Result<String, CliError> {
    Err(missing("modules schema"))
}

/// What each command of a recording did.
pub(crate) fn recording_show(_file: &Path, _json: bool) -> Result<String, CliError> {
    Err(missing("recording show"))
}

/// Plays a recording to the screen at its own pace.
pub(crate) fn recording_play(_file: &Path, _screen: &mut Screen) -> Result<(), CliError> {
    Err(missing("recording play"))
}

/// Is the stand-in until its terminal ends.
pub(crate) fn stand_in(_scenario: &str, _arguments: &[String]) -> Result<Exit, CliError> {
    Err(missing("stand-in"))
}

/// For verbs whose rooms are not part of this build.
fn missing(verb: &str) -> CliError {
    CliError::Usage {
        message: format!("this build has no `mm {verb}`"),
        help: None,
    }
}
