//! A file of `modules.d/shells/`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::NeedSpec;
use crate::spec::source::At;
use crate::spec::value::{
    Bytes, Entries, FileName, Interval, Name, RegexText, Size, Text, VariableName, Word,
};

/// How one kind of program is started in a terminal, and how a command goes in and comes out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShellSpec {
    /// The shell's name: the name of its file without `.yaml`.
    pub(crate) shell: At<Name>,
    /// What people call it.
    pub(crate) title: At<Text>,
    /// What has to be installed: the program, and what it needs itself.
    #[serde(default)]
    pub(crate) needs: Vec<At<NeedSpec>>,
    /// The program and its arguments.
    pub(crate) start: StartSpec,
    /// The program's environment, which is built from nothing.
    pub(crate) environment: Option<EnvironmentSpec>,
    /// How the terminal is set before the program starts.
    pub(crate) terminal: Option<TerminalSpec>,
    /// A text that the program runs first.
    pub(crate) bootstrap: Option<At<BootstrapSpec>>,
    /// When the program takes its first command.
    pub(crate) ready: Option<ReadySpec>,
    /// How a command is sent.
    pub(crate) frame: FrameSpec,
    /// The lines between which its output stands.
    pub(crate) markers: MarkersSpec,
    /// What the end marker's `{state}` may say, and which of the machine's states that is.
    pub(crate) states: Option<At<Entries<String, StateName>>>,
    /// The tags of records mode, and which stream each is. Leave it out where there is text only.
    pub(crate) records: Option<At<Entries<String, StreamName>>>,
    /// How a command is stopped.
    pub(crate) interrupt: Option<InterruptSpec>,
    /// What programs of this kind ask, tried in this order.
    #[serde(default)]
    pub(crate) questions: Vec<QuestionSpec>,
    /// What the program asks its terminal.
    #[serde(default)]
    pub(crate) queries: Vec<QuerySpec>,
    /// Whether typed answers are written back, by prefixes or as `*`: such an echo is no output. Without it nothing is.
    pub(crate) echoes_answers: Option<At<bool>>,
    /// How values are written into commands.
    pub(crate) quoting: At<QuotingName>,
    /// Limits that people should know of; shown with every module that uses this shell.
    #[serde(default)]
    pub(crate) notes: Vec<At<Text>>,
}

/// The program and its arguments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartSpec {
    /// A name that is looked up on `PATH`, or a path.
    pub(crate) program: At<Text>,
    /// Its arguments. Holes: `{bootstrap}` (here or in `environment.set`), `{home}` (the session's own home folder).
    #[serde(default)]
    pub(crate) arguments: Vec<At<String>>,
}

/// The program's environment.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvironmentSpec {
    /// Whether `HOME` and the `XDG_*` folders are a folder of the session's own, so that the sign-ins of two tenants never
    /// meet on disk. Default: true.
    pub(crate) private_home: Option<bool>,
    /// Variables taken over from the daemon's environment, where they are set there.
    #[serde(default)]
    pub(crate) keep: Vec<At<VariableName>>,
    /// Variables and their values. Holes: `{home}` (the session's own), `{real_home}` (the user's).
    #[serde(default)]
    pub(crate) set: Entries<VariableName, String>,
}

/// How the terminal is set (termios).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TerminalSpec {
    /// Its width. Default: 240, because programs cut and wrap to it.
    pub(crate) columns: Option<At<Size>>,
    /// Its height. Default: 50.
    pub(crate) rows: Option<At<Size>>,
    /// Whether input is echoed (`ECHO`). Default: false.
    #[serde(default)]
    pub(crate) echo: bool,
    /// Whether input is edited by the line (`ICANON`), which cuts a line at 4,095 bytes. Default: false.
    #[serde(default)]
    pub(crate) canonical: bool,
    /// Whether a carriage return becomes a line feed (`ICRNL`). Default: false.
    #[serde(default)]
    pub(crate) map_cr_to_lf: bool,
    /// Whether byte 3 becomes an interrupt (`ISIG`). Default: true.
    pub(crate) signals: Option<bool>,
    /// Whether an interrupt throws queued output away (the opposite of `NOFLSH`). Default: false.
    #[serde(default)]
    pub(crate) flush_on_signal: bool,
    /// Whether all of this is put back when a command has ended, whatever it did (`stty`). Not for a program that sets its
    /// terminal by itself, as PowerShell does. Default: false.
    #[serde(default)]
    pub(crate) restore: bool,
}

/// A text that the program runs first: `file` or `text`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootstrapSpec {
    /// A file in the same folder.
    pub(crate) file: Option<At<FileName>>,
    /// The text itself.
    pub(crate) text: Option<At<String>>,
    /// How it is written into the `{bootstrap}` hole of an argument.
    pub(crate) encoding: BootstrapEncodingName,
}

/// How the bootstrap is written into an argument.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BootstrapEncodingName {
    /// As it is.
    Plain,
    /// Base64 of UTF-16LE: PowerShell's `-EncodedCommand`.
    Utf16Base64,
}

