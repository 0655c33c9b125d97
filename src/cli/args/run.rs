//! A command to run, and what is done with runs that there are.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::session::{FilterArgs, SessionArgs};

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// The command; `-` reads it from standard input
    #[arg(value_name = "COMMAND", required_unless_present = "command_option")]
    pub(crate) command: Option<String>,
    /// The command, as an option
    #[arg(
        long = "command",
        id = "command_option",
        value_name = "COMMAND",
        conflicts_with = "command"
    )]
    pub(crate) command_option: Option<String>,
    /// Run in records mode and print one JSON object at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Depth of nested objects with --json; 1 to 99
    #[arg(long, value_name = "N", default_value_t = crate::api::RunRequest::DEPTH, value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) depth: u8,
    /// Stop the command so long after it began: 30s, 5m, 1h30m. Waiting for a turn or a sign-in does not count
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Where the session is not signed in, say so and exit with 3; where somebody else has to say yes first, with 4
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Exit with 1 when the command wrote errors, even if it succeeded
    #[arg(long)]
    pub(crate) strict: bool,
    /// Refuse the command where it may do more than read
    #[arg(long)]
    pub(crate) only_reads: bool,
    /// Only say what it would do: adds `-WhatIf` to the one command in it that does more than read
    #[arg(long)]
    pub(crate) what_if: bool,
    /// Why, for whoever approves it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The ticket that it belongs to
    #[arg(long, value_name = "NUMBER")]
    pub(crate) ticket: Option<String>,
    /// Write a redacted recording of the run
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Print the run's id at once and let it go on
    #[arg(long)]
    pub(crate) detach: bool,
    /// What to do when the command asks a question; without it, ask if standard input is a terminal, else fail
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) on_question: Option<OnQuestionArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnQuestionArg {
    /// Wait for an answer
    Ask,
    /// Stop the command and say what it asked
    Fail,
}

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) list: RunsListArgs,
    #[command(subcommand)]
    pub(crate) verb: Option<RunsVerb>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunsListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RunsVerb {
    /// The newest runs
    List(RunsListArgs),
    /// One run: its command, state, end and errors
    Show {
        /// The run's id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What a run has written
    Output {
        /// The run's id
        id: String,
        /// Go on until the run has ended
        #[arg(long)]
        follow: bool,
        /// Begin at this byte
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: u64,
    },
    /// Stop a run; its session is not signed out
    Stop {
        /// The run's id
        id: String,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AnswerArgs {
    /// The run's id
    pub(crate) id: String,
    /// The answer; without it, a hidden prompt or standard input. Refused for secrets
    pub(crate) text: Option<String>,
}

/// A time as people write it: `30s`, `5m`, `1h30m`. At least a millisecond.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is not a time such as 30s, 5m or 1h30m");
    let time: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    if time.as_millis() < 1 {
        return Err(expected());
    }
    Ok(time.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        for bad in ["", "5", "-5m", "0s", "soon"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
