//! The database on real files: kept, reopened, held by others, full, damaged, from a newer version.

use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::name::{RunId, SessionKey};
use crate::store::{KeptOutput, NewRun, Pin, Retention, RunEnd, RunFilter};

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temp dir"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mm.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.path()).expect("it can be opened")
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("it is in range")
}

fn key(connection: &str, module: &str) -> SessionKey {
    SessionKey {
        connection: connection.parse().expect("it is a name"),
        module: module.parse().expect("it is a name"),
    }
}

fn id(number: u8) -> RunId {
    RunId::from_random([number; 9])
}

/// Writes down these runs, all of one session.
async fn insert(store: &Store, numbers: RangeInclusive<u8>) {
    for number in numbers {
        let run = new_run(number, key("A", "exo"));
        store.insert_run(run).await.expect("it is new");
    }
}

fn new_run(number: u8, session: SessionKey) -> NewRun {
    NewRun {
        id: id(number),
        session,
        mode: "records".to_owned(),
        command: format!("Get-Mailbox {number}"),
        who: "cli".to_owned(),
        on_disconnect: "keep".to_owned(),
        state: "queued".to_owned(),
        submitted: at(1000 + i64::from(number)),
    }
}

fn end(output: KeptOutput) -> RunEnd {
    RunEnd {
        state: "ended".to_owned(),
        end_state: Some("ok".to_owned()),
        exit: Some(-3),
        errors: Some("[]".to_owned()),
        reason: None,
        cause: None,
        ended: at(9000),
        output_length: u64::from(u32::MAX) + 1,
        output_skipped: 7,
        output,
    }
}

fn all() -> RunFilter {
    RunFilter {
        connection: None,
        module: None,
        limit: 100,
    }
}

