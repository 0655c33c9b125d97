//! The service's verbs for runs that were accepted: following, listing, stopping and answering them, and reading their output.

use std::io;
use std::sync::Arc;

use super::{Service, state};
use crate::audit::{self, Kind, Who};
use crate::daemon::ServiceError;
use crate::daemon::registry::Entry;
use crate::daemon::run::{Run, past_view};
use crate::daemon::view::{Answer, OutputPage, RunView};
use crate::daemon::watch::RunWatch;
use crate::expect::AnswerLine;
use crate::name::RunId;
use crate::output::read_file;
use crate::policy;
use crate::script::QuestionKind;
use crate::session::{SessionError, StopWhy};
use crate::store::{KeptOutput, RunFilter};

impl Service {
    fn live_run(&self, id: &RunId) -> Option<(Arc<Run>, Option<Entry>)> {
        let run = self.0.runs.get(id)?;
        let entry = self.0.sessions.get(&run.session);
        Some((run, entry))
    }

    async fn past_run(&self, id: &RunId) -> Result<RunView, ServiceError> {
        let row = self.0.store.run(id.clone()).await.map_err(state)?;
        row.map(past_view)
            .ok_or_else(|| ServiceError::UnknownRun { id: id.to_string() })
    }

    /// Follows a run that was accepted before.
    pub(crate) async fn watch_run(&self, id: &RunId) -> Result<RunWatch, ServiceError> {
        match self.live_run(id) {
            Some((run, entry)) => Ok(RunWatch::live(self.clone(), run, entry)),
            None => Ok(RunWatch::past(self.clone(), self.past_run(id).await?)),
        }
    }

