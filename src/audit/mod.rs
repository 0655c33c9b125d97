//! The record of what was done, by whom and as whom, that cannot be bent without it showing: a chain of rows in which each
//! names the hash of the one before.
//!
//! # Adding a row
//!
//! ```text
//! audit.note(Entry::new(Kind::Approved).by(who).session(&key).approval(&id).text(&command));
//! ```
//!
//! [`Audit::note`] is for what has happened: it does not wait and loses nothing. [`Audit::record`] is for what is about to
//! happen: it waits until the row is in the database, and what it speaks of must not happen if it fails. Texts go in as they
//! are; [`Entry`] masks them (`redact`), so no caller can forget it.
//!
//! # The format, for whoever verifies an export
//!
//! A row is one line of JSON (RFC 8259, UTF-8, no line breaks), with these fields in this order; what does not apply is
//! `null`, and `effects` then is `[]`:
//!
//! | field | what |
//! |---|---|
//! | `v` | 1, the format's number |
//! | `number` | 1, 2, 3, … |
//! | `previous` | the hash of the row before; 64 zeros in row 1 |
//! | `at` | when, in UTC, to the millisecond |
//! | `kind` | what happened: see [`Kind`] |
//! | `user`, `client`, `token` | whose daemon, which program asked (`cli` is a person at a terminal, `cli (program)` the same program without one), and the name of the token it had |
//! | `connection`, `module`, `run`, `approval` | where, in which run, for which approval |
//! | `account`, `tenant` | as whom the session was proven |
//! | `text` | the command, question or answer, with `********` for every secret, cut after 64 KiB |
//! | `text_bytes` | how long it was |
//! | `text_hash` | `sha256:` and the text's SHA-256; where something of it is not in `text`, `hmac-sha256:` and the HMAC of that under the key in `audit.key`, because a plain hash would let passwords be tried |
//! | `effects`, `decision`, `rule` | what the policy found, decided, and by which rule |
//! | `outcome`, `duration_ms`, `reason` | what came of it |
//! | `hash` | only in an export: the row's own hash |
//!
//! The hash is the SHA-256, in lower-case hex, of the line's bytes **without** the field `hash`: cut the line at its last
//! `,"hash":"` and put the closing `}` back. No JSON has to be written again to check it. A record is sound if
//!
//! 1. every row's hash is that of its line,
//! 2. numbers begin with 1 and none is left out,
//! 3. every `previous` is the hash of the row before,
//! 4. it contains the head: the row that `audit-head.json`, the daemon's log or an earlier export names, with that hash,
//! 5. no row is a `record_broken`.
//!
//! In CSV (RFC 4180) the columns are the same fields, `effects` joined by blanks, and the last column, `line`, is the line
//! as above; a text that a spreadsheet would take for a formula has a `'` before it in its column, never in `line`.
//!
//! # What it proves, and what not
//!
//! Whoever can write the state folder can write a whole new chain, a head and a log. What binds them is a head that is kept
//! where they cannot write: `mm audit verify --head NUMBER:HASH` compares with one that was noted elsewhere, and exports and
//! logs that are shipped to another machine hold many. Against everything less it shows: a changed byte, a row taken out or
//! put in, rows swapped, a tail cut off.
//!
//! # What is safe when
//!
//! A row that [`Audit::record`] has returned for survives a crash of the daemon. `SQLite` syncs the disk at checkpoints only
//! (`synchronous=NORMAL`), because a sync for each row would cost a command milliseconds; a thread syncs a quarter of a
//! second later and only then names the row in `audit-head.json`. So a power failure may take the rows of a quarter of a
//! second, and never makes a sound record look cut.

mod chain;
mod entry;
mod error;
mod head;
mod key;
mod line;
mod query;
mod verify;

pub(crate) use chain::Audit;
pub(crate) use entry::{Entry, Kind, Who};
pub(crate) use error::AuditError;
pub(crate) use head::Head;
pub(crate) use line::{digest, exported};
pub(crate) use query::{Filter, Page, Place};
pub(crate) use verify::Report;

#[cfg(test)]
mod tests;