#[tokio::test]
async fn a_run_is_the_same_after_reopening() {
    let place = Place::new();
    let store = place.store();
    store
        .insert_run(new_run(1, key("Contoso", "exo")))
        .await
        .expect("it is new");
    let account = Some("ada@contoso.com".to_owned());
    store.start_run(id(1), "running".to_owned(), at(2000), account, None);
    store.end_run(id(1), end(KeptOutput::Inline(vec![0, 255, 10])));
    let before = store
        .run(id(1))
        .await
        .expect("it can be read")
        .expect("it is there");
    assert_eq!(store.health(), Health::default());
    drop(store);

    let store = place.store();
    let after = store
        .run(id(1))
        .await
        .expect("it can be read")
        .expect("it is there");
    assert_eq!(after, before);
    assert_eq!(after.started, Some(at(2000)));
    assert_eq!(after.ended, Some(at(9000)));
    assert_eq!(after.exit, Some(-3));
    assert_eq!(after.account.as_deref(), Some("ada@contoso.com"));
    assert_eq!(after.output_length, 4_294_967_296);
    let output = store.output(id(1)).await.expect("it can be read");
    assert_eq!(output, Some(KeptOutput::Inline(vec![0, 255, 10])));
    assert_eq!(store.output(id(2)).await.expect("it can be asked"), None);
    assert_eq!(store.run(id(2)).await.expect("it can be asked"), None);
    let mode = place
        .path()
        .metadata()
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn runs_are_listed_newest_first_by_connection_and_module() {
    let place = Place::new();
    let store = place.store();
    for (number, connection, module) in [
        (1, "A", "exo"),
        (2, "B", "exo"),
        (3, "A", "pnp"),
        (4, "A", "exo"),
    ] {
        store
            .insert_run(new_run(number, key(connection, module)))
            .await
            .expect("it is new");
    }
    let listed = async |filter| {
        let rows = store.recent_runs(filter).await.expect("it can be listed");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(all()).await, [id(4), id(3), id(2), id(1)]);
    assert_eq!(listed(RunFilter { limit: 1, ..all() }).await, [id(4)]);
    let connection = Some("A".parse().expect("it is a name"));
    let a = RunFilter {
        connection,
        ..all()
    };
    assert_eq!(listed(a.clone()).await, [id(4), id(3), id(1)]);
    let module = Some("exo".parse().expect("it is a name"));
    assert_eq!(listed(RunFilter { module, ..a }).await, [id(4), id(1)]);
}

#[tokio::test]
async fn runs_and_sessions_cut_short_are_lost_at_the_next_start() {
    let place = Place::new();
    let store = place.store();
    insert(&store, 1..=3).await;
    store.session_started(key("A", "exo"), 42, at(500));
    store.start_run(id(2), "running".to_owned(), at(2000), None, None);
    store.end_run(id(1), end(KeptOutput::None));
    store.flush().await.expect("it works");
    drop(store);

    let store = place.store();
    let lost = store
        .interrupted_runs(at(3000), "the daemon ended".to_owned())
        .await
        .expect("it can be done");
    assert_eq!(
        lost.iter().map(|run| run.id.clone()).collect::<Vec<_>>(),
        [id(2), id(3)]
    );
    for run in lost {
        let stored = store.run(run.id.clone()).await.expect("it can be read");
        assert_eq!(run.state, "lost");
        assert_eq!(run.reason.as_deref(), Some("the daemon ended"));
        assert_eq!(stored, Some(run));
    }
    let again = store
        .interrupted_runs(at(4000), "again".to_owned())
        .await
        .expect("it can be done");
    assert_eq!(again, []);
    let ended = store
        .interrupted_sessions(at(3000), "the daemon ended".to_owned())
        .await;
    assert_eq!(ended.expect("it can be done"), 1);
}

#[tokio::test]
async fn what_a_killed_process_committed_is_still_there() {
    let place = Place::new();
    let store = place.store();
    insert(&store, 1..=1).await;
    // A copy of the files as they are now, log and all, is what a killed process leaves behind.
    let left = Place::new();
    for file in std::fs::read_dir(place.folder.path()).expect("it is a folder") {
        let file = file.expect("it can be listed");
        std::fs::copy(file.path(), left.folder.path().join(file.file_name()))
            .expect("it can be copied");
    }
    let lost = left
        .store()
        .interrupted_runs(at(3000), "killed".to_owned())
        .await;
    assert_eq!(lost.expect("it can be done").len(), 1);
}

#[tokio::test]
async fn sessions_have_a_history() {
    let place = Place::new();
    let store = place.store();
    let first = store.session_started(key("A", "exo"), 42, at(100));
    store.session_started(key("A", "pnp"), 43, at(200));
    store.session_signed_in(
        &first,
        at(150),
        "ada@contoso.com".to_owned(),
        "t".to_owned(),
    );
    store.session_ended(&first, at(300), "idle".to_owned());
    let sessions = store
        .sessions(None, None, 10)
        .await
        .expect("it can be listed");
    assert_eq!(
        sessions
            .iter()
            .map(|one| one.session.module.as_str())
            .collect::<Vec<_>>(),
        ["pnp", "exo"]
    );
    let exo = store
        .sessions(
            Some(key("A", "exo").connection),
            Some(key("A", "exo").module),
            10,
        )
        .await
        .expect("it can be listed");
    assert_eq!(exo, sessions[1..]);
    assert_eq!(exo[0].signed_in, Some(at(150)));
    assert_eq!(exo[0].reason.as_deref(), Some("idle"));
    assert_eq!(sessions[0].ended, None);
    assert_eq!(store.health(), Health::default());
}

#[tokio::test]
async fn a_pin_stays_until_it_is_replaced() {
    let place = Place::new();
    let store = place.store();
    let pin = |account: &str| Pin {
        account: account.to_owned(),
        tenant: "t".to_owned(),
        pinned: at(1),
    };
    assert_eq!(
        store
            .pinned(key("A", "exo"))
            .await
            .expect("it can be asked"),
        None
    );
    store
        .pin(key("A", "exo"), pin("ada"))
        .await
        .expect("it is new");
    store
        .pin(key("A", "exo"), pin("bob"))
        .await
        .expect("it is replaced");
    drop(store);
    let store = place.store();
    assert_eq!(
        store
            .pinned(key("A", "exo"))
            .await
            .expect("it can be asked"),
        Some(pin("bob"))
    );
    assert_eq!(
        store
            .pinned(key("A", "pnp"))
            .await
            .expect("it can be asked"),
        None
    );
}

#[tokio::test]
async fn pruning_keeps_the_newest_and_those_that_go_on() {
    let place = Place::new();
    let store = place.store();
    insert(&store, 1..=6).await;
    for number in 2..=6 {
        store.end_run(id(number), end(KeptOutput::File(format!("{number}.out"))));
    }
    let session = store.session_started(key("A", "exo"), 1, at(10));
    store.session_ended(&session, at(20), "done".to_owned());
    // 1 goes on, 2 and 3 are not among the newest three.
    let keep = Retention {
        runs: 3,
        since: at(0),
    };
    assert_eq!(
        store.prune(keep).await.expect("it can be done"),
        ["2.out", "3.out"]
    );
    // 4 is too old, and so is the session.
    let keep = Retention {
        runs: 100,
        since: at(1005),
    };
    assert_eq!(store.prune(keep).await.expect("it can be done"), ["4.out"]);
    let left = store.recent_runs(all()).await.expect("it can be listed");
    assert_eq!(
        left.into_iter().map(|run| run.id).collect::<Vec<_>>(),
        [id(6), id(5), id(1)]
    );
    assert_eq!(
        store
            .sessions(None, None, 10)
            .await
            .expect("it can be listed"),
        []
    );
}

#[tokio::test]
async fn a_database_that_another_program_holds_is_busy_and_then_usable() {
    let place = Place::new();
    drop(place.store().flush().await);
    let other = Connection::open(place.path()).expect("it is a database");
    let brief = Duration::from_millis(20);
    let store = Store::open_within(&place.path(), brief).expect("nobody holds it yet");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    let error = store
        .insert_run(new_run(1, key("A", "exo")))
        .await
        .expect_err("it is held");
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    let error = Store::open_within(&place.path(), brief).expect_err("it is held");
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    other.execute_batch("ROLLBACK").expect("it was begun");
    store
        .insert_run(new_run(1, key("A", "exo")))
        .await
        .expect("it is free again");
}

#[tokio::test]
async fn a_full_disk_is_seen_in_the_health_and_then_forgotten() {
    let place = Place::new();
    let store = place.store();
    insert(&store, 1..=1).await;
    store
        .call(|db| {
            let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        })
        .await
        .expect("it can be limited");
    store.end_run(id(1), end(KeptOutput::Inline(vec![b'x'; INLINE])));
    let mut long = new_run(2, key("A", "exo"));
    long.command = "x".repeat(INLINE);
    let error = store.insert_run(long).await.expect_err("there is no room");
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let health = store.health();
    assert_eq!((health.waiting, health.lost), (1, 0));
    let failing = health.failing.expect("the last write failed");
    assert!(
        failing.starts_with("the end of a run: there is no room"),
        "{failing}"
    );

    store
        .call(|db| db.query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())))
        .await
        .expect("it can be lifted");
    store.flush().await.expect("it works again");
    assert_eq!(store.health(), Health::default());
    let run = store.run(id(1)).await.expect("it can be asked");
    assert!(
        run.is_some_and(|run| run.ended.is_some()),
        "what could not be written then is written now"
    );
}

