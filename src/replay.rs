//! A recording through the machine, with the recording's clock and its requests: what was typed is fed back as what was
//! asked for, so the same recording always gives the same commands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use regex::Regex;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::expect::{
    AnswerLine, Challenge, CloseReason, Effect, Engine, Finish, Habits, Input, Mode, Nonce,
    Question, ReportedError, RunRequest, decode,
};
use crate::recording::{EventKind, Recording};
use crate::script::{EndField, EndState, Part, Shell, SignIn, Stream};
use crate::secret::Secret;

/// One command of a recording, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    pub(crate) command: String,
    pub(crate) mode: Mode,
    /// Absent where the recording ends before the command does.
    pub(crate) state: Option<EndState>,
    pub(crate) exit: Option<i32>,
    pub(crate) errors: Vec<ReportedError>,
    /// In text mode: escapes out, LF, the echoes of answers in it as they were seen.
    pub(crate) output: Vec<u8>,
    /// In records mode, in the order they came. An array of objects for [`Stream::Output`].
    pub(crate) records: Vec<(Stream, Box<RawValue>)>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) question: Option<Question>,
    pub(crate) interrupted: bool,
}

/// Plays a recording of a program of this kind. `watch` has the device-code prompts to look for.
pub(crate) fn play(
    recording: &Recording,
    shell: &Arc<Shell>,
    watch: Option<&Arc<SignIn>>,
) -> Vec<Played> {
    play_in_pieces(recording, shell, watch, |said| vec![said])
}

/// As [`play`], with the output of each event cut into pieces.
fn play_in_pieces(
    recording: &Recording,
    shell: &Arc<Shell>,
    watch: Option<&Arc<SignIn>>,
    mut cut: impl for<'e> FnMut(&'e [u8]) -> Vec<&'e [u8]>,
) -> Vec<Played> {
    let said: Vec<u8> = recording
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Output)
        .flat_map(|event| event.data.bytes())
        .collect();
    let start = Instant::now();
    let mut player = Player {
        engine: Engine::new(Arc::clone(shell), true, Habits::REPLAY, start),
        shell: Arc::clone(shell),
        watch: watch.cloned(),
        typed: Typed::new(shell),
        waiting: VecDeque::new(),
        played: Vec::new(),
        now: start,
        said,
        heard: 0,
    };
    for event in &recording.events {
        player.tick_until(start + event.at);
        match event.kind {
            EventKind::Output => {
                for piece in cut(event.data.as_bytes()) {
                    player.output(piece);
                }
            }
            EventKind::Input => {
                for request in player.typed.push(&event.data) {
                    player.request(request);
                }
            }
            EventKind::Marker | EventKind::Other(_) => {}
        }
    }
    player.feed(Input::Ended(CloseReason::TerminalLost));
    player.played
}

/// What somebody typed, understood.
enum Request {
    Run {
        nonce: Nonce,
        command: String,
        mode: Mode,
        depth: u8,
    },
    Interrupt,
    Answer(String),
}

struct Player {
    engine: Engine,
    shell: Arc<Shell>,
    watch: Option<Arc<SignIn>>,
    typed: Typed,
    /// Frames that were sent before the command before them had ended.
    waiting: VecDeque<(usize, RunRequest)>,
    played: Vec<Played>,
    now: Instant,
    /// All output of the recording, and how much of it the machine has had.
    said: Vec<u8>,
    heard: usize,
}

impl Player {
    fn tick_until(&mut self, at: Instant) {
        while let Some(due) = self.engine.deadline().filter(|due| *due <= at) {
            self.now = due.max(self.now);
            self.feed(Input::Tick);
        }
        self.now = at.max(self.now);
    }

