//! The service's verbs for sessions: finding or starting one, signing in, listing, and disconnecting.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::{Service, state};
use crate::audit::Who;
use crate::connection::Connection;
use crate::daemon::books::Bookkeeper;
use crate::daemon::credentials::{self, CredentialError};
use crate::daemon::registry::{Entry, KnownSecrets, session_view};
use crate::daemon::view::{LoginOrder, PastSessionView, SessionView};
use crate::daemon::watch::{SessionWatch, SessionsWatch};
use crate::daemon::ways::{self, Credentials};
use crate::daemon::{ServiceError, bind, launch, recorder};
use crate::expect::Identity;
use crate::name::{ConnectionName, ModuleName, SessionKey};
use crate::pty::SpawnError;
use crate::recording::Writer;
use crate::script::{Module, SignIn, WayIn, hole};
use crate::session::{Launch, Session, SessionError, Standing};
use crate::store::Pin;

/// How long signing out may take, the program's end included.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(25);

impl Service {
    /// The living session of a connection and a module; starts one where there is none.
    pub(super) fn session(&self, connection: &str, module: &str) -> Result<Entry, ServiceError> {
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
        launch::check_stand_in(&module, &connection)?;
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
                self.0.audit.clone(),
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
            secrets: KnownSecrets::default(),
        })
    }

    /// Begins the sign-in of a session that needs one and has none; one that runs already is left as it is. `way` is the way
    /// in that somebody asked for.
    pub(super) async fn sign_in(
        &self,
        entry: &Entry,
        way: Option<&str>,
        recorder: Option<Writer>,
        who: &Who,
    ) -> Result<(), ServiceError> {
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
        let connection = self.connection(entry.key.connection.as_str())?;
        let way = ways::way(&entry.module, rules, &connection, way)?;
        let credentials = self.credentials(entry, rules, way, &connection).await?;
        let request = bind::sign_in(&entry.module, rules, &connection, credentials, pin)?;
        self.record_sign_in(entry, who).await?;
        let recorder = recorder.map(|mut recorder| {
            recorder.keep_out(&entry.secrets.all());
            recorder
        });
        entry
            .session
            .sign_in(request, recorder)
            .await
            .map_err(|error| refused(entry, &error))
    }

    /// Fetches what a way in needs: checks the certificate's file, and asks for the secrets that the connection refers to.
    async fn credentials<'m>(
        &self,
        entry: &Entry,
        rules: &SignIn,
        way: &'m WayIn,
        connection: &Connection,
    ) -> Result<Credentials<'m>, ServiceError> {
        let (module, home) = (&entry.module, &self.0.config.home);
        let failed = |key: &str, error: &CredentialError| ServiceError::Connection {
            message: format!("`{key}` of `{}`: {error}", connection.name()),
            help: Some(error.help()),
        };
        let wants_file = way.connect.holes().any(|hole| hole == "certificate_file");
        if let Some(file) = connection
            .certificate_file(&module.name)
            .filter(|_| wants_file)
        {
            credentials::check_file(file)
                .map_err(|error| failed(hole::key_of("certificate_file"), &error))?;
        }
        let mut secrets = Vec::new();
        for (name, reference) in ways::references(module, rules, way, connection) {
            let secret = credentials::fetch(reference, home)
                .await
                .map_err(|error| failed(hole::key_of(name), &error))?;
            secrets.push((name, secret));
        }
        entry
            .secrets
            .add(secrets.iter().map(|(_, secret)| secret.clone()));
        Ok(Credentials { way, secrets })
    }

    /// Finds or starts a session and its sign-in; returns at once. The same live code is never replaced by a second one.
    pub(crate) async fn login(
        &self,
        order: &LoginOrder,
        who: &Who,
    ) -> Result<SessionWatch, ServiceError> {
        let entry = self.session(&order.connection, &order.module)?;
        let recorder = order
            .record
            .as_ref()
            .map(|path| sign_in_recorder(path, &entry))
            .transpose()?;
        if order.forget_identity {
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
        self.sign_in(&entry, order.way.as_deref(), recorder, who)
            .await?;
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

    /// All sessions.
    pub(in crate::daemon) fn all_sessions(&self) -> Vec<SessionView> {
        let all = self.0.sessions.all();
        all.iter()
            .map(|entry| session_view(entry, |tag| self.run_id(tag)))
            .collect()
    }

    /// Follows all sessions, those to come included.
    pub(crate) fn watch_sessions(&self) -> SessionsWatch {
        SessionsWatch::new(self.clone(), self.0.sessions.changes())
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

    pub(super) fn filter(
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
        who: &Who,
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
        self.note_disconnect(&entry, force, who);
        let parting = if force {
            Parting::Kill
        } else {
            Parting::SignOut
        };
        if !self.end_session(&entry, parting, DISCONNECT_WITHIN).await {
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
    pub(super) async fn end_session(
        &self,
        entry: &Entry,
        parting: Parting,
        within: Duration,
    ) -> bool {
        let mut status = entry.session.status();
        let (command, force) = match parting {
            Parting::SignOut => (bind::disconnect(&entry.module, &entry.connection), false),
            Parting::KeepSignIn => (None, false),
            Parting::Kill => (None, true),
        };
        if entry.session.disconnect(command, force).is_err() {
            return true;
        }
        let ended = status.wait_for(crate::session::SessionStatus::is_closed);
        // A task that is gone has ended its session.
        tokio::time::timeout(within, ended).await.is_ok()
    }
}

/// How a session ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parting {
    /// It is signed out first.
    SignOut,
    /// What its program keeps on disk stays, and the next session finds it.
    KeepSignIn,
    /// At once.
    Kill,
}

/// The recording of a sign-in that is about to begin; one that has begun has no beginning to record.
fn sign_in_recorder(path: &Path, entry: &Entry) -> Result<Writer, ServiceError> {
    let status = entry.session.status();
    let begun = {
        let status = status.borrow();
        status.identity.is_some()
            || matches!(status.standing, Standing::SigningIn | Standing::Proving)
    };
    if begun {
        return Err(ServiceError::Refused {
            message: format!("{} is signed in already, or about to be", entry.key),
            help: Some(format!(
                "to record a sign-in, end the session first: `mm disconnect -c '{}' -m {}`",
                entry.key.connection, entry.key.module
            )),
        });
    }
    recorder::open(path, entry)
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

pub(super) fn refused(entry: &Entry, error: &SessionError) -> ServiceError {
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
