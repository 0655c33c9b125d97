//! What a session's program is started with: its command, its environment and its home. Built from the shell's list, so
//! that what started the daemon does not decide it.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::ServiceError;
use crate::connection::Connection;
use crate::name::SessionKey;
use crate::pty::{self, TerminalFlags};
use crate::script::{Module, Quoting, Template};

/// Where programs are looked for when the daemon's own `PATH` is empty: what started it may pass almost nothing.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/opt/microsoft/powershell/7:/snap/bin";

/// The command that starts a session's program. Makes its home where the shell wants a private one.
pub(super) fn command(
    module: &Module,
    connection: &Connection,
    key: &SessionKey,
    state_dir: &Path,
    real_home: &Path,
) -> io::Result<pty::Command> {
    let shell = &module.shell;
    let home = if shell.environment.private_home {
        private_home(state_dir, key)?
    } else {
        real_home.to_owned()
    };
    let own = home.to_string_lossy().into_owned();
    let users = real_home.to_string_lossy().into_owned();
    let bootstrap = shell
        .bootstrap
        .as_ref()
        .map(crate::script::Bootstrap::argument)
        .unwrap_or_default();
    let fill = |name: &str| match name {
        "home" => Some(own.as_str()),
        "real_home" => Some(users.as_str()),
        "bootstrap" => Some(bootstrap.as_str()),
        _ => None,
    };
    let (program, arguments) = if let Some(scenario) = stand_in(module, connection) {
        let program = std::env::current_exe()?.to_string_lossy().into_owned();
        (program, vec!["stand-in".into(), scenario.into()])
    } else {
        let rendered = |argument: &Template| argument.render(Quoting::Plain, fill).into();
        let arguments = shell.start.arguments.iter().map(rendered).collect();
        (shell.start.program.clone(), arguments)
    };
    let mut environment = vec![("HOME".into(), home.clone().into_os_string())];
    if shell.environment.private_home {
        for (name, folder) in [
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
        ] {
            environment.push((name.into(), home.join(folder).into_os_string()));
        }
    }
    for name in &shell.environment.keep {
        if let Some(value) = std::env::var_os(name) {
            set(&mut environment, name, value);
        }
    }
    let path = environment
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    if path.is_empty() {
        set(&mut environment, "PATH", USUAL_PATH.into());
    }
    for (name, value) in &shell.environment.set {
        set(
            &mut environment,
            name,
            value.render(Quoting::Plain, fill).into(),
        );
    }
    let terminal = &shell.terminal;
    Ok(pty::Command {
        program,
        arguments,
        environment,
        directory: home,
        terminal: TerminalFlags {
            columns: terminal.columns,
            rows: terminal.rows,
            echo: terminal.echo,
            canonical: terminal.canonical,
            map_cr_to_lf: terminal.map_cr_to_lf,
            signals: terminal.signals,
            flush_on_signal: terminal.flush_on_signal,
        },
    })
}

/// Refuses a session whose program nothing plays: the stand-in for a tenant speaks as PowerShell's shell does.
pub(super) fn check_stand_in(module: &Module, connection: &Connection) -> Result<(), ServiceError> {
    match stand_in(module, connection) {
        Some(scenario) if module.shell.name.as_str() != "pwsh" => Err(ServiceError::Module {
            message: format!(
                "the scenario `{scenario}` stands in for PowerShell, and the module `{}` runs in `{}`",
                module.name, module.shell.name
            ),
            help: Some("use a connection without `stand_in` for this module".to_owned()),
        }),
        _ => Ok(()),
    }
}

/// The scenario that stands in for the tenant. Where nothing is signed in to, there is nothing to stand in for.
fn stand_in<'c>(module: &Module, connection: &'c Connection) -> Option<&'c str> {
    module.sign_in.as_ref().and(connection.stand_in())
}

fn set(environment: &mut Vec<(String, OsString)>, name: &str, value: OsString) {
    match environment.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => environment.push((name.to_owned(), value)),
    }
}

/// A session's own home (0700), so that token caches of two tenants never meet.
fn private_home(state_dir: &Path, key: &SessionKey) -> io::Result<PathBuf> {
    let home = state_dir.join("homes").join(folder_name(key));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&home)?;
    Ok(home)
}

/// A folder's name for a session: one name a session, and no character that programs stumble over. Exchange's module
/// cannot connect where the profile's path holds a `$`.
fn folder_name(key: &SessionKey) -> String {
    use std::fmt::Write as _;
    let mut name = format!("{}@", key.module);
    for byte in key.connection.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            name.push(char::from(byte));
        } else {
            write!(name, "={byte:02x}").expect("writing to a string does not fail");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sessions_never_share_a_folder_and_none_leaves_it() {
        let name = |connection: &str| {
            folder_name(&SessionKey {
                connection: connection.parse().expect("a connection name"),
                module: "exo".parse().expect("a module name"),
            })
        };
        assert_eq!(name(".."), "exo@..");
        assert_eq!(name("A $b"), "exo@A=20=24b");
        assert_ne!(name("A=20b"), name("A b"));
    }
}