    fn output(&mut self, text: &[u8]) {
        // Line by line, so that a frame that waits goes in right behind the end it waits for.
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.feed(Input::Output(line));
            self.heard += line.len();
            self.send_waiting();
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Interrupt => self.feed(Input::Interrupt),
            Request::Answer(text) => self.feed(Input::Answer(AnswerLine {
                text: Secret::new(text),
                secret: false,
            })),
            Request::Run {
                nonce,
                command,
                mode,
                depth,
            } => {
                let place = self.played.len();
                self.played.push(Played {
                    command: command.clone(),
                    mode,
                    state: None,
                    exit: None,
                    errors: Vec::new(),
                    output: Vec::new(),
                    records: Vec::new(),
                    challenge: None,
                    question: None,
                    interrupted: false,
                });
                let tag = place as u64;
                let request = RunRequest {
                    tag,
                    command,
                    mode,
                    depth,
                    nonces: vec![nonce],
                    watch: self.watch.clone(),
                };
                self.waiting.push_back((place, request));
                self.send_waiting();
            }
        }
    }

    fn send_waiting(&mut self) {
        while !self.waiting.is_empty() && (self.engine.is_free() || !self.will_end()) {
            let Some((_, request)) = self.waiting.pop_front() else {
                return;
            };
            self.feed(Input::Run(Box::new(request)));
        }
    }

    /// Whether the end of what runs is still to come.
    fn will_end(&self) -> bool {
        let Some(nonce) = self.engine.nonce() else {
            return false;
        };
        let mut marker = String::new();
        for part in &self.shell.markers.end.parts {
            match part {
                Part::Text(text) => marker.push_str(text),
                Part::Field(EndField::Nonce) => {
                    marker.push_str(nonce);
                    break;
                }
                Part::Field(_) => break,
            }
        }
        // The marker may be half heard: it stands in one line.
        let line = memchr::memrchr(b'\n', &self.said[..self.heard]).map_or(0, |end| end + 1);
        memchr::memmem::find(&self.said[line..], marker.as_bytes()).is_some()
    }

    fn feed(&mut self, input: Input<'_>) {
        let running = self.played.len().checked_sub(self.waiting.len() + 1);
        let effects = self.engine.handle(input, self.now);
        for effect in effects {
            if let Effect::Finished(finished) = &effect {
                let place = usize::try_from(finished.tag).unwrap_or(usize::MAX);
                if let Some(played) = self.played.get_mut(place) {
                    if let Finish::Ended {
                        state,
                        exit,
                        began: _,
                        marked,
                    } = finished.finish
                    {
                        (played.state, played.exit) = (Some(state), exit);
                        if !marked {
                            // What came cannot be told from the prompt that the command made.
                            played.output.clear();
                            played.records.clear();
                        }
                    }
                    played.errors.clone_from(&finished.errors);
                    played.interrupted = finished.interrupted;
                }
            } else if let Some(played) = running.and_then(|place| self.played.get_mut(place)) {
                note(played, effect);
            }
        }
    }
}

fn note(played: &mut Played, effect: Effect) {
    match effect {
        Effect::Output(text) | Effect::Echo(text) => played.output.extend_from_slice(&text),
        Effect::Record(record) => played.records.push((record.stream, record.value)),
        Effect::Challenged(challenge) => played.challenge = Some(challenge),
        Effect::Asked(question) => played.question = Some(question),
        // What would be typed is in the recording, and nothing else is of a command.
        Effect::Write(_)
        | Effect::Began
        | Effect::Finished(_)
        | Effect::SignedIn(_)
        | Effect::SignInFailed(_)
        | Effect::HangUp
        | Effect::Kill => {}
    }
}

/// Reads back what was typed: frames, interrupts, answers. Replies to queries are left out.
struct Typed {
    shell: Arc<Shell>,
    /// The lines that a frame begins with.
    open: Vec<Regex>,
    piece: Option<Regex>,
    /// The first line that a frame ends with, the first two, and so on.
    close: Vec<Regex>,
    /// The characters of a line that has not ended.
    pending: String,
    /// Lines that may become the end of a frame.
    held: Vec<String>,
    encoded: String,
}

