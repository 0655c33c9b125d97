//! One frame on its way through the program, and what comes back: the text between its markers, as output or records.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::echo::{EchoFilter, EchoVerdict};
use super::event::{AnswerLine, Challenge, Effect, Mode, Nonce, Record};
use super::records::RecordLines;
use super::text::{LineEnds, Tail};
use super::watch::ChallengeWatch;
use crate::script::{Pattern, Shell, Stream};
use crate::secret::Secret;

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
    /// The command that asks whether an earlier session's sign-in is still good.
    Restore,
    /// The connect command.
    Connect,
    /// The identity command.
    Identity,
    /// The proof command.
    Proof,
    /// The disconnect command after a sign-in that proved the wrong thing.
    Undo,
    /// The disconnect command before the end.
    Disconnect,
    /// The command that takes a late cancel; so many more may follow.
    Absorb { left: u8 },
}

/// One command between its frame and its end marker.
pub(crate) struct Exchange {
    pub(crate) purpose: Purpose,
    /// A connect command may hold secrets.
    pub(crate) command: Secret,
    /// Whether a recording must not hold its frame.
    pub(crate) secret: bool,
    pub(crate) mode: Mode,
    pub(crate) depth: u8,
    /// For sending it again, and for what follows it.
    pub(crate) nonces: Vec<Nonce>,
    /// How often it may still be sent again.
    pub(crate) resends_left: u8,
    /// Whether its begin marker came.
    pub(crate) began: bool,
    /// When that was.
    pub(crate) began_at: Option<Instant>,
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
    /// What came with and after the last `out` marker.
    held: Option<Held>,
}

/// An `out` marker that may be the last one.
struct Held {
    /// As it stood in the terminal, with its line end.
    marker: Vec<u8>,
    /// Whether the next line end is its own.
    at_its_end: bool,
    after: Vec<u8>,
}

impl Exchange {
    /// An exchange whose frame is still to be sent.
    pub(crate) fn new(
        purpose: Purpose,
        command: impl Into<Secret>,
        mode: Mode,
        nonces: Vec<Nonce>,
    ) -> Self {
        Self {
            purpose,
            command: command.into(),
            secret: false,
            mode,
            depth: 2,
            nonces,
            resends_left: 0,
            began: false,
            began_at: None,
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
        self.began_at = None;
    }

    /// Expects the echo of an answer.
    pub(crate) fn answered(&mut self, answer: &AnswerLine) {
        self.echo = Some(EchoFilter::new(answer.text.expose(), answer.secret));
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
            None => self.place(text, effects),
            Some(EchoVerdict::Undecided) => {}
            Some(EchoVerdict::Output(all)) => {
                self.echo = None;
                self.place(&all, effects);
            }
            Some(EchoVerdict::Echo { echo, after }) => {
                self.echo = None;
                effects.push(Effect::Echo(echo));
                // The answered prompt's line is over, and asks no more.
                self.tail.push(b"\n");
                self.place(&text[text.len() - after..], effects);
            }
        }
    }

