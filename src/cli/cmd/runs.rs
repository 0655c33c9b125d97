//! `mm runs`: what was asked for, and what came of it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::{Outcome, Run, RunList, RunState};
use crate::cli::args::{RunsArgs, RunsListArgs, RunsVerb};
use crate::cli::ending::{messages, took};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::follow::{Ending, Follow, Sink};
use crate::cli::harmless::{one_line, one_short_line};
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Screen;
use crate::cli::table::table;
use crate::cli::when::{since, size};
use crate::cli::wiring;
use crate::client::Client;

/// Characters of a command in a list.
const COMMAND_WIDTH: usize = 60;

/// Lists, shows, reads or stops runs.
pub(crate) async fn runs(args: RunsArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = wiring::client().await?;
    match args.verb.unwrap_or(RunsVerb::List(args.list)) {
        RunsVerb::List(RunsListArgs {
            filter,
            limit,
            json,
        }) => {
            let runs = client
                .runs(
                    filter.connection.as_deref(),
                    filter.module.as_deref(),
                    limit,
                )
                .await?;
            if json {
                screen.json(&RunList { runs })?;
            } else if runs.is_empty() {
                screen.text("no runs")?;
            } else {
                let text = list(&runs, Timestamp::now(), &TimeZone::system(), screen.width());
                screen.text(&text)?;
            }
            Ok(Exit::Done)
        }
        RunsVerb::Show { id, json } => {
            let run = client.show(&id).await?;
            if json {
                screen.json(&run)?;
            } else {
                screen.text(&shown(&run, Timestamp::now(), &TimeZone::system()))?;
            }
            Ok(Exit::Done)
        }
        RunsVerb::Output {
            id,
            follow: true,
            from,
        } => follow(&client, &id, from, screen).await,
        RunsVerb::Output {
            id,
            follow: false,
            from,
        } => output(&client, &id, from, screen).await,
        RunsVerb::Stop { id } => stop(&client, &id, screen).await,
    }
}

async fn output(
    client: &Client,
    id: &str,
    mut from: u64,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    loop {
        let page = client.output(id, from).await?;
        if page.from > from {
            let lost = size(page.from - from);
            screen.note(&format!("{lost} of output were not kept"));
        }
        screen.output(&page.bytes)?;
        if page.last || page.bytes.is_empty() {
            screen.output_ended()?;
            return Ok(Exit::Done);
        }
        from = page.next;
    }
}

/// Following somebody's run: Ctrl-C stops the following only.
async fn follow(
    client: &Client,
    id: &str,
    from: u64,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let events = client.follow(id, from).await?;
    let mut interrupts = Interrupts::listen()?;
    let follow = Follow::watching(client, screen, Sink::Stream);
    match follow.until_it_ends(events, &mut interrupts).await? {
        Ending::Ended { run, failure, .. } => {
            Ok(super::run::tell(&run, failure.as_ref(), false, screen))
        }
        Ending::Detached => Ok(Exit::Done),
    }
}

async fn stop(client: &Client, id: &str, screen: &mut Screen) -> Result<Exit, CliError> {
    let run = client.stop(id).await?;
    let session = format!("{}/{}", run.connection, run.module);
    screen.text(&if run.state == RunState::Ended {
        format!("{} has ended: {}", run.id, how(&run))
    } else {
        format!("stopping {}; {session} is not signed out by that", run.id)
    })?;
    Ok(Exit::Done)
}

fn list(runs: &[Run], now: Timestamp, zone: &TimeZone, width: Option<usize>) -> String {
    let head = ["ID", "SESSION", "STATE", "SUBMITTED", "TOOK", "COMMAND"];
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            vec![
                run.id.to_string(),
                format!("{}/{}", run.connection, run.module),
                how(run),
                since(run.submitted_at, now, zone),
                took(run).unwrap_or_else(|| "-".to_owned()),
                one_short_line(&run.command, COMMAND_WIDTH),
            ]
        })
        .collect();
    table(&head, &rows, width)
}

