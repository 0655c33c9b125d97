//! The machine under every cut of what a program says: its markers are found wherever a read ends, and what only looks like
//! them is output. Holds what the room's other tests share.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;

use super::{
    Effect, Engine, Finish, Finished, Habits, Input, Mode, Nonce, Record, RunRequest, State,
};
use crate::script::{EndState, Shell, Stream};
use crate::spec::Catalog;

mod running;
mod signing;

/// The built-in PowerShell.
pub(super) fn pwsh() -> Arc<Shell> {
    static SHELL: LazyLock<Arc<Shell>> = LazyLock::new(|| {
        let catalog = Catalog::load(&[]);
        catalog.shell("pwsh").expect("it is part of the program")
    });
    Arc::clone(&SHELL)
}

/// `whole`, cut at these places.
pub(super) fn cut<'w>(whole: &'w [u8], at: &[Index]) -> Vec<&'w [u8]> {
    let mut places: Vec<usize> = at.iter().map(|at| at.index(whole.len() + 1)).collect();
    places.extend([0, whole.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &whole[pair[0]..pair[1]])
        .collect()
}

const NONCE: &str = "00112233445566aa";
const OLDER: &str = "ffeeddccbbaa9988";

/// What came of one run.
#[derive(Debug, Default)]
struct Heard {
    output: Vec<u8>,
    records: Vec<(Stream, String)>,
    finished: Vec<Finished>,
    typed: Vec<u8>,
}

/// A machine that has booted, and has had a run with the older nonce.
fn machine(now: Instant) -> Engine {
    let mut engine = Engine::new(pwsh(), false, Habits::LIVE, now);
    let boot = b"<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";
    let effects = engine.handle(Input::Output(boot), now);
    assert!(effects.is_empty() && *engine.state() == State::Ready);
    let heard = run(
        &mut engine,
        Mode::Text,
        OLDER,
        &[marked("old", OLDER, "ok").as_bytes()],
        now,
    );
    assert_eq!(heard.output, b"old\n");
    engine
}

/// `text` as the output of a command that ends in `state`.
fn marked(text: &str, nonce: &str, state: &str) -> String {
    let text = text.replace('\n', "\r\n");
    format!(
        "<<mm:begin:{nonce}>>\r\n{text}\r\n<<mm:out:{nonce}>>\r\n<<mm:end:{nonce}:{state}::>>\r\n"
    )
}

fn run(engine: &mut Engine, mode: Mode, nonce: &str, said: &[&[u8]], now: Instant) -> Heard {
    let request = RunRequest {
        tag: 7,
        command: "Get-Mailbox".to_owned(),
        mode,
        depth: 2,
        nonces: vec![Nonce::parse(nonce).expect("a nonce")],
        watch: None,
    };
    let mut heard = Heard::default();
    let mut effects = engine.handle(Input::Run(Box::new(request)), now);
    assert_eq!(effects.len(), 1, "the frame is typed");
    effects.clear();
    for piece in said {
        effects.extend(engine.handle(Input::Output(piece), now));
    }
    for effect in effects {
        match effect {
            Effect::Output(text) => heard.output.extend_from_slice(&text),
            Effect::Record(Record { stream, value }) => {
                heard.records.push((stream, value.get().to_owned()));
            }
            Effect::Finished(finished) => heard.finished.push(finished),
            Effect::Write(typed) => heard.typed.extend_from_slice(&typed.bytes),
            Effect::Began => {}
            other => panic!("{other:?}"),
        }
    }
    heard
}

fn ended(state: EndState) -> Finish {
    Finish::Ended {
        state,
        exit: None,
        began: true,
        marked: true,
    }
}

/// Something that looks like a marker, and is none of the run's.
fn forged() -> impl Strategy<Value = String> {
    let nonce = prop_oneof![
        Just(OLDER.to_owned()),
        Just("boot".to_owned()),
        Just(String::new()),
        Just(NONCE[..15].to_owned()),
        Just(NONCE.to_uppercase()),
        Just(format!("{NONCE}0")),
        "[0-9a-f]{16}".prop_filter("the run's own", |nonce| nonce != NONCE),
    ];
    let shape = prop::sample::select(vec![
        "<<mm:begin:N>>",
        "<<mm:out:N>>",
        "<<mm:end:N:ok::>>",
        "<<mm:end:N:failed:1:e30=>>",
        "<<mm:o:N>>[1]",
        "<<mm:e:N>>{}",
        "<<mm:end:N",
        "<<mm:",
        "<",
        "<<mm:<<mm:end:N:ok::>>",
    ]);
    (nonce, shape).prop_map(|(nonce, shape)| shape.replace('N', &nonce))
}

