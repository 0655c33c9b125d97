//! [`Writer`]: puts what happens into a file, redacted. What may still turn out to be part of a secret waits in memory.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::event::{Event, EventKind, Header};
use super::redact::Redactor;
use crate::secret::Secret;

/// How much may wait in memory.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Events of so many bytes wait for the end of a run before a part of them is written.
    waiting: usize,
    /// Of these, so many bytes stay: a secret and what gives it away are not farther apart.
    kept_back: usize,
}

const LIMITS: Limits = Limits {
    waiting: 4 << 20,
    kept_back: 64 << 10,
};
/// What stands in the file for an answer that was typed as a secret.
const HIDDEN: &str = "********";
/// What a finished run's output ends with, in the session protocol.
const END: &str = "<<mm:end:";

/// What to do with a file that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Leave it and fail.
    Refuse,
    /// Put a new one in its place.
    Replace,
}

/// Why there is no recording, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// There is a file of that name.
    #[error("there is already a file `{}`", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be made.
    #[error("the recording `{}` cannot be created", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written on.
    #[error("the recording `{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl WriteError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "name another file, or say that it is to be replaced",
            Self::Create { .. } => "name a file in a folder that exists and is writable",
            Self::Write { .. } => "make room on the disk and record again",
        }
    }
}

/// What a finished recording came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    pub(crate) events: usize,
    /// Bytes that were not UTF-8; a U+FFFD stands for each run of them.
    pub(crate) replaced_bytes: usize,
    /// How many texts were redacted.
    pub(crate) redacted: usize,
}

/// A recording that is being made. What a run says reaches the file once the run has ended, redacted as a whole, so that no
/// split hides a secret. Dropping the writer writes what it has, as far as that works; [`finish`](Self::finish) says whether.
#[derive(Debug)]
pub(crate) struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
    start: Instant,
    redactor: Redactor,
    waiting: Vec<Event>,
    /// Bytes of the data of `waiting`.
    size: usize,
    /// The size at which a part of `waiting` is written.
    next: usize,
    limits: Limits,
    output: Utf8,
    input: Utf8,
    echo: Option<Echo>,
    last: Duration,
    written: Written,
    finished: bool,
}