    /// Text goes out, or behind the `out` marker that is held.
    fn place(&mut self, text: &[u8], effects: &mut Vec<Effect>) {
        match &mut self.held {
            None => self.deliver(text, effects),
            Some(held) => {
                held.after.extend_from_slice(text);
                if held.after.len() > HELD_AT_MOST {
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
        self.held = Some(Held {
            marker: marker.to_vec(),
            at_its_end: true,
            after: Vec::new(),
        });
        self.marked = true;
    }

    /// A `begin` marker that changes nothing: the line end behind it is no other marker's.
    pub(crate) fn pass_begin(&mut self) {
        if let Some(held) = &mut self.held {
            held.at_its_end = false;
        }
    }

    /// The line end behind a marker.
    pub(crate) fn take_line_end(&mut self, line_end: &[u8]) {
        if let Some(held) = &mut self.held
            && std::mem::take(&mut held.at_its_end)
        {
            held.marker.extend_from_slice(line_end);
        }
    }

    /// Whether the end of its output was marked; always where the shell has no such marker.
    pub(crate) fn is_marked(&self, shell: &Shell) -> bool {
        self.marked || shell.markers.out.is_none()
    }

    /// The end marker came: the last `out` marker ended the output, and what is still on its way is given out.
    pub(crate) fn end(&mut self, effects: &mut Vec<Effect>) {
        self.end_echo(effects);
        self.held = None;
        self.finish(effects);
    }

    /// Nobody waits for the end marker any longer. What came after the last `out` marker may be the command's own, so it is
    /// given out too; the marker is not, because nothing says that it was not the last.
    pub(crate) fn cut(&mut self, effects: &mut Vec<Effect>) {
        self.end_echo(effects);
        if let Some(held) = self.held.take() {
            self.deliver(&held.after, effects);
        }
        self.finish(effects);
    }

    fn finish(&mut self, effects: &mut Vec<Effect>) {
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

    /// The objects that an identity command gave: its records; where the shell has none, its text, read by the groups of
    /// `form` or as JSON.
    pub(crate) fn into_objects(self, form: Option<&Pattern>) -> Vec<Value> {
        if self.mode == Mode::Records {
            return self.objects;
        }
        objects_in(&self.text, form)
    }

    /// Whether a proof command gave anything: an object, or, where the shell has no records, text that is no empty JSON.
    pub(crate) fn gave_something(&self) -> bool {
        if self.mode == Mode::Records {
            return !self.objects.is_empty();
        }
        match serde_json::from_slice(&self.text) {
            Ok(Value::Array(values)) => !values.is_empty(),
            Ok(value) => !value.is_null(),
            Err(_) => !self.text.trim_ascii().is_empty(),
        }
    }

    fn end_echo(&mut self, effects: &mut Vec<Effect>) {
        // No line end came, so it was no echo.
        let text = self.echo.take().map(EchoFilter::into_held);
        self.place(&text.unwrap_or_default(), effects);
    }

    fn release(&mut self, effects: &mut Vec<Effect>) {
        if let Some(held) = self.held.take() {
            self.deliver(&held.marker, effects);
            self.deliver(&held.after, effects);
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

/// The objects in the text of a shell without records: what the groups of `form` make of it, else its JSON.
pub(crate) fn objects_in(text: &[u8], form: Option<&Pattern>) -> Vec<Value> {
    if let Some(form) = form {
        return read_text(form, text).into_iter().collect();
    }
    match serde_json::from_slice(text) {
        Ok(Value::Array(values)) => values,
        Ok(value) => vec![value],
        Err(_) => Vec::new(),
    }
}

/// An object of the groups that took part in any match; where one did in several, the first counts. `None` where nothing
/// matches. Properties may so come in any order: `Name: (?<name>\S+)|Id: (?<id>\S+)`.
fn read_text(form: &Pattern, text: &[u8]) -> Option<Value> {
    let mut found = Map::new();
    let mut at = 0;
    while let Some(captures) = form.captures_from(text, at) {
        for group in form.groups() {
            if let Some(part) = captures.name(group) {
                let part = String::from_utf8_lossy(part.as_bytes());
                found
                    .entry(group)
                    .or_insert_with(|| Value::String(part.trim().to_owned()));
            }
        }
        let whole = captures.get_match();
        at = whole.end().max(whole.start() + 1);
        if at > text.len() {
            break;
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_read_from_lines_in_any_order() {
        let form =
            Pattern::parse(r"(?m)^Connected as (?<account>\S+)|^ *Tenant I[Dd]: +(?<tenant>\S+)")
                .expect("it is a pattern");
        let text = b"Tenant Id:  aaaa\nConnected as ada@contoso.com\nTenant Id: bbbb\n";
        assert_eq!(
            read_text(&form, text),
            Some(json!({"account": "ada@contoso.com", "tenant": "aaaa"}))
        );
        assert_eq!(read_text(&form, b"No profiles were found"), None);
    }
}
