//! The audit's rows: numbered lines with their hashes. What a line says, and why it is the next one, is `audit`'s business.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::StoreError;
use super::handle::Store;

/// A line of the audit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRow {
    pub(crate) number: u64,
    pub(crate) line: String,
    pub(crate) hash: String,
}

impl Store {
    /// Asks `next` what follows the last row there is, and stores that: all of it or nothing. Does not wait; `done` hears
    /// what became of it. Both are called on the database's thread, one right after the other, and calls never overlap: the
    /// order of calls is the order of rows. A store that is closed drops both.
    pub(crate) fn append_audit(
        &self,
        next: impl FnOnce(Option<AuditRow>) -> Vec<AuditRow> + Send + 'static,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        self.send("a row of the audit", move |db, path| {
            done(append(db, next).map_err(|error| StoreError::of(error, path)));
        });
    }

    /// The last row.
    pub(crate) async fn last_audit_row(&self) -> Result<Option<AuditRow>, StoreError> {
        self.call(|db| last(db)).await
    }

    /// At most `limit` rows after the row `after`, in order.
    pub(crate) async fn audit_rows_after(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.call(move |db| {
            db.prepare_cached(
                "SELECT number, line, hash FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2",
            )?
            .query_map(params![number(after), limit], row)?
            .collect()
        })
        .await
    }

    /// At most `limit` rows before the row `before`, the last one first.
    pub(crate) async fn audit_rows_before(
        &self,
        before: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.call(move |db| {
            db.prepare_cached(
                "SELECT number, line, hash FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
            )?
            .query_map(params![number(before), limit], row)?
            .collect()
        })
        .await
    }
}

fn append(
    db: &mut Connection,
    next: impl FnOnce(Option<AuditRow>) -> Vec<AuditRow>,
) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let rows = next(last(&change)?);
    {
        let mut insert =
            change.prepare_cached("INSERT INTO audit (number, line, hash) VALUES (?1, ?2, ?3)")?;
        for row in rows {
            insert.execute(params![number(row.number), row.line, row.hash])?;
        }
    }
    change.commit()
}

fn last(db: &Connection) -> rusqlite::Result<Option<AuditRow>> {
    db.prepare_cached("SELECT number, line, hash FROM audit ORDER BY number DESC LIMIT 1")?
        .query_row([], row)
        .optional()
}

/// Somebody may have bent it: what is no text of UTF-8 is read as far as it goes, for `audit` to find that it is not what
/// was written.
fn row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let text = |column: usize| -> rusqlite::Result<String> {
        Ok(match row.get_ref(column)? {
            rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            _ => String::new(),
        })
    };
    let number: i64 = row.get(0)?;
    Ok(AuditRow {
        // A negative number is nothing that was ever written; 0 is none either, and is found.
        number: u64::try_from(number).unwrap_or(0),
        line: text(1)?,
        hash: text(2)?,
    })
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