impl Writer {
    /// Makes the file (0600) and writes the header, redacted. Times count from `start`.
    pub(crate) fn create(
        path: &Path,
        mut header: Header,
        redactor: Redactor,
        start: Instant,
        existing: Existing,
    ) -> Result<Self, WriteError> {
        let create = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => WriteError::Exists {
                path: path.to_owned(),
            },
            _ => WriteError::Create {
                path: path.to_owned(),
                source,
            },
        };
        if existing == Existing::Replace {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(create(error)),
                _ => {}
            }
        }
        // `create_new` follows no link that somebody put there.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(create)?;
        let mut writer = Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
            start,
            redactor,
            waiting: Vec::new(),
            size: 0,
            next: LIMITS.waiting,
            limits: LIMITS,
            output: Utf8::default(),
            input: Utf8::default(),
            echo: None,
            last: Duration::ZERO,
            written: Written::default(),
            finished: false,
        };
        writer.written.redacted += writer.redactor.header(&mut header).len();
        let line = header.line();
        let head = writer
            .file
            .write_all(line.as_bytes())
            .and_then(|()| writer.file.flush());
        head.map_err(|source| writer.failed(source))?;
        Ok(writer)
    }

    /// The program said `bytes`.
    pub(crate) fn output(&mut self, now: Instant, bytes: &[u8]) -> Result<(), WriteError> {
        let text = self.output.push(bytes, &mut self.written.replaced_bytes);
        let text = match self.echo.take() {
            None => text,
            Some(mut echo) => {
                let (text, going_on) = echo.strip(&text);
                self.echo = going_on.then_some(echo);
                text
            }
        };
        self.push(now, EventKind::Output, text);
        self.settle()
    }

    /// The program was told `bytes`.
    pub(crate) fn input(&mut self, now: Instant, bytes: &[u8]) -> Result<(), WriteError> {
        let text = self.input.push(bytes, &mut self.written.replaced_bytes);
        self.push(now, EventKind::Input, text);
        self.settle()
    }

    /// The program was told `answer` and a line end, which a person typed as a secret. The file gets a mask instead, and no
    /// echo of it: a terminal's stars give its length away, PowerShell's redraws each of its beginnings.
    pub(crate) fn secret_answer(
        &mut self,
        now: Instant,
        answer: &Secret,
    ) -> Result<(), WriteError> {
        self.redactor.add_secret(answer);
        self.release_echo(now);
        self.echo = Some(Echo::of(answer));
        self.push(now, EventKind::Input, format!("{HIDDEN}\n"));
        self.settle()
    }

    /// These must not appear from now on.
    pub(crate) fn keep_out(&mut self, secrets: &[Secret]) {
        for secret in secrets {
            self.redactor.add_secret(secret);
        }
    }

    /// A step of this name begins.
    pub(crate) fn marker(&mut self, now: Instant, name: &str) -> Result<(), WriteError> {
        self.push(now, EventKind::Marker, name.to_owned());
        self.settle()
    }

    /// Writes the rest, makes sure that it is on the disk, and says what it came to.
    pub(crate) fn finish(mut self) -> Result<Written, WriteError> {
        self.finished = true;
        self.write_rest()?;
        let synced = self.file.get_ref().sync_all();
        synced.map_err(|source| self.failed(source))?;
        Ok(self.written)
    }

    fn failed(&self, source: io::Error) -> WriteError {
        WriteError::Write {
            path: self.path.clone(),
            source,
        }
    }

    /// Empty text is no event: all of it may be the beginning of a character that is to come.
    fn push(&mut self, now: Instant, kind: EventKind, data: String) {
        if data.is_empty() && kind != EventKind::Marker {
            return;
        }
        // A clock that stands still or was read before the last event must not make times go back.
        self.last = self.last.max(now.saturating_duration_since(self.start));
        self.size += data.len();
        self.waiting.push(Event {
            at: self.last,
            kind,
            data,
        });
    }

    fn release_echo(&mut self, now: Instant) {
        if let Some(echo) = self.echo.take() {
            self.push(now, EventKind::Output, echo.held);
        }
    }

    /// Writes what is certain: everything once a run has ended, and otherwise only when too much is waiting.
    fn settle(&mut self) -> Result<(), WriteError> {
        let all = self.waiting.len();
        if self.echo.is_none() && self.run_has_ended() && self.line_end_before(all) == all {
            return self.write(self.waiting.len());
        }
        if self.size < self.next {
            return Ok(());
        }
        let mut after = 0;
        let cut = self.waiting.iter().rposition(|event| {
            after += event.data.len();
            after > self.limits.kept_back
        });
        self.write(cut.unwrap_or(0))
    }

    /// Whether the last thing that happened is that the end of a run was said. Its marker may be split over events.
    fn run_has_ended(&self) -> bool {
        match self.waiting.last() {
            Some(last) if last.kind == EventKind::Output && last.data.ends_with('\n') => {}
            _ => return false,
        }
        let mut line = String::new();
        for event in self
            .waiting
            .iter()
            .rev()
            .filter(|event| event.kind == EventKind::Output)
        {
            line.insert_str(0, &event.data);
            let ended = line.trim_end_matches(['\r', '\n']);
            if let Some(begin) = ended.rfind('\n') {
                return ended[begin..].contains(END);
            }
            if ended.contains(END) {
                return true;
            }
        }
        false
    }

    /// Redacts what waits and writes the first `count` events of it, or fewer if a finding goes beyond.
    fn write(&mut self, count: usize) -> Result<(), WriteError> {
        let mut redacted = self.waiting.clone();
        let found = self.redactor.redact(&mut redacted);
        let whole = count == self.waiting.len();
        let mut count = if whole {
            count
        } else {
            self.line_end_before(count)
        };
        // A finding that is cut would be written in part and not found in the rest.
        while let Some(cut) = found
            .iter()
            .find(|found| found.first < count && count <= found.last)
        {
            count = self.line_end_before(cut.first);
        }
        for event in &redacted[..count] {
            let line = event.line();
            self.file
                .write_all(line.as_bytes())
                .map_err(|source| self.failed(source))?;
        }
        self.file.flush().map_err(|source| self.failed(source))?;
        self.written.events += count;
        self.written.redacted += found.iter().filter(|found| found.last < count).count();
        self.waiting.drain(..count);
        self.size = self.waiting.iter().map(|event| event.data.len()).sum();
        // Where nothing could be cut, it is tried again when as much has come once more.
        self.next = self.limits.waiting.max(self.size * 2);
        Ok(())
    }

    /// The last place at or before `count` where both sides are at the end of a line, so that no frame, no marker and no
    /// control sequence is cut.
    fn line_end_before(&self, count: usize) -> usize {
        let mut place = 0;
        let (mut output, mut input) = (true, InputLines::default());
        for (at, event) in self.waiting[..count].iter().enumerate() {
            match event.kind {
                EventKind::Output => output = event.data.ends_with('\n'),
                EventKind::Input => input.push(&event.data),
                EventKind::Marker | EventKind::Other(_) => {}
            }
            if output && input.between_frames() {
                place = at + 1;
            }
        }
        place
    }

    fn write_rest(&mut self) -> Result<(), WriteError> {
        let now = self.start + self.last;
        self.release_echo(now);
        let (output, input) = (self.output.rest(), self.input.rest());
        for (kind, bytes) in [(EventKind::Output, output), (EventKind::Input, input)] {
            if bytes > 0 {
                self.written.replaced_bytes += bytes;
                self.push(now, kind, char::REPLACEMENT_CHARACTER.to_string());
            }
        }
        self.write(self.waiting.len())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = self.write_rest()
        {
            tracing::warn!(%error, "the end of a recording is lost");
        }
    }
}

