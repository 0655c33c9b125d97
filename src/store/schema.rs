//! The tables, and how an older database becomes a current one.

use std::time::Duration;

use rusqlite::Connection;

/// Each entry brings the database from the version that is its index to the next. Entries are never changed, only added.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        connection TEXT NOT NULL,
        module TEXT NOT NULL,
        mode TEXT NOT NULL,
        command TEXT NOT NULL,
        who TEXT NOT NULL,
        on_disconnect TEXT NOT NULL,
        state TEXT NOT NULL,
        submitted_ms INTEGER NOT NULL,
        started_ms INTEGER,
        ended_ms INTEGER,
        end_state TEXT,
        exit INTEGER,
        errors TEXT,
        reason TEXT,
        account TEXT,
        tenant TEXT,
        output_length INTEGER NOT NULL DEFAULT 0,
        output_skipped INTEGER NOT NULL DEFAULT 0,
        output BLOB CHECK (length(output) <= 1048576),
        output_file TEXT,
        CHECK (output IS NULL OR output_file IS NULL)
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (submitted_ms);
    CREATE INDEX runs_by_session ON runs (connection, module, submitted_ms);
    CREATE INDEX runs_open ON runs (submitted_ms) WHERE ended_ms IS NULL;
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL,
        module TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started_ms INTEGER NOT NULL,
        signed_in_ms INTEGER,
        account TEXT,
        tenant TEXT,
        ended_ms INTEGER,
        reason TEXT
    ) STRICT;
    CREATE INDEX sessions_by_time ON sessions (started_ms);
    CREATE TABLE pins (
        connection TEXT NOT NULL,
        module TEXT NOT NULL,
        account TEXT NOT NULL,
        tenant TEXT NOT NULL,
        pinned_ms INTEGER NOT NULL,
        PRIMARY KEY (connection, module)
    ) STRICT;
",
    "
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        line TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is not changed'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is not shortened'); END;
",
    "ALTER TABLE runs ADD COLUMN cause TEXT;",
];

/// Why the database could not be made current.
pub(super) enum SchemaError {
    Newer { found: i64, known: i64 },
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Sets the connection up and brings the tables to the current version. All of it or nothing.
pub(super) fn prepare(db: &mut Connection, busy: Duration) -> Result<(), SchemaError> {
    db.busy_timeout(busy)?;
    // Before anything is written: a newer version's file is left exactly as it is.
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few migrations");
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(SchemaError::Newer { found, known });
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "foreign_keys", true)?;

    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Again, now that nobody else can be migrating.
    let found: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        change.execute_batch(migration)?;
    }
    if found < known {
        change.pragma_update(None, "user_version", known)?;
    }
    change.commit()?;
    Ok(())
}
