//! [`Player`]: one command, from its text to its end state: finds what the scenario or the built-in forms say, and plays the
//! steps. It knows no frames.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::ask::{self, Choice, Echo};
use super::builtin;
use super::catalog::Scenario;
use super::command::{self, Stage, Statement};
use super::console::{Ending, Flow, Halt};
use super::holes::{self, Values, fill, fill_value};
use super::output::Output;
use super::record::{self, ErrorRecord};
use super::scenario::{Ask, AskKind, Crash, DeviceCode, ErrorSpec, Flood, Native, Rows, Step};
use super::world::World;

/// What outlives a command.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Parameters, state and answers: what fills holes.
    pub(crate) values: Values,
    /// PowerShell's variables, as far as the built-in forms set them.
    pub(crate) variables: BTreeMap<String, Value>,
    pub(crate) strict: bool,
    /// `$LASTEXITCODE`.
    pub(crate) exit: Option<i32>,
    /// Stands there instead of the next prompt.
    pub(crate) prompt: Option<String>,
    /// Frames that a child will take.
    pub(crate) eaters: u32,
}

/// How a command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// The state in the `end` marker.
    pub(crate) state: &'static str,
    /// Its report.
    pub(crate) report: String,
}

/// Plays one command.
pub(crate) struct Player<'a, W> {
    scenario: &'a Scenario,
    session: &'a mut Session,
    output: Output<'a, W>,
    /// Captures of the command that is being played, over the session's values.
    captures: Values,
    errors: Vec<ErrorRecord>,
    /// `$?`.
    ok: bool,
    place: (u32, u32),
}

impl<'a, W: World> Player<'a, W> {
    /// A player whose output goes to `output`.
    pub(crate) fn new(
        scenario: &'a Scenario,
        session: &'a mut Session,
        output: Output<'a, W>,
    ) -> Self {
        Self {
            scenario,
            session,
            output,
            captures: Values::new(),
            errors: Vec::new(),
            ok: true,
            place: (1, 1),
        }
    }

    /// Plays the steps that come before the program is ready.
    pub(crate) fn start(&mut self, steps: &[Step]) -> Flow {
        self.steps(steps)
    }

    /// Runs `text`. What comes back as an error is the end of the process.
    pub(crate) fn run(mut self, text: &str) -> Flow<Finished> {
        let flow = match self.whole(text) {
            Some(flow) => flow,
            None => match command::read(text) {
                Ok(statements) => statements
                    .iter()
                    .try_for_each(|statement| self.statement(statement)),
                Err(error) => {
                    self.output.console.lose_cursor();
                    return Ok(Finished {
                        state: "parse",
                        report: record::parse_report(&error),
                    });
                }
            },
        };
        let state = match flow {
            Ok(()) if self.ok => "ok",
            // Left by `return`, `$?` is not known: only the errors count.
            Err(Halt::Return) if self.errors.is_empty() => "ok",
            Ok(()) | Err(Halt::Return) => "failed",
            Err(Halt::Thrown) => "aborted",
            Err(Halt::Interrupt) => {
                self.output.console.react()?;
                self.output.stop()?;
                "aborted"
            }
            Err(exit @ Halt::Exit(_)) => return Err(exit),
        };
        self.output.flush()?;
        Ok(Finished {
            state,
            report: record::report(&self.errors),
        })
    }

    /// A scenario may know a command of several statements as a whole.
    fn whole(&mut self, text: &str) -> Option<Flow> {
        let command = self.scenario.whole(text.trim(), &self.session.values)?;
        Some(self.command(&command.steps, Values::new()))
    }

