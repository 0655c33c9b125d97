//! Exit codes: a closed, documented list, and the matches that lead to it. None has a wildcard: a new error code or outcome
//! has to be thought about.

use std::process::ExitCode;

use crate::api::{ErrorCode, NotRunCause, Outcome, RunEnd};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The command failed, was stopped, was not run, or wrote errors under `--strict`.
    Failed = 1,
    /// What was typed is not a request: an argument, a command, an id.
    Usage = 2,
    /// The session is not signed in, or the sign-in failed.
    SignInNeeded = 3,
    /// It is not allowed, or not now.
    Refused = 4,
    /// The deadline passed.
    TimedOut = 5,
    /// The session is busy or stopping.
    Busy = 6,
    /// The session was lost under the command.
    SessionLost = 7,
    /// There is no daemon, or it cannot work.
    NoDaemon = 8,
    /// The module's file or the connection is bad or unknown.
    BadSpec = 9,
}

/// The list, as `mm --help` shows it.
pub(crate) const LIST: &str = "Exit codes:
  0  done
  1  the command failed, was stopped or was not run, or what it said could not be kept
  2  usage: an argument, a command or an id is wrong
  3  sign-in needed, or it failed
  4  refused
  5  timed out
  6  busy
  7  session lost
  8  no daemon, or it cannot work
  9  bad or unknown module or connection";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // Each variant has its number.
        Self::from(exit as u8)
    }
}

impl Exit {
    /// For an error that the daemon answered with.
    pub(crate) fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::BadRequest
            | ErrorCode::TooLarge
            | ErrorCode::BadCommand
            | ErrorCode::UnknownRun
            | ErrorCode::UnknownRow
            | ErrorCode::UnknownSession
            | ErrorCode::NoWhatIf
            | ErrorCode::BadAnswer => Self::Usage,
            ErrorCode::UnknownName | ErrorCode::BadConnection | ErrorCode::BadModule => {
                Self::BadSpec
            }
            ErrorCode::SignInNeeded | ErrorCode::SignInFailed => Self::SignInNeeded,
            ErrorCode::SessionLost => Self::SessionLost,
            ErrorCode::Busy | ErrorCode::InUse | ErrorCode::Stopping => Self::Busy,
            ErrorCode::NothingAsked
            | ErrorCode::Refused
            | ErrorCode::Unrecorded
            | ErrorCode::NotReading
            | ErrorCode::TicketNeeded
            | ErrorCode::NeedsPerson
            | ErrorCode::NoApproval
            | ErrorCode::ApprovalChanged
            | ErrorCode::WouldLoseSignIns => Self::Refused,
            ErrorCode::NoSuchRoute | ErrorCode::ShuttingDown | ErrorCode::State => Self::NoDaemon,
        }
    }

    /// For a run that has ended so. Errors without failure count only when `strict`.
    pub(crate) fn of_end(end: &RunEnd, strict: bool) -> Self {
        match end.outcome {
            Outcome::Succeeded if strict && !end.errors.is_empty() => Self::Failed,
            // The command did its part, but what was asked for beside it is not there.
            Outcome::Succeeded if !end.troubles.is_empty() => Self::Failed,
            Outcome::Succeeded => Self::Done,
            Outcome::Failed | Outcome::Stopped => Self::Failed,
            Outcome::Refused => Self::Refused,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Lost => Self::SessionLost,
            Outcome::NotRun => match end.cause {
                Some(NotRunCause::SignIn) => Self::SignInNeeded,
                Some(NotRunCause::Busy) => Self::Busy,
                Some(NotRunCause::Other) | None => Self::Failed,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::CommandError;

    #[test]
    fn every_error_code_has_an_exit_code() {
        let table: Vec<String> = ErrorCode::ALL
            .iter()
            .map(|code| {
                let name = serde_json::to_string(code).expect("it is a word");
                format!("{} {}", Exit::of_code(*code) as u8, name.trim_matches('"'))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn errors_without_failure_count_when_strict() {
        let end = |outcome, errors| RunEnd {
            outcome,
            state: None,
            exit: None,
            errors,
            cause: None,
            reason: None,
            troubles: Vec::new(),
            question: None,
        };
        let errors = vec![CommandError::default()];
        let with_errors = end(Outcome::Succeeded, errors);
        assert_eq!(Exit::of_end(&with_errors, false), Exit::Done);
        assert_eq!(Exit::of_end(&with_errors, true), Exit::Failed);
        for (outcome, exit) in [
            (Outcome::Succeeded, Exit::Done),
            (Outcome::Failed, Exit::Failed),
            (Outcome::Stopped, Exit::Failed),
            (Outcome::TimedOut, Exit::TimedOut),
            (Outcome::Lost, Exit::SessionLost),
            (Outcome::NotRun, Exit::Failed),
            (Outcome::Refused, Exit::Refused),
        ] {
            assert_eq!(Exit::of_end(&end(outcome, Vec::new()), true), exit);
        }
        for (cause, exit) in [
            (NotRunCause::SignIn, Exit::SignInNeeded),
            (NotRunCause::Busy, Exit::Busy),
            (NotRunCause::Other, Exit::Failed),
        ] {
            let not_run = RunEnd {
                cause: Some(cause),
                ..end(Outcome::NotRun, Vec::new())
            };
            assert_eq!(Exit::of_end(&not_run, false), exit);
        }
        let mut troubled = end(Outcome::Succeeded, Vec::new());
        troubled
            .troubles
            .push("the recording cannot be written".to_owned());
        assert_eq!(Exit::of_end(&troubled, false), Exit::Failed);
    }

    #[test]
    fn the_list_names_every_code_once() {
        for code in 0..=9 {
            assert_eq!(LIST.matches(&format!("\n  {code}  ")).count(), 1, "{code}");
        }
    }
}