    /// The newest runs first, of one connection or module where given (as typed).
    pub(crate) async fn runs(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RunView>, ServiceError> {
        let (connection, module) = self.filter(connection, module)?;
        let filter = RunFilter {
            connection,
            module,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        let rows = self.0.store.recent_runs(filter).await.map_err(state)?;
        let live = self.0.runs.all();
        let view = |row: crate::store::RunRow| {
            live.iter()
                .find(|run| run.id == row.id)
                .map_or_else(|| past_view(row), |run| run.view())
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Output of a run, also of one that ended before the daemon started.
    pub(crate) async fn output(
        &self,
        id: &RunId,
        from: u64,
        max: usize,
    ) -> Result<OutputPage, ServiceError> {
        let unreadable =
            |error: io::Error| state(format!("the output of run {id} cannot be read: {error}"));
        if let Some((run, _)) = self.live_run(id) {
            return crate::daemon::run::page(&run, from, max).map_err(unreadable);
        }
        let view = self.past_run(id).await?;
        let (length, skipped) = (view.output_length, view.output_skipped);
        let page = match self.0.store.output(id.clone()).await.map_err(state)? {
            Some(KeptOutput::File(name)) => {
                read_file(&self.outputs().join(name), length, skipped, from, max)
                    .map_err(unreadable)?
            }
            Some(KeptOutput::Inline(bytes)) => {
                let start = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(max).min(bytes.len());
                let next = if end == bytes.len() {
                    length.max(end as u64)
                } else {
                    end as u64
                };
                return Ok(OutputPage {
                    from: start as u64,
                    bytes: bytes[start..end].to_vec(),
                    next,
                    last: end == bytes.len(),
                });
            }
            Some(KeptOutput::None) | None => {
                return Ok(OutputPage {
                    from: length,
                    bytes: Vec::new(),
                    next: length,
                    last: true,
                });
            }
        };
        let last = page.next >= page.end;
        Ok(OutputPage {
            from: page.from,
            bytes: page.bytes,
            next: page.next,
            last,
        })
    }

    /// Tells a run to stop; returns at once. A run that is over is returned as it is.
    pub(crate) async fn stop(&self, id: &RunId, who: &Who) -> Result<RunView, ServiceError> {
        let Some((run, entry)) = self.live_run(id) else {
            return self.past_run(id).await;
        };
        let row = run.audited(Kind::Interrupt).by(who.clone());
        self.stop_live(&run, entry.as_ref(), StopWhy::Asked, row);
        Ok(run.view())
    }

    /// Stops what has not ended, wherever it is, and writes `row` down.
    pub(super) fn stop_live(
        &self,
        run: &Run,
        entry: Option<&Entry>,
        why: StopWhy,
        row: audit::Entry,
    ) {
        if run.is_over() {
            return;
        }
        self.0.audit.note(row);
        if self.0.approvals.stop(&run.id, &why) {
            return;
        }
        if let Some(entry) = entry {
            entry.session.stop(run.tag, why);
        }
    }

    /// Answers a run's question.
    pub(crate) async fn answer(
        &self,
        id: &RunId,
        answer: Answer,
        who: &Who,
        kind: policy::Who,
    ) -> Result<RunView, ServiceError> {
        check_answer(answer.text.expose())?;
        let Some((run, Some(entry))) = self.live_run(id) else {
            self.past_run(id).await?;
            return Err(ServiceError::NothingAsked { id: id.clone() });
        };
        if kind == policy::Who::Program && run.is_a_persons() {
            return Err(ServiceError::Refused {
                message: format!(
                    "run {id} was asked for, or approved, by a person, and only a person answers it"
                ),
                help: Some(format!("in a terminal: mm answer {id}")),
            });
        }
        let asked = run.view().question;
        let secret = answer.secret || asked.is_some_and(|asked| asked.kind == QuestionKind::Secret);
        let row = run.audited(Kind::Answer).by(who.clone());
        let row = if secret {
            row
        } else {
            row.text(answer.text.expose())
        };
        let line = AnswerLine {
            text: answer.text,
            secret: answer.secret,
        };
        entry
            .session
            .answer(run.tag, line)
            .await
            .map_err(|error| not_answered(id, &error))?;
        self.0.audit.note(row);
        Ok(run.view())
    }

    /// A run's id is in other hands now: it no longer ends with whoever asked for it. A run that is over is returned as
    /// it is.
    pub(crate) async fn keep_run(&self, id: &RunId) -> Result<RunView, ServiceError> {
        match self.live_run(id) {
            Some((run, _)) => {
                run.outlive_caller();
                Ok(run.view())
            }
            None => self.past_run(id).await,
        }
    }

    /// Whoever asked for this run has gone; what that means was said when it was ordered.
    pub(crate) fn caller_left(&self, id: &RunId) {
        if let Some((run, entry)) = self.live_run(id)
            && run.stops_with_caller()
        {
            let row = run.audited(Kind::Interrupt);
            let row = row.because("nobody waited for it any longer");
            self.stop_live(&run, entry.as_ref(), StopWhy::CallerLeft, row);
        }
    }
}

/// Why an answer was not sent. It may be a secret, so it is not repeated.
fn not_answered(id: &RunId, error: &SessionError) -> ServiceError {
    match error {
        SessionError::NotOffered(choices) => {
            let offered: Vec<String> = choices
                .iter()
                .map(|(letter, word)| format!("{letter} ({word})"))
                .collect();
            ServiceError::BadAnswer {
                message: "the answer is none of the choices, and the question stands".to_owned(),
                help: Some(format!("the choices: {}", offered.join(", "))),
            }
        }
        SessionError::NothingAsked
        | SessionError::Ended
        | SessionError::Busy { .. }
        | SessionError::InUse { .. }
        | SessionError::Stuck => ServiceError::NothingAsked { id: id.clone() },
    }
}

/// An answer is one line of at most 4 KB: a wrong guess must not become a frame.
fn check_answer(text: &str) -> Result<(), ServiceError> {
    let bad = |message: &str| {
        Err(ServiceError::BadAnswer {
            message: message.to_owned(),
            help: None,
        })
    };
    if text.len() > 4096 {
        return bad("an answer has at most 4,096 bytes");
    }
    if text.chars().any(char::is_control) {
        return bad("an answer is one line without control characters");
    }
    Ok(())
}
