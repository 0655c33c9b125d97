//! [`Run`]: one command from the moment it was accepted. It outlives whoever asked; its output is read by offset.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::sync::watch;

use super::view::{
    CommandError, Mode, OnDisconnect, Outcome, OutputPage, QuestionView, RunEnd, RunState, RunView,
};
use crate::expect::{Finish, Question, Record, ReportedError};
use crate::name::{RunId, SessionKey};
use crate::output::Kept;
use crate::script::{EndState, Stream};
use crate::session::{RunEvent, RunListener, RunResult, StopWhy};
use crate::store::{INLINE_OUTPUT_LIMIT, KeptOutput, Store};

/// What changes about a run.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    state: RunState,
    ahead: usize,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    question: Option<QuestionView>,
    end: Option<RunEnd>,
    account: Option<String>,
    tenant: Option<String>,
}

/// One run that this daemon accepted.
pub(super) struct Run {
    pub(super) id: RunId,
    /// Its number in its session.
    pub(super) tag: u64,
    pub(super) session: SessionKey,
    /// Whether it ends with whoever asked for it. Once it outlives them, it does so for good.
    stops_with_caller: AtomicBool,
    pub(super) output: Kept,
    command: String,
    mode: Mode,
    client: String,
    submitted_at: Timestamp,
    progress: watch::Sender<Progress>,
}

impl Run {
    pub(super) fn new(
        id: RunId,
        tag: u64,
        session: SessionKey,
        order: &super::RunOrder,
        output: Kept,
    ) -> Self {
        let progress = Progress {
            state: RunState::Queued,
            ahead: 0,
            started_at: None,
            ended_at: None,
            question: None,
            end: None,
            account: None,
            tenant: None,
        };
        Self {
            id,
            tag,
            session,
            stops_with_caller: AtomicBool::new(order.on_disconnect == OnDisconnect::Stop),
            output,
            command: order.command.clone(),
            mode: order.mode,
            client: order.client.clone(),
            submitted_at: Timestamp::now(),
            progress: watch::Sender::new(progress),
        }
    }

    pub(super) fn view(&self) -> RunView {
        let progress = self.progress.borrow().clone();
        let extent = self.output.extent();
        RunView {
            id: self.id.clone(),
            session: self.session.clone(),
            command: self.command.clone(),
            mode: self.mode,
            client: self.client.clone(),
            state: progress.state,
            ahead: progress.ahead,
            submitted_at: self.submitted_at,
            started_at: progress.started_at,
            ended_at: progress.ended_at,
            question: progress.question,
            end: progress.end,
            account: progress.account,
            tenant: progress.tenant,
            output_length: extent.length,
            output_skipped: extent.skipped,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn is_over(&self) -> bool {
        self.progress.borrow().state == RunState::Ended
    }

    /// Whether it ends when whoever asked for it goes.
    pub(super) fn stops_with_caller(&self) -> bool {
        self.stops_with_caller.load(Ordering::Relaxed)
    }

    /// From now on it outlives whoever asked for it.
    pub(super) fn outlive_caller(&self) {
        self.stops_with_caller.store(false, Ordering::Relaxed);
    }

    pub(super) fn submitted_at(&self) -> Timestamp {
        self.submitted_at
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}

/// Writes down what a session tells of a run.
pub(super) struct Scribe {
    run: Arc<Run>,
    store: Store,
    /// Text is kept as console lines, because records were asked for and the shell has none. Holds the line so far.
    console: Option<Vec<u8>>,
}

impl Scribe {
    /// With `text_as_records` the run's text is kept as console records.
    pub(super) fn new(run: Arc<Run>, store: Store, text_as_records: bool) -> Self {
        Self {
            run,
            store,
            console: text_as_records.then(Vec::new),
        }
    }

    fn text(&mut self, text: &[u8]) {
        let Some(line) = &mut self.console else {
            self.run.output.append(text);
            return;
        };
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                line.pop();
                self.run.output.append(&console_line(line));
                line.clear();
            }
        }
    }
}

fn console_line(line: &[u8]) -> Vec<u8> {
    let value = serde_json::Value::from(String::from_utf8_lossy(line));
    format!("{{\"stream\":\"console\",\"value\":{value}}}\n").into_bytes()
}

impl RunListener for Scribe {
    fn event(&mut self, event: RunEvent<'_>) {
        if let RunEvent::Output(text) = event {
            self.text(text);
            return;
        }
        let run = &self.run;
        match event {
            RunEvent::Output(_) | RunEvent::Challenged(_) => {}
            RunEvent::Record(record) => run.output.append(&json_lines(record)),
            RunEvent::Queued(ahead) => run.change(|progress| {
                (progress.state, progress.ahead) = (RunState::Queued, ahead);
            }),
            RunEvent::Waiting => run.change(|progress| progress.state = RunState::WaitingForSignIn),
            RunEvent::Sent { account, tenant } => {
                let now = Timestamp::now();
                let text = |text: Option<&str>| text.map(str::to_owned);
                run.change(|progress| {
                    progress.state = RunState::Running;
                    progress.ahead = 0;
                    progress.started_at = Some(now);
                    progress.account = text(account);
                    progress.tenant = text(tenant);
                });
                self.store.start_run(
                    run.id.clone(),
                    "running".to_owned(),
                    now,
                    text(account),
                    text(tenant),
                );
            }
            RunEvent::Asks(question) => run.change(|progress| {
                progress.question = question.map(question_view);
                progress.state = if question.is_some() {
                    RunState::Asking
                } else {
                    RunState::Running
                };
            }),
            RunEvent::Stopping => run.change(|progress| {
                progress.question = None;
                progress.state = RunState::Stopping;
            }),
        }
    }

