//! Pinned identities: who a connection without an expected account turned out to be the first time.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::error::StoreError;
use super::handle::Store;
use super::runs::time;
use crate::name::SessionKey;

/// Who a session was when its identity was pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) account: String,
    pub(crate) tenant: String,
    pub(crate) pinned: Timestamp,
}

impl Store {
    /// Pins an identity to a session, in place of the one before it.
    pub(crate) async fn pin(&self, session: SessionKey, pin: Pin) -> Result<(), StoreError> {
        self.call(move |db| {
            db.prepare_cached(
                "INSERT INTO pins (connection, module, account, tenant, pinned_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (connection, module) DO UPDATE
                 SET account = excluded.account, tenant = excluded.tenant, pinned_ms = excluded.pinned_ms",
            )?
            .execute(params![
                session.connection.as_str(),
                session.module.as_str(),
                pin.account,
                pin.tenant,
                pin.pinned.as_millisecond()
            ])?;
            Ok(())
        })
        .await
    }

    /// The identity that is pinned to a session.
    pub(crate) async fn pinned(&self, session: SessionKey) -> Result<Option<Pin>, StoreError> {
        self.call(move |db| {
            db.prepare_cached(
                "SELECT account, tenant, pinned_ms FROM pins WHERE connection = ?1 AND module = ?2",
            )?
            .query_row(
                [session.connection.as_str(), session.module.as_str()],
                |row| {
                    Ok(Pin {
                        account: row.get(0)?,
                        tenant: row.get(1)?,
                        pinned: time(row, 2)?,
                    })
                },
            )
            .optional()
        })
        .await
    }
}
