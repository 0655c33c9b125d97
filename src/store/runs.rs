//! Runs: who asked for what, how it ended, and what it said.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, named_params, params};

use super::error::StoreError;
use super::handle::Store;
use crate::name::{ConnectionName, ModuleName, RunId, SessionKey};

/// Output of at most so many bytes is kept in the database; longer output in a file of its own.
pub(crate) const INLINE_OUTPUT_LIMIT: usize = 1 << 20;

const COLUMNS: &str = "id, connection, module, mode, command, who, on_disconnect, state, submitted_ms, started_ms, ended_ms, \
    end_state, exit, errors, reason, account, tenant, output_length, output_skipped, cause";

/// A run as it is submitted.
#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    pub(crate) id: RunId,
    pub(crate) session: SessionKey,
    /// `text` or `records`.
    pub(crate) mode: String,
    pub(crate) command: String,
    /// Which program or person asked.
    pub(crate) who: String,
    /// `keep` or `stop`.
    pub(crate) on_disconnect: String,
    /// Its first state.
    pub(crate) state: String,
    pub(crate) submitted: Timestamp,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) struct RunEnd {
    /// Its last state, in the callers' words.
    pub(crate) state: String,
    /// What the end marker said, if one came: `ok`, `failed`, …
    pub(crate) end_state: Option<String>,
    pub(crate) exit: Option<i32>,
    /// The errors it added, as a JSON array.
    pub(crate) errors: Option<String>,
    /// Why it ended, where that needs saying.
    pub(crate) reason: Option<String>,
    /// What was in the way of a run that was not run, in the callers' words.
    pub(crate) cause: Option<String>,
    pub(crate) ended: Timestamp,
    /// Bytes it said altogether.
    pub(crate) output_length: u64,
    /// Bytes of them that were not kept.
    pub(crate) output_skipped: u64,
    pub(crate) output: KeptOutput,
}

/// Where a run's output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptOutput {
    /// Nothing was kept.
    None,
    /// The output itself, at most [`INLINE_OUTPUT_LIMIT`] bytes.
    Inline(Vec<u8>),
    /// The name of its file in the state folder.
    File(String),
}

/// A run as it was stored, without its output. Times have milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) id: RunId,
    pub(crate) session: SessionKey,
    pub(crate) mode: String,
    pub(crate) command: String,
    pub(crate) who: String,
    pub(crate) on_disconnect: String,
    pub(crate) state: String,
    pub(crate) submitted: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) end_state: Option<String>,
    pub(crate) exit: Option<i32>,
    pub(crate) errors: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) output_length: u64,
    pub(crate) output_skipped: u64,
    pub(crate) cause: Option<String>,
}

/// Which runs to list.
#[derive(Debug, Clone)]
pub(crate) struct RunFilter {
    pub(crate) connection: Option<ConnectionName>,
    pub(crate) module: Option<ModuleName>,
    /// At most so many, the newest.
    pub(crate) limit: u32,
}

/// What is kept: a run has to be among the newest `runs` and submitted since `since`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) runs: u32,
    pub(crate) since: Timestamp,
}

impl Store {
    /// Stores a run before anything of it is sent anywhere: what has a row may have happened, what has none did not. What
    /// could not be written before goes first.
    pub(crate) async fn insert_run(&self, run: NewRun) -> Result<(), StoreError> {
        self.call_in_order(move |db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO runs (id, connection, module, mode, command, who, on_disconnect, state, submitted_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            insert.execute(params![
                run.id.as_str(),
                run.session.connection.as_str(),
                run.session.module.as_str(),
                run.mode,
                run.command,
                run.who,
                run.on_disconnect,
                run.state,
                run.submitted.as_millisecond(),
            ])?;
            Ok(())
        })
        .await
    }

    /// Notes that a run was sent to its session, and as whom. Does not wait.
    pub(crate) fn start_run(
        &self,
        id: RunId,
        state: String,
        at: Timestamp,
        account: Option<String>,
        tenant: Option<String>,
    ) {
        self.post("the start of a run", move |db| {
            let changed = db
                .prepare_cached("UPDATE runs SET state = ?2, started_ms = ?3, account = ?4, tenant = ?5 WHERE id = ?1")?
                .execute(params![id.as_str(), state, at.as_millisecond(), account, tenant])?;
            one(changed)
        });
    }

    /// Notes how a run ended. Does not wait.
    pub(crate) fn end_run(&self, id: RunId, end: RunEnd) {
        self.post("the end of a run", move |db| {
            let (output, file) = match &end.output {
                KeptOutput::None => (None, None),
                KeptOutput::Inline(bytes) => (Some(bytes), None),
                KeptOutput::File(name) => (None, Some(name)),
            };
            let changed = db
                .prepare_cached(
                    "UPDATE runs SET state = :state, end_state = :end_state, exit = :exit, errors = :errors, reason = :reason, cause = :cause,
                         ended_ms = :ended, output_length = :length, output_skipped = :skipped, output = :output,
                         output_file = :file
                     WHERE id = :id",
                )?
                .execute(named_params! {
                    ":id": id.as_str(),
                    ":state": end.state,
                    ":end_state": end.end_state,
                    ":exit": end.exit,
                    ":errors": end.errors,
                    ":reason": end.reason,
                    ":cause": end.cause,
                    ":ended": end.ended.as_millisecond(),
                    ":length": end.output_length,
                    ":skipped": end.output_skipped,
                    ":output": output,
                    ":file": file,
                })?;
            one(changed)
        });
    }