const INLINE: usize = crate::store::INLINE_OUTPUT_LIMIT;

#[tokio::test]
async fn output_that_belongs_into_a_file_is_refused_and_so_is_the_end_of_no_run() {
    let place = Place::new();
    let store = place.store();
    insert(&store, 1..=1).await;
    store.end_run(id(1), end(KeptOutput::Inline(vec![0; INLINE + 1])));
    store.end_run(id(9), end(KeptOutput::None));
    store.flush().await.expect("it works");
    assert_eq!(store.health().lost, 2);
    let error = store
        .insert_run(new_run(1, key("A", "exo")))
        .await
        .expect_err("the id is taken");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_reported_and_left_as_it_is() {
    let place = Place::new();
    let junk = b"this is no database, but somebody may want it back".repeat(100);
    std::fs::write(place.path(), &junk).expect("it can be written");
    let error = Store::open(&place.path()).expect_err("it is no database");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.help().contains("mv '"), "{}", error.help());
    assert_eq!(std::fs::read(place.path()).expect("it is there"), junk);
}

#[tokio::test]
async fn damage_inside_a_database_is_reported_when_it_is_met() {
    let place = Place::new();
    let store = place.store();
    for number in 1..=20 {
        let mut run = new_run(number, key("A", "exo"));
        run.command = "x".repeat(4000);
        store.insert_run(run).await.expect("it is new");
    }
    store
        .call(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .await
        .expect("it can be");
    store
        .call(|db| db.execute_batch("PRAGMA journal_mode = DELETE"))
        .await
        .expect("it can be");
    drop(store);
    let mut bytes = std::fs::read(place.path()).expect("it is there");
    // The first page holds the schema and stays; every other one is overwritten.
    bytes[4096..].fill(0xa5);
    std::fs::write(place.path(), &bytes).expect("it can be written");
    let store = Store::open(&place.path()).expect("its first page is sound");
    let error = store
        .recent_runs(all())
        .await
        .expect_err("its rows are not");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn a_newer_version_s_database_is_left_alone() {
    let place = Place::new();
    let db = Connection::open(place.path()).expect("it can be made");
    db.execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 99")
        .expect("it can be written");
    drop(db);
    let before = std::fs::read(place.path()).expect("it is there");
    let error = Store::open(&place.path()).expect_err("it is newer");
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(place.path()).expect("it is there"), before);
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let error = Store::open(Path::new("/proc/mm.db")).expect_err("nothing is made in /proc");
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.help().contains("MM_STATE_DIR"));
    if !rustix::process::geteuid().is_root() {
        let place = Place::new();
        let closed = Permissions::from_mode(0o500);
        std::fs::set_permissions(place.folder.path(), closed).expect("it is ours");
        let error = Store::open(&place.path()).expect_err("its folder is closed");
        assert!(matches!(error, StoreError::Open { .. }), "{error}");
    }
}