impl Typed {
    fn new(shell: &Arc<Shell>) -> Self {
        let group = |name: &str| match name {
            "nonce" => "[0-9a-f]{16}",
            "length" | "depth" => "[0-9]+",
            "mode" => "text|records",
            _ => ".*",
        };
        // A line's own end is not part of it here.
        let lines = |template: &crate::script::Template| -> Vec<String> {
            let text = template.expression(group);
            let lines = text.trim_matches('\n').split('\n');
            lines.map(str::to_owned).collect()
        };
        let whole = |text: &str| Regex::new(&format!(r"\A(?:{text})\z")).ok();
        let framing = &shell.framing;
        let open = lines(&framing.open);
        let close = lines(&framing.close);
        Self {
            open: open
                .iter()
                .filter(|line| !line.is_empty())
                .filter_map(|line| whole(line))
                .collect(),
            piece: framing
                .chunk
                .as_ref()
                .and_then(|chunk| whole(&lines(&chunk.line).join("\n"))),
            close: (1..=close.len())
                .filter_map(|count| whole(&close[..count].join("\n")))
                .collect(),
            shell: Arc::clone(shell),
            pending: String::new(),
            held: Vec::new(),
            encoded: String::new(),
        }
    }

    fn push(&mut self, text: &str) -> Vec<Request> {
        let mut requests = Vec::new();
        self.pending.push_str(text);
        for query in &self.shell.queries {
            if let Ok(reply) = std::str::from_utf8(&query.reply) {
                self.pending = self.pending.replace(reply, "");
            }
        }
        while let Some(at) = self.pending.find(['\n', '\r', '\u{3}']) {
            let end = self.pending.as_bytes()[at];
            if end == 3 {
                self.pending.remove(at);
                requests.push(Request::Interrupt);
                continue;
            }
            let line: String = self.pending.drain(..=at).collect();
            requests.extend(self.line(&line[..at]));
        }
        requests
    }

    fn line(&mut self, line: &str) -> Option<Request> {
        if let Some(piece) = self.piece.as_ref().and_then(|piece| piece.captures(line)) {
            self.encoded
                .push_str(piece.name("chunk").map_or("", |chunk| chunk.as_str()));
            return None;
        }
        if self.open.iter().any(|open| open.is_match(line)) {
            return None;
        }
        self.held.push(line.to_owned());
        let is_part = |held: &[String]| {
            let close = self.close.get(held.len() - 1);
            close.is_some_and(|close| close.is_match(&held.join("\n")))
        };
        if !is_part(&self.held) {
            // What was held was no frame, and this may be the beginning of one.
            self.held.clear();
            if !is_part(&[line.to_owned()]) {
                return (!line.is_empty()).then(|| Request::Answer(line.to_owned()));
            }
            self.held.push(line.to_owned());
        }
        if self.held.len() < self.close.len() {
            return None;
        }
        let end = std::mem::take(&mut self.held).join("\n");
        let close = self.close.last()?.captures(&end)?;
        let group = |name: &str| close.name(name).map_or("", |group| group.as_str());
        let mut encoded = std::mem::take(&mut self.encoded);
        if self.shell.framing.chunk.is_none() {
            group("command").clone_into(&mut encoded);
        }
        Some(Request::Run {
            nonce: Nonce::parse(group("nonce"))?,
            command: decode(self.shell.framing.encoding, &encoded).unwrap_or(encoded),
            mode: if group("mode") == "records" {
                Mode::Records
            } else {
                Mode::Text
            },
            depth: group("depth").parse().unwrap_or(2),
        })
    }
}