    fn ended(self: Box<Self>, result: RunResult) {
        let end = end(result);
        let now = Timestamp::now();
        if let Some(line) = self.console.as_ref().filter(|line| !line.is_empty()) {
            self.run.output.append(&console_line(line));
        }
        self.run.output.finish();
        let stored = stored_end(&self.run, &end, now);
        self.run.change(|progress| {
            progress.state = RunState::Ended;
            progress.ahead = 0;
            progress.question = None;
            progress.ended_at = Some(now);
            progress.end = Some(end);
        });
        self.store.end_run(self.run.id.clone(), stored);
    }
}

fn question_view(question: &Question) -> QuestionView {
    QuestionView {
        kind: question.kind,
        text: question.text.clone(),
        default: question.default.clone(),
        choices: question.choices.clone(),
    }
}

/// A record as the lines that are kept of it: one JSON object a line, objects one by one, values as they came.
fn json_lines(record: &Record) -> Vec<u8> {
    let stream = stream_name(record.stream);
    let mut lines = String::new();
    let mut line = |value: &str| {
        for part in [r#"{"stream":""#, stream, r#"","value":"#, value, "}\n"] {
            lines.push_str(part);
        }
    };
    match serde_json::from_str::<Vec<&serde_json::value::RawValue>>(record.value.get()) {
        Ok(values) if record.stream == Stream::Output => {
            for value in values {
                line(value.get());
            }
        }
        _ => line(record.value.get()),
    }
    lines.into_bytes()
}

/// The stream's name, in kept output and in the API.
fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Output => "output",
        Stream::Error => "error",
        Stream::Warning => "warning",
        Stream::Verbose => "verbose",
        Stream::Debug => "debug",
        Stream::Information => "information",
        Stream::Console => "console",
    }
}

fn command_error(error: ReportedError) -> CommandError {
    CommandError {
        message: error.message,
        id: error.id,
        category: error.category,
        line: error.line,
        column: error.column,
    }
}

/// What became of a run, from how its session says it ended.
fn end(result: RunResult) -> RunEnd {
    let plain = |outcome, reason: Option<String>| RunEnd {
        outcome,
        state: None,
        exit: None,
        errors: Vec::new(),
        reason,
    };
    match result {
        RunResult::Dropped(why) => plain(
            Outcome::Stopped,
            Some(format!("{}, before it was sent", why_text(&why))),
        ),
        RunResult::SignInFailed(failure) => plain(
            Outcome::NotRun,
            Some(format!(
                "the sign-in failed: {} ({})",
                failure.message, failure.failure.name
            )),
        ),
        RunResult::NotAccepted(reason) => plain(Outcome::NotRun, Some(reason)),
        RunResult::SessionEnded(reason) => plain(
            Outcome::Lost,
            Some(format!("the session ended before it was sent: {reason}")),
        ),
        RunResult::Finished {
            finish,
            errors,
            stopped,
        } => {
            let errors: Vec<CommandError> = errors.into_iter().map(command_error).collect();
            finished(finish, errors, stopped)
        }
    }
}

fn finished(finish: Finish, errors: Vec<CommandError>, stopped: Option<StopWhy>) -> RunEnd {
    let deadline = matches!(stopped, Some(StopWhy::Deadline));
    let stop = if deadline {
        Outcome::TimedOut
    } else {
        Outcome::Stopped
    };
    let (outcome, state, exit, reason) = match finish {
        Finish::Ended {
            state,
            exit,
            began,
            marked: _,
        } => {
            match &stopped {
                // It ended well before the interrupt reached it, or took no notice.
                Some(_) if state == EndState::Ok => {
                    let reason = "it was told to stop, and ended well all the same";
                    (
                        Outcome::Succeeded,
                        Some(state),
                        exit,
                        Some(reason.to_owned()),
                    )
                }
                Some(StopWhy::Asked | StopWhy::Deadline) => (stop, Some(state), exit, None),
                Some(why) => (stop, Some(state), exit, Some(why_text(why))),
                None => ended(state, exit, began, &errors),
            }
        }
        Finish::GaveUp => {
            let why = stopped
                .as_ref()
                .map_or_else(String::new, |why| format!("{}; ", why_text(why)));
            (
                stop,
                None,
                None,
                Some(format!(
                    "{why}it does not listen, and the session waits until it returns"
                )),
            )
        }
        Finish::Unanswered => {
            let outcome = stopped.as_ref().map_or(Outcome::Lost, |_| stop);
            let reason = "nothing answered; whether it ran is not known, so it was not sent again";
            (outcome, None, None, Some(reason.to_owned()))
        }
        Finish::Lost(reason) => (Outcome::Lost, None, None, Some(reason.to_string())),
        Finish::NotFree => (
            Outcome::NotRun,
            None,
            None,
            Some("the session was busy".to_owned()),
        ),
    };
    RunEnd {
        outcome,
        state,
        exit,
        errors,
        reason,
    }
}

