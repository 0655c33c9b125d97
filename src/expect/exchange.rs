//! One frame on its way through the program, and what comes back: the text between its markers, as output or records.

use std::sync::Arc;

use serde_json::Value;

use super::event::{Challenge, Effect, Mode, Nonce, Record, SignInFailure};
use super::records::RecordLines;
use super::text::{EchoFilter, EchoVerdict, LineEnds, Tail};
use super::watch::ChallengeWatch;
use crate::script::{Shell, Stream};

/// What came after an `out` marker is held back, because the last one before the end ends the output. More than this is
/// given out: then the marker was the command's own doing.
const HELD_AT_MOST: usize = 64 * 1024;

/// How much text of an identity or proof command is read where a shell has no records.
const READ_AT_MOST: usize = 1024 * 1024;

/// What a frame is sent for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// The bootstrap's own end marker: nothing is sent.
    Boot,
    /// Somebody's run.
    Run { tag: u64 },
    /// The connect command.
    Connect,
    /// The identity command.
    Identity,
    /// The proof command.
    Proof,
    /// The disconnect command after a sign-in that proved the wrong thing.
    Undo(SignInFailure),
    /// The disconnect command before the end.
    Disconnect,
    /// The command that takes a late cancel; so many more may follow.
    Absorb { left: u8 },
}

/// One command between its frame and its end marker.
pub(crate) struct Exchange {
    pub(crate) purpose: Purpose,
    pub(crate) command: String,
    pub(crate) mode: Mode,
    pub(crate) depth: u8,
    /// For sending it again, and for what follows it.
    pub(crate) nonces: Vec<Nonce>,
    /// How often it may still be sent again.
    pub(crate) resends_left: u8,
    /// Whether its begin marker came.
    pub(crate) began: bool,
    /// Whether it was interrupted on request.
    pub(crate) interrupted: bool,
    /// Whether the caller was already told that it is over.
    pub(crate) reported: bool,
    /// The end of its text, for questions and failures.
    pub(crate) tail: Tail,
    /// What an identity or proof command gave.
    objects: Vec<Value>,
    text: Vec<u8>,
    line_ends: LineEnds,
    echo: Option<EchoFilter>,
    records: Option<RecordLines>,
    watch: Option<ChallengeWatch>,
    /// Whether an `out` marker came.
    marked: bool,
    /// The last `out` marker and what came after it.
    held: Option<Vec<u8>>,
}

impl Exchange {
    /// An exchange whose frame is still to be sent.
    pub(crate) fn new(purpose: Purpose, command: String, mode: Mode, nonces: Vec<Nonce>) -> Self {
        Self {
            purpose,
            command,
            mode,
            depth: 2,
            nonces,
            resends_left: 0,
            began: false,
            interrupted: false,
            reported: false,
            tail: Tail::default(),
            objects: Vec::new(),
            text: Vec::new(),
            line_ends: LineEnds::default(),
            echo: None,
            records: None,
            watch: None,
            marked: false,
            held: None,
        }
    }

    /// Looks for device-code prompts in its text.
    pub(crate) fn watching(mut self, watch: Option<ChallengeWatch>) -> Self {
        self.watch = watch;
        self
    }

    /// Its frame goes out with this nonce, perhaps again.
    pub(crate) fn sent(&mut self, shell: &Arc<Shell>, nonce: &str) {
        self.records = (self.mode == Mode::Records).then(|| RecordLines::new(shell, nonce));
        self.held = None;
        self.marked = false;
        self.began = shell.markers.begin.is_none();
    }

    /// Expects the echo of an answer.
    pub(crate) fn answered(&mut self, answer: &str) {
        self.echo = Some(EchoFilter::new(answer));
    }

    /// Whether somebody wants its output.
    fn is_told(&self) -> bool {
        matches!(self.purpose, Purpose::Run { .. }) && !self.reported
    }

    /// Whether an answer was typed whose echo is still to come.
    pub(crate) fn awaits_echo(&self) -> bool {
        self.echo.is_some()
    }

    /// Text from the terminal, escapes out.
    pub(crate) fn take(&mut self, text: &[u8], effects: &mut Vec<Effect>) {
        if !self.began || text.is_empty() {
            return;
        }
        match self.echo.as_mut().map(|echo| echo.push(text)) {
            None => self.take_output(text, effects),
            Some(EchoVerdict::Undecided) => {}
            Some(EchoVerdict::Output(all)) => {
                self.echo = None;
                self.take_output(&all, effects);
            }
            Some(EchoVerdict::Echo { echo, after }) => {
                self.echo = None;
                effects.push(Effect::Echo(echo));
                // The answered prompt's line is over, and asks no more.
                self.tail.push(b"\n");
                self.take_output(&text[text.len() - after..], effects);
            }
        }
    }

