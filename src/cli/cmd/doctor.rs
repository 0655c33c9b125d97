//! `mm doctor`: what is wrong on this machine and how to mend it. It changes nothing and starts no daemon.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::programs::{self, Version};
use crate::cli::wiring;
use crate::client::ClientError;
use crate::config::{Config, SettingsFile};
use crate::connection::{Registry, RegistryError, doubts};

/// The PowerShell modules that the built-in modules need, and for which.
const MODULES: [(&str, &str); 5] = [
    ("ExchangeOnlineManagement", "exo"),
    ("Az.Accounts", "azure"),
    ("MicrosoftTeams", "teams"),
    ("PnP.PowerShell", "pnp"),
    ("Microsoft.Graph.Authentication", "graph"),
];

/// Variables that sessions take over from the daemon's environment and that decide where they connect.
const TAKEN_OVER: [&str; 12] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Ok,
    Note,
    Warning,
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What it is about: `pwsh`, `connections`, …
    about: String,
    level: Level,
    message: String,
    /// What to do about it.
    help: Option<String>,
}

/// All that was found, in the order it was looked at.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, about: &str, level: Level, message: impl Into<String>) {
        self.0.push(Finding {
            about: about.to_owned(),
            level,
            message: message.into(),
            help: None,
        });
    }

    fn with_help(
        &mut self,
        about: &str,
        level: Level,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(about, level, message);
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.into());
        }
    }
}

/// Looks at everything. Exits with 1 where something has to be mended.
pub(crate) async fn doctor(json: bool, screen: &mut Screen) -> Result<Exit, CliError> {
    let config = wiring::config()?;
    let mut findings = Findings::default();
    installed(&config, &mut findings);
    connections(&config, &mut findings);
    settings(&config, &mut findings);
    folders(&config, &mut findings);
    daemon(&mut findings).await;
    surroundings(&config, &mut findings);
    let broken = findings.0.iter().any(|one| one.level == Level::Error);
    if json {
        screen.json(&serde_json::json!({ "findings": findings.0 }))?;
    } else {
        screen.text(&shown(&findings.0))?;
    }
    Ok(if broken { Exit::Failed } else { Exit::Done })
}

fn shown(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for one in findings {
        let level = match one.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "ERROR",
        };
        lines.push(format!("{level:<8} {}: {}", one.about, one.message));
        if let Some(help) = &one.help {
            lines.push(format!("         help: {help}"));
        }
    }
    let count = |level| findings.iter().filter(|one| one.level == level).count();
    lines.push(format!(
        "errors: {}, warnings: {}",
        count(Level::Error),
        count(Level::Warning)
    ));
    lines.join("\n")
}

fn installed(config: &Config, findings: &mut Findings) {
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    let shell = powershell(&path, findings);
    let folders = [
        config.home.join(".local/share/powershell/Modules"),
        PathBuf::from("/usr/local/share/powershell/Modules"),
    ];
    for (name, module) in MODULES {
        let versions = programs::module_versions(name, &folders);
        let Some(newest) = versions.last() else {
            findings.with_help(
                module,
                Level::Note,
                format!("the PowerShell module {name} is not installed"),
                format!("if you need it: Install-PSResource {name} -Scope CurrentUser, in pwsh"),
            );
            continue;
        };
        let faults = programs::faults(name, &versions, shell.as_ref());
        if faults.is_empty() {
            findings.add(module, Level::Ok, format!("{name} {newest}"));
        }
        for (message, help) in faults {
            findings.with_help(module, Level::Error, message, help);
        }
    }
    for program in ["pac", "az", "m365"] {
        match programs::find(program, &path) {
            Some(file) => program_version(program, &file, findings),
            None => findings.add(program, Level::Note, "not installed"),
        }
    }
}

fn program_version(program: &str, file: &Path, findings: &mut Findings) {
    let place = file.display();
    let Some(version) = programs::packaged_version(program, file) else {
        return findings.add(
            program,
            Level::Ok,
            format!("{place}; its version is not to be seen"),
        );
    };
    match programs::program_fault(program, &version) {
        Some((message, help)) => findings.with_help(program, Level::Warning, message, help),
        None => findings.add(program, Level::Ok, format!("{version} ({place})")),
    }
}

/// PowerShell's version, where it says one.
fn powershell(path: &OsString, findings: &mut Findings) -> Option<Version> {
    let install = "install PowerShell 7.4 or newer (https://aka.ms/install-powershell)";
    let Some(file) = programs::find("pwsh", path) else {
        findings.with_help("pwsh", Level::Error, "not installed", install);
        return None;
    };
    let said = programs::ask(&file, &["--version"]);
    let Some(version) = said.as_deref().and_then(Version::find) else {
        findings.with_help(
            "pwsh",
            Level::Error,
            format!("`{} --version` does not say a version", file.display()),
            install,
        );
        return None;
    };
    if version < Version(vec![7, 3]) {
        findings.with_help(
            "pwsh",
            Level::Error,
            format!("{version} is too old"),
            install,
        );
    } else if version < Version(vec![7, 4]) {
        findings.with_help(
            "pwsh",
            Level::Warning,
            format!("{version} is not supported any longer"),
            install,
        );
    } else {
        findings.add("pwsh", Level::Ok, format!("{version} ({})", file.display()));
    }
    Some(version)
}

