//! The writer on real files.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::recording::Recording;
use crate::recording::redact::looks_secret;
use crate::recording::redact::tests::{assert_clean, case};

struct Place {
    folder: TempDir,
    start: Instant,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temp dir"),
            start: Instant::now(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.cast")
    }

    fn create(&self, redactor: Redactor, existing: Existing) -> Result<Writer, WriteError> {
        let header = Header {
            width: 240,
            height: 50,
            title: Some("by ada@woodgrove.net".to_owned()),
            ..Header::default()
        };
        Writer::create(&self.path(), header, redactor, self.start, existing)
    }

    fn writer(&self) -> Writer {
        self.create(Redactor::new([], []), Existing::Refuse)
            .expect("there is none yet")
    }

    fn at(&self, micros: u64) -> Instant {
        self.start + Duration::from_micros(micros)
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path()).expect("it was written");
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn what_happens_is_written_with_its_time() {
    let place = Place::new();
    let mut writer = place.writer();
    writer
        .output(place.at(911_800), b"hi\r\n")
        .expect("it can be written");
    writer
        .marker(place.at(1_000_001), "run")
        .expect("it can be written");
    writer
        .input(place.at(900_000), b"y\n")
        .expect("it can be written");
    let written = writer.finish().expect("it can be finished");
    assert_eq!(
        (written.events, written.replaced_bytes, written.redacted),
        (3, 0, 1)
    );
    assert_eq!(
        place.lines(),
        [
            r#"{"version":2,"width":240,"height":50,"title":"by user1@example.com"}"#,
            r#"[0.911800, "o", "hi\r\n"]"#,
            r#"[1.000001, "m", "run"]"#,
            r#"[1.000001, "i", "y\n"]"#,
        ]
    );
    let mode = place
        .path()
        .metadata()
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_to_be_replaced() {
    let place = Place::new();
    std::fs::write(place.path(), "mine").expect("it can be written");
    let error = place
        .create(Redactor::new([], []), Existing::Refuse)
        .expect_err("it is there");
    assert!(matches!(error, WriteError::Exists { .. }), "{error}");
    assert_eq!(place.lines(), ["mine"]);
    let writer = place
        .create(Redactor::new([], []), Existing::Replace)
        .expect("it may be replaced");
    writer.finish().expect("it can be finished");
    assert_eq!(place.lines().len(), 1);
}

#[test]
fn a_replaced_link_is_not_followed() {
    let place = Place::new();
    let other = place.folder.path().join("other");
    std::fs::write(&other, "mine").expect("it can be written");
    std::os::unix::fs::symlink(&other, place.path()).expect("a link can be made");
    let writer = place
        .create(Redactor::new([], []), Existing::Replace)
        .expect("it may be replaced");
    writer.finish().expect("it can be finished");
    assert_eq!(
        std::fs::read_to_string(&other).expect("it is there"),
        "mine"
    );
}

#[test]
fn a_character_waits_for_its_last_byte_and_what_is_none_is_counted() {
    let place = Place::new();
    let mut writer = place.writer();
    for bytes in [&b"a\xe2"[..], b"\x82", b"\xacb\xff\xfec", b"\xf0\x9f"] {
        writer
            .output(place.at(1), bytes)
            .expect("it can be written");
    }
    let written = writer.finish().expect("it can be finished");
    assert_eq!(written.replaced_bytes, 4);
    let recording = Recording::open(&place.path()).expect("it is one");
    let data: Vec<_> = recording
        .events
        .iter()
        .map(|event| event.data.as_str())
        .collect();
    assert_eq!(data, ["a", "€b\u{fffd}\u{fffd}c", "\u{fffd}"]);
}

#[test]
fn a_run_is_in_the_file_once_it_has_ended() {
    let place = Place::new();
    let mut writer = place.writer();
    writer
        .output(place.at(1), b"one\r\n<<mm:en")
        .expect("it can be written");
    assert_eq!(place.lines().len(), 1);
    writer
        .output(place.at(2), b"d:0a:ok::>>\r\n")
        .expect("it can be written");
    assert_eq!(place.lines().len(), 3);
    writer
        .output(place.at(3), b"two\r\n")
        .expect("it can be written");
    assert_eq!(place.lines().len(), 3);
    drop(writer);
    assert_eq!(place.lines().len(), 4);
}

#[test]
fn a_secret_answer_leaves_a_mask_and_no_echo() {
    for (echo, kept) in [
        (&["*", "*****\r", "\ndone\r\n"][..], "\r\ndone\r\n"),
        (&["hhuhunhunthuntehunterhunter2\r\n"], "\r\n"),
        (&["<<mm:out:0a>>\r\n"], "<<mm:out:0a>>\r\n"),
        (&["h", "unter2 is wrong\r\n"], "******** is wrong\r\n"),
        (
            &["\u{1b}[6n", "***\r\n", "hunter2\r\n"],
            "\u{1b}[6n\r\n********\r\n",
        ),
        (&["hunt"], "********"),
    ] {
        let place = Place::new();
        let mut writer = place.writer();
        writer
            .output(place.at(1), b"Secret: ")
            .expect("it can be written");
        let answer = Secret::new("hunter2".to_owned());
        writer
            .secret_answer(place.at(2), &answer)
            .expect("it can be written");
        for text in echo {
            writer
                .output(place.at(3), text.as_bytes())
                .expect("it can be written");
        }
        writer.finish().expect("it can be finished");
        let recording = Recording::open(&place.path()).expect("it is one");
        let said: String = recording.events[2..]
            .iter()
            .map(|event| event.data.as_str())
            .collect();
        assert_eq!(recording.events[1].data, "********\n");
        assert_eq!(said, kept, "{echo:?}");
    }
}

#[test]
fn a_disk_without_room_is_an_error() {
    // Linux's device that is always full; elsewhere nothing like it can be counted on.
    let file = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("there is one");
    let place = Place::new();
    let mut writer = place.writer();
    writer.file = BufWriter::new(file);
    writer.output(place.at(1), b"x\r\n").expect("it waits");
    let error = writer.finish().expect_err("there is no room");
    assert!(matches!(error, WriteError::Write { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Also when so little may wait that a run is written in many parts.
    #[test]
    fn nothing_planted_reaches_the_file(
        (secrets, original, redactor) in case(), little in any::<bool>(), repeats in 1_usize..4
    ) {
        let place = Place::new();
        let mut writer = place.create(redactor, Existing::Refuse).expect("there is none yet");
        if little {
            writer.limits = Limits { waiting: 700, kept_back: 500 };
            writer.next = 700;
        }
        for _ in 0..repeats {
            for event in &original.events {
                let bytes = event.data.as_bytes();
                match event.kind {
                    EventKind::Input => writer.input(place.at(1), bytes).expect("it can be written"),
                    _ => writer.output(place.at(1), bytes).expect("it can be written"),
                }
            }
        }
        let written = writer.finish().expect("it can be finished");
        let recording = Recording::open(&place.path()).expect("it is one");
        assert_clean(&secrets, &recording);
        prop_assert_eq!(looks_secret(&recording), []);
        prop_assert_eq!(recording.events.len(), original.events.len() * repeats);
        prop_assert_eq!(written.events, recording.events.len());
    }
}