    fn command(&mut self, steps: &[Step], captures: Values) -> Flow {
        self.captures = captures;
        self.steps(steps)
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        self.output.console.poll()?;
        self.ok = true;
        self.output.filters.clear();
        self.place = (statement.line, statement.column);
        if self.known(&statement.text)? {
            return Ok(());
        }
        let [first, rest @ ..] = statement.stages.as_slice() else {
            return Ok(());
        };
        for stage in rest {
            match builtin::filters(&stage.text) {
                Some(filters) => self.output.filters.extend(filters),
                None => return self.unknown(stage),
            }
        }
        if !rest.is_empty() && self.known(&first.text)? {
            return Ok(());
        }
        self.unknown(first)
    }

    /// Plays `text` if the scenario or a built-in form knows it.
    fn known(&mut self, text: &str) -> Flow<bool> {
        if let Some((command, captures)) = self.scenario.command(text, &self.session.values) {
            self.command(&command.steps, captures)?;
            return Ok(true);
        }
        let Some(steps) = builtin::steps(text, &self.session.variables, self.session.strict) else {
            return Ok(false);
        };
        self.command(&steps, Values::new())?;
        Ok(true)
    }

    fn unknown(&mut self, stage: &Stage) -> Flow {
        self.place = (stage.line, stage.column);
        let name = stage.text.split_whitespace().next().unwrap_or_default();
        let spec = if name.starts_with(|c: char| "$[@({'\"0123456789-".contains(c)) {
            ErrorSpec {
                message: holes::literal(&format!(
                    "The stand-in knows a table of commands, not PowerShell: `{}` is not in it.",
                    stage.text
                )),
                prefix: Some("NotSupportedException".to_owned()),
                id: "NotInTheStandIn".to_owned(),
                category: Some("NotImplemented".to_owned()),
                kind: "System.NotSupportedException".to_owned(),
                ..ErrorSpec::default()
            }
        } else {
            record::not_recognized(name)
        };
        self.ok = false;
        self.error(&spec)
    }

    fn error(&mut self, spec: &ErrorSpec) -> Flow {
        let error = ErrorRecord::new(spec, &self.values(), self.place);
        self.output.error(&error)?;
        if !spec.unreported {
            self.errors.push(error);
        }
        Ok(())
    }

    fn values(&self) -> Values {
        let mut values = self.session.values.clone();
        values.extend(self.captures.clone());
        values
    }

    fn fill(&self, text: &str) -> String {
        fill(text, &self.values())
    }

    /// A duration that a hole may have given; nothing is no time.
    fn time(&self, text: &str) -> Duration {
        holes::duration(&self.fill(text)).unwrap_or_default()
    }

