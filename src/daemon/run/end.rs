//! What became of a run, from how its session says it ended.

use super::scribe::question_view;
use crate::daemon::view::{CommandError, NotRunCause, Outcome, RunEnd};
use crate::expect::{Finish, ReportedError};
use crate::redact::mask;
use crate::script::{EndState, QuestionKind};
use crate::session::{RunResult, SessionError, StopWhy};

/// What became of a run, from how its session says it ended.
pub(super) fn end(result: RunResult) -> RunEnd {
    let plain = |outcome, reason: Option<String>| RunEnd {
        outcome,
        state: None,
        exit: None,
        errors: Vec::new(),
        cause: None,
        reason,
        troubles: Vec::new(),
        question: None,
    };
    let not_run = |cause, reason: String| RunEnd {
        cause,
        ..plain(Outcome::NotRun, Some(reason))
    };
    match result {
        RunResult::Dropped(why) => plain(
            Outcome::Stopped,
            Some(format!("{}, before it was sent", why_text(&why))),
        ),
        RunResult::SignInFailed(failure) => not_run(
            Some(NotRunCause::SignIn),
            format!(
                "the sign-in failed: {} ({})",
                failure.message, failure.failure.name
            ),
        ),
        RunResult::NotAllowed(reason) => plain(Outcome::Refused, Some(reason)),
        RunResult::NotAccepted(error) => {
            let cause = match error {
                SessionError::Busy { .. } | SessionError::Stuck => Some(NotRunCause::Busy),
                SessionError::InUse { .. }
                | SessionError::NothingAsked
                | SessionError::NotOffered(_)
                | SessionError::Ended => None,
            };
            not_run(cause, error.to_string())
        }
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
            let question = match &stopped {
                Some(StopWhy::Question(question)) => Some(question_view(question)),
                _ => None,
            };
            RunEnd {
                question,
                ..finished(finish, errors, stopped)
            }
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
    let cause = (finish == Finish::NotFree).then_some(NotRunCause::Busy);
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
            // The outcome says by itself that it was stopped, or ran out of time.
            let why = stopped
                .as_ref()
                .filter(|why| !matches!(why, StopWhy::Asked | StopWhy::Deadline))
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
        cause,
        reason,
        troubles: Vec::new(),
        question: None,
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
        StopWhy::Shutdown => "it was stopped because the daemon stops".to_owned(),
        StopWhy::Deadline => "its deadline passed".to_owned(),
        StopWhy::Question(question) => format!(
            "it was stopped because it asked `{}` and nobody was to answer; {}",
            question.text,
            without_asking(question.kind)
        ),
    }
}

pub(super) fn command_error(error: ReportedError) -> CommandError {
    CommandError {
        // Programs repeat the line that they did not like.
        message: mask(&error.message).into(),
        id: error.id,
        category: error.category,
        line: error.line,
        column: error.column,
    }
}

/// How a command of this kind goes without asking.
fn without_asking(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Confirm => {
            "to have it done without asking add `-Confirm:$false`, or run it so that it may ask"
        }
        QuestionKind::Choice => {
            "many commands take `-Force` instead of asking; or run it so that it may ask"
        }
        QuestionKind::Parameter => "give it that parameter, or run it so that it may ask",
        QuestionKind::Text | QuestionKind::Secret => {
            "give it the value with the command, or run it so that it may ask"
        }
    }
}
