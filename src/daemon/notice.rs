//! Telling somebody who is not at a terminal that something waits for their yes: a program is started or an address is
//! called. Neither can say yes, and neither is waited for by the run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, oneshot};

use super::credentials::{self, CredentialError};
use super::view::{ApprovalView, RunView};
use crate::config::{Notice, NoticeWay, Webhook, check_address};
use crate::policy::Who;
use crate::secret::Secret;

/// How long telling may take.
const WITHIN: Duration = Duration::from_secs(10);

/// So many are told at one time. Whoever asks faster than that is not helped by more notices.
const AT_ONCE: usize = 4;

/// Characters of a command that are told: what else there is, `mm approvals show` shows.
const COMMAND_TOLD: usize = 4000;

/// What a program is started with, as far as the daemon has it: what it needs to find its user's screen and language, and
/// no secret.
const KEPT: [&str; 10] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "USER",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
];

/// The notices of a daemon: how many are under way, and what became of the last one.
pub(super) struct Notices {
    pub(super) room: Semaphore,
    trouble: Mutex<Option<String>>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            room: Semaphore::new(AT_ONCE),
            trouble: Mutex::default(),
        }
    }
}

impl Notices {
    /// Why the last one was not given. `None`: it was.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn ended(&self, trouble: Option<String>) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *last = trouble;
    }
}

/// Why nobody was told. Nothing of an address is in it but that it was one.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoticeError {
    /// Too many are under way.
    #[error("{AT_ONCE} others are under way")]
    NoRoom,
    /// The program cannot be started, or be spoken to.
    #[error("`{}` cannot be started: {source}", program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program failed.
    #[error("`{}` failed ({status})", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// It took too long, and was ended.
    #[error("{what} did not end within {} seconds", WITHIN.as_secs())]
    Slow {
        /// The program, or the address.
        what: String,
    },
    /// The address is not to be had.
    #[error("the webhook's address: {0}")]
    Reference(#[source] CredentialError),
    /// What was to be had is no address that may be used.
    #[error("the webhook's address: {0}")]
    Address(&'static str),
    /// The address cannot be reached.
    #[error("the webhook cannot be called: {0}")]
    Unreached(String),
    /// The address does not take it.
    #[error("the webhook answered {0}")]
    Answered(u16),
}

/// What is told of a run that waits. What a stranger or a model may have written is in it only where that is allowed.
pub(super) fn request(run: &RunView, approval: &ApprovalView, with_text: bool) -> Value {
    let asked_by = match approval.who {
        Who::Person => "person",
        Who::Program => "program",
    };
    let show = format!("mm approvals show {}", run.id);
    let mut told = json!({
        "event": "approval_pending",
        "text": format!("{}: a {asked_by} waits for a yes ({}); {show}", run.session, approval.effects.join(", ")),
        "run": run.id.as_str(),
        "connection": run.session.connection.as_str(),
        "module": run.session.module.as_str(),
        "account": run.account,
        "tenant": run.tenant,
        "tenant_name": approval.tenant_name,
        "effects": approval.effects,
        "rule": approval.rule,
        "asked_by": asked_by,
        "client": approval.client,
        "asked_at": approval.asked_at.to_string(),
        "expires_in": approval.left.as_secs(),
        "show": show,
    });
    if with_text {
        let cut = run.command.char_indices().nth(COMMAND_TOLD);
        let command = cut.map_or(run.command.as_str(), |(at, _)| &run.command[..at]);
        told["command"] = json!(command);
        told["command_truncated"] = json!(cut.is_some());
        told["preview"] = json!(approval.preview);
        told["reason"] = json!(approval.reason);
        told["ticket"] = json!(approval.ticket);
    }
    told
}

/// Tells it. Returns when that is done, or has taken too long.
pub(super) async fn give(notice: &Notice, told: &Value, home: &Path) -> Result<(), NoticeError> {
    let body = told.to_string();
    match &notice.way {
        NoticeWay::Command { program, arguments } => {
            let slow = || NoticeError::Slow {
                what: format!("`{}`", program.display()),
            };
            tell(program, arguments, body.as_bytes())
                .await
                .map_err(|error| error.unwrap_or_else(slow))
        }
        NoticeWay::Webhook(Webhook::Address(address)) => call(address, body).await,
        NoticeWay::Webhook(Webhook::Reference(reference)) => {
            let address = credentials::fetch(reference, home)
                .await
                .map_err(NoticeError::Reference)?;
            check_address(address.expose()).map_err(NoticeError::Address)?;
            call(&address, body).await
        }
    }
}

/// Starts the program in a group of its own and waits for its end. The inner `None` of an error: it took too long, and the
/// whole group was killed.
async fn tell(
    program: &Path,
    arguments: &[String],
    body: &[u8],
) -> Result<(), Option<NoticeError>> {
    let failed = |source| {
        Some(NoticeError::NotStarted {
            program: program.to_owned(),
            source,
        })
    };
    let kept = KEPT
        .iter()
        .filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(kept)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    let mut stdin = child.stdin.take().expect("it is piped");
    let told = tokio::time::timeout(WITHIN, async {
        match stdin.write_all(body).await {
            // It need not read what it is told.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            other => other?,
        }
        drop(stdin);
        child.wait().await
    });
    let Ok(ended) = told.await else {
        if let Some(group) = group.and_then(Pid::from_raw) {
            // One that has just ended needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
        return Err(None);
    };
    let status = ended.map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    Err(Some(NoticeError::Failed {
        program: program.to_owned(),
        status,
    }))
}

/// Sends it to an address. On a thread of its own, which no stop of the daemon waits for.
async fn call(address: &Secret, body: String) -> Result<(), NoticeError> {
    let (done, answer) = oneshot::channel();
    let address = address.clone();
    std::thread::Builder::new()
        .name("notice".to_owned())
        .spawn(move || {
            // Whoever waited may have gone with the daemon.
            drop(done.send(post(&address, &body)));
        })
        .map_err(|error| NoticeError::Unreached(error.to_string()))?;
    let lost = || NoticeError::Unreached("its thread ended; the daemon's log says why".to_owned());
    answer.await.unwrap_or_else(|_| Err(lost()))
}

/// Blocks for [`WITHIN`] at most. No proxy of the environment and no redirection decides where it goes.
fn post(address: &Secret, body: &str) -> Result<(), NoticeError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WITHIN))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(concat!("mm/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let answer = agent
        .post(address.expose())
        .header("content-type", "application/json")
        .send(body)
        .map_err(unreached)?;
    match answer.status().as_u16() {
        200..=299 => Ok(()),
        status => Err(NoticeError::Answered(status)),
    }
}

/// In words without the address, which the library's own may repeat.
fn unreached(error: ureq::Error) -> NoticeError {
    NoticeError::Unreached(match error {
        ureq::Error::Timeout(_) => {
            return NoticeError::Slow {
                what: "the webhook".to_owned(),
            };
        }
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "its host is not known".to_owned(),
        ureq::Error::Rustls(error) => format!("its encryption is not to be trusted: {error}"),
        ureq::Error::Tls(why) => format!("its encryption is not to be trusted: {why}"),
        ureq::Error::ConnectionFailed => "nobody listens there".to_owned(),
        _ => "it does not speak HTTP as it should".to_owned(),
    })
}