fn how(run: &Run) -> String {
    let word = match run.state {
        RunState::Queued => "queued",
        RunState::WaitingForSignIn => "waits for sign-in",
        RunState::WaitingForApproval => "waits for approval",
        RunState::Running => "running",
        RunState::Asking => "asking",
        RunState::Stopping => "stopping",
        RunState::Ended => match run.end.as_ref().map(|end| end.outcome) {
            Some(Outcome::Succeeded) => "succeeded",
            Some(Outcome::Failed) => "failed",
            Some(Outcome::Stopped) => "stopped",
            Some(Outcome::TimedOut) => "timed out",
            Some(Outcome::Lost) => "lost",
            Some(Outcome::NotRun) => "not run",
            Some(Outcome::Refused) => "refused",
            None => "ended",
        },
    };
    word.to_owned()
}

fn shown(run: &Run, now: Timestamp, zone: &TimeZone) -> String {
    let mut lines = vec![
        ("run", run.id.to_string()),
        ("session", format!("{}/{}", run.connection, run.module)),
        ("state", how(run)),
    ];
    if let Some(account) = &run.account {
        lines.push(("account", one_line(account)));
    }
    if let Some(tenant) = &run.tenant {
        lines.push(("tenant", one_line(tenant)));
    }
    lines.push(("asked by", one_line(&run.client)));
    lines.push(("submitted", since(run.submitted_at, now, zone)));
    if let Some(started) = run.started_at {
        lines.push(("started", since(started, now, zone)));
    }
    if let Some(took) = took(run) {
        lines.push(("took", took));
    }
    lines.push(("output", size(run.output_length)));
    if let Some(exit) = run.end.as_ref().and_then(|end| end.exit) {
        lines.push(("exit", exit.to_string()));
    }
    if let Some(question) = &run.question {
        let text = one_line(&question.text);
        lines.push(("asks", format!("{text}  (mm answer {})", run.id)));
    }
    let mut text: Vec<String> = lines
        .into_iter()
        .map(|(name, value)| format!("{name:<10} {value}"))
        .collect();
    text.push("command".to_owned());
    text.extend(run.command.lines().map(|line| format!("  {line}")));
    if let Some(end) = &run.end {
        let told = messages(run, end, None);
        text.extend(told.into_iter().map(|message| message.text));
    }
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_runs() -> Vec<Run> {
        serde_json::from_value(serde_json::json!([
            {
                "id": "rabcdefghj", "connection": "Contoso", "module": "exo",
                "command": "Get-Mailbox |\n  Where-Object { $_.Name -like 'a very long name that does not fit into a list*' }",
                "state": "ended", "client": "cli", "submitted_at": "2026-03-04T11:50:00Z",
                "started_at": "2026-03-04T11:50:01Z", "ended_at": "2026-03-04T11:50:03.250Z",
                "account": "admin@contoso.com", "tenant": "t-1", "output_length": 2048,
                "end": {"outcome": "failed", "state": "failed", "exit": 1, "errors": [{"message": "no such mailbox"}]},
            },
            {
                "id": "rkkkkkkkkk", "connection": "Contoso", "module": "exo",
                "command": "Remove-Mailbox x", "state": "asking", "client": "cli",
                "submitted_at": "2026-03-04T11:59:55Z",
                "question": {"kind": "confirm", "text": "Are you sure?"},
            },
        ]))
        .expect("they are runs")
    }

    #[test]
    fn a_list_and_a_run_are_readable() {
        let runs = some_runs();
        let now = "2026-03-04T12:00:00Z".parse().expect("it is a time");
        let mut text = list(&runs, now, &TimeZone::UTC, None);
        for run in &runs {
            text.push('\n');
            text.push_str(&shown(run, now, &TimeZone::UTC));
        }
        insta::assert_snapshot!(text);
    }
}
