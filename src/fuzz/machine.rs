//! One run through the machine: whatever the pieces that its program's words come in, the same comes of it; and without
//! control sequences that is what a plain search finds in the whole.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::{BASH, NONCE, PWSH, cut};
use crate::expect::{
    CloseReason, Effect, Engine, Finish, Habits, Input, Mode, Nonce, RunRequest, State,
};
use crate::script::{Shell, SignIn};

/// The prompts of a module are looked for in the output.
static WATCH: LazyLock<Arc<SignIn>> = LazyLock::new(|| {
    let module = super::CATALOG.module("exo").expect("it is built in");
    Arc::new(module.sign_in.clone().expect("it signs in"))
});

/// Everything that came of it. Of codes only the last counts: an older one is worth nothing.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    output: Vec<u8>,
    records: Vec<String>,
    answers: Vec<u8>,
    code: Option<String>,
    question: Option<String>,
    finished: Vec<Finish>,
}

/// Which program and how it is asked by the first byte; then what it says, in pieces that this begins with.
pub fn machine(data: &[u8]) {
    let Some((how, said)) = data.split_first() else {
        return;
    };
    let shell = if how & 1 == 0 { &PWSH } else { &BASH };
    let mode = if how & 2 == 0 {
        Mode::Text
    } else {
        Mode::Records
    };
    let (whole, pieces) = cut(said);
    let heard = play(shell, mode, &[whole]);
    assert_eq!(heard, play(shell, mode, &pieces), "{pieces:?}");
    assert_eq!(heard.finished.len(), 1, "a run ends once");
    let ended = matches!(heard.finished[0], Finish::Ended { .. });
    if memchr::memmem::find(whole, NONCE.as_bytes()).is_none() {
        assert!(!ended, "only its own nonce ends a run");
    }
    if how.is_multiple_of(4) && memchr::memchr(0x1b, whole).is_none() {
        let (output, ends) = plain(whole);
        assert_eq!(ended, ends);
        assert_eq!(
            String::from_utf8_lossy(&heard.output),
            String::from_utf8_lossy(&output)
        );
        assert_eq!(heard.output, output);
    }
}

fn play(shell: &Arc<Shell>, mode: Mode, pieces: &[&[u8]]) -> Heard {
    let mut now = Instant::now();
    let mut engine = Engine::new(Arc::clone(shell), false, Habits::LIVE, now);
    let boot = b"<<mm:begin:boot>>\r\n<<mm:out:boot>>\r\n<<mm:end:boot:ok::>>\r\n";
    drop(engine.handle(Input::Output(boot), now));
    assert_eq!(*engine.state(), State::Ready);
    let request = RunRequest {
        tag: 1,
        command: "Get-Thing".to_owned(),
        mode,
        depth: 2,
        nonces: Nonce::parse(NONCE).into_iter().collect(),
        watch: Some(Arc::clone(&WATCH)),
    };
    drop(engine.handle(Input::Run(Box::new(request)), now));
    let mut heard = Heard::default();
    for piece in pieces {
        heard.note(engine.handle(Input::Output(piece), now));
    }
    // Silence for a second: a question is one by then.
    let until = now + Duration::from_secs(1);
    while let Some(due) = engine.deadline().filter(|due| *due <= until) {
        now = due;
        heard.note(engine.handle(Input::Tick, now));
        assert!(engine.deadline().is_none_or(|next| next > now), "it spins");
    }
    heard.note(engine.handle(Input::Ended(CloseReason::TerminalLost), until));
    heard
}

impl Heard {
    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Output(text) => self.output.extend(text),
                Effect::Record(record) => {
                    let stream = record.stream;
                    self.records
                        .push(format!("{stream:?} {}", record.value.get()));
                }
                Effect::Write(typed) => self.answers.extend(typed.bytes),
                Effect::Challenged(challenge) => self.code = Some(challenge.user_code),
                Effect::Asked(question) => self.question = Some(question.text),
                Effect::Finished(finished) => self.finished.push(finished.finish),
                Effect::Began => {}
                Effect::Echo(_)
                | Effect::SignedIn(_)
                | Effect::SignInFailed(_)
                | Effect::HangUp
                | Effect::Kill => panic!("a run alone brings no {effect:?}"),
            }
        }
    }
}

/// What PowerShell's run has for output, and whether it ended.
fn plain(whole: &[u8]) -> (Vec<u8>, bool) {
    static MARKER: LazyLock<Regex> = LazyLock::new(|| {
        let text = format!(
            "(?-u)<<mm:(?:(begin|out):{NONCE}>>|end:{NONCE}:[a-z_]*:([0-9-]*):[A-Za-z0-9+/=]*>>)(?:\r\n|\n)?"
        );
        Regex::new(&text).expect("it is a pattern")
    });
    let (mut output, mut began, mut ended) = (Vec::new(), false, false);
    // Where the last `out` marker stood, and the text of that marker.
    let mut out: Option<(usize, &[u8])> = None;
    let mut at = 0;
    let mut search = 0;
    while let Some(captures) = MARKER.captures_at(whole, search) {
        let marker = captures.get(0).expect("it matched");
        let exit = captures.get(2).map(|exit| exit.as_bytes());
        let exit = exit.map_or("", |exit| std::str::from_utf8(exit).expect("digits"));
        let is_end = captures.get(2).is_some();
        if is_end && !exit.is_empty() && exit.parse::<i32>().is_err() {
            search = marker.start() + 1;
            continue;
        }
        if began {
            output.extend_from_slice(&whole[at..marker.start()]);
        }
        at = marker.end();
        search = at;
        match captures.get(1).map(|kind| kind.as_bytes()) {
            None => {
                ended = true;
                break;
            }
            Some(b"begin") => began = true,
            Some(_) if began => {
                // The one before was the command's own: it is text after all.
                if let Some((place, text)) = out.take() {
                    output.splice(place..place, text.iter().copied());
                }
                out = Some((output.len(), marker.as_bytes()));
            }
            Some(_) => {}
        }
    }
    if ended {
        if let Some((place, _)) = out {
            output.truncate(place);
        }
    } else if began {
        output.extend_from_slice(&whole[at..]);
    }
    let text = memchr::memmem::find_iter(&output, "\r\n").collect::<Vec<_>>();
    let mut lines = Vec::with_capacity(output.len());
    let mut from = 0;
    for end in text {
        lines.extend_from_slice(&output[from..end]);
        from = end + 1;
    }
    lines.extend_from_slice(&output[from..]);
    (lines, ended)
}
