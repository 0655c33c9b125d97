//! [`Shell`]: how one kind of program is started in a terminal and how a command goes in and comes out. What each part
//! guards against is in `pwsh-pty.md`.

use std::time::Duration;

use memchr::memmem::Finder;

use super::{Need, Pattern, Template};
use crate::name::ModuleName;

/// One kind of program: `pwsh`, `bash`. Immutable; a module that overrides parts of it holds a copy of its own.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    pub(crate) name: ModuleName,
    pub(crate) title: String,
    /// What has to be installed.
    pub(crate) needs: Vec<Need>,
    pub(crate) start: Start,
    pub(crate) environment: Environment,
    pub(crate) terminal: TerminalSettings,
    /// Sent to the program through its arguments' `{bootstrap}` hole.
    pub(crate) bootstrap: Option<Bootstrap>,
    pub(crate) ready: Ready,
    pub(crate) framing: Framing,
    pub(crate) markers: Markers,
    /// What the `{state}` field of the end marker may say, and what that means. Empty where there is no such field.
    pub(crate) states: Vec<(String, EndState)>,
    /// Absent for a shell that has text only.
    pub(crate) records: Option<Records>,
    pub(crate) interrupt: Interrupt,
    pub(crate) questions: Vec<QuestionRule>,
    pub(crate) queries: Vec<Query>,
    /// Whether programs write typed answers back, by prefixes or as `*`; such an echo is no output.
    pub(crate) echoes_answers: bool,
    /// How values are written into commands.
    pub(crate) quoting: super::Quoting,
}

impl Shell {
    /// What to do where the program is missing.
    pub(crate) fn install(&self) -> Option<&str> {
        let need = self
            .needs
            .iter()
            .find(|need| need.name() == self.start.program);
        need.map(|need| need.install.as_str())
    }
}

/// What to execute. Nothing is looked up until a session starts.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// A name looked up on `PATH`, or a path.
    pub(crate) program: String,
    /// Holes: `{bootstrap}`, `{home}`.
    pub(crate) arguments: Vec<Template>,
}

/// The child's environment, built from nothing: what started the daemon must not decide it.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// Holes: `{home}` (the session's own) and `{real_home}` (the user's).
    pub(crate) set: Vec<(String, Template)>,
    /// Taken over from the daemon's environment where they exist there.
    pub(crate) keep: Vec<String>,
    /// Whether `HOME` and the `XDG_*` folders lie in a folder of the session's own.
    pub(crate) private_home: bool,
}

/// The terminal as it is set before the program starts (termios).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TerminalSettings {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    /// `ECHO` and its kin.
    pub(crate) echo: bool,
    /// `ICANON`. With it a line is cut at 4,095 bytes, silently.
    pub(crate) canonical: bool,
    /// `ICRNL`.
    pub(crate) map_cr_to_lf: bool,
    /// `ISIG`: byte 3 becomes SIGINT.
    pub(crate) signals: bool,
    /// The opposite of `NOFLSH`: whether SIGINT throws queued output away, an end marker included.
    pub(crate) flush_on_signal: bool,
    /// Whether all of this is put back when a command has ended. Not for a program that has settings of its own.
    pub(crate) restore: bool,
}

/// A text that the program runs first.
#[derive(Debug, Clone)]
pub(crate) struct Bootstrap {
    pub(crate) text: String,
    pub(crate) encoding: BootstrapEncoding,
}

/// How the bootstrap is written into an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BootstrapEncoding {
    /// As it is.
    Plain,
    /// Base64 of UTF-16LE: PowerShell's `-EncodedCommand`.
    Utf16Base64,
}

impl Bootstrap {
    /// The argument that carries it.
    pub(crate) fn argument(&self) -> String {
        use base64::Engine as _;
        match self.encoding {
            BootstrapEncoding::Plain => self.text.clone(),
            BootstrapEncoding::Utf16Base64 => {
                let bytes: Vec<u8> = self
                    .text
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect();
                base64::engine::general_purpose::STANDARD.encode(bytes)
            }
        }
    }
}

/// How the machine knows that the program takes its first command.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// The nonce that the bootstrap's own end marker carries. Absent: ready as soon as it runs.
    pub(crate) nonce: Option<String>,
    /// How long that may take before the start counts as failed.
    pub(crate) within: Duration,
    /// What to say when it took longer.
    pub(crate) advice: Option<String>,
}

/// How a command becomes bytes. Holes of `open` and `close`: `{nonce}`, `{length}` (of the encoded text, in bytes), `{mode}`
/// (`text` or `records`), `{depth}`, and `{command}` (encoded, where there is no chunk).
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    pub(crate) open: Template,
    pub(crate) encoding: ChunkEncoding,
    /// The encoded text in pieces, a line each.
    pub(crate) chunk: Option<Chunk>,
    pub(crate) close: Template,
    /// Whether a command may hold a NUL.
    pub(crate) nul: bool,
}

/// Pieces of the encoded text.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// Characters of encoded text in one piece.
    pub(crate) size: usize,
    /// The piece's line; its hole is `{chunk}`.
    pub(crate) line: Template,
}

