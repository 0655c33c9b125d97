//! [`Console`]: what .NET's console is to PowerShell: output, typed bytes that wait, a Ctrl-C that struck and was not
//! taken yet, and the question where the cursor is. It knows no frames and no commands.

use std::collections::VecDeque;
use std::time::Duration;

use super::world::{Gone, Happening, World};

/// Why the flow of a command, or of the whole program, leaves its course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Ctrl-C was heard.
    Interrupt,
    /// A terminating error.
    Thrown,
    /// `return`.
    Return,
    /// The process ends.
    Exit(Ending),
}

/// How the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an exit code.
    Code(u8),
    /// By a signal's number, sent to itself.
    Signal(i32),
}

/// What a step returns.
pub(crate) type Flow<T = ()> = Result<T, Halt>;

impl From<Gone> for Halt {
    /// PowerShell leaves with 0 when its terminal ends.
    fn from(_: Gone) -> Self {
        Self::Exit(Ending::Code(0))
    }
}

/// How long PowerShell takes from a Ctrl-C to the end of what it was doing.
const REACTION: Duration = Duration::from_millis(20);

/// Where a Ctrl-C came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    /// Somebody typed it.
    Typed,
    /// It is the echo of one that was typed.
    Late,
}

/// A console over a [`World`].
pub(crate) struct Console<W> {
    pub(crate) world: W,
    typed: VecDeque<u8>,
    /// A Ctrl-C came and nothing was cancelled by it yet.
    struck: Option<Strike>,
    /// How long after a Ctrl-C was taken it strikes once more; see `late_cancel` of a scenario.
    late_after: Option<Duration>,
    late_at: Option<Duration>,
    width: usize,
    column: usize,
    /// Whether .NET has lost track of the cursor and asks for it before the next prompt.
    lost: bool,
}

impl<W: World> Console<W> {
    /// A console of `width` columns.
    pub(crate) fn new(world: W, width: usize, late_after: Option<Duration>) -> Self {
        Self {
            world,
            typed: VecDeque::new(),
            struck: None,
            late_after,
            late_at: None,
            width,
            column: 0,
            lost: false,
        }
    }

    /// Columns of the terminal.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Writes `text`.
    pub(crate) fn print(&mut self, text: &str) -> Flow {
        for c in text.chars() {
            match c {
                '\n' => self.column = 0,
                ' '..='~' => self.column += 1,
                _ => self.lost = true,
            }
            self.lost |= self.column > self.width;
        }
        Ok(self.world.write(text.as_bytes())?)
    }

    /// The cursor is somewhere else: a native program ran, or the scenario says so.
    pub(crate) fn lose_cursor(&mut self) {
        self.lost = true;
    }

    /// Whether the cursor has to be asked for.
    pub(crate) fn has_lost_cursor(&self) -> bool {
        self.lost
    }

    /// Asks the terminal where the cursor is and waits for the answer, for ever. What else is typed meanwhile is swallowed
    /// into .NET's own buffer and never becomes a frame.
    pub(crate) fn query_cursor(&mut self) -> Flow {
        self.world.write(b"\x1b[6n")?;
        self.lost = false;
        let mut reply = Reply::default();
        loop {
            while let Some(byte) = self.typed.pop_front() {
                if reply.ends_with(byte) {
                    return Ok(());
                }
            }
            self.wait(None)?;
        }
    }

    /// Waits `time`. Ctrl-C ends it.
    pub(crate) fn pause(&mut self, time: Duration) -> Flow {
        let until = self.world.now() + time;
        loop {
            self.take_strike()?;
            if !self.wait(Some(until))? {
                return self.take_strike();
            }
        }
    }

    /// Waits `time`. Ctrl-C strikes only what comes next.
    pub(crate) fn pause_deaf(&mut self, time: Duration) -> Flow {
        let until = self.world.now() + time;
        while self.wait(Some(until))? {}
        Ok(())
    }

    /// Takes in what has happened already, and leaves if Ctrl-C was among it.
    pub(crate) fn poll(&mut self) -> Flow {
        self.pause_deaf(Duration::ZERO)?;
        self.take_strike()
    }

    /// What a Ctrl-C that was heard takes until its end.
    pub(crate) fn react(&mut self) -> Flow {
        self.pause_deaf(REACTION)
    }

    /// Whether Ctrl-C struck. It is used up by this.
    pub(crate) fn is_struck(&mut self) -> bool {
        let strike = self.struck.take();
        if strike == Some(Strike::Typed) {
            self.late_at = self.late_after.map(|late| self.world.now() + late);
        }
        strike.is_some()
    }

    fn take_strike(&mut self) -> Flow {
        if self.is_struck() {
            return Err(Halt::Interrupt);
        }
        Ok(())
    }

    /// The next typed byte. Ctrl-C ends the waiting.
    pub(crate) fn key(&mut self) -> Flow<u8> {
        loop {
            self.take_strike()?;
            if let Some(byte) = self.typed.pop_front() {
                return Ok(byte);
            }
            self.wait(None)?;
        }
    }

    /// The next line, without its end, as .NET's `StreamReader` reads it from the raw descriptor: `\n`, `\r` and `\r\n`
    /// end one. Ctrl-C strikes what comes next.
    pub(crate) fn line(&mut self) -> Flow<String> {
        let mut line = Vec::new();
        loop {
            match self.typed.pop_front() {
                Some(b'\n' | b'\r') => return Ok(String::from_utf8_lossy(&line).into_owned()),
                Some(byte) => line.push(byte),
                None => {
                    self.wait(None)?;
                }
            }
        }
    }

    /// Forgets what was typed and not read.
    pub(crate) fn drop_typed(&mut self) -> Flow {
        self.pause_deaf(Duration::ZERO)?;
        self.typed.clear();
        Ok(())
    }

    /// Waits for one thing to happen; says whether it did before `until`.
    fn wait(&mut self, until: Option<Duration>) -> Flow<bool> {
        let next = match (until, self.late_at) {
            (Some(until), Some(late)) => Some(until.min(late)),
            (until, late) => until.or(late),
        };
        match self.world.next(next) {
            Happening::Typed(bytes) => self.typed.extend(bytes),
            Happening::Interrupt => self.struck = Some(Strike::Typed),
            Happening::Gone => return Err(Gone.into()),
            Happening::TimeUp => {
                if self.late_at.is_some_and(|late| late <= self.world.now()) {
                    self.late_at = None;
                    self.struck = Some(Strike::Late);
                } else {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Looks for `ESC [ digits ; digits R`.
#[derive(Default)]
struct Reply {
    seen: u8,
}

impl Reply {
    fn ends_with(&mut self, byte: u8) -> bool {
        self.seen = match (self.seen, byte) {
            (_, 0x1b) => 1,
            (1, b'[') => 2,
            (2 | 3, b'0'..=b'9') => 3,
            (3, b';') => 4,
            (4 | 5, b'0'..=b'9') => 5,
            (5, b'R') => return true,
            _ => 0,
        };
        false
    }
}
