//! The service's verbs for sessions: finding or starting one, signing in, listing, and disconnecting.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Service, state};
use crate::audit::Who;
use crate::connection::Connection;
use crate::daemon::books::Bookkeeper;
use crate::daemon::credentials::{self, CredentialError};
use crate::daemon::registry::{Entry, session_view};
use crate::daemon::view::{Disconnect, LoginOrder, PastSessionView, SessionView};
use crate::daemon::watch::{SessionWatch, SessionsWatch};
use crate::daemon::ways::{self, Credentials};
use crate::daemon::{ServiceError, bind, launch, recorder, upkeep};
use crate::expect::CloseReason;
use crate::name::{ConnectionName, ModuleName, SessionKey};
use crate::pty::SpawnError;
use crate::recording::Writer;
use crate::script::{Module, SignIn, WayIn, hole};
use crate::session::{Launch, Session, SessionError, SessionStatus, Standing};

/// How long signing out may take, the program's end included.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(25);

/// Who may sign in where the connection's entry does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    /// Whoever it was the first time.
    TheFirst,
    /// Whoever it proves to be; from then on that is the first.
    Anybody,
    /// Whoever it was the first time, from what an earlier session left: nobody is there to sign in.
    WhatWasLeft,
}

impl Service {
    /// The living session of a connection and a module; starts one where there is none.
    pub(super) fn session(&self, connection: &str, module: &str) -> Result<Entry, ServiceError> {
        let module = self.module(module)?;
        let connection = Arc::new(self.connection(connection)?);
        self.check_mcps(&connection, &module)?;
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
        let launch = Launch {
            command,
            shell: Arc::clone(&module.shell),
            needs_sign_in: module.sign_in.is_some(),
            listener: Box::new(Bookkeeper::new(
                key.clone(),
                self.0.store.clone(),
                self.0.audit.clone(),
            )),
        };
        let session = Session::start(launch, self.0.shards.pick()).map_err(|error| {
            let help = match &error {
                SpawnError::NotFound { .. } => module.shell.install().map(str::to_owned),
                other => other.help().map(str::to_owned),
            };
            lost(with_causes(&error), help)
        })?;
        tracing::info!(session = %key, "started");
        let entry = Entry::new(key.clone(), session, module, connection);
        tokio::spawn(upkeep::attend(self.clone(), entry.clone()));
        Ok(entry)
    }

