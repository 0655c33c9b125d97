//! `mm doctor`: what is wrong on this machine and how to mend it. It changes nothing and starts no daemon.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::programs;
use crate::cli::wiring;
use crate::client::{Client, ClientError};
use crate::config::{Config, SettingsFile};
use crate::connection::{Registry, RegistryError, doubts};

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
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, about: &str, level: Level, message: impl Into<String>) {
        self.0.push(Finding {
            about: about.to_owned(),
            level,
            message: message.into(),
            help: None,
        });
    }

    pub(super) fn with_help(
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
    let catalog = wiring::catalog(&[])?;
    let mut findings = Findings::default();
    super::doctor_needs::installed(&config, &catalog, &mut findings);
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
    match client.daemon().await {
        Ok(info) => {
            for trouble in &info.troubles {
                findings.add(ABOUT, Level::Error, trouble.as_str());
            }
            let signed_in = info.signed_in;
            let message = format!("running, pid {}, {signed_in} signed in", info.pid);
            findings.add(ABOUT, Level::Ok, message);
            other_code(&client, findings);
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

/// A daemon that runs other code than this program. Known once it has answered.
fn other_code(client: &Client, findings: &mut Findings) {
    let message = if let Some(version) = client.other_version() {
        format!(
            "it is of version {version}, this program of {}",
            env!("CARGO_PKG_VERSION")
        )
    } else if client.is_other_build() {
        "it is another build of this version, from before this program was built or installed"
            .to_owned()
    } else {
        return;
    };
    findings.with_help(
        "daemon",
        Level::Warning,
        message,
        "restart it when its sign-ins may be lost: mm daemon restart --force",
    );
}

/// What is outside of the program's reach: logouts, the clock, the environment.
fn surroundings(config: &Config, findings: &mut Findings) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let said = |program: &str, arguments: &[&str]| {
        let file = programs::find(program, &path)?;
        programs::ask(&file, arguments).map(|said| said.trim().to_owned())
    };
    // Where nobody manages logins there is no such program, or it fails.
    let me = rustix::process::geteuid().as_raw().to_string();
    let lingers = said("loginctl", &["show-user", &me, "-p", "Linger", "--value"]);
    if lingers.as_deref() == Some("no") {
        let why = if config.socket.starts_with("/run/user") {
            "the last logout removes the daemon's socket"
        } else {
            "the last logout may end the daemon"
        };
        findings.with_help("linger", Level::Warning, why, "loginctl enable-linger");
    }
    for (about, level, message, help) in super::doctor_machine::machine_faults() {
        findings.with_help(about, level, message, help);
    }
    let clock = said("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]);
    if clock.as_deref() == Some("no") {
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