/// Where the input stands between its lines.
#[derive(Debug, Default)]
struct InputLines {
    /// The line's first character, once there is one.
    first: Option<char>,
    /// Whether lines of base64 came whose frame is not closed.
    open: bool,
    /// Whether a control sequence, such as a cursor's place, is going on.
    sequence: bool,
}

impl InputLines {
    fn push(&mut self, data: &str) {
        for c in data.chars() {
            if self.sequence || c == '\u{1b}' {
                self.sequence = !(self.sequence && c.is_ascii_alphabetic());
            } else if matches!(c, '\n' | '\r') {
                match self.first.take() {
                    Some('+') => self.open = true,
                    Some('!') => self.open = false,
                    _ => {}
                }
            } else if c != '\u{3}' {
                self.first.get_or_insert(c);
            }
        }
    }

    fn between_frames(&self) -> bool {
        self.first.is_none() && !self.open && !self.sequence
    }
}

/// Bytes to text, with what is not yet a character kept for the next bytes.
#[derive(Debug, Default)]
struct Utf8 {
    /// The beginning of a character: at most three bytes.
    begun: Vec<u8>,
}

impl Utf8 {
    /// The text that `bytes` complete. What is no text is counted and becomes U+FFFD.
    fn push(&mut self, bytes: &[u8], replaced: &mut usize) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            let unfinished =
                std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if chunks.peek().is_none() && unfinished {
                self.begun = invalid.to_vec();
            } else {
                *replaced += invalid.len();
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }

    /// How many bytes of a character came that never was completed.
    fn rest(&mut self) -> usize {
        std::mem::take(&mut self.begun).len()
    }
}

/// The echo of a secret answer, while it may still come: the rest of the line, if that is made of stars and of the answer's
/// own characters.
struct Echo {
    answer: Secret,
    /// What may be the echo, or may be something else if the line goes on otherwise.
    held: String,
    /// Whether a control sequence is being passed on.
    sequence: bool,
}

impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Echo(…)")
    }
}

impl Echo {
    fn of(answer: &Secret) -> Self {
        Self {
            answer: answer.clone(),
            held: String::new(),
            sequence: false,
        }
    }

    /// `text` without the echo, and whether more of it may come.
    fn strip(&mut self, text: &str) -> (String, bool) {
        let mut kept = String::new();
        for (at, c) in text.char_indices() {
            if self.sequence || c == '\u{1b}' {
                self.sequence = !(self.sequence && c.is_ascii_alphabetic());
                kept.push(c);
                continue;
            }
            match c {
                '\r' | '\u{8}' | '*' => self.held.push(c),
                c if !c.is_control() && self.answer.expose().contains(c) => self.held.push(c),
                '\n' => {
                    // The line was an echo; only its end is kept.
                    kept.push_str(if self.held.ends_with('\r') {
                        "\r\n"
                    } else {
                        "\n"
                    });
                    kept.push_str(&text[at + 1..]);
                    return (kept, false);
                }
                _ => {
                    kept.insert_str(0, &std::mem::take(&mut self.held));
                    kept.push_str(&text[at..]);
                    return (kept, false);
                }
            }
        }
        (kept, true)
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
