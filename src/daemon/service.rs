//! [`Service`]: the verbs.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::books::Bookkeeper;
use super::offers::OffersView;
use super::registry::{Entry, Registry, session_view};
use super::runs::Runs;
use super::shards::Shards;
use super::view::{DaemonView, PastSessionView, SessionView};
use super::watch::SessionWatch;
use super::{ServiceError, bind, launch};
use crate::config::Config;
use crate::connection::{Connection, Registry as Connections};
use crate::expect::Identity;
use crate::name::{ConnectionName, ModuleName, RunId, SessionKey};
use crate::pty::SpawnError;
use crate::script::Module;
use crate::session::{Launch, Session, SessionError, Standing};
use crate::spec::{Catalog, CatalogError};
use crate::store::{Pin, Retention, Store};

mod orders;

/// Runs and sessions older than this are forgotten when the daemon starts.
const KEEP_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// No more runs than these are kept.
const KEEP_RUNS: u32 = 5_000;

/// How long signing out may take, the program's end included.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(25);

/// How long a session may take to sign out when the daemon stops, before it is ended.
const SHUT_DOWN_WITHIN: Duration = Duration::from_secs(6);

/// Where the scenario of the built-in connection stands, in the state folder.
const DEMO_FILE: &str = "demo-scenario";

/// The daemon's verbs. Cheap to clone; every clone is the same daemon.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    config: Config,
    store: Store,
    shards: Shards,
    catalog: Mutex<Catalog>,
    connections: Mutex<Connections>,
    sessions: Registry,
    runs: Runs,
    next_tag: AtomicU64,
    stopping: AtomicBool,
    started_at: Timestamp,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn state(message: impl std::fmt::Display) -> ServiceError {
    ServiceError::State {
        message: message.to_string(),
    }
}

impl Service {
    /// Opens the state, marks what an earlier daemon left unfinished, and waits for orders.
    pub(crate) async fn open(config: Config) -> Result<Self, ServiceError> {
        let store = Store::open(&config.state_dir.join("mm.db"))
            .map_err(|error| state(format!("{error}: {}", error.help())))?;
        let folders: Vec<PathBuf> = config
            .module_folders
            .iter()
            .map(|folder| folder.path.clone())
            .collect();
        let mut connections = Connections::empty(&config.connections_file);
        if let Ok(scenario) = std::fs::read_to_string(config.state_dir.join(DEMO_FILE)) {
            connections.add(Connection::demo(scenario.trim()));
        }
        let shards = Shards::start().map_err(|error| {
            state(format!(
                "the threads for sessions cannot be started: {error}"
            ))
        })?;
        let outputs = config.state_dir.join("runs");
        crate::config::prepare_folder(&outputs).map_err(state)?;
        let service = Self(Arc::new(Inner {
            catalog: Mutex::new(Catalog::load(&folders)),
            connections: Mutex::new(connections),
            store,
            shards,
            sessions: Registry::default(),
            runs: Runs::default(),
            next_tag: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            started_at: Timestamp::now(),
            config,
        }));
        service.tidy().await?;
        Ok(service)
    }