impl Played {
    /// The objects that a command in records mode gave.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let arrays = self
            .records
            .iter()
            .filter(|(stream, _)| *stream == Stream::Output);
        arrays
            .flat_map(|(_, json)| {
                serde_json::from_str::<Vec<Value>>(json.get()).unwrap_or_default()
            })
            .collect()
    }

    /// Text that went past the streams, by line.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self
            .records
            .iter()
            .filter(|(stream, _)| *stream == Stream::Console);
        lines
            .filter_map(|(_, json)| serde_json::from_str(json.get()).ok())
            .collect()
    }

    /// One JSON object: `command mode state exit errors`, then `output`, or `objects console streams` in records mode,
    /// then `challenge`, `question` and `interrupted` where there was one. `streams` are named by the shell's tags.
    pub(crate) fn to_json(&self, shell: &Shell) -> Value {
        let mut json = Map::new();
        json.insert("command".to_owned(), self.command.clone().into());
        json.insert(
            "mode".to_owned(),
            if self.mode == Mode::Records {
                "records"
            } else {
                "text"
            }
            .into(),
        );
        json.insert("state".to_owned(), self.state.map(EndState::name).into());
        json.insert("exit".to_owned(), self.exit.into());
        json.insert(
            "errors".to_owned(),
            self.errors
                .iter()
                .map(|error| error.message.clone())
                .collect(),
        );
        if self.mode == Mode::Records {
            json.insert("objects".to_owned(), self.objects().into());
            json.insert("console".to_owned(), self.console().into());
            json.insert("streams".to_owned(), self.streams(shell).into());
        } else {
            json.insert(
                "output".to_owned(),
                String::from_utf8_lossy(&self.output).into(),
            );
        }
        if let Some(challenge) = &self.challenge {
            let value = serde_json::json!({ "user_code": challenge.user_code, "verification_uri": challenge.verification_uri });
            json.insert("challenge".to_owned(), value);
        }
        if let Some(question) = &self.question {
            let choices: Vec<&str> = question
                .choices
                .iter()
                .map(|(letter, _)| letter.as_str())
                .collect();
            let kind = format!("{:?}", question.kind).to_lowercase();
            let value = serde_json::json!({ "kind": kind, "text": question.text, "default": question.default, "choices": choices });
            json.insert("question".to_owned(), value);
        }
        if self.interrupted {
            json.insert("interrupted".to_owned(), true.into());
        }
        json.into()
    }

    fn streams(&self, shell: &Shell) -> Map<String, Value> {
        let mut streams = Map::new();
        let tags = shell
            .records
            .as_ref()
            .map(|records| records.tags.as_slice())
            .unwrap_or_default();
        for (stream, json) in &self.records {
            if matches!(stream, Stream::Output | Stream::Console) {
                continue;
            }
            let tag = tags
                .iter()
                .find(|(_, known)| known == stream)
                .map_or("", |(tag, _)| tag);
            let values = streams
                .entry(tag)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let (Value::Array(values), Ok(value)) = (values, serde_json::from_str(json.get())) {
                values.push(value);
            }
        }
        streams
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::spec::Catalog;

    struct Case {
        name: String,
        recording: Recording,
        /// As the recording is cut, in full.
        whole: String,
    }

    static PWSH: LazyLock<Arc<Shell>> = LazyLock::new(|| {
        let catalog = Catalog::load(&[]);
        catalog.shell("pwsh").expect("it is part of the program")
    });
    static RULES: LazyLock<Arc<SignIn>> = LazyLock::new(|| {
        let catalog = Catalog::load(&[]);
        let module = catalog.module("exo").expect("it is part of the program");
        Arc::new(module.sign_in.clone().expect("it signs in"))
    });
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings/pwsh");
        let mut cases: Vec<Case> = std::fs::read_dir(folder)
            .expect("there are recordings")
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let recording = Recording::open(&path).expect("it is a recording");
                let whole = format!("{:#?}", play(&recording, &PWSH, Some(&RULES)));
                let name = path.display().to_string();
                Case {
                    name,
                    recording,
                    whole,
                }
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(cases.len() > 20, "{}", cases.len());
        cases
    });

    /// Pieces of the lengths that `next` gives.
    fn pieces(mut said: &[u8], mut next: impl FnMut() -> usize) -> Vec<&[u8]> {
        let mut pieces = Vec::new();
        while !said.is_empty() {
            let (piece, rest) = said.split_at(next().clamp(1, said.len()));
            pieces.push(piece);
            said = rest;
        }
        pieces
    }

    #[test]
    fn byte_by_byte_every_recording_plays_as_whole() {
        for case in CASES.iter() {
            let cut = play_in_pieces(&case.recording, &PWSH, Some(&RULES), |said| {
                pieces(said, || 1)
            });
            assert_eq!(format!("{cut:#?}"), case.whole, "{}", case.name);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn any_cut_of_any_recording_plays_as_whole(lengths in prop::collection::vec(1usize..90, 1..200)) {
            for case in CASES.iter() {
                let mut lengths = lengths.iter().copied().cycle();
                let cut = play_in_pieces(&case.recording, &PWSH, Some(&RULES), |said| {
                    pieces(said, || lengths.next().unwrap_or(1))
                });
                prop_assert_eq!(&format!("{cut:#?}"), &case.whole, "{}", case.name);
            }
        }
    }
}