    /// Begins the sign-in of a session that needs one and has none; one that runs already is left as it is. What was proven
    /// the first time is not compared where `accepts` says that a person takes whoever it proves to be. `way` is the way
    /// in that somebody asked for.
    pub(super) async fn sign_in(
        &self,
        entry: &Entry,
        accepts: Accepts,
        way: Option<&str>,
        recorder: Option<Writer>,
        who: &Who,
    ) -> Result<(), ServiceError> {
        let Some(rules) = &entry.module.sign_in else {
            return Ok(());
        };
        let identity = entry.session.status().borrow().identity.clone();
        let connection = self.connection(entry.key.connection.as_str())?;
        self.check_mcps(&connection, &entry.module)?;
        if let Some(identity) = identity {
            return bind::still_expected(entry, &connection, &identity);
        }
        let pin = match accepts {
            Accepts::TheFirst | Accepts::WhatWasLeft => self
                .0
                .store
                .pinned(entry.key.clone())
                .await
                .map_err(state)?,
            Accepts::Anybody => {
                let pin = self
                    .0
                    .store
                    .pinned(entry.key.clone())
                    .await
                    .map_err(state)?;
                self.record_forgotten(entry, pin.as_ref(), who).await?;
                None
            }
        };
        let way = ways::way(&entry.module, rules, &connection, way)?;
        let credentials = self.credentials(entry, rules, way, &connection).await?;
        let mut request = bind::sign_in(&entry.module, rules, &connection, credentials, pin)?;
        request.attended = accepts != Accepts::WhatWasLeft || way.unattended;
        self.record_sign_in(entry, who).await?;
        let recorder = recorder.map(|mut recorder| {
            recorder.keep_out(&entry.secrets.all());
            recorder
        });
        let begun = entry
            .session
            .sign_in(request, recorder)
            .await
            .map_err(|error| refused(entry, &error))?;
        if begun {
            entry.bind(connection);
        }
        Ok(())
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

    /// Finds or starts a session and its sign-in; returns at once, unless a sign-in that is there has to prove itself first.
    /// The same live code is never replaced by a second one.
    /// With `forget_identity` whoever it proves to be takes the place of who was proven before: once it is proven, and only
    /// in what the connection's entry leaves open.
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
        upkeep::prove(self, &entry).await;
        let accepts = if order.forget_identity {
            Accepts::Anybody
        } else {
            Accepts::TheFirst
        };
        self.sign_in(&entry, accepts, order.way.as_deref(), recorder, who)
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
            .map(|entry| {
                let view = session_view(entry, |tag| self.run_id(tag));
                let memory = view.pid.and_then(upkeep::resident);
                SessionView { memory, ..view }
            })
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

    /// Signs out and ends a session, waiting for it. Returns what it was.
    pub(crate) async fn disconnect(
        &self,
        connection: &str,
        module: &str,
        how: Disconnect,
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
        let within = DISCONNECT_WITHIN;
        let ended = match how {
            Disconnect::UnlessUsed => self.end_unused(&entry, within, who).await?,
            Disconnect::SignOut | Disconnect::Kill => {
                let is_forced = how == Disconnect::Kill;
                self.note_disconnect(&entry, is_forced, who);
                let parting = if is_forced {
                    Parting::Kill
                } else {
                    Parting::SignOut
                };
                self.end_session(&entry, parting, CloseReason::Asked, within)
                    .await
            }
        };
        if !ended {
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

    /// Signs out and ends a session that no run is in or waits for; the session itself looks, and says whether it ended in
    /// time. What is refused leaves no row: nothing happened to the session.
    async fn end_unused(
        &self,
        entry: &Entry,
        within: Duration,
        who: &Who,
    ) -> Result<bool, ServiceError> {
        let command = bind::disconnect(&entry.module, &entry.bound());
        let mut status = entry.session.status();
        match entry.session.sign_out(command, CloseReason::Asked).await {
            Ok(()) => self.note_disconnect(entry, false, who),
            // It is what was asked for.
            Err(SessionError::Ended) => {}
            Err(error) => return Err(self.in_use(entry, &error)),
        }
        Ok(has_ended(&mut status, within).await)
    }

    fn in_use(&self, entry: &Entry, error: &SessionError) -> ServiceError {
        match error {
            SessionError::InUse { run, queued } => ServiceError::InUse {
                key: entry.key.clone(),
                run: run.and_then(|tag| self.run_id(tag)),
                queued: *queued,
            },
            other => refused(entry, other),
        }
    }

    /// Ends a session for this reason, and says whether it ended in time.
    pub(super) async fn end_session(
        &self,
        entry: &Entry,
        parting: Parting,
        why: CloseReason,
        within: Duration,
    ) -> bool {
        let mut status = entry.session.status();
        let (command, force) = match parting {
            Parting::SignOut => (bind::disconnect(&entry.module, &entry.bound()), false),
            Parting::KeepSignIn => (None, false),
            Parting::Kill => (None, true),
        };
        if entry.session.disconnect(command, force, why).is_err() {
            return true;
        }
        has_ended(&mut status, within).await
    }
}

/// Whether a session ends in time.
async fn has_ended(status: &mut watch::Receiver<SessionStatus>, within: Duration) -> bool {
    let ended = status.wait_for(SessionStatus::is_closed);
    // A task that is gone has ended its session.
    tokio::time::timeout(within, ended).await.is_ok()
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
        SessionError::Ended
        | SessionError::InUse { .. }
        | SessionError::NothingAsked
        | SessionError::NotOffered(_) => {
            let reason = match &entry.session.status().borrow().standing {
                Standing::Closed(reason) => reason.to_string(),
                _ => "it is ending".to_owned(),
            };
            let help = Some("try again in a moment".to_owned());
            ServiceError::SessionLost { key, reason, help }
        }
    }
}