fn connections(config: &Config, findings: &mut Findings) {
    const ABOUT: &str = "connections";
    let registry = match Registry::load(&config.connections_file) {
        Ok(registry) => registry,
        Err(error) => {
            let level = match error {
                RegistryError::Missing { .. } => Level::Warning,
                _ => Level::Error,
            };
            return findings.with_help(ABOUT, level, error.to_string(), error.help());
        }
    };
    for (name, error) in registry.faults() {
        findings.with_help(
            ABOUT,
            Level::Error,
            format!("{name}: {error}"),
            error.help(),
        );
    }
    for doubt in doubts(&registry) {
        let message = format!("{}: {}", doubt.connection, doubt.message);
        findings.with_help(ABOUT, Level::Warning, message, doubt.help);
    }
    let file = config.connections_file.display();
    if mode(&config.connections_file).is_some_and(|mode| mode & 0o022 != 0) {
        findings.with_help(
            ABOUT,
            Level::Warning,
            "others may write the file, and so decide whom you sign in to",
            format!("chmod go-w '{file}'"),
        );
    }
    let count = registry.connections().count();
    findings.add(ABOUT, Level::Ok, format!("{count} can be used, in {file}"));
}

fn settings(config: &Config, findings: &mut Findings) {
    const ABOUT: &str = "settings";
    let file = config.settings_file.display();
    match SettingsFile::open(&config.settings_file) {
        Err(error) => findings.add(ABOUT, Level::Error, error.to_string()),
        Ok(_) if !config.settings_file.exists() => {
            findings.add(
                ABOUT,
                Level::Ok,
                format!("{file} is not there; the defaults hold"),
            );
        }
        Ok(read) => {
            findings.add(ABOUT, Level::Ok, file.to_string());
            let trusted = read.settings().trusted_forms();
            if !trusted.is_empty() {
                let names = trusted.join(", ");
                findings.add(
                    ABOUT,
                    Level::Note,
                    format!("the forms of {names} count as a person's word; a client gives itself its name"),
                );
            }
        }
    }
}

/// Permission bits; `None` where nothing is there.
fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path)
        .ok()
        .map(|about| about.mode() & 0o777)
}

fn folders(config: &Config, findings: &mut Findings) {
    let folder = config.state_dir.display();
    match mode(&config.state_dir) {
        None => findings.add(
            "state",
            Level::Ok,
            format!("{folder} is not there yet; the daemon makes it"),
        ),
        Some(mode) if mode & 0o077 != 0 => findings.with_help(
            "state",
            Level::Error,
            format!("others can look into {folder}"),
            format!("chmod 700 '{folder}'"),
        ),
        Some(_) => match super::doctor_machine::state_fault(&config.state_dir) {
            Some((level, message, help)) => findings.with_help("state", level, message, help),
            None => findings.add("state", Level::Ok, folder.to_string()),
        },
    }
}

async fn daemon(findings: &mut Findings) {
    const ABOUT: &str = "daemon";
    let client = match wiring::running_client().await {
        Ok(client) => client,
        Err(CliError::Client(ClientError::NoDaemon)) => {
            return findings.add(ABOUT, Level::Ok, "not running; it starts when it is needed");
        }
        Err(error) => {
            let help = error
                .help()
                .unwrap_or_else(|| "see the daemon's log".to_owned());
            return findings.with_help(ABOUT, Level::Error, error.to_string(), help);
        }
    };
    if let Some(version) = client.other_version() {
        findings.with_help(
            ABOUT,
            Level::Warning,
            format!(
                "it is of version {version}, this program of {}",
                env!("CARGO_PKG_VERSION")
            ),
            "restart it when its sign-ins may be lost: mm daemon stop --force",
        );
    }
    match client.daemon().await {
        Ok(info) => {
            for trouble in &info.troubles {
                findings.add(ABOUT, Level::Error, trouble.as_str());
            }
            let signed_in = info.signed_in;
            let message = format!("running, pid {}, {signed_in} signed in", info.pid);
            findings.add(ABOUT, Level::Ok, message);
        }
        Err(error) => findings.with_help(
            ABOUT,
            Level::Error,
            error.to_string(),
            error
                .help()
                .unwrap_or_else(|| "see the daemon's log".to_owned()),
        ),
    }
}

/// What is outside of the program's reach: logouts, the clock, the environment.
fn surroundings(config: &Config, findings: &mut Findings) {
    let user = std::env::var("USER").unwrap_or_default();
    let lingers = Path::new("/var/lib/systemd/linger").join(&user).exists();
    if Path::new("/run/systemd/system").exists() && !user.is_empty() && !lingers {
        let why = if config.socket.starts_with("/run/user") {
            "the last logout removes the daemon's socket"
        } else {
            "the last logout may end the daemon"
        };
        findings.with_help("linger", Level::Warning, why, "loginctl enable-linger");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (about, level, message, help) in super::doctor_machine::machine_faults() {
        findings.with_help(about, level, message, help);
    }
    let clock = programs::find("timedatectl", &path)
        .and_then(|file| programs::ask(&file, &["show", "-p", "NTPSynchronized", "--value"]));
    if clock.as_deref().map(str::trim) == Some("no") {
        findings.with_help(
            "clock",
            Level::Warning,
            "it is not synchronized; where it is an hour off, every code has expired",
            "timedatectl set-ntp true",
        );
    }
    let set: Vec<&str> = TAKEN_OVER
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        .collect();
    if !set.is_empty() {
        findings.add(
            "environment",
            Level::Note,
            format!(
                "a daemon that is started here gives sessions {}",
                set.join(", ")
            ),
        );
    }
}
