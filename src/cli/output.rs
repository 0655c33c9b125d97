//! [`Screen`]: the only place that prints. Standard output carries what was asked for, standard error everything else.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::ending::{Level, Message};
use super::error::CliError;
use super::exit::Exit;
use super::harmless::{HarmlessStream, harmless};
use super::spinner::Spinner;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Standard output and standard error. Where one of them is a terminal, what came from elsewhere is made harmless on it.
#[derive(Debug)]
pub(crate) struct Screen {
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    stream: HarmlessStream,
    /// Whether the cursor stands in an unfinished line of output.
    open_line: bool,
    spinner: Option<Spinner>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            stream: HarmlessStream::default(),
            open_line: false,
            spinner: None,
        }
    }

    /// How many columns the terminal has that standard output goes to; `None` where it is none, or does not say.
    pub(crate) fn width(&self) -> Option<usize> {
        if !self.stdout_is_terminal {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }

    /// Whether progress can be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Whether somebody is there who can be asked.
    pub(crate) fn asks_people(&self) -> bool {
        self.stderr_is_terminal && io::stdin().is_terminal()
    }

    /// A run's output, as it comes; flushed at once.
    pub(crate) fn output(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.clear_progress();
        if let Some(last) = bytes.last() {
            self.open_line = *last != b'\n';
        }
        if self.stdout_is_terminal {
            let shown = self.stream.push(bytes);
            write_out(shown.as_bytes())
        } else {
            write_out(bytes)
        }
    }

    /// The person at the terminal has typed a line end: output goes on in a new line.
    pub(crate) fn line_ended_by_typing(&mut self) {
        self.open_line = false;
    }

    /// After a run's last output: what was held back, and a line end where a terminal needs one.
    pub(crate) fn output_ended(&mut self) -> Result<(), CliError> {
        if self.stdout_is_terminal {
            let mut rest = self.stream.finish();
            if std::mem::take(&mut self.open_line) {
                rest.push('\n');
            }
            write_out(rest.as_bytes())?;
        }
        Ok(())
    }

    /// Lines of our own on standard output. They may hold words from elsewhere.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.clear_progress();
        let mut line = if self.stdout_is_terminal {
            harmless(text).into_owned()
        } else {
            text.to_owned()
        };
        if !line.ends_with('\n') {
            line.push('\n');
        }
        write_out(line.as_bytes())
    }

    /// A table's or a story's heading: bold on a terminal.
    pub(crate) fn heading(&mut self, text: &str) -> Result<(), CliError> {
        self.clear_progress();
        let text = harmless(text);
        let mut stdout = anstream::stdout();
        let written = writeln!(stdout, "{STRONG}{text}{STRONG:#}").and_then(|()| stdout.flush());
        written.map_err(write_error)
    }

    /// One JSON value on one line of standard output.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(|error| CliError::Io {
            what: "the answer cannot be written as JSON".to_owned(),
            source: error.into(),
        })?;
        self.text(&text)
    }

    /// A line on standard error.
    pub(crate) fn note(&mut self, text: &str) {
        self.tell(&Message::note(text));
    }

    /// Something that needs attention: bold on a terminal.
    pub(crate) fn important(&mut self, text: &str) {
        self.on_stderr(|stderr| writeln!(stderr, "{STRONG}{}{STRONG:#}", harmless(text)));
    }

    /// Text on standard error without a line end, before an answer is read.
    pub(crate) fn ask(&mut self, text: &str) {
        self.on_stderr(|stderr| write!(stderr, "{}", harmless(text)));
    }

    /// A message on standard error, after the line of output that may stand open there.
    pub(crate) fn tell(&mut self, message: &Message) {
        let text = if self.stderr_is_terminal {
            harmless(&message.text).into_owned()
        } else {
            message.text.clone()
        };
        self.on_stderr(|stderr| match message.level {
            Level::Error => writeln!(stderr, "{ERROR}error:{ERROR:#} {text}"),
            Level::Help => writeln!(stderr, "{HELP}help:{HELP:#} {text}"),
            Level::Note => writeln!(stderr, "{text}"),
        });
    }

    /// Why a verb ended early, with its remedy. A closed pipe is not told.
    pub(crate) fn failure(&mut self, error: &CliError) {
        self.clear_progress();
        if matches!(error, CliError::PipeClosed) {
            return;
        }
        self.tell(&Message::error(error.to_string()));
        if let Some(help) = error.help() {
            self.tell(&Message::help(help));
        }
    }

    /// What the argument parser says: help on standard output, complaints on standard error.
    pub(crate) fn usage(error: &clap::Error) -> Exit {
        // Nobody is left to tell where this cannot be written.
        let _ = error.print();
        if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Done
        }
    }

    /// Shows or renews the progress line; only on a terminal.
    pub(crate) fn progress(&mut self, text: &str) {
        if self.stderr_is_terminal {
            let text = harmless(text).into_owned();
            self.spinner.get_or_insert_with(Spinner::start).say(text);
        }
    }

    /// Takes the progress line away.
    pub(crate) fn clear_progress(&mut self) {
        self.spinner = None;
    }

    fn on_stderr(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.stdout_is_terminal && self.stderr_is_terminal && self.open_line {
            // Both are most likely the same terminal.
            self.open_line = false;
            let _ = write_out(b"\n");
        }
        let write = || {
            let mut stderr = anstream::stderr();
            // There is no other place to say that standard error does not work.
            let _ = write(&mut stderr);
            let _ = stderr.flush();
        };
        match &self.spinner {
            Some(spinner) => spinner.pause(write),
            None => write(),
        }
    }
}

fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(write_error)
}

fn write_error(source: io::Error) -> CliError {
    if source.kind() == io::ErrorKind::BrokenPipe {
        CliError::PipeClosed
    } else {
        CliError::Io {
            what: "standard output cannot be written".to_owned(),
            source,
        }
    }
}
