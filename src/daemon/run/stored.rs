//! How a run that is over lies in the store, and how it is shown from there.

use jiff::Timestamp;

use super::Run;
use super::end::command_error;
use crate::daemon::view::{Mode, NotRunCause, Outcome, RunEnd, RunState, RunView};
use crate::script::EndState;
use crate::store::{INLINE_OUTPUT_LIMIT, KeptOutput};

pub(super) fn stored_end(run: &Run, end: &RunEnd, now: Timestamp) -> crate::store::RunEnd {
    let extent = run.output.extent();
    let (output, skipped) = if extent.length == 0 {
        (KeptOutput::None, 0)
    } else if let Some(file) = run.output.persist() {
        (KeptOutput::File(file), extent.skipped)
    } else {
        // Where the file failed, this is the head alone: the tail that memory still has goes with the run.
        let head = run
            .output
            .read(0, INLINE_OUTPUT_LIMIT)
            .map(|page| page.bytes)
            .unwrap_or_default();
        let skipped = extent.length - head.len() as u64;
        (KeptOutput::Inline(head), skipped)
    };
    let told: Vec<&str> = end
        .reason
        .iter()
        .chain(&end.troubles)
        .map(String::as_str)
        .collect();
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
        cause: end.cause.map(|cause| cause_name(cause).to_owned()),
        errors: (!errors.is_empty()).then(|| serde_json::Value::from(errors).to_string()),
        reason: (!told.is_empty()).then(|| told.join("; ")),
        ended: now,
        output_length: extent.length,
        output_skipped: skipped,
        output,
    }
}

const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Succeeded, "succeeded"),
    (Outcome::Failed, "failed"),
    (Outcome::Stopped, "stopped"),
    (Outcome::TimedOut, "timed_out"),
    (Outcome::Lost, "lost"),
    (Outcome::NotRun, "not_run"),
    (Outcome::Refused, "refused"),
];

const CAUSES: [NotRunCause; 2] = [NotRunCause::SignIn, NotRunCause::Busy];

fn cause_name(cause: NotRunCause) -> &'static str {
    match cause {
        NotRunCause::SignIn => "sign_in",
        NotRunCause::Busy => "busy",
    }
}

fn cause_of(name: &str) -> Option<NotRunCause> {
    CAUSES.into_iter().find(|cause| cause_name(*cause) == name)
}

fn outcome_name(outcome: Outcome) -> &'static str {
    OUTCOMES
        .iter()
        .find(|(known, _)| *known == outcome)
        .map_or("lost", |(_, name)| name)
}

/// A run of the past, from the store.
pub(in crate::daemon) fn past_view(row: crate::store::RunRow) -> RunView {
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
        approval: None,
        end: Some(RunEnd {
            outcome,
            state,
            exit: row.exit,
            errors,
            cause: row.cause.as_deref().and_then(cause_of),
            reason: row.reason,
            troubles: Vec::new(),
            question: None,
        }),
        account: row.account,
        tenant: row.tenant,
        output_length: row.output_length,
        output_skipped: row.output_skipped,
    }
}
