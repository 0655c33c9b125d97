//! What a person is told when a run has ended.

use super::when::span;
use crate::api::{CommandError, EndState, Failure, Outcome, Run, RunEnd};

/// How a message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Help,
    Note,
}

/// One message for standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) level: Level,
    pub(crate) text: String,
}

impl Message {
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            text: text.into(),
        }
    }

    pub(crate) fn help(text: impl Into<String>) -> Self {
        Self {
            level: Level::Help,
            text: text.into(),
        }
    }

    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self {
            level: Level::Note,
            text: text.into(),
        }
    }
}

/// What to say about `run`, which has ended. `failure` is why its session could not be signed in, where that is known.
pub(crate) fn messages(run: &Run, end: &RunEnd, failure: Option<&Failure>) -> Vec<Message> {
    let session = format!("{}/{}", run.connection, run.module);
    // What was done to the command, and what not: how its session is by now is not looked at.
    let stays = match (&run.started_at, &run.account) {
        (Some(_), Some(_)) => format!("; {session} was not signed out"),
        (Some(_), None) => format!("; {session} was not ended"),
        (None, _) => String::new(),
    };
    let mut said = Vec::new();
    let reason = end.reason.as_deref();
    match end.outcome {
        Outcome::Succeeded => {
            if let Some(first) = end.errors.first() {
                let count = count(end.errors.len());
                said.push(Message::note(format!(
                    "succeeded with {count}: {}",
                    first.message
                )));
                said.extend(
                    end.errors[1..]
                        .iter()
                        .map(|error| Message::note(format!("  {}", error.message))),
                );
            }
        }
        Outcome::Failed => {
            let parse = end.state == Some(EndState::Parse);
            said.extend(end.errors.iter().map(|error| {
                // Where a running command failed, the position says little: most are one line.
                Message::error(if parse {
                    placed(error)
                } else {
                    error.message.clone()
                })
            }));
            if let Some(reason) = reason {
                said.push(Message::error(reason));
            } else if end.errors.is_empty() {
                said.push(Message::error(failed_silently(end)));
            }
            if parse {
                said.push(Message::help("nothing ran: the command is not a program"));
            }
        }
        Outcome::Stopped => {
            let reason = reason.unwrap_or("it was stopped");
            said.push(Message::note(format!("{reason}{stays}")));
        }
        Outcome::TimedOut => {
            let after = took(run)
                .map(|took| format!(" after {took}"))
                .unwrap_or_default();
            let reason = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            said.push(Message::error(format!("timed out{after}{reason}{stays}")));
        }
        Outcome::Lost => {
            said.push(Message::error(match reason {
                Some(reason) => format!("{session} was lost: {reason}"),
                None => format!("{session} was lost while the command ran"),
            }));
            said.push(Message::help(format!(
                "whether the command took effect is not known; `mm runs output {}` shows what came back",
                run.id
            )));
        }
        Outcome::Refused => {
            let why = reason.unwrap_or("it is not allowed");
            said.push(Message::error(format!("the command did not run: {why}")));
        }
        Outcome::NotRun => {
            let why = reason.or(failure.map(|failure| failure.message.as_str()));
            said.push(Message::error(match why {
                Some(why) => format!("the command did not run: {why}"),
                None => "the command did not run".to_owned(),
            }));
            if let Some(failure) = failure.filter(|failure| !failure.advice.is_empty()) {
                said.push(Message::help(&*failure.advice));
            }
        }
    }
    said.extend(end.troubles.iter().map(Message::error));
    if run.output_skipped > 0 {
        said.push(Message::note(format!(
            "{} of output were not kept",
            super::when::size(run.output_skipped)
        )));
    }
    said
}

/// How long it ran, for people.
pub(crate) fn took(run: &Run) -> Option<String> {
    let (started, ended) = (run.started_at?, run.ended_at?);
    Some(span(ended.duration_since(started).unsigned_abs()))
}

fn failed_silently(end: &RunEnd) -> String {
    match end.exit {
        Some(exit) => format!("the command failed with exit code {exit}"),
        None => "the command failed".to_owned(),
    }
}

fn count(errors: usize) -> String {
    match errors {
        1 => "1 error".to_owned(),
        more => format!("{more} errors"),
    }
}

/// The message after its place in the command.
fn placed(error: &CommandError) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("{line}:{column}: {}", error.message),
        (Some(line), None) => format!("line {line}: {}", error.message),
        (None, _) => error.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        serde_json::from_value(serde_json::json!({
            "id": "rabcdefghj", "account": "ada@contoso.com", "connection": "Contoso", "module": "exo", "command": "x",
            "state": "ended", "submitted_at": "2026-01-02T03:04:05Z",
            "started_at": "2026-01-02T03:04:06Z", "ended_at": "2026-01-02T03:09:06Z",
            "output_skipped": 3_000_000,
        }))
        .expect("it is a run")
    }

    fn error(message: &str, line: Option<u32>) -> CommandError {
        CommandError {
            message: message.to_owned(),
            line,
            column: line.map(|_| 9),
            ..CommandError::default()
        }
    }

    fn end(outcome: Outcome) -> RunEnd {
        RunEnd {
            outcome,
            state: None,
            exit: None,
            errors: Vec::new(),
            cause: None,
            reason: None,
            troubles: Vec::new(),
            question: None,
        }
    }

    #[test]
    fn every_ending_is_told() {
        let failure = Failure {
            name: "declined".to_owned(),
            message: "the sign-in was declined".to_owned(),
            advice: "sign in again and approve it".to_owned(),
            retry: true,
        };
        let cases = [
            ("succeeded", end(Outcome::Succeeded)),
            (
                "succeeded with errors",
                RunEnd {
                    errors: vec![error("no such mailbox", None), error("another", None)],
                    ..end(Outcome::Succeeded)
                },
            ),
            (
                "parse error",
                RunEnd {
                    state: Some(EndState::Parse),
                    errors: vec![error("Missing closing '}' in statement block", Some(2))],
                    ..end(Outcome::Failed)
                },
            ),
            (
                "failed silently",
                RunEnd {
                    exit: Some(3),
                    ..end(Outcome::Failed)
                },
            ),
            ("stopped", end(Outcome::Stopped)),
            ("timed out", end(Outcome::TimedOut)),
            (
                "lost",
                RunEnd {
                    reason: Some("the program ended with signal 9".to_owned()),
                    ..end(Outcome::Lost)
                },
            ),
            ("not run", end(Outcome::NotRun)),
            (
                "recording cut",
                RunEnd {
                    troubles: vec!["the recording `/tmp/x.cast` cannot be written".to_owned()],
                    ..end(Outcome::Succeeded)
                },
            ),
            (
                "refused",
                RunEnd {
                    reason: Some("it was denied: not on a Friday".to_owned()),
                    ..end(Outcome::Refused)
                },
            ),
        ];
        let mut told = String::new();
        for (name, end) in cases {
            use std::fmt::Write as _;
            writeln!(told, "# {name}").expect("a string takes everything");
            for message in messages(&run(), &end, Some(&failure)) {
                writeln!(told, "{:?}: {}", message.level, message.text)
                    .expect("a string takes everything");
            }
        }
        insta::assert_snapshot!(told);
    }
}