/// When the program takes its first command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadySpec {
    /// The nonce of the end marker that the bootstrap writes by itself. Without it, the program is ready as it runs.
    pub(crate) nonce: Option<At<Word>>,
    /// How long that may take. Default: 60s.
    pub(crate) within: Option<At<Interval>>,
    /// What to say when it took longer.
    pub(crate) advice: Option<At<Text>>,
}

/// How a command becomes bytes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameSpec {
    /// What is sent first. Holes: `{nonce}`, `{length}`, `{mode}`, `{depth}`, `{command}`.
    #[serde(default)]
    pub(crate) open: Option<At<String>>,
    /// How the command's text is encoded.
    pub(crate) encoding: CommandEncodingName,
    /// The encoded text in pieces. Without it, `{command}` in `open` or `close` is the encoded text.
    pub(crate) chunk: Option<ChunkSpec>,
    /// What is sent last. Holes: `{nonce}`, `{length}` (of the encoded text, in bytes), `{mode}` (`text` or `records`),
    /// `{depth}`, `{command}`.
    pub(crate) close: At<String>,
    /// Whether a command may hold a NUL. Default: false.
    #[serde(default)]
    pub(crate) nul: bool,
}

/// The encoded text in pieces, a line each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChunkSpec {
    /// Characters of encoded text in a piece.
    pub(crate) size: At<Size>,
    /// A piece's line. Its hole is `{chunk}`.
    pub(crate) line: At<String>,
}

/// How a command's text is encoded.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandEncodingName {
    /// As it is.
    Plain,
    /// Base64 of UTF-8.
    Base64,
    /// `\0ooo` for every byte but letters, digits and a few marks: what `printf %b` reads.
    Octal,
}

/// The lines that tell where a command's output begins and ends. All begin with one common text of two bytes at least.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkersSpec {
    /// Before the output. Its hole is `{nonce}`. Without it, output begins with the frame.
    pub(crate) begin: Option<At<String>>,
    /// After the output; the last one before `end` counts. Its hole is `{nonce}`. Without it, `end` ends the output.
    pub(crate) out: Option<At<String>>,
    /// How the command went. Holes: `{nonce}` (first), `{state}`, `{exit}`, `{report}`, each with text after it.
    pub(crate) end: At<String>,
    /// What a record begins with. Holes: `{tag}`, then `{nonce}`.
    pub(crate) record: Option<At<String>>,
}

/// What an end state means to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateName {
    /// The last statement succeeded.
    Ok,
    /// The last statement failed.
    Failed,
    /// A terminating error, or an interrupt.
    Aborted,
    /// Nothing ran: the text is not a program.
    Parse,
    /// Nothing ran: the frame did not arrive as it was sent.
    Garbled,
    /// Nothing ran: it was cancelled before its first statement.
    Unstarted,
}

/// A stream of records mode. Text that went straight to the terminal has no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StreamName {
    /// Objects: a JSON array of them.
    Output,
    /// Errors.
    Error,
    /// Warnings.
    Warning,
    /// Verbose messages.
    Verbose,
    /// Debug messages.
    Debug,
    /// Information.
    Information,
}

/// How a command is stopped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InterruptSpec {
    /// What is typed. Default: byte 3.
    pub(crate) send: Option<At<Bytes>>,
    /// How long after the begin marker the program is ready for it; it is not typed sooner. Default: at any time.
    pub(crate) after_begin: Option<At<Interval>>,
    /// When it is typed once more, if the command has not ended. Default: never.
    pub(crate) again_after: Option<At<Interval>>,
    /// When a run is reported as not listening. Default: 2s.
    pub(crate) give_up_after: Option<At<Interval>>,
    /// A harmless command that takes a cancel which comes late. Default: none.
    pub(crate) absorb: Option<AbsorbSpec>,
}

/// What takes a cancel that comes late.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AbsorbSpec {
    /// The pause before it.
    pub(crate) after: At<Interval>,
    /// The command.
    pub(crate) command: At<Text>,
}

/// Something that programs of this kind ask.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionSpec {
    /// What it wants.
    pub(crate) kind: QuestionKindName,
    /// Matched against the end of the output, escapes out, after a silence. Groups: `text`, `default`, `choices`. End it
    /// with `\z`.
    pub(crate) pattern: At<RegexText>,
}

/// What a question wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuestionKindName {
    /// Yes or no.
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

/// Something that a program asks its terminal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuerySpec {
    /// The control sequence, whole.
    pub(crate) ask: At<Bytes>,
    /// What is sent back, once for each time.
    pub(crate) reply: At<Bytes>,
}

/// How a value is written into a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuotingName {
    /// As it is. No value of a connection may then stand in a command.
    Plain,
    /// As a PowerShell single-quoted string.
    Powershell,
    /// As a POSIX shell single-quoted string.
    Posix,
}
