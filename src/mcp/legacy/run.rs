//! Old tools that run a command.

use std::time::Duration;

use serde_json::Value;

use super::args::OldArgs;
use super::session::which;
use super::text;
use crate::api::{
    ErrorCode, Mode, OnDisconnect, OnQuestion, OnSignedOut, Outcome, Run, RunRequest, Session,
};
use crate::client::{Client, ClientError};
use crate::mcp::args::{Part, SessionArgs};
use crate::mcp::call::Call;
use crate::mcp::excerpt::{Source, all, excerpt};
use crate::mcp::follow::{self, Stands, StopsAt};
use crate::mcp::reply::Refusal;
use crate::mcp::shape::Shape;
use crate::mcp::{tell, verbs};

/// As long as the old programs waited for a command.
const WAIT: Duration = Duration::from_secs(300);

/// The old programs knew no pages; more than this no client takes.
const MAX_CHARS: usize = 45_000;

/// How deep the old program wrote objects.
const DEPTH: u8 = 10;

/// `run` and `mm_run`.
pub(super) async fn run(call: &Call, client: &Client, args: OldArgs) -> Result<String, Refusal> {
    let command = args.command.clone().filter(|command| !command.is_empty());
    let (Some(_), Some(_), Some(command)) = (args.named(), &args.module, command) else {
        if args.named().is_some() || args.module.is_some() || args.command.is_some() {
            return Ok("Error: connection, module, and command are all required".to_owned());
        }
        return Ok(text::available(&client.offers().await?));
    };
    let session = which(client, &args).await?;
    let run = match ended(call, client, &session, command, Mode::Text).await? {
        Came::Run(run) => run,
        Came::SignIn(session) => return Ok(text::device_code(&session, &text::module(&session))),
        Came::Later(text) => return Ok(text),
    };
    let source = Source::Kept { client, run: &run };
    let page = excerpt(&source, None, Part::HeadAndTail, MAX_CHARS).await?;
    let body = if !succeeded(&run) {
        failed(&run, &page.body)
    } else if page.body.trim().is_empty() {
        "(no output)".to_owned()
    } else {
        page.body
    };
    Ok(format!("{}{body}", noted(&run)))
}

/// `pwsh_run`.
pub(super) async fn pwsh_run(
    call: &Call,
    client: &Client,
    args: OldArgs,
) -> Result<String, Refusal> {
    let session = which(client, &args).await?;
    let command = args.command.unwrap_or_default();
    let run = match ended(call, client, &session, command, Mode::Records).await? {
        Came::Run(run) => run,
        Came::SignIn(session) => return Ok(text::pending(&session)),
        Came::Later(text) => return Ok(text),
    };
    let objects = Shape::objects(&all(client, &run).await?);
    shown(&run, objects).await
}

/// Objects as the old programs wrote them: one alone, several as a list, and after them the errors of a run that went on.
pub(super) async fn shown(run: &Run, mut objects: Vec<Value>) -> Result<String, Refusal> {
    let errors = tell::errors(run, "");
    if !succeeded(run) || (objects.is_empty() && !errors.is_empty()) {
        return Ok(failed(run, ""));
    }
    let text = match objects.len() {
        0 => return Ok("OK".to_owned()),
        1 => objects.remove(0).to_string(),
        _ => Value::Array(objects).to_string(),
    };
    let page = excerpt(&Source::Made(&text), None, Part::HeadAndTail, MAX_CHARS).await?;
    let noted = noted(run);
    Ok(if errors.is_empty() && noted.is_empty() {
        page.body
    } else {
        format!("{}\n{errors}{noted}", page.body)
    })
}

/// What went wrong beside the command, as the old programs remarked on things.
fn noted(run: &Run) -> String {
    match tell::troubles(run).trim().strip_prefix("Note: ") {
        Some(troubles) => format!("**Note:** {troubles}\n"),
        None => String::new(),
    }
}

/// Why a run did not succeed, with what it wrote.
pub(super) fn failed(run: &Run, body: &str) -> String {
    let errors = tell::errors(run, body);
    format!("Error: {}\n{body}{errors}", tell::run(run))
}

pub(super) fn succeeded(run: &Run) -> bool {
    run.end
        .as_ref()
        .is_some_and(|end| end.outcome == Outcome::Succeeded)
}

/// What came of a command.
pub(super) enum Came {
    Run(Box<Run>),
    /// Nothing ran.
    SignIn(Box<Session>),
    /// It goes on.
    Later(String),
}

/// Runs a command to its end, or to the sign-in that it needs first.
pub(super) async fn ended(
    call: &Call,
    client: &Client,
    session: &SessionArgs,
    command: String,
    mode: Mode,
) -> Result<Came, Refusal> {
    let request = RunRequest {
        mode,
        depth: DEPTH,
        timeout_ms: Some(30 * 60 * 1000),
        on_disconnect: OnDisconnect::Stop,
        // The old lists have no tool for an answer.
        on_question: OnQuestion::Fail,
        on_signed_out: OnSignedOut::Refuse,
        client: "mcp".to_owned(),
        ..RunRequest::new(&session.connection, &session.module, command)
    };
    let events = match client.run(&request).await {
        Err(ClientError::Api(error)) if error.code == ErrorCode::SignInNeeded => {
            let session = verbs::begin_sign_in(call, client, session.clone()).await?;
            return Ok(Came::SignIn(Box::new(session)));
        }
        other => other?,
    };
    let (stands, events) = follow::run(call, events, WAIT, StopsAt::APPROVAL).await?;
    let came = match stands {
        Stands::Ended(run) => Came::Run(run),
        Stands::NeedsYes(run) => {
            client.keep(run.id.as_str()).await?;
            Came::Later(format!(
                "**BLOCKED — human approval required.** {}; then `mm runs output {} --follow` shows what came of it",
                tell::run(&run),
                run.id
            ))
        }
        Stands::Asks(run) | Stands::GoesOn(run) => {
            client.keep(run.id.as_str()).await?;
            Came::Later(format!(
                "Timeout: {}; `mm runs output {} --follow` shows it",
                tell::run(&run),
                run.id
            ))
        }
    };
    drop(events);
    Ok(came)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(end: Value) -> Run {
        serde_json::from_value(
            json!({"id": "raaaaaaaaa", "connection": "Contoso", "module": "exo",
            "command": "1", "state": "ended", "submitted_at": "2026-01-02T03:04:05Z", "end": end}),
        )
        .expect("it is a run")
    }

    #[tokio::test]
    async fn objects_are_written_as_they_were() {
        let run = ended(json!({"outcome": "succeeded"}));
        for (objects, text) in [
            (json!([]), "OK"),
            (json!([{"a": 1}]), r#"{"a":1}"#),
            (json!([1, 2]), "[1,2]"),
        ] {
            let objects = objects.as_array().expect("it is a list").clone();
            assert_eq!(shown(&run, objects).await.expect("it is shown"), text);
        }
    }

    #[tokio::test]
    async fn what_is_not_whole_is_noted() {
        let trouble = "a part of the output is lost: no space left";
        let run = ended(json!({"outcome": "succeeded", "troubles": [trouble]}));
        assert_eq!(noted(&run), format!("**Note:** {trouble}.\n"));
        let text = shown(&run, vec![json!(1)]).await.expect("it is shown");
        assert_eq!(text, format!("1\n**Note:** {trouble}.\n"));
    }
}