fn ended(
    state: EndState,
    exit: Option<i32>,
    began: bool,
    errors: &[CommandError],
) -> (Outcome, Option<EndState>, Option<i32>, Option<String>) {
    let (outcome, reason) = match state {
        EndState::Ok => (Outcome::Succeeded, None),
        EndState::Aborted if !began => (Outcome::NotRun, Some("it was cancelled before it began")),
        // Nobody stopped it and nothing went wrong in it: a cancel of the command before may have come late.
        EndState::Aborted if errors.is_empty() => (
            Outcome::Failed,
            Some("it was cut short, perhaps by a late cancel; it is not run again by itself"),
        ),
        EndState::Failed | EndState::Parse | EndState::Aborted => (Outcome::Failed, None),
        EndState::Garbled | EndState::Unstarted => (
            Outcome::NotRun,
            Some("it was sent three times and never began"),
        ),
    };
    (outcome, Some(state), exit, reason.map(str::to_owned))
}

fn why_text(why: &StopWhy) -> String {
    match why {
        StopWhy::Asked => "it was stopped".to_owned(),
        StopWhy::CallerLeft => "it was stopped because nobody waited for it any longer".to_owned(),
        StopWhy::Deadline => "its deadline passed".to_owned(),
        StopWhy::Question(text) => {
            format!("it was stopped because it asked `{text}` and nobody was to answer")
        }
    }
}

fn stored_end(run: &Run, end: &RunEnd, now: Timestamp) -> crate::store::RunEnd {
    let extent = run.output.extent();
    let output = if extent.length == 0 {
        KeptOutput::None
    } else if let Some(file) = run.output.persist() {
        KeptOutput::File(file)
    } else {
        KeptOutput::Inline(
            run.output
                .read(0, INLINE_OUTPUT_LIMIT)
                .map(|page| page.bytes)
                .unwrap_or_default(),
        )
    };
    let errors: Vec<serde_json::Value> = end
        .errors
        .iter()
        .map(|error| {
            serde_json::json!({ "message": error.message, "id": error.id, "category": error.category,
                "line": error.line, "column": error.column })
        })
        .collect();
    crate::store::RunEnd {
        state: outcome_name(end.outcome).to_owned(),
        end_state: end.state.map(|state| state.name().to_owned()),
        exit: end.exit,
        errors: (!errors.is_empty()).then(|| serde_json::Value::from(errors).to_string()),
        reason: end.reason.clone(),
        ended: now,
        output_length: extent.length,
        output_skipped: extent.skipped,
        output,
    }
}

const OUTCOMES: [(Outcome, &str); 6] = [
    (Outcome::Succeeded, "succeeded"),
    (Outcome::Failed, "failed"),
    (Outcome::Stopped, "stopped"),
    (Outcome::TimedOut, "timed_out"),
    (Outcome::Lost, "lost"),
    (Outcome::NotRun, "not_run"),
];

fn outcome_name(outcome: Outcome) -> &'static str {
    OUTCOMES
        .iter()
        .find(|(known, _)| *known == outcome)
        .map_or("lost", |(_, name)| name)
}

/// A run of the past, from the store.
pub(super) fn past_view(row: crate::store::RunRow) -> RunView {
    let errors = row
        .errors
        .as_deref()
        .and_then(|json| serde_json::from_str::<Vec<serde_json::Value>>(json).ok());
    let errors = errors
        .unwrap_or_default()
        .iter()
        .map(crate::expect::reported_error)
        .map(command_error)
        .collect();
    let outcome = OUTCOMES
        .iter()
        .find(|(_, name)| *name == row.state)
        .map_or(Outcome::Lost, |(outcome, _)| *outcome);
    let state = row.end_state.as_deref().and_then(EndState::from_name);
    RunView {
        id: row.id,
        session: row.session,
        command: row.command,
        mode: if row.mode == "records" {
            Mode::Records
        } else {
            Mode::Text
        },
        client: row.who,
        state: RunState::Ended,
        ahead: 0,
        submitted_at: row.submitted,
        started_at: row.started,
        ended_at: row.ended,
        question: None,
        end: Some(RunEnd {
            outcome,
            state,
            exit: row.exit,
            errors,
            reason: row.reason,
        }),
        account: row.account,
        tenant: row.tenant,
        output_length: row.output_length,
        output_skipped: row.output_skipped,
    }
}

/// A page of a live run's output.
pub(super) fn page(run: &Run, from: u64, max: usize) -> std::io::Result<OutputPage> {
    // Whether it is over is read first: what comes between would make a last page that is not the last.
    let over = run.is_over();
    let page = run.output.read(from, max)?;
    let last = over && page.next >= page.end;
    Ok(OutputPage {
        from: page.from,
        bytes: page.bytes,
        next: page.next,
        last,
    })
}
