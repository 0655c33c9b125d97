//! `mm approvals`: the runs that wait for a yes. The yes itself is typed at a terminal; no option and no pipe gives it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::{ApprovalList, DenyRequest, Run};
use crate::cli::approval::{question, shown, yes};
use crate::cli::args::{ApprovalsArgs, ApprovalsVerb, ListArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::harmless::{one_line, one_short_line};
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::table::table;
use crate::cli::when::since;
use crate::cli::wiring;
use crate::client::Client;

/// Characters of a command in a list.
const COMMAND_WIDTH: usize = 60;

/// Lists, shows, approves or denies.
pub(crate) async fn approvals(args: ApprovalsArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = wiring::client().await?;
    match args.verb.unwrap_or(ApprovalsVerb::List(args.list)) {
        ApprovalsVerb::List(ListArgs { json }) => {
            let runs = client.approvals().await?;
            if json {
                screen.json(&ApprovalList { runs })?;
            } else if runs.is_empty() {
                screen.text("nothing waits for approval")?;
            } else {
                let text = list(&runs, Timestamp::now(), &TimeZone::system(), screen.width());
                screen.text(&text)?;
            }
        }
        ApprovalsVerb::Show { id, json } => {
            let run = client.approval(&id).await?;
            if json {
                screen.json(&run)?;
            } else if let Some(approval) = &run.approval {
                screen.text(&shown(&run, approval))?;
            }
        }
        ApprovalsVerb::Approve { id } => return approve(&client, &id, screen).await,
        ApprovalsVerb::Deny { id, reason } => {
            let request = DenyRequest {
                reason,
                client: "cli".to_owned(),
            };
            let run = client.deny(&id, &request).await?;
            screen.note(&format!("{} is denied and does not run", run.id));
        }
    }
    Ok(Exit::Done)
}

async fn approve(client: &Client, id: &str, screen: &mut Screen) -> Result<Exit, CliError> {
    let run = client.approval(id).await?;
    let Some(approval) = &run.approval else {
        return Err(CliError::usage(
            format!("run {} waits for nothing", run.id),
            "`mm approvals list` shows the runs that wait for a yes",
        ));
    };
    let help = format!("in a terminal: mm approvals approve {}", run.id);
    let mut prompt = Prompt::for_a_yes(help)?;
    screen.note(&shown(&run, approval));
    let typed = prompt.ask(&question(&run, approval), screen).await?;
    let Some(request) = typed.and_then(|typed| yes(approval, typed.expose())) else {
        screen.note(&format!(
            "it is not approved and still waits; `mm approvals deny {}` ends it",
            run.id
        ));
        return Ok(Exit::Refused);
    };
    client.approve(run.id.as_str(), &request).await?;
    screen.note(&format!(
        "approved; `mm runs output {} --follow` shows what comes of it",
        run.id
    ));
    Ok(Exit::Done)
}

fn list(runs: &[Run], now: Timestamp, zone: &TimeZone, width: Option<usize>) -> String {
    let head = ["ID", "SESSION", "DOES", "ASKED BY", "ASKED", "COMMAND"];
    let rows: Vec<Vec<String>> = runs
        .iter()
        .filter_map(|run| {
            let approval = run.approval.as_ref()?;
            Some(vec![
                run.id.to_string(),
                format!("{}/{}", run.connection, run.module),
                approval.effects.join(", "),
                one_line(&approval.client),
                since(approval.asked_at, now, zone),
                one_short_line(&run.command, COMMAND_WIDTH),
            ])
        })
        .collect();
    table(&head, &rows, width)
}
