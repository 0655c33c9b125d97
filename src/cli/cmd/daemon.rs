//! `mm daemon`: the daemon itself, and being it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::api::DaemonInfo;
use crate::cli::args::{DaemonArgs, DaemonVerb};
use crate::cli::ending::Message;
use crate::cli::entry::block_on;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::when::since;
use crate::cli::wiring;
use crate::client::ClientError;
use crate::daemon::{Service, ServiceError, Shutdown};
use crate::http::{DaemonLock, Server, Socket, Stopper};
use crate::pty::raise_file_limit;

/// How often a daemon that stops is asked what it waits for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a daemon that said that it stops may still be there, and how often that is looked at.
const GONE_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Starts, stops, shows or is the daemon.
pub(crate) fn daemon(args: DaemonArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        DaemonVerb::Start => block_on(start(screen)),
        DaemonVerb::Stop { force } => block_on(stop(force, screen)),
        DaemonVerb::Restart { force } => block_on(async {
            stop(force, screen).await?;
            start(screen).await
        }),
        DaemonVerb::Status { json } => block_on(status(json, screen)),
        DaemonVerb::Run { detach } => run(detach),
    }
}

async fn start(screen: &mut Screen) -> Result<Exit, CliError> {
    let info = wiring::client().await?.daemon().await?;
    screen.text(&format!("the daemon is running (pid {})", info.pid))?;
    Ok(Exit::Done)
}

async fn stop(force: bool, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = match wiring::running_client().await {
        Ok(client) => client,
        Err(CliError::Client(ClientError::NoDaemon)) => {
            screen.text("no daemon is running")?;
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error),
    };
    let pid = client.daemon().await?.pid;
    let mut told = Vec::new();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let stopped = client.shut_down(force);
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            result = stopped.as_mut() => break result?,
            _ = looks.tick() => {
                // One that no longer answers is about to be gone.
                let waits = client.daemon().await.map(|info| info.waits_for).unwrap_or_default();
                for one in waits.iter().filter(|one| !told.contains(*one)) {
                    screen.note(&format!("waiting for {one}"));
                }
                told = waits;
            }
        }
    }
    gone(pid).await;
    screen.text("the daemon has stopped")?;
    Ok(Exit::Done)
}

/// Waits until the process is gone, and the files that it held are closed: it answers before that, and whoever starts
/// another daemon at once, or moves the database away, must not meet it.
async fn gone(pid: u32) {
    let until = Instant::now() + GONE_WITHIN;
    while Instant::now() < until && lives(pid) {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether the process is there and not only its exit status (proc(5), the state behind the name in `stat`).
fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(") ")?.1.starts_with(['Z', 'X'])))
        .is_some_and(|ended| !ended)
}

async fn status(json: bool, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = wiring::running_client().await?;
    let info = client.daemon().await?;
    if json {
        screen.json(&info)?;
        return Ok(Exit::Done);
    }
    screen.text(&shown(&info, Timestamp::now(), &TimeZone::system()))?;
    if let Some(version) = client.other_version() {
        screen.note(&super::run::other_version(&version));
    }
    if client.is_other_build() {
        screen.note(super::run::OTHER_BUILD);
    }
    for trouble in &info.troubles {
        screen.tell(&Message::error(trouble));
    }
    Ok(Exit::Done)
}

fn shown(info: &DaemonInfo, now: Timestamp, zone: &TimeZone) -> String {
    format!(
        "version   {}\npid       {}\nstarted   {}\nstate     {}\nsessions  {}, {} signed in, {} running a command\n",
        info.version,
        info.pid,
        since(info.started_at, now, zone),
        info.state_dir.display(),
        info.sessions,
        info.signed_in,
        info.running,
    )
}

/// Is the daemon until it is stopped. Detached, it first leaves its starter's session and terminal.
fn run(detach: bool) -> Result<Exit, CliError> {
    if detach {
        rustix::process::setsid().map_err(|errno| CliError::Io {
            what: "the terminal cannot be left".to_owned(),
            source: errno.into(),
        })?;
    }
    wiring::start_log(detach)?;
    match raise_file_limit() {
        Ok(limit) => tracing::info!(limit, "files may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let place = wiring::place()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::Io {
            what: "the runtime cannot be started".to_owned(),
            source,
        })?;
    runtime.block_on(async {
        // The lock comes first: only the one daemon opens the state folder. Who connects finds one that can work.
        let lock = DaemonLock::take(&place.state_dir)?;
        let service = wiring::service().await?;
        let socket = Socket::bind(&place.socket, lock)?;
        let server = Server::new(socket, service.clone());
        let signals = heed_signals(service, server.stopper())?;
        tracing::info!(pid = std::process::id(), "listening");
        server.run().await;
        signals.abort();
        tracing::info!("stopped");
        Ok(Exit::Done)
    })
}

/// Ctrl-C asks once and insists the second time; SIGTERM comes from a system that goes down: what runs may end, and the
/// second one kills. SIGHUP belongs to a terminal that closes, which is no reason to lose sign-ins.
fn heed_signals(service: Service, stopper: Stopper) -> Result<JoinHandle<()>, CliError> {
    let listen = |kind| {
        signal(kind).map_err(|source| CliError::Io {
            what: "signals cannot be listened to".to_owned(),
            source,
        })
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        let mut asked = false;
        loop {
            let how = tokio::select! {
                Some(()) = interrupt.recv() => {
                    if std::mem::replace(&mut asked, true) { Shutdown::Drained } else { Shutdown::Asked }
                }
                Some(()) = terminate.recv() => Shutdown::Drained,
                Some(()) = hang_up.recv() => continue,
                else => return,
            };
            let outcome = tokio::select! {
                outcome = service.shut_down(how) => outcome,
                Some(()) = terminate.recv() => {
                    tracing::warn!("told again: every session is killed");
                    service.kill().await;
                    Ok(())
                }
                Some(()) = interrupt.recv() => {
                    tracing::warn!("told again: every session is killed");
                    service.kill().await;
                    Ok(())
                }
            };
            match outcome {
                Ok(()) => break,
                Err(error @ ServiceError::WouldLoseSignIns { .. }) => {
                    tracing::warn!(%error, "Ctrl-C again stops all the same");
                }
                Err(error) => {
                    tracing::error!(%error, "it does not stop cleanly");
                    break;
                }
            }
        }
        stopper.stop();
    }))
}
