//! The history of sessions: which program, since when, signed in as whom, and why it ended.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rusqlite::params;

use super::error::StoreError;
use super::handle::Store;
use super::runs::{one, optional_time, parsed, time};
use crate::name::{ConnectionName, ModuleName, SessionKey};

/// A session's row. One key has many over time. The database's thread numbers it before it does what was sent later.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionRowId(Arc<OnceLock<i64>>);

impl SessionRowId {
    /// Its number. Where it could not be written, which is counted as a failed write, there is no row to change.
    fn number(&self) -> Option<i64> {
        self.0.get().copied()
    }
}

/// A session as it was stored. Times have milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) session: SessionKey,
    pub(crate) started: Timestamp,
    pub(crate) signed_in: Option<Timestamp>,
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

impl Store {
    /// Notes that a session's program runs. Does not wait.
    pub(crate) fn session_started(
        &self,
        session: SessionKey,
        pid: u32,
        at: Timestamp,
    ) -> SessionRowId {
        let row = SessionRowId::default();
        let slot = Arc::clone(&row.0);
        self.post("a session's start", move |db| {
            let number = db
                .prepare_cached("INSERT INTO sessions (connection, module, pid, started_ms) VALUES (?1, ?2, ?3, ?4)")?
                .insert(params![
                    session.connection.as_str(),
                    session.module.as_str(),
                    pid,
                    at.as_millisecond()
                ])?;
            slot.get_or_init(|| number);
            Ok(())
        });
        row
    }

    /// Notes that a session's identity is proven. Does not wait.
    pub(crate) fn session_signed_in(
        &self,
        row: &SessionRowId,
        at: Timestamp,
        account: String,
        tenant: String,
    ) {
        let row = row.clone();
        self.post("a session's sign-in", move |db| {
            let Some(id) = row.number() else { return Ok(()) };
            let changed = db
                .prepare_cached("UPDATE sessions SET signed_in_ms = ?2, account = ?3, tenant = ?4 WHERE id = ?1")?
                .execute(params![id, at.as_millisecond(), account, tenant])?;
            one(changed)
        });
    }

    /// Notes that a session's program is gone. Does not wait.
    pub(crate) fn session_ended(&self, row: &SessionRowId, at: Timestamp, reason: String) {
        let row = row.clone();
        self.post("a session's end", move |db| {
            let Some(id) = row.number() else {
                return Ok(());
            };
            let changed = db
                .prepare_cached("UPDATE sessions SET ended_ms = ?2, reason = ?3 WHERE id = ?1")?
                .execute(params![id, at.as_millisecond(), reason])?;
            one(changed)
        });
    }

    /// For the start of a daemon: ends the sessions that an earlier one did not end, for `reason`; says how many.
    pub(crate) async fn interrupted_sessions(
        &self,
        at: Timestamp,
        reason: String,
    ) -> Result<usize, StoreError> {
        self.call(move |db| {
            db.execute(
                "UPDATE sessions SET ended_ms = ?1, reason = ?2 WHERE ended_ms IS NULL",
                params![at.as_millisecond(), reason],
            )
        })
        .await
    }

    /// The newest sessions, newest first; of one connection or module, or of all.
    pub(crate) async fn sessions(
        &self,
        connection: Option<ConnectionName>,
        module: Option<ModuleName>,
        limit: u32,
    ) -> Result<Vec<SessionRow>, StoreError> {
        self.call(move |db| {
            let connection = connection.as_ref().map(ConnectionName::as_str);
            let module = module.as_ref().map(ModuleName::as_str);
            db.prepare_cached(
                "SELECT id, connection, module, pid, started_ms, signed_in_ms, account, tenant, ended_ms, reason FROM sessions
                 WHERE (?1 IS NULL OR connection = ?1) AND (?2 IS NULL OR module = ?2)
                 ORDER BY started_ms DESC, id DESC LIMIT ?3",
            )?
            .query_map(params![connection, module, limit], |row| {
                Ok(SessionRow {
                    session: SessionKey {
                        connection: parsed(row, 1)?,
                        module: parsed(row, 2)?,
                    },
                    started: time(row, 4)?,
                    signed_in: optional_time(row, 5)?,
                    account: row.get(6)?,
                    tenant: row.get(7)?,
                    ended: optional_time(row, 8)?,
                    reason: row.get(9)?,
                })
            })?
            .collect()
        })
        .await
    }
}