    /// The run of this id.
    pub(crate) async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreError> {
        self.call(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
            db.prepare_cached(&sql)?
                .query_row([id.as_str()], run_row)
                .optional()
        })
        .await
    }

    /// The newest runs, newest first.
    pub(crate) async fn recent_runs(&self, filter: RunFilter) -> Result<Vec<RunRow>, StoreError> {
        self.call(move |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM runs
                 WHERE (?1 IS NULL OR connection = ?1) AND (?2 IS NULL OR module = ?2)
                 ORDER BY submitted_ms DESC, rowid DESC LIMIT ?3"
            );
            let connection = filter.connection.as_ref().map(ConnectionName::as_str);
            let module = filter.module.as_ref().map(ModuleName::as_str);
            db.prepare_cached(&sql)?
                .query_map(params![connection, module, filter.limit], run_row)?
                .collect()
        })
        .await
    }

    /// A run's output. `None`: there is no such run.
    pub(crate) async fn output(&self, id: RunId) -> Result<Option<KeptOutput>, StoreError> {
        self.call(move |db| {
            db.prepare_cached("SELECT output, output_file FROM runs WHERE id = ?1")?
                .query_row([id.as_str()], |row| {
                    Ok(match (row.get(0)?, row.get(1)?) {
                        (Some(bytes), _) => KeptOutput::Inline(bytes),
                        (None, Some(name)) => KeptOutput::File(name),
                        (None, None) => KeptOutput::None,
                    })
                })
                .optional()
        })
        .await
    }

    /// For the start of a daemon: marks the runs that never ended as `lost`, for `reason`, and returns them, oldest first.
    /// Nothing is known about how far they came.
    pub(crate) async fn interrupted_runs(
        &self,
        at: Timestamp,
        reason: String,
    ) -> Result<Vec<RunRow>, StoreError> {
        self.call(move |db| {
            let change = db.transaction()?;
            let sql = format!(
                "SELECT {COLUMNS} FROM runs WHERE ended_ms IS NULL ORDER BY submitted_ms, rowid"
            );
            let open: Vec<RunRow> = change
                .prepare(&sql)?
                .query_map([], run_row)?
                .collect::<Result<_, _>>()?;
            change.execute(
                "UPDATE runs SET state = 'lost', reason = ?1, ended_ms = ?2 WHERE ended_ms IS NULL",
                params![reason, at.as_millisecond()],
            )?;
            change.commit()?;
            let lost = |run: RunRow| RunRow {
                state: "lost".to_owned(),
                reason: Some(reason.clone()),
                ended: Timestamp::from_millisecond(at.as_millisecond()).ok(),
                ..run
            };
            Ok(open.into_iter().map(lost).collect())
        })
        .await
    }

    /// Forgets ended runs and ended sessions outside the retention, and returns the names of the output files that belong
    /// to nothing any more. Runs that go on are kept.
    pub(crate) async fn prune(&self, keep: Retention) -> Result<Vec<String>, StoreError> {
        self.call(move |db| {
            let change = db.transaction()?;
            let since = keep.since.as_millisecond();
            let files = change
                .prepare(
                    "DELETE FROM runs WHERE ended_ms IS NOT NULL AND (submitted_ms < ?1 OR rowid NOT IN
                         (SELECT rowid FROM runs ORDER BY submitted_ms DESC, rowid DESC LIMIT ?2))
                     RETURNING output_file",
                )?
                .query_map(params![since, keep.runs], |row| row.get::<_, Option<String>>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            change.execute(
                "DELETE FROM sessions WHERE ended_ms IS NOT NULL AND started_ms < ?1",
                [since],
            )?;
            change.commit()?;
            Ok(files.into_iter().flatten().collect())
        })
        .await
    }
}

/// An update of one row has to find it.
pub(super) fn one(changed: usize) -> rusqlite::Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(rusqlite::Error::StatementChangedRows(changed))
    }
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: parsed(row, 0)?,
        session: SessionKey {
            connection: parsed(row, 1)?,
            module: parsed(row, 2)?,
        },
        mode: row.get(3)?,
        command: row.get(4)?,
        who: row.get(5)?,
        on_disconnect: row.get(6)?,
        state: row.get(7)?,
        submitted: time(row, 8)?,
        started: optional_time(row, 9)?,
        ended: optional_time(row, 10)?,
        end_state: row.get(11)?,
        exit: row.get(12)?,
        errors: row.get(13)?,
        reason: row.get(14)?,
        account: row.get(15)?,
        tenant: row.get(16)?,
        output_length: row.get(17)?,
        output_skipped: row.get(18)?,
        cause: row.get(19)?,
    })
}

/// A name that was checked when it was stored.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error: T::Err| {
            rusqlite::Error::FromSqlConversionFailure(
                column,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    from_millis(column, row.get(column)?)
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    millis.map(|millis| from_millis(column, millis)).transpose()
}

fn from_millis(column: usize, millis: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(millis)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, millis))
}
