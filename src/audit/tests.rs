//! The record on real files: added to, reopened, cut, bent, and on a disk that takes nothing.

use std::path::PathBuf;

use proptest::prelude::*;
use rusqlite::Connection;

use super::head::Head;
use super::line::{Line, exported};
use super::verify::{Fault, Report, Verifier};
use super::*;
use crate::store::{AuditRow, Store};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self) -> Audit {
        let store = Store::open(&self.path("mm.db")).expect("it can be opened");
        Audit::open(store, self.folder.path(), "ada".to_owned())
            .await
            .expect("it can be opened")
    }

    /// A record of so many rows, closed.
    async fn with_rows(rows: usize) -> Self {
        let place = Self::new();
        let audit = place.open().await;
        for number in 0..rows {
            audit.record(run(number)).await.expect("there is room");
        }
        audit.flush().await.expect("there is room");
        place
    }

    /// Does to the database what its daemon would never do.
    fn bend(&self, sql: &str) {
        let db = Connection::open(self.path("mm.db")).expect("it can be opened");
        db.execute_batch("DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_shortened;")
            .expect("they can be dropped");
        db.execute_batch(sql).expect("it can be bent");
    }

    fn rows(&self) -> Vec<AuditRow> {
        let db = Connection::open(self.path("mm.db")).expect("it can be opened");
        let mut select = db
            .prepare("SELECT number, line, hash FROM audit ORDER BY number")
            .expect("the table is there");
        let row = |row: &rusqlite::Row<'_>| {
            Ok(AuditRow {
                number: row.get::<_, i64>(0)?.unsigned_abs(),
                line: row.get(1)?,
                hash: row.get(2)?,
            })
        };
        let rows = select.query_map([], row).expect("it can be read");
        rows.collect::<Result<_, _>>().expect("it can be read")
    }
}

fn run(number: usize) -> Entry {
    Entry::new(Kind::RunStarted)
        .by(Who::client("cli"))
        .text(&format!("Get-Mailbox {number}"))
}

fn field(row: &AuditRow, key: &str) -> Option<String> {
    let line = Line::read(&row.line).expect("it is a line");
    line.text(key).map(str::to_owned)
}

fn read(rows: &[AuditRow], known: Vec<Head>) -> Report {
    let mut verifier = Verifier::new(known);
    for row in rows {
        verifier.read(row);
    }
    verifier.finish()
}

#[tokio::test]
async fn a_record_is_sound_after_reopening_and_goes_on_where_it_was() {
    let place = Place::with_rows(3).await;
    let audit = place.open().await;
    audit.note(run(3));
    let report = audit.verify(Vec::new()).await.expect("it can be read");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.rows, 4);
    assert_eq!(audit.troubles(), Vec::<String>::new());
    let rows = place.rows();
    assert_eq!(field(&rows[3], "text").as_deref(), Some("Get-Mailbox 3"));
    assert_eq!(field(&rows[3], "user").as_deref(), Some("ada"));
    assert_eq!(field(&rows[3], "previous"), Some(rows[2].hash.clone()));
}

#[tokio::test]
async fn the_head_is_in_its_file_and_says_which_row_is_the_last() {
    let place = Place::with_rows(2).await;
    let head = Head::read(&place.path("audit-head.json"))
        .expect("it can be read")
        .expect("it is there");
    assert_eq!(head.number, 2);
    assert_eq!(head.hash, place.rows()[1].hash);
}

#[tokio::test]
async fn a_tail_that_was_cut_is_found_at_the_start_and_its_gap_stays() {
    let place = Place::with_rows(5).await;
    place.bend("DELETE FROM audit WHERE number > 3");
    let audit = place.open().await;
    let error = audit.record(run(9)).await.expect_err("it was cut");
    assert_eq!(
        error.to_string(),
        "the audit's record was changed: rows 4 to 5 are missing"
    );
    let numbers: Vec<u64> = place.rows().iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2, 3, 6, 7]);
    assert_eq!(
        field(&place.rows()[3], "kind").as_deref(),
        Some("record_broken")
    );
    drop(audit);

    let audit = place.open().await;
    let report = audit.verify(Vec::new()).await.expect("it can be read");
    assert_eq!(report.faults, [Fault::Missing { from: 4, to: 5 }]);
    assert!(
        audit.record(run(9)).await.is_err(),
        "nobody has accepted it"
    );
    let broken = place
        .rows()
        .iter()
        .filter(|row| field(row, "kind").as_deref() == Some("record_broken"))
        .count();
    assert_eq!(broken, 1, "it is said once");
}

#[tokio::test]
async fn a_whole_record_that_was_taken_away_is_found() {
    let place = Place::with_rows(2).await;
    place.bend("DELETE FROM audit");
    let audit = place.open().await;
    let error = audit.record(run(9)).await.expect_err("it is gone");
    assert!(
        error.to_string().ends_with("rows 1 to 2 are missing"),
        "{error}"
    );
}