/// How the command's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkEncoding {
    /// As it is.
    Plain,
    /// Base64 of UTF-8, with padding (RFC 4648 §4).
    Base64,
    /// `\0ooo` for every byte but ASCII letters, digits and a few marks: what `printf %b` reads. A piece may end inside.
    Octal,
}

/// The lines that tell the machine where a command's output begins and ends. All begin with one common text.
#[derive(Debug, Clone)]
pub(crate) struct Markers {
    /// What every marker begins with: the text that the machine looks for. At least two bytes.
    pub(crate) lead: Finder<'static>,
    /// Text before and after the nonce. Absent: output begins with the frame.
    pub(crate) begin: Option<(String, String)>,
    /// The last one before `end` ends the output. Absent: `end` does.
    pub(crate) out: Option<(String, String)>,
    pub(crate) end: EndMarker,
    /// Text before the tag, between tag and nonce, and after the nonce.
    pub(crate) record: Option<(String, String, String)>,
}

/// The end marker, in parts. The nonce comes before every other field.
#[derive(Debug, Clone)]
pub(crate) struct EndMarker {
    pub(crate) parts: Vec<Part>,
}

/// A part of the end marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Stands there as it is.
    Text(String),
    /// A value, up to the text that follows.
    Field(EndField),
}

/// A value in the end marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndField {
    /// Which command it ends.
    Nonce,
    /// One of [`Shell::states`].
    State,
    /// An exit code, or nothing.
    Exit,
    /// Base64 of a JSON array of errors, or nothing.
    Report,
}

/// What an end state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndState {
    /// The last statement succeeded.
    Ok,
    /// The last statement failed.
    Failed,
    /// A terminating error, or Ctrl-C. Never sent again.
    Aborted,
    /// Nothing ran: the text is not a program.
    Parse,
    /// Nothing ran: the frame did not arrive as it was sent. Sent again by itself.
    Garbled,
    /// Nothing ran: it was cancelled before its first statement. Sent again by itself.
    Unstarted,
}

impl EndState {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Ok, "ok"),
        (Self::Failed, "failed"),
        (Self::Aborted, "aborted"),
        (Self::Parse, "parse"),
        (Self::Garbled, "garbled"),
        (Self::Unstarted, "unstarted"),
    ];

    /// Its word in what is kept and shown. A shell's own markers may call it otherwise ([`Shell::states`]).
    pub(crate) fn name(self) -> &'static str {
        let (_, name) = Self::NAMES[self as usize];
        name
    }

    /// The state that has this word.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(state, _)| *state)
    }
}

/// Records mode.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    /// Which tag is which stream.
    pub(crate) tags: Vec<(String, Stream)>,
}

/// PowerShell's streams, and the console beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stream {
    /// Objects. A record of it is a JSON array of them.
    Output,
    /// Error records.
    Error,
    /// Warnings.
    Warning,
    /// Verbose messages.
    Verbose,
    /// Debug messages.
    Debug,
    /// Information, `Write-Host` included.
    Information,
    /// Text that went straight to the terminal.
    Console,
}

/// How a command is stopped.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    /// What is typed; for a terminal with `signals` that is byte 3.
    pub(crate) send: Vec<u8>,
    /// Typed no sooner than so long after the begin marker, because the program is not ready for it before; it waits for
    /// one that is still to come. Absent: at once, whenever it is wanted.
    pub(crate) after_begin: Option<Duration>,
    /// Typed once more when nothing ended for so long: a prompt that had only just opened, or a child that was only just
    /// started, may have missed the first one.
    pub(crate) again_after: Option<Duration>,
    /// When the run is reported as not listening and given up; the session waits on.
    pub(crate) give_up_after: Duration,
    /// What takes a cancel that comes late.
    pub(crate) absorb: Option<Absorb>,
}

/// A harmless command that takes the blow of a late cancel, after a pause.
#[derive(Debug, Clone)]
pub(crate) struct Absorb {
    pub(crate) after: Duration,
    pub(crate) command: String,
}

/// A question that programs of this kind ask.
#[derive(Debug, Clone)]
pub(crate) struct QuestionRule {
    pub(crate) kind: QuestionKind,
    /// Matched against the end of the output, escapes out. Groups: `text`, `default`, `choices`.
    pub(crate) pattern: Pattern,
}

/// What a question wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum QuestionKind {
    /// Yes or no, with the system's own words (`ShouldProcess`).
    Confirm,
    /// One of several letters.
    Choice,
    /// A line of text.
    Text,
    /// A line that must not be shown or kept.
    Secret,
    /// A mandatory parameter's value.
    Parameter,
}

/// Something a program asks its terminal, answered once for each time.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// The control sequence, whole.
    pub(crate) ask: Vec<u8>,
    pub(crate) reply: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_state_has_its_own_name() {
        for (state, name) in EndState::NAMES {
            assert_eq!(state.name(), name);
            assert_eq!(EndState::from_name(name), Some(state));
        }
        assert_eq!(EndState::from_name("ready"), None);
    }
}