    fn take_output(&mut self, text: &[u8], effects: &mut Vec<Effect>) {
        match &mut self.held {
            None => self.deliver(text, effects),
            Some(held) => {
                held.extend_from_slice(text);
                if held.len() > HELD_AT_MOST {
                    self.release(effects);
                }
            }
        }
    }

    /// An `out` marker, as it stood in the terminal.
    pub(crate) fn take_out(&mut self, marker: &[u8], effects: &mut Vec<Effect>) {
        if !self.began {
            return;
        }
        self.end_echo(effects);
        self.release(effects);
        self.held = Some(marker.to_vec());
        self.marked = true;
    }

    /// The line end behind an `out` marker.
    pub(crate) fn take_line_end(&mut self, line_end: &[u8]) {
        if let Some(held) = &mut self.held {
            held.extend_from_slice(line_end);
        }
    }

    /// Whether the end of its output was marked; always where the shell has no such marker.
    pub(crate) fn is_marked(&self, shell: &Shell) -> bool {
        self.marked || shell.markers.out.is_none()
    }

    /// The end marker came, or the program is gone: what is still on its way is given out.
    pub(crate) fn end(&mut self, effects: &mut Vec<Effect>) {
        self.end_echo(effects);
        self.held = None;
        let mut text = Vec::new();
        self.line_ends.finish(&mut text);
        self.give(text, effects);
        if let Some(lines) = &mut self.records {
            let mut records = Vec::new();
            lines.finish(&mut records);
            self.give_records(records, effects);
        }
    }

    /// A device-code prompt that the end of the text decides.
    pub(crate) fn settle_watch(&mut self) -> Option<Challenge> {
        self.watch.as_mut().and_then(ChallengeWatch::settle)
    }

    /// Whether a device-code prompt stands that may still grow.
    pub(crate) fn has_provisional_challenge(&mut self) -> bool {
        self.watch
            .as_mut()
            .is_some_and(ChallengeWatch::is_provisional)
    }

    /// The objects that an identity or proof command gave: its records, or its text as JSON where the shell has none.
    pub(crate) fn into_objects(self) -> Vec<Value> {
        if self.mode == Mode::Records {
            return self.objects;
        }
        match serde_json::from_slice(&self.text) {
            Ok(Value::Array(values)) => values,
            Ok(value) => vec![value],
            Err(_) => Vec::new(),
        }
    }

    fn end_echo(&mut self, effects: &mut Vec<Effect>) {
        if let Some(echo) = self.echo.take() {
            let held = echo.into_held();
            if !held.is_empty() {
                effects.push(Effect::Echo(held));
            }
        }
    }

    fn release(&mut self, effects: &mut Vec<Effect>) {
        if let Some(held) = self.held.take() {
            self.deliver(&held, effects);
        }
    }

    fn deliver(&mut self, text: &[u8], effects: &mut Vec<Effect>) {
        let mut lines = Vec::with_capacity(text.len());
        self.line_ends.push(text, &mut lines);
        self.give(lines, effects);
    }

    fn give(&mut self, text: Vec<u8>, effects: &mut Vec<Effect>) {
        if text.is_empty() {
            return;
        }
        self.tail.push(&text);
        if let Some(challenge) = self.watch.as_mut().and_then(|watch| watch.push(&text)) {
            effects.push(Effect::Challenged(challenge));
        }
        if let Some(lines) = &mut self.records {
            let mut records = Vec::new();
            lines.push(&text, &mut records);
            self.give_records(records, effects);
        } else if self.is_told() {
            effects.push(Effect::Output(text));
        } else if matches!(self.purpose, Purpose::Identity | Purpose::Proof)
            && self.text.len() + text.len() <= READ_AT_MOST
        {
            self.text.extend_from_slice(&text);
        }
    }

    fn give_records(&mut self, records: Vec<Record>, effects: &mut Vec<Effect>) {
        for record in records {
            if self.is_told() {
                effects.push(Effect::Record(record));
            } else if matches!(self.purpose, Purpose::Identity | Purpose::Proof)
                && record.stream == Stream::Output
                && let Ok(objects) = serde_json::from_str::<Vec<Value>>(record.value.get())
            {
                self.objects.extend(objects);
            }
        }
    }
}