#[tokio::test]
async fn a_head_that_was_taken_away_is_found() {
    let place = Place::with_rows(2).await;
    std::fs::remove_file(place.path("audit-head.json")).expect("it is there");
    let audit = place.open().await;
    let error = audit.record(run(9)).await.expect_err("it is gone");
    assert!(error.to_string().contains("its file is gone"), "{error}");
}

#[tokio::test]
async fn a_record_that_is_cut_under_a_living_daemon_is_found_at_the_next_row() {
    let place = Place::new();
    let audit = place.open().await;
    for number in 0..4 {
        audit.record(run(number)).await.expect("there is room");
    }
    place.bend("DELETE FROM audit WHERE number = 4");
    let error = audit.record(run(9)).await.expect_err("it was cut");
    assert!(error.to_string().ends_with("row 4 is missing"), "{error}");
    assert_eq!(audit.troubles().len(), 1);
    let numbers: Vec<u64> = place.rows().iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
}

#[tokio::test]
async fn rows_that_somebody_else_added_are_found_at_the_next_row() {
    let place = Place::new();
    let audit = place.open().await;
    audit.record(run(1)).await.expect("there is room");
    place.bend("INSERT INTO audit (number, line, hash) VALUES (2, '{}', 'x')");
    let error = audit.record(run(9)).await.expect_err("it was bent");
    assert!(error.to_string().contains("did not write"), "{error}");
    let report = audit.verify(Vec::new()).await.expect("it can be read");
    assert!(
        report.faults.contains(&Fault::Altered { number: 2 }),
        "{report:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_written_waits_and_is_written_in_order() {
    let place = Place::with_rows(1).await;
    let audit = place.open().await;
    place.bend(
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END;",
    );
    audit.note(run(1));
    audit.note(run(2));
    let error = audit.record(run(9)).await.expect_err("there is no room");
    assert!(matches!(error, AuditError::Unwritten(_)), "{error}");
    let troubles = audit.troubles();
    assert!(troubles[0].contains("2 rows wait"), "{troubles:?}");
    place.bend("DROP TRIGGER full");
    audit.record(run(3)).await.expect("there is room again");
    assert_eq!(audit.troubles(), Vec::<String>::new());
    let texts: Vec<_> = place.rows().iter().map(|row| field(row, "text")).collect();
    let texts: Vec<_> = texts
        .iter()
        .flatten()
        .map(|text| text.trim_start_matches("Get-Mailbox "))
        .collect();
    assert_eq!(texts, ["0", "1", "2", "3"]);
    assert!(
        audit
            .verify(Vec::new())
            .await
            .expect("it can be read")
            .is_sound()
    );
}

#[tokio::test]
async fn rows_from_many_tasks_are_one_chain() {
    let place = Place::new();
    let audit = place.open().await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let audit = audit.clone();
            tokio::spawn(async move { audit.record(run(number)).await })
        })
        .collect();
    for task in tasks {
        task.await
            .expect("it does not panic")
            .expect("there is room");
    }
    let report = audit.verify(Vec::new()).await.expect("it can be read");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.rows, 200);
}

/// The rows of a small record, and the head that its file names.
fn small() -> (Vec<AuditRow>, Head) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let place = runtime.block_on(Place::with_rows(6));
    let rows = place.rows();
    let last = rows.last().expect("there are rows");
    let head = Head {
        number: last.number,
        hash: last.hash.clone(),
    };
    (rows, head)
}

#[test]
fn any_one_changed_byte_is_found() {
    let (rows, head) = small();
    assert!(read(&rows, vec![head.clone()]).is_sound());
    for at in 0..rows.len() {
        for column in 0..3 {
            let length = [8, rows[at].line.len(), rows[at].hash.len()][column];
            for byte in 0..length {
                let mut bent = rows.clone();
                let row = &mut bent[at];
                match column {
                    0 => row.number ^= 1 << (8 * byte.min(7)),
                    1 => flip(&mut row.line, byte),
                    _ => flip(&mut row.hash, byte),
                }
                bent.sort_by_key(|row| row.number);
                let report = read(&bent, vec![head.clone()]);
                assert!(!report.is_sound(), "row {at}, column {column}, byte {byte}");
            }
        }
    }
}

/// The bytes of a database file that hold the record's rows: a short row's line and hash stand whole on a page.
fn places(file: &[u8], rows: &[AuditRow]) -> Vec<usize> {
    let mut places = Vec::new();
    for text in rows.iter().flat_map(|row| [&row.line, &row.hash]) {
        let before = places.len();
        for at in memchr::memmem::find_iter(file, text.as_bytes()) {
            places.extend(at..at + text.len());
        }
        assert!(places.len() > before, "a row is in the file: {text}");
    }
    places
}

