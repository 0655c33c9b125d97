//! [`Host`]: PowerShell's host with our bootstrap in it: the start, the frames, the markers, and what a Ctrl-C at the
//! prompt does. `pwsh-bootstrap.ps1` is what it imitates, line for line where it matters.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use regex::Regex;

use super::catalog::Scenario;
use super::console::{Console, Ending, Flow, Halt};
use super::holes;
use super::output::{Mode, Output};
use super::play::{Finished, Player, Session};
use super::world::World;

/// What a command takes at the least: half of the round trip that was measured.
const LATENCY: Duration = Duration::from_millis(2);

/// After so many prompts .NET asks for the cursor without a reason that could be found.
const QUERY_EVERY: u64 = 5;

/// The program.
pub(crate) struct Host<W> {
    console: Console<W>,
    scenario: Scenario,
    session: Session,
    prompts: u64,
    /// A Ctrl-C before readiness left a session that looks ready and is not.
    lifeless: bool,
}

/// A frame: a command as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    nonce: String,
    encoded: String,
    /// What the close line says that `encoded` is long.
    length: usize,
    mode: Mode,
}

impl<W: World> Host<W> {
    /// A program that plays `scenario` on a terminal of so many columns.
    pub(crate) fn new(world: W, columns: usize, scenario: Scenario) -> Self {
        let session = Session {
            values: scenario.values.clone(),
            ..Session::default()
        };
        Self {
            console: Console::new(world, columns, scenario.late_cancel),
            scenario,
            session,
            prompts: 0,
            lifeless: false,
        }
    }

    /// Runs until it ends.
    pub(crate) fn run(mut self) -> Ending {
        self.live()
    }

    /// Runs until it ends, and hands the terminal back for a test that wants to see what was written.
    #[cfg(test)]
    pub(super) fn run_and_return(mut self) -> (Ending, W) {
        (self.live(), self.console.world)
    }

    fn live(&mut self) -> Ending {
        loop {
            let halt = match self.turn() {
                Ok(()) => continue,
                Err(halt) => halt,
            };
            if let Halt::Exit(ending) = halt {
                return ending;
            }
        }
    }

    /// One frame and its answer; the first turn is the start.
    fn turn(&mut self) -> Flow {
        if self.prompts == 0 {
            return self.boot();
        }
        let frame = self.frame()?;
        self.answer(&frame)
    }

    fn boot(&mut self) -> Flow {
        self.console.query_cursor()?;
        let start = self.scenario.start.clone();
        let delay = holes::fill(&start.delay, &self.session.values);
        self.console
            .pause_deaf(holes::duration(&delay).unwrap_or_default())?;
        let output = Output::new(&mut self.console, Mode::Text, "boot");
        match Player::new(&self.scenario, &mut self.session, output).start(&start.steps) {
            Err(exit @ Halt::Exit(_)) => return Err(exit),
            // No command is running that a halt could leave.
            Ok(()) | Err(Halt::Interrupt | Halt::Thrown | Halt::Return) => {}
        }
        if start.never {
            loop {
                self.console.line()?;
            }
        }
        self.lifeless = self.console.is_struck();
        self.end("boot", "ok", "")
    }

    /// Reads until there is a frame. What is none is ignored; pieces of one count for the next.
    fn frame(&mut self) -> Flow<Frame> {
        static CLOSE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new("^!([0-9a-f]{16}) ([0-9]{1,9}) (text|records) ([0-9]{1,2})$")
                .expect("it is a pattern")
        });
        let mut encoded = String::new();
        loop {
            let line = self.console.line()?;
            if let Some(piece) = line.strip_prefix('+') {
                encoded.push_str(piece);
                continue;
            }
            let Some(close) = CLOSE.captures(&line) else {
                continue;
            };
            if self.lifeless || self.session.eaters > 0 {
                self.session.eaters = self.session.eaters.saturating_sub(1);
                encoded.clear();
                continue;
            }
            let number = |text: &str| {
                text.parse()
                    .expect("the pattern lets digits through, nine at most")
            };
            return Ok(Frame {
                nonce: close[1].to_owned(),
                encoded,
                length: number(&close[2]),
                mode: match &close[3] {
                    "text" => Mode::Text,
                    _ => Mode::Records(number(&close[4])),
                },
            });
        }
    }

    fn answer(&mut self, frame: &Frame) -> Flow {
        if frame.encoded.encode_utf16().count() != frame.length {
            return self.end(&frame.nonce, "garbled", "");
        }
        self.console.pause_deaf(LATENCY)?;
        if self.console.is_struck() {
            return self.end(&frame.nonce, "unstarted", "");
        }
        let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&frame.encoded) else {
            return self.end(&frame.nonce, "aborted", "");
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.session.exit = None;
        self.console
            .print(&format!("<<mm:begin:{}>>\n", frame.nonce))?;
        let output = Output::new(&mut self.console, frame.mode, &frame.nonce);
        let Finished { state, report } =
            Player::new(&self.scenario, &mut self.session, output).run(&text)?;
        self.end(&frame.nonce, state, &report)
    }

    /// The prompt, and what the bootstrap's reader says before it waits.
    fn end(&mut self, nonce: &str, state: &str, report: &str) -> Flow {
        self.prompts += 1;
        if self.console.has_lost_cursor() || self.prompts.is_multiple_of(QUERY_EVERY) {
            self.console.query_cursor()?;
        }
        let out = format!("<<mm:out:{nonce}>>\n");
        let prompt = self.session.prompt.take().unwrap_or(out);
        self.console.print(&prompt)?;
        self.console.drop_typed()?;
        let exit = self
            .session
            .exit
            .map(|code| code.to_string())
            .unwrap_or_default();
        self.console
            .print(&format!("<<mm:end:{nonce}:{state}:{exit}:{report}>>\n"))
    }
}
