//! [`Machine`]: a session's machine without a terminal, for what only memory limits.

use std::sync::Arc;
use std::time::Instant;

use super::{Fault, Keep, Patterns, Shell, kept};
use crate::expect::{Effect, Engine, Finish, Habits, Input, Mode, Nonce, RunRequest, State};
use crate::output::Kept;
use crate::script::EndState;

/// One run's way through the machine and into the output store, without a program: the bytes come from the caller.
pub struct Machine {
    engine: Engine,
    kept: Kept,
    records: u64,
    finish: Option<Finish>,
}

impl Machine {
    /// What the run's markers are made with.
    pub const NONCE: &str = "00112233445566aa";

    /// A machine of `shell` that has been given a run, after it read `boot`: what the shell's program says until it is ready.
    pub fn new(
        shell: &Shell,
        boot: &[u8],
        records: bool,
        patterns: Option<&Patterns>,
        keep: &Keep,
    ) -> Result<Self, Fault> {
        let now = Instant::now();
        let mut machine = Self {
            engine: Engine::new(Arc::clone(&shell.0), false, Habits::LIVE, now),
            kept: kept(keep),
            records: 0,
            finish: None,
        };
        machine.feed(boot);
        if *machine.engine.state() != State::Ready {
            return Err("the shell is not ready after these bytes".into());
        }
        let request = RunRequest {
            tag: 1,
            command: String::new(),
            mode: if records { Mode::Records } else { Mode::Text },
            depth: 2,
            nonces: Nonce::parse(Self::NONCE).into_iter().collect(),
            watch: patterns.map(|patterns| Arc::clone(&patterns.0)),
        };
        machine.input(Input::Run(Box::new(request)));
        Ok(machine)
    }

    /// Takes what a read of the terminal would give.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input(Input::Output(bytes));
    }

    /// Bytes of output so far.
    pub fn length(&self) -> u64 {
        self.kept.extent().length
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether the end marker came, and said that all was well.
    pub fn is_done(&self) -> bool {
        let ok = EndState::Ok;
        matches!(&self.finish, Some(Finish::Ended { state, .. }) if *state == ok)
    }

    fn input(&mut self, input: Input<'_>) {
        for effect in self.engine.handle(input, Instant::now()) {
            match effect {
                Effect::Output(text) => self.kept.append(&text),
                Effect::Record(record) => {
                    self.records += 1;
                    self.kept.append(record.value.get().as_bytes());
                }
                Effect::Finished(finished) => self.finish = Some(finished.finish),
                Effect::Write(_)
                | Effect::Began
                | Effect::Echo(_)
                | Effect::Challenged(_)
                | Effect::Asked(_)
                | Effect::SignedIn(_)
                | Effect::SignInFailed(_)
                | Effect::HangUp
                | Effect::Kill => {}
            }
        }
    }
}
