//! [`Service`]: the verbs.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ServiceError;
use super::approvals::Approvals;
use super::notice::Notices;
use super::offers::OffersView;
use super::registry::Registry;
use super::runs::Runs;
use super::shards::Shards;
use crate::audit::{Audit, Entry as AuditEntry, Kind};
use crate::config::{Config, SettingsFile};
use crate::connection::{Connection, LookupError, Registry as Connections, RegistryError};
use crate::name::{ConnectionName, RunId, SessionKey};
use crate::script::Module;
use crate::spec::{Catalog, CatalogError};
use crate::store::Store;

mod approvals;
mod audit;
mod care;
mod info;
mod loosened;
mod notices;
mod orders;
mod policy;
mod runs;
mod sessions;
mod settings;
mod shutdown;
mod tidy;

use loosened::Known;
pub(crate) use shutdown::Shutdown;

/// Where the scenario of the built-in connection stands, in the state folder.
const DEMO_FILE: &str = "demo-scenario";

/// The daemon's verbs. Cheap to clone; every clone is the same daemon.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    config: Config,
    store: Store,
    audit: Audit,
    shards: Shards,
    settings: Mutex<SettingsFile>,
    catalog: Mutex<Catalog>,
    connections: Mutex<Connections>,
    known: Mutex<Known>,
    sessions: Registry,
    runs: Runs,
    approvals: Approvals,
    notices: Notices,
    next_tag: AtomicU64,
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
        let user = crate::config::user_name();
        let audit = Audit::open(store.clone(), &config.state_dir, user)
            .await
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
        let settings = SettingsFile::open(&config.settings_file).map_err(state)?;
        let shards = Shards::start().map_err(|error| {
            state(format!(
                "the threads for sessions cannot be started: {error}"
            ))
        })?;
        let catalog = Catalog::load(&folders);
        let outputs = config.state_dir.join("runs");
        crate::config::prepare_folder(&outputs).map_err(state)?;
        let service = Self(Arc::new(Inner {
            settings: Mutex::new(settings),
            connections: Mutex::new(connections),
            known: Mutex::new(Known::new(&catalog)),
            catalog: Mutex::new(catalog),
            store,
            audit,
            shards,
            sessions: Registry::default(),
            runs: Runs::default(),
            approvals: Approvals::default(),
            notices: Notices::default(),
            next_tag: AtomicU64::new(1),
            started_at: Timestamp::now(),
            config,
        }));
        service.0.audit.note(
            AuditEntry::new(Kind::DaemonStarted)
                .text(env!("CARGO_PKG_VERSION"))
                .because(&format!("process {}", std::process::id())),
        );
        service.note_settings();
        super::orphans::adopt();
        service.tidy().await?;
        service.check_audit();
        Ok(service)
    }

    pub(super) fn outputs(&self) -> PathBuf {
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

    pub(in crate::daemon) fn module(&self, name: &str) -> Result<Arc<Module>, ServiceError> {
        self.catalog().module(name).map_err(|error: CatalogError| {
            let message = error.to_string();
            let help = Some(self.where_modules_are(&error));
            match error {
                CatalogError::Unknown { .. } => ServiceError::UnknownName { message, help },
                CatalogError::Broken { .. } => ServiceError::Module { message, help },
            }
        })
    }

    /// What to do about a module that cannot be had. A client's `MM_MODULES` may be another than the daemon's, so a name that
    /// nobody knows comes with the folders that are read here.
    fn where_modules_are(&self, error: &CatalogError) -> String {
        let help = error.help();
        // A slip of the pen needs no folders.
        let CatalogError::Unknown {
            suggestion: None, ..
        } = error
        else {
            return help;
        };
        let folders = self.0.config.module_folders.iter();
        let folders: Vec<String> = folders
            .map(|folder| format!("`{}`", folder.path.display()))
            .collect();
        format!(
            "{help}; module files are read from {} by the daemon that runs (after `mm daemon stop` the next one reads MM_MODULES anew)",
            folders.join(" and ")
        )
    }

    pub(super) fn connection(&self, name: &str) -> Result<Connection, ServiceError> {
        let failed = |message: String, help: String| ServiceError::Connection {
            message,
            help: Some(help),
        };
        let unknown = |message: String, help: String| ServiceError::UnknownName {
            message,
            help: Some(help),
        };
        let name: ConnectionName = name.parse().map_err(|error: crate::name::NameError| {
            unknown(error.to_string(), error.help().to_owned())
        })?;
        let mut connections = lock(&self.0.connections);
        let read = self.reload_connections(&mut connections);
        match (connections.get(&name), read) {
            // What the file says now cannot be told, so what it said before does not hold. The built-in one is in no file.
            (_, Err(error)) if !connections.is_built_in(&name) => {
                Err(failed(error.to_string(), error.help().to_owned()))
            }
            (Ok(connection), _) => Ok(connection.clone()),
            (Err(error @ LookupError::Unknown { .. }), _) => {
                Err(unknown(error.to_string(), error.help()))
            }
            (Err(error), _) => Err(failed(error.to_string(), error.help())),
        }
    }

    /// Refuses a module that the connection's `mcps` do not name, where the settings want that.
    pub(in crate::daemon) fn check_mcps(
        &self,
        connection: &Connection,
        module: &Module,
    ) -> Result<(), ServiceError> {
        if !self.enforces_mcps() || connection.is_for(module) {
            return Ok(());
        }
        Err(ServiceError::Refused {
            message: connection.why_not_for(module),
            help: Some(connection.how_to_open_for(module)),
        })
    }

    /// The modules as their files are now. They say what their commands do: other ones are another policy.
    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        let mut catalog = lock(&self.0.catalog);
        if catalog.reload_if_changed() {
            for folder in &self.0.config.module_folders {
                self.note_change("modules", &folder.path);
            }
        }
        catalog
    }

    /// Reads the connections file again where it changed; what it says of policies is taken note of.
    fn reload_connections(&self, connections: &mut Connections) -> Result<(), RegistryError> {
        if connections.reload()? {
            self.note_change("connections", connections.path());
            self.compare_policies(connections);
        }
        Ok(())
    }

    pub(super) fn key(&self, connection: &str, module: &str) -> Result<SessionKey, ServiceError> {
        let module = self.module(module)?.name.clone();
        let connection = self.connection(connection)?.name().clone();
        Ok(SessionKey { connection, module })
    }

    /// What can be signed in to, and with what. Reads the files again where they changed.
    pub(crate) fn offers(&self) -> OffersView {
        let enforces_mcps = self.enforces_mcps();
        let catalog = self.catalog();
        let mut connections = lock(&self.0.connections);
        let read = self.reload_connections(&mut connections);
        OffersView::new(&connections, read.err().as_ref(), &catalog, enforces_mcps)
    }
}
