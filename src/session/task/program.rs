//! What the task hears of its program: what the terminal says, the end of that, and the end of the process. It ends when
//! both have ended, or one of them and some time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::Task;
use crate::expect::{CloseReason, Input};
use crate::pty::{Child, Ended, Master};
use crate::session::mail::StopWhy;

/// As much as is read before anything else is looked at: about a millisecond of a flood.
const READ_SIZE: usize = 64 * 1024;

/// As much as a terminal gives at once.
const READ_AT_LEAST: usize = 4096;

thread_local! {
    /// What was read last. Sessions of one thread take turns with it, so that a thousand idle ones hold no buffer.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// After the program's end its output is read for so long; a grandchild may hold the terminal open for ever.
const DRAIN: Duration = Duration::from_secs(2);

/// From the hang-up to the kill.
const GRACE: Duration = Duration::from_secs(2);

/// How the program and its terminal end; both have to.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) exit: Option<CloseReason>,
    pub(super) end_of_file: bool,
    /// When to go on without the other half.
    pub(super) at_most: Option<Instant>,
    /// When a program that was hung up is killed.
    pub(super) kill_at: Option<Instant>,
}

impl Task {
    /// What the terminal has now. What comes together is handled together: on a busy machine each wake-up of the machine costs
    /// more than the bytes do.
    pub(super) fn read(&mut self) {
        let mut buffer = BUFFER.take();
        buffer.resize(READ_SIZE, 0);
        let mut count = 0;
        let ended = loop {
            match self.master.try_read(&mut buffer[count..]) {
                Ok(None) => break false,
                Ok(Some(0)) | Err(_) => break true,
                Ok(Some(more)) => count += more,
            }
            if READ_SIZE - count < READ_AT_LEAST {
                break false;
            }
        };
        if count > 0 {
            self.record(|recorder, now| recorder.output(now, &buffer[..count]));
            self.feed(Input::Output(&buffer[..count]));
        }
        BUFFER.set(buffer);
        if ended {
            self.end_of_file();
        }
    }

    pub(super) fn end_of_file(&mut self) {
        self.ending.end_of_file = true;
        self.ending.at_most.get_or_insert(Instant::now() + GRACE);
        self.check_ended();
    }

    pub(super) fn exited(&mut self, ended: std::io::Result<Ended>) {
        self.ending.exit = Some(match ended {
            Ok(Ended::With(status)) => match status.signal() {
                Some(signal) => CloseReason::Signalled(signal.to_owned()),
                None => CloseReason::Exited(status.exit_code()),
            },
            Ok(Ended::Unknown) | Err(_) => CloseReason::TerminalLost,
        });
        self.ending.at_most = Some(Instant::now() + DRAIN);
        self.check_ended();
    }

    /// Exit and end of output are two events, in any order; the session ends when both have come, or one and some time.
    fn check_ended(&mut self) {
        let late = self.ending.at_most.is_some_and(|at| at <= Instant::now());
        match (&self.ending.exit, self.ending.end_of_file) {
            (Some(reason), true) => self.feed(Input::Ended(reason.clone())),
            (Some(reason), false) if late => self.feed(Input::Ended(reason.clone())),
            // It lives and has let go of its terminal: nobody can ever talk to it again.
            (None, true) if late => {
                self.end_program(Child::kill_group);
                self.feed(Input::Ended(CloseReason::TerminalLost));
            }
            _ => {}
        }
    }

    /// Tells the program to end; it is killed if it does not.
    pub(super) fn hang_up(&mut self) {
        self.end_program(Child::hang_up_group);
        self.ending.kill_at = Some(Instant::now() + GRACE);
    }

    pub(super) fn end_program(&self, how: fn(&Child, &Master) -> std::io::Result<()>) {
        if let Err(error) = how(&self.child, &self.master) {
            tracing::error!(%error, pid = self.child.id(), "the program cannot be signalled");
        }
    }

    pub(super) fn time(&mut self) {
        let now = Instant::now();
        if let Some(current) = &self.current
            && current.stopped.is_none()
            && current.deadline.is_some_and(|at| at <= now)
        {
            self.stop(current.order.tag, StopWhy::Deadline);
        }
        if self.ending.kill_at.is_some_and(|at| at <= now) {
            self.ending.kill_at = None;
            self.end_program(Child::kill_group);
        }
        if self.ending.at_most.is_some() {
            self.check_ended();
        }
        if self.engine.deadline().is_some_and(|at| at <= now) {
            self.feed(Input::Tick);
        }
    }
}