    /// Says of what an earlier daemon left that it is lost, and forgets what is old.
    async fn tidy(&self) -> Result<(), ServiceError> {
        let (store, now) = (&self.0.store, Timestamp::now());
        let reason = "the daemon ended while it ran";
        let lost = store
            .interrupted_runs(now, reason.to_owned())
            .await
            .map_err(state)?;
        let sessions = store
            .interrupted_sessions(now, "the daemon ended".to_owned())
            .await
            .map_err(state)?;
        if !lost.is_empty() || sessions > 0 {
            tracing::warn!(
                runs = lost.len(),
                sessions,
                "an earlier daemon ended without ending these"
            );
        }
        let since =
            now - jiff::SignedDuration::try_from(KEEP_FOR).unwrap_or(jiff::SignedDuration::MAX);
        let files = store
            .prune(Retention {
                runs: KEEP_RUNS,
                since,
            })
            .await
            .map_err(state)?;
        let outputs = self.outputs();
        for name in files
            .into_iter()
            .chain(lost.iter().map(|run| output_name(&run.id)))
        {
            if let Err(error) = std::fs::remove_file(outputs.join(&name))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, name, "old output cannot be removed");
            }
        }
        Ok(())
    }

    fn outputs(&self) -> PathBuf {
        self.0.config.state_dir.join("runs")
    }

    /// Refuses a caller who means another connections file than the one that is read here.
    pub(crate) fn check_connections_file(&self, meant: &str) -> Result<(), ServiceError> {
        let read = self.0.config.connections_file.to_string_lossy();
        if read == meant {
            return Ok(());
        }
        Err(ServiceError::Connection {
            message: format!("the daemon reads `{read}`, not `{meant}`"),
            help: Some("unset MM_CONNECTIONS, or name another daemon with MM_STATE_DIR".to_owned()),
        })
    }

    /// The run behind a session's number.
    pub(super) fn run_id(&self, tag: u64) -> Option<RunId> {
        self.0.runs.id_of(tag)
    }

    // ── names ───────────────────────────────────────────────────────────────

    fn module(&self, name: &str) -> Result<Arc<Module>, ServiceError> {
        let mut catalog = lock(&self.0.catalog);
        catalog.reload_if_changed();
        catalog
            .module(name)
            .map_err(|error: CatalogError| ServiceError::Module {
                message: error.to_string(),
                help: Some(error.help()),
            })
    }

    fn connection(&self, name: &str) -> Result<Connection, ServiceError> {
        let failed = |message: String, help: String| ServiceError::Connection {
            message,
            help: Some(help),
        };
        let name: ConnectionName = name.parse().map_err(|error: crate::name::NameError| {
            failed(error.to_string(), error.help().to_owned())
        })?;
        let mut connections = lock(&self.0.connections);
        let read = connections.reload();
        match (connections.get(&name), read) {
            (Ok(connection), _) => Ok(connection.clone()),
            (Err(_), Err(error)) => Err(failed(error.to_string(), error.help().to_owned())),
            (Err(error), Ok(_)) => Err(failed(error.to_string(), error.help())),
        }
    }

    fn key(&self, connection: &str, module: &str) -> Result<SessionKey, ServiceError> {
        let module = self.module(module)?.name.clone();
        let connection = self.connection(connection)?.name().clone();
        Ok(SessionKey { connection, module })
    }

    /// What can be signed in to, and with what. Reads the files again where they changed.
    pub(crate) fn offers(&self) -> OffersView {
        let mut catalog = lock(&self.0.catalog);
        catalog.reload_if_changed();
        let mut connections = lock(&self.0.connections);
        let trouble = connections.reload().err();
        OffersView::new(&connections, trouble.as_ref(), &catalog)
    }

    // ── sessions ────────────────────────────────────────────────────────────

    /// The living session of a connection and a module; starts one where there is none.
    fn session(&self, connection: &str, module: &str) -> Result<Entry, ServiceError> {
        if self.0.stopping.load(Ordering::Relaxed) {
            return Err(ServiceError::ShuttingDown);
        }
        let module = self.module(module)?;
        let connection = Arc::new(self.connection(connection)?);
        let key = SessionKey {
            connection: connection.name().clone(),
            module: module.name.clone(),
        };
        self.0
            .sessions
            .find_or_start(&key, || self.start(&key, module, connection))
    }

    fn start(
        &self,
        key: &SessionKey,
        module: Arc<Module>,
        connection: Arc<Connection>,
    ) -> Result<Entry, ServiceError> {
        let config = &self.0.config;
        let lost = |reason: String, help: Option<String>| ServiceError::SessionLost {
            key: key.clone(),
            reason,
            help,
        };
        let command = launch::command(&module, &connection, key, &config.state_dir, &config.home)
            .map_err(|error| lost(format!("its home cannot be made: {error}"), None))?;
        let pins_identity =
            connection.expected_email().is_none() && connection.expected_tenant_id().is_none();
        let launch = Launch {
            command,
            shell: Arc::clone(&module.shell),
            needs_sign_in: module.sign_in.is_some(),
            listener: Box::new(Bookkeeper::new(
                key.clone(),
                self.0.store.clone(),
                pins_identity,
            )),
        };
        let session = Session::start(launch, self.0.shards.pick()).map_err(|error| {
            let help = match &error {
                SpawnError::NotFound { .. } => module.shell.start.install.clone(),
                other => other.help().map(str::to_owned),
            };
            lost(with_causes(&error), help)
        })?;
        tracing::info!(session = %key, "started");
        Ok(Entry {
            key: key.clone(),
            session,
            module,
            connection,
        })
    }

    /// Begins the sign-in of a session that needs one and has none; one that runs already is left as it is.
    async fn sign_in(&self, entry: &Entry) -> Result<(), ServiceError> {
        let Some(rules) = &entry.module.sign_in else {
            return Ok(());
        };
        let identity = entry.session.status().borrow().identity.clone();
        if let Some(identity) = identity {
            return bind::still_expected(
                entry,
                &self.connection(entry.key.connection.as_str())?,
                &identity,
            );
        }
        let pin = self
            .0
            .store
            .pinned(entry.key.clone())
            .await
            .map_err(state)?;
        let request = bind::sign_in(
            &entry.module,
            rules,
            &self.connection(entry.key.connection.as_str())?,
            pin,
        )?;
        entry
            .session
            .sign_in(request)
            .await
            .map_err(|error| refused(entry, &error))
    }

    /// Finds or starts a session and its sign-in; returns at once. The same live code is never replaced by a second one.
    /// `forget_identity` drops the pinned identity of a connection that names neither account nor tenant.
    pub(crate) async fn login(
        &self,
        connection: &str,
        module: &str,
        forget_identity: bool,
    ) -> Result<SessionWatch, ServiceError> {
        let entry = self.session(connection, module)?;
        if forget_identity {
            let identity = entry.session.status().borrow().identity.clone();
            match identity {
                // Who is signed in is who is accepted.
                Some(Identity {
                    account, tenant, ..
                }) => {
                    let pin = Pin {
                        account,
                        tenant,
                        pinned: Timestamp::now(),
                    };
                    self.0.store.pin(entry.key.clone(), pin).await
                }
                None => self.0.store.unpin(entry.key.clone()).await.map(|_| ()),
            }
            .map_err(state)?;
        }
        self.sign_in(&entry).await?;
        Ok(SessionWatch::new(self.clone(), entry))
    }

    /// Sessions, of one connection or module where given (as typed).
    pub(crate) fn sessions(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
    ) -> Result<Vec<SessionView>, ServiceError> {
        let (connection, module) = self.filter(connection, module)?;
        let wanted = |entry: &Entry| {
            connection
                .as_ref()
                .is_none_or(|name| *name == entry.key.connection)
                && module.as_ref().is_none_or(|name| *name == entry.key.module)
        };
        Ok(self
            .0
            .sessions
            .all()
            .iter()
            .filter(|entry| wanted(entry))
            .map(|entry| session_view(entry, |tag| self.run_id(tag)))
            .collect())
    }

    /// The newest sessions there have been, newest first; of one connection or module where given (as typed).
    pub(crate) async fn past_sessions(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PastSessionView>, ServiceError> {
        let (connection, module) = self.filter(connection, module)?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let rows = self
            .0
            .store
            .sessions(connection, module, limit)
            .await
            .map_err(state)?;
        let view = |row: crate::store::SessionRow| PastSessionView {
            key: row.session,
            started_at: row.started,
            signed_in_at: row.signed_in,
            account: row.account,
            tenant: row.tenant,
            ended_at: row.ended,
            reason: row.reason,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn filter(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
    ) -> Result<(Option<ConnectionName>, Option<ModuleName>), ServiceError> {
        let module = module
            .map(|name| self.module(name))
            .transpose()?
            .map(|module| module.name.clone());
        let connection = connection
            .map(|name| self.connection(name))
            .transpose()?
            .map(|connection| connection.name().clone());
        Ok((connection, module))
    }

    /// Signs out and ends a session, waiting for it; `force` kills it at once. Returns what it was.
    pub(crate) async fn disconnect(
        &self,
        connection: &str,
        module: &str,
        force: bool,
    ) -> Result<SessionKey, ServiceError> {
        // A session outlives its entry and its file: what they are named goes before what is written now.
        let named = connection.parse().ok().zip(module.parse().ok());
        let named = named.map(|(connection, module)| SessionKey { connection, module });
        let living = named.and_then(|key| self.0.sessions.get(&key));
        let key = match &living {
            Some(entry) => entry.key.clone(),
            None => self.key(connection, module)?,
        };
        let entry = living
            .or_else(|| self.0.sessions.get(&key))
            .ok_or_else(|| ServiceError::UnknownSession { key: key.clone() })?;
        if !self.end_session(&entry, force, DISCONNECT_WITHIN).await {
            let status = entry.session.status().borrow().clone();
            return Err(ServiceError::Stopping {
                key,
                since: status.since,
                why: status.why_stuck().to_owned(),
            });
        }
        self.0.sessions.forget_closed(&key);
        tracing::info!(session = %key, "disconnected");
        Ok(key)
    }

    /// Whether it ended in time.
    async fn end_session(&self, entry: &Entry, force: bool, within: Duration) -> bool {
        let mut status = entry.session.status();
        let command = bind::disconnect(&entry.module, &entry.connection);
        if entry.session.disconnect(command, force).is_err() {
            return true;
        }
        let ended = status.wait_for(crate::session::SessionStatus::is_closed);
        // A task that is gone has ended its session.
        tokio::time::timeout(within, ended).await.is_ok()
    }

    // ── the daemon ──────────────────────────────────────────────────────────

    /// Adds or removes the built-in `Demo` connection, with this scenario.
    pub(crate) fn keep_demo(&self, scenario: Option<&str>) -> Result<(), ServiceError> {
        let file = self.0.config.state_dir.join(DEMO_FILE);
        let mut connections = lock(&self.0.connections);
        if let Some(scenario) = scenario {
            std::fs::write(&file, scenario).map_err(|error| {
                state(format!("`{}` cannot be written: {error}", file.display()))
            })?;
            connections.add(Connection::demo(scenario));
            return Ok(());
        }
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(state(format!(
                "`{}` cannot be removed: {error}",
                file.display()
            )));
        }
        *connections = Connections::empty(&self.0.config.connections_file);
        Ok(())
    }

    /// The daemon itself.
    pub(crate) fn info(&self) -> DaemonView {
        let sessions = self.0.sessions.all();
        let count = |test: fn(&crate::session::SessionStatus) -> bool| {
            sessions
                .iter()
                .filter(|entry| test(&entry.session.status().borrow()))
                .count()
        };
        let mut troubles: Vec<String> = self
            .0
            .store
            .health()
            .failing
            .into_iter()
            .map(|what| format!("the database: {what}"))
            .collect();
        troubles.extend(self.0.runs.all().iter().filter_map(|run| {
            Some(format!(
                "the output of run {}: {}",
                run.id,
                run.output.trouble()?
            ))
        }));
        DaemonView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.0.started_at,
            state_dir: self.0.config.state_dir.clone(),
            sessions: count(|status| !status.is_closed()),
            signed_in: count(crate::session::SessionStatus::is_signed_in),
            running: count(|status| {
                matches!(
                    status.standing,
                    Standing::Running | Standing::Asking(_) | Standing::Stopping(_)
                )
            }),
            troubles,
        }
    }

    /// Begins to stop: refuses where sign-ins would be lost and `force` is not given; else signs out, ends every session
    /// and closes the state. Returns when that is done.
    pub(crate) async fn shut_down(&self, force: bool) -> Result<(), ServiceError> {
        let living: Vec<Entry> = self
            .0
            .sessions
            .all()
            .into_iter()
            .filter(|entry| !entry.session.status().borrow().is_closed())
            .collect();
        let signed_in = |entry: &&Entry| {
            entry.module.sign_in.is_some() && entry.session.status().borrow().is_signed_in()
        };
        let sessions: Vec<String> = living
            .iter()
            .filter(signed_in)
            .map(|entry| entry.key.to_string())
            .collect();
        if !force && !sessions.is_empty() {
            return Err(ServiceError::WouldLoseSignIns { sessions });
        }
        self.0.stopping.store(true, Ordering::Relaxed);
        tracing::info!(
            sessions = living.len(),
            "stopping: sessions are signed out and ended"
        );
        let ends = living.into_iter().map(|entry| {
            let service = self.clone();
            tokio::spawn(async move {
                let key = entry.key.clone();
                if service.end_session(&entry, false, SHUT_DOWN_WITHIN).await {
                    return;
                }
                tracing::warn!(session = %key, "it does not sign out in time and is ended");
                if !service.end_session(&entry, true, SHUT_DOWN_WITHIN).await {
                    tracing::error!(session = %key, "it does not end; it ends with the daemon");
                }
            })
        });
        // From here on nothing keeps the daemon alive: what fails is told to the log.
        for end in ends.collect::<Vec<_>>() {
            if let Err(error) = end.await {
                tracing::error!(%error, "a session could not be ended");
            }
        }
        if let Err(error) = self.0.store.flush().await {
            tracing::error!(%error, "the database could not be brought up to date");
        }
        Ok(())
    }
}

fn output_name(id: &RunId) -> String {
    format!("{id}.out")
}

/// An error with its causes, as one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn refused(entry: &Entry, error: &SessionError) -> ServiceError {
    let key = entry.key.clone();
    match error {
        SessionError::Busy { queued } => ServiceError::Busy {
            key,
            queued: *queued,
        },
        SessionError::Stuck => {
            let status = entry.session.status().borrow().clone();
            ServiceError::Stopping {
                key,
                since: status.since,
                why: status.why_stuck().to_owned(),
            }
        }
        SessionError::Ended | SessionError::NothingAsked => {
            let reason = match &entry.session.status().borrow().standing {
                Standing::Closed(reason) => reason.to_string(),
                _ => "it is ending".to_owned(),
            };
            let help = Some("try again in a moment".to_owned());
            ServiceError::SessionLost { key, reason, help }
        }
    }
}