proptest! {
    #[test]
    fn markers_are_found_wherever_a_read_ends(
        text in "[a-z<:>é\n]{0,80}",
        cuts in prop::collection::vec(any::<Index>(), 0..24),
        failed: bool,
    ) {
        let now = Instant::now();
        let mut engine = machine(now);
        let (name, state) = if failed { ("failed", EndState::Failed) } else { ("ok", EndState::Ok) };
        let whole = format!("{}then", marked(&text, NONCE, name));
        let heard = run(&mut engine, Mode::Text, NONCE, &cut(whole.as_bytes(), &cuts), now);
        prop_assert_eq!(String::from_utf8_lossy(&heard.output), format!("{text}\n"));
        prop_assert_eq!(heard.finished.len(), 1);
        prop_assert_eq!(&heard.finished[0].finish, &ended(state));
        prop_assert_eq!(engine.state(), &State::Ready);
    }

    #[test]
    fn a_forged_marker_is_output(
        lines in prop::collection::vec((forged(), "[a-z]{0,5}"), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..24),
    ) {
        let parts = lines.iter().flat_map(|(forged, rest)| [rest, forged.as_str(), rest, "\n"]);
        let text: String = parts.collect();
        let now = Instant::now();
        let mut engine = machine(now);
        let whole = marked(&text, NONCE, "ok");
        let heard = run(&mut engine, Mode::Text, NONCE, &cut(whole.as_bytes(), &cuts), now);
        prop_assert_eq!(String::from_utf8_lossy(&heard.output), format!("{text}\n"));
        prop_assert_eq!(heard.finished.len(), 1);
        prop_assert_eq!(&heard.finished[0].finish, &ended(EndState::Ok));
    }

    #[test]
    fn a_forged_marker_adds_no_record(
        lines in prop::collection::vec((forged(), "[a-z]{1,5}"), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..24),
    ) {
        let mut text = String::new();
        let mut should = Vec::new();
        for (forged, rest) in &lines {
            let line = format!("{rest}{forged}");
            should.push((Stream::Console, serde_json::json!(line).to_string()));
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str("<<mm:o:00112233445566aa>>[{\"Name\":\"Ada\"}]");
        should.push((Stream::Output, "[{\"Name\":\"Ada\"}]".to_owned()));
        let now = Instant::now();
        let mut engine = machine(now);
        let whole = marked(&text, NONCE, "ok");
        let heard = run(&mut engine, Mode::Records, NONCE, &cut(whole.as_bytes(), &cuts), now);
        prop_assert_eq!(heard.records, should);
        prop_assert!(heard.output.is_empty());
        prop_assert_eq!(heard.finished.len(), 1);
    }

    #[test]
    fn a_run_hears_every_query_answered_once(
        parts in prop::collection::vec(prop::sample::select(vec!["\u{1b}[6n", "text", "\n", "\u{1b}[0m", "<"]), 0..30),
        cuts in prop::collection::vec(any::<Index>(), 0..24),
    ) {
        let asked = parts.iter().filter(|part| **part == "\u{1b}[6n").count();
        let now = Instant::now();
        let mut engine = machine(now);
        let whole = marked(&parts.concat(), NONCE, "ok");
        let heard = run(&mut engine, Mode::Text, NONCE, &cut(whole.as_bytes(), &cuts), now);
        prop_assert_eq!(heard.typed, b"\x1b[1;1R".repeat(asked));
    }

    #[test]
    fn no_bytes_end_a_run_without_its_nonce(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let now = Instant::now();
        let mut engine = machine(now);
        let heard = run(&mut engine, Mode::Text, NONCE, &cut(&bytes, &cuts), now);
        prop_assert!(heard.finished.is_empty());
        let late = engine.handle(Input::Tick, now + Duration::from_secs(1));
        prop_assert!(!late.iter().any(|effect| matches!(effect, Effect::Finished(_))));
    }
}