    fn steps(&mut self, steps: &[Step]) -> Flow {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Flow {
        match step {
            Step::Console(text) => {
                let text = self.fill(text);
                self.output.console.print(&text)
            }
            Step::Text(text) => self.text(text),
            Step::Objects(values) => {
                let holes = self.values();
                values
                    .iter()
                    .try_for_each(|value| self.output.object(fill_value(value, &holes)))
            }
            Step::Rows(rows) => self.rows(rows),
            Step::Warning(text) => self.stream('w', text),
            Step::Verbose(text) => self.stream('v', text),
            Step::Debug(text) => self.stream('d', text),
            Step::Information(text) => self.stream('i', text),
            Step::Error(spec) => self.error(spec),
            Step::Throw(specs) => self.throw(specs),
            Step::Failed(failed) => {
                self.ok = !failed;
                Ok(())
            }
            Step::Native(native) => self.native(native),
            Step::Delay(time) => self.output.console.pause(self.time(time)),
            Step::Deaf(time) => {
                self.output.console.pause_deaf(self.time(time))?;
                self.output.console.poll()
            }
            Step::Forever => loop {
                self.output.console.pause(Duration::from_secs(86_400))?;
            },
            Step::Ask(ask) => self.ask(ask),
            Step::CursorQuery(query) => {
                if *query {
                    self.output.console.lose_cursor();
                }
                Ok(())
            }
            Step::Set(values) => {
                for (key, value) in values {
                    let value = self.fill(value);
                    self.session.values.insert(key.clone(), value);
                }
                Ok(())
            }
            Step::DeviceCode(challenge) => self.device_code(challenge),
            Step::Flood(flood) => self.flood(flood),
            Step::Crash(crash) => self.crash(crash),
            Step::EatFrame(eats) => {
                self.session.eaters += u32::from(*eats);
                Ok(())
            }
            Step::Prompt(text) => {
                self.session.prompt = Some(self.fill(text));
                Ok(())
            }
            Step::Try(both) => match self.steps(&both.steps) {
                exit @ Err(Halt::Exit(_)) => exit,
                flow => {
                    self.steps(&both.finally)?;
                    flow
                }
            },
            Step::Return => Err(Halt::Return),
            Step::Exit(code) => Err(Halt::Exit(Ending::Code(*code))),
            Step::Assign(variables) => {
                self.session.variables.extend(variables.clone());
                Ok(())
            }
            Step::Strict(strict) => {
                self.session.strict = *strict;
                Ok(())
            }
            Step::InText(steps) if self.is_text() => self.steps(steps),
            Step::InRecords(steps) if !self.is_text() => self.steps(steps),
            Step::InText(_) | Step::InRecords(_) => Ok(()),
        }
    }

    fn is_text(&self) -> bool {
        self.output.mode == super::output::Mode::Text
    }

    fn text(&mut self, text: &str) -> Flow {
        if !self.is_text() {
            return Ok(());
        }
        self.output.flush()?;
        let text = self.fill(text);
        self.output.console.print(&super::format::plain(&text))
    }

    fn stream(&mut self, tag: char, text: &str) -> Flow {
        let text = self.fill(text);
        self.output.stream(tag, &text)
    }

    fn rows(&mut self, rows: &Rows) -> Flow {
        let count: u32 = self.fill(&rows.count).trim().parse().unwrap_or(0);
        let every = self.time(&rows.every);
        let mut values = self.values();
        for i in 1..=count {
            values.insert("i".to_owned(), i.to_string());
            self.output.object(fill_value(&rows.object, &values))?;
            if !every.is_zero() {
                self.output.console.pause(every)?;
            } else if i % 64 == 0 {
                self.output.console.poll()?;
            }
        }
        Ok(())
    }

    fn throw(&mut self, specs: &[ErrorSpec]) -> Flow {
        let values = self.values();
        for (number, spec) in specs.iter().enumerate() {
            let error = ErrorRecord::new(spec, &values, self.place);
            if number == 0 {
                self.output.flush()?;
                self.output.thrown(&error)?;
            }
            self.errors.push(error);
        }
        Err(Halt::Thrown)
    }

    fn native(&mut self, native: &Native) -> Flow {
        let time = self.time(&native.runs_for);
        self.output.console.lose_cursor();
        let flow = if native.hears {
            self.output.console.pause(time)
        } else {
            self.output.console.pause_deaf(time)?;
            self.output.console.poll()
        };
        let exit = if native.hears && flow == Err(Halt::Interrupt) {
            130
        } else {
            native.exit_code
        };
        self.session.exit = Some(exit);
        self.ok = exit == 0;
        flow
    }

    fn device_code(&mut self, challenge: &DeviceCode) -> Flow {
        let name = self.fill(&challenge.outcome);
        let Some(outcome) = self.scenario.outcomes.get(&name) else {
            return Ok(());
        };
        if outcome.challenge {
            let prompt = self.fill(&challenge.prompt);
            self.output.console.print(&prompt)?;
            let after = self.time(&challenge.after);
            if challenge.hears {
                self.output.console.pause(after)?;
            } else {
                self.output.console.pause_deaf(after)?;
                self.output.console.poll()?;
            }
        }
        self.steps(&outcome.steps)
    }

    fn flood(&mut self, flood: &Flood) -> Flow {
        const PIECE: usize = 100;
        let megabytes: usize = self.fill(&flood.megabytes).trim().parse().unwrap_or(0);
        // 80 bytes a line with its end, as it is written.
        let lines = megabytes * 1024 * 1024 / 80;
        let mut piece = String::with_capacity(PIECE * 80);
        for line in 1..=lines {
            let end = if flood.line_ends { '\n' } else { '.' };
            piece.push_str(&line_of(line, end));
            if line % PIECE == 0 || line == lines {
                self.output.console.poll()?;
                self.output.console.print(&piece)?;
                piece.clear();
            }
        }
        Ok(())
    }

    fn crash(&self, crash: &Crash) -> Flow {
        let number = |text: &Option<String>| {
            text.as_ref()
                .map(|text| self.fill(text).trim().parse().unwrap_or(1))
        };
        let ending = match number(&crash.signal) {
            Some(signal) => Ending::Signal(signal),
            None => Ending::Code(u8::try_from(number(&crash.code).unwrap_or(1)).unwrap_or(1)),
        };
        Err(Halt::Exit(ending))
    }

    fn ask(&mut self, ask: &Ask) -> Flow {
        self.output.flush()?;
        let prompt = self.fill(&ask.prompt);
        let question = if prompt.is_empty() {
            String::new()
        } else {
            format!("{prompt}: ")
        };
        let answer = match ask.kind {
            AskKind::Text => {
                Value::String(ask::line(self.output.console, &question, Echo::Prefixes)?)
            }
            AskKind::Secret => {
                ask::line(self.output.console, &question, Echo::Stars)?;
                Value::String("System.Security.SecureString".to_owned())
            }
            AskKind::Parameter => {
                let command = self.fill(&ask.command);
                let question = format!(
                    "\ncmdlet {command} at command pipeline position 1\nSupply values for the following parameters:\n{question}"
                );
                Value::String(ask::line(self.output.console, &question, Echo::Prefixes)?)
            }
            AskKind::Credential => {
                let user = ask::credential(self.output.console)?;
                serde_json::json!({"UserName": user, "Password": "System.Security.SecureString"})
            }
            AskKind::Choice => {
                let choices: Vec<Choice> = ask
                    .choices
                    .iter()
                    .map(|label| Choice::new(&self.fill(label), ""))
                    .collect();
                let (title, message) = (self.fill(&ask.title), self.fill(&ask.message));
                let number =
                    ask::choice(self.output.console, &title, &message, &choices, ask.default)?;
                if let Some(steps) = ask.then.get(&number.to_string()) {
                    self.steps(steps)?;
                }
                number.into()
            }
            AskKind::Confirm => return self.confirm(ask),
        };
        if let Some(name) = &ask.into {
            let text = answer
                .as_str()
                .map_or_else(|| answer.to_string(), str::to_owned);
            self.captures.insert(name.clone(), text);
        }
        if ask.emit {
            self.output.object(answer)?;
        }
        Ok(())
    }

    fn confirm(&mut self, ask: &Ask) -> Flow {
        let message = format!(
            "Are you sure you want to perform this action?\nPerforming the operation \"{}\" on target \"{}\".",
            self.fill(&ask.operation),
            self.fill(&ask.target)
        );
        let choices = ask::confirmation();
        loop {
            let then = match ask::choice(
                self.output.console,
                "Confirm",
                &message,
                &choices,
                ask.default,
            )? {
                0 | 1 => "yes",
                2 | 3 => "no",
                // Suspend: the nested prompt is left at once, by an `exit`, and the question comes again.
                _ => {
                    self.output.console.print(" ")?;
                    self.session.exit = Some(0);
                    continue;
                }
            };
            return ask.then.get(then).map_or(Ok(()), |steps| self.steps(steps));
        }
    }
}

/// A line of a flood: 80 bytes with its end.
fn line_of(number: usize, end: char) -> String {
    format!("{number:09} {:.<69}{end}", "")
}
