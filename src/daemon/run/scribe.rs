//! [`Scribe`]: writes down what a session tells of a run.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Run;
use super::end::end;
use super::lines::Lines;
use super::stored::stored_end;
use crate::audit::{Audit, Entry, Kind};
use crate::daemon::view::{QuestionView, RunState};
use crate::expect::{Question, Record};
use crate::script::Stream;
use crate::session::{RunEvent, RunListener, RunResult};
use crate::store::{RunEnd, Store};

/// Writes down what a session tells of a run.
pub(in crate::daemon) struct Scribe {
    run: Arc<Run>,
    store: Store,
    audit: Audit,
    /// Whether its session signs in before it is ready.
    signs_in: bool,
    /// Makes records of text, because they were asked for and the shell has none.
    lines: Option<Lines>,
}

impl Scribe {
    /// With `text_as_records` the run's text is kept as records: its JSON as objects, the rest as console lines. `signs_in`
    /// says whether its session has to.
    pub(in crate::daemon) fn new(
        run: Arc<Run>,
        store: Store,
        audit: Audit,
        text_as_records: bool,
        signs_in: bool,
    ) -> Self {
        Self {
            run,
            store,
            audit,
            signs_in,
            lines: text_as_records.then(Lines::default),
        }
    }

    fn text(&mut self, text: &[u8]) {
        let Some(lines) = &mut self.lines else {
            self.run.output.append(text);
            return;
        };
        let mut kept = Vec::new();
        lines.push(text, &mut kept);
        if !kept.is_empty() {
            self.run.output.append(&kept);
        }
    }
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
            RunEvent::Waiting if self.signs_in => {
                run.change(|progress| progress.state = RunState::WaitingForSignIn);
            }
            // Its program is starting: nothing but that goes first.
            RunEvent::Waiting => run.change(|progress| {
                (progress.state, progress.ahead) = (RunState::Queued, 0);
            }),
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
            RunEvent::Asks(question) => {
                if let Some(question) = question {
                    self.audit
                        .note(run.audited(Kind::Question).text(&question.text));
                }
                run.change(|progress| {
                    progress.question = question.map(question_view);
                    progress.state = if question.is_some() {
                        RunState::Asking
                    } else {
                        RunState::Running
                    };
                });
            }
            RunEvent::RecordingFailed(error) => {
                let why = std::error::Error::source(error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                run.change(|progress| {
                    progress.recording = Some(format!("{error}{why}; it ends before the run does"));
                });
            }
            RunEvent::Stopping => run.change(|progress| {
                progress.question = None;
                progress.state = RunState::Stopping;
            }),
        }
    }

    fn ended(mut self: Box<Self>, result: RunResult) {
        let now = Timestamp::now();
        if let Some(lines) = &mut self.lines {
            let mut kept = Vec::new();
            lines.finish(&mut kept);
            self.run.output.append(&kept);
        }
        self.run.output.finish();
        let mut end = end(result);
        end.troubles = self.run.troubles();
        let stored = stored_end(&self.run, &end, now);
        self.audit.note(ended_entry(&self.run, &stored, now));
        self.run.change(|progress| {
            progress.state = RunState::Ended;
            progress.ahead = 0;
            progress.question = None;
            progress.approval = None;
            progress.ended_at = Some(now);
            progress.end = Some(end);
        });
        self.store.end_run(self.run.id.clone(), stored);
    }
}

/// What the audit says of a run that ended. Its errors are its output, and stay with it.
fn ended_entry(run: &Run, end: &RunEnd, now: Timestamp) -> Entry {
    let started = run.progress.borrow().started_at;
    let took = started.and_then(|started| Duration::try_from(now.duration_since(started)).ok());
    let entry = run.audited(Kind::RunEnded).outcome(&end.state).took(took);
    match &end.reason {
        Some(reason) => entry.because(reason),
        None => entry,
    }
}

pub(super) fn question_view(question: &Question) -> QuestionView {
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