/// A row as it is in the table.
type Cells = (i64, Vec<u8>, Vec<u8>);

/// What the table says: number, line and hash, as bytes, because a bent one need not be text. `None` where the file is no
/// database any more.
fn table(place: &Place) -> Option<Vec<Cells>> {
    let db = Connection::open(place.path("mm.db")).ok()?;
    let mut select = db
        .prepare("SELECT number, CAST(line AS BLOB), CAST(hash AS BLOB) FROM audit ORDER BY number")
        .ok()?;
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .ok()?;
    rows.collect::<Result<_, _>>().ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// On the file itself: one bit, mostly of the rows, sometimes of anything. What does not change the table is not the
    /// record's business.
    #[test]
    fn any_one_bent_bit_of_the_database_file_is_found(
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        anywhere in 0..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let place = runtime.block_on(Place::with_rows(6));
        place.bend("PRAGMA wal_checkpoint(TRUNCATE)");
        let before = table(&place).expect("it is sound");
        let path = place.path("mm.db");
        let mut file = std::fs::read(&path).expect("it is there");
        let at = if anywhere == 0 {
            at.index(file.len())
        } else {
            let places = places(&file, &place.rows());
            places[at.index(places.len())]
        };
        file[at] ^= 1 << bit;
        std::fs::write(&path, &file).expect("it is ours");
        if table(&place).as_ref() != Some(&before) {
            let report = runtime.block_on(async {
                let store = Store::open(&path).map_err(|error| error.to_string())?;
                let audit = Audit::open(store, place.folder.path(), "ada".to_owned());
                let audit = audit.await.map_err(|error| error.to_string())?;
                let report = audit.verify(Vec::new()).await;
                report.map_err(|error| error.to_string())
            });
            let found = report.as_ref().map_or(true, |report| !report.is_sound());
            prop_assert!(found, "byte {at}, bit {bit}: {report:?}");
        }
    }
}

fn flip(text: &mut String, at: usize) {
    let mut bytes = std::mem::take(text).into_bytes();
    bytes[at] ^= 1;
    *text = String::from_utf8(bytes).expect("the texts are ASCII");
}

proptest! {
    #[test]
    fn a_removed_a_swapped_and_a_cut_row_are_found(one in 0_usize..6, other in 0_usize..6, what in 0..4) {
        let (rows, head) = SMALL.with(Clone::clone);
        let mut bent = rows.clone();
        match what {
            0 => drop(bent.remove(one)),
            1 => bent.truncate(one),
            2 => {
                // Two rows change places, and keep the numbers of the places.
                prop_assume!(one != other);
                let (a, b) = (bent[one].number, bent[other].number);
                bent.swap(one, other);
                (bent[one].number, bent[other].number) = (a, b);
            }
            _ => {
                // A row is written anew, with a hash that fits it.
                let row = &mut bent[one];
                row.line = row.line.replace("Get-Mailbox", "Get-Nothing");
                row.hash = super::line::hash(&row.line);
            }
        }
        prop_assert!(!read(&bent, vec![head]).is_sound());
    }
}

thread_local! {
    static SMALL: (Vec<AuditRow>, Head) = small();
}

#[test]
fn faults_are_named() {
    let (rows, head) = small();
    let faults = |bend: &dyn Fn(&mut Vec<AuditRow>)| {
        let mut bent = rows.clone();
        bend(&mut bent);
        let report = read(&bent, vec![head.clone()]);
        report.sentence().unwrap_or_default()
    };
    let said = [
        faults(&|rows| flip(&mut rows[2].line, 100)),
        faults(&|rows| flip(&mut rows[2].hash, 0)),
        faults(&|rows| drop(rows.remove(2))),
        faults(&|rows| rows.truncate(4)),
        faults(&|rows| rows.truncate(0)),
        faults(&|rows| {
            let row = &mut rows[2];
            row.line = row.line.replace("Get", "Set");
            row.hash = super::line::hash(&row.line);
        }),
        faults(&|rows| {
            let row = &mut rows[5];
            row.line = row.line.replace("Get", "Set");
            row.hash = super::line::hash(&row.line);
        }),
        faults(&|rows| {
            let (a, b) = (rows[1].number, rows[3].number);
            rows.swap(1, 3);
            (rows[1].number, rows[3].number) = (a, b);
        }),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_hash_of_an_exported_row_is_found_by_cutting_it_off() {
    let (rows, _) = small();
    let text = exported(&rows[1]);
    let (line, hash) = text.rsplit_once(",\"hash\":\"").expect("it has one");
    let line = format!("{line}}}");
    assert_eq!(line, rows[1].line);
    assert_eq!(digest(line.as_bytes()), hash.trim_end_matches("\"}"));
}
