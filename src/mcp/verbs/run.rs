//! `run`: a command, followed for a while; then it goes on under its id. Until the id has been handed out the run ends with
//! the call that asked for it.

use std::time::Duration;

use rmcp::model::CallToolResponse;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::approve::{self, Said};

use crate::api::{ErrorCode, Mode, OnDisconnect, OnQuestion, OnSignedOut, Run, RunRequest};
use crate::api::{Outcome, QuestionKind, RunState, SessionState};
use crate::client::{Client, ClientError};
use crate::mcp::args::{Format, Part, RunArgs, SessionArgs, page, within};
use crate::mcp::call::Call;
use crate::mcp::excerpt::{Excerpt, Source, all, excerpt};
use crate::mcp::follow::{self, Stands, StopsAt};
use crate::mcp::reply::{Refusal, Reply, a_call};
use crate::mcp::shape::Shape;
use crate::mcp::tell;

/// After a person has said yes, a call goes on for so long at least: the time was spent on reading.
const AFTER_YES: Duration = Duration::from_secs(10);

/// Runs a command.
pub(in crate::mcp) async fn run(call: &Call, args: RunArgs) -> Result<CallToolResponse, Refusal> {
    ordered(call, args, false).await
}

/// Orders a command and follows it, or goes on with one whose approval the client has asked for.
pub(super) async fn ordered(
    call: &Call,
    args: RunArgs,
    only_reads: bool,
) -> Result<CallToolResponse, Refusal> {
    let shape = Shape {
        format: args.format,
        select: args.select,
        first: args.first,
    };
    let (time, max) = (within(args.wait_seconds), page(args.max_chars));
    let client = call.client().await?;
    if let Some(filled) = approve::filled(call, &client).await? {
        let said = approve::take(call, &client, &filled).await?;
        let events = client.follow(&filled.run_id, 0).await?;
        let time = time.max(AFTER_YES);
        let (stands, _events) = match said {
            Said::Decided => follow::run(call, events, time, StopsAt::QUESTION).await?,
            Said::Nothing | Said::Retry(_) => {
                follow::run(call, events, time, StopsAt::NEWS).await?
            }
        };
        return Ok(told(call, &client, stands, &shape, max).await?.into());
    }
    let request = RunRequest {
        mode: if shape.needs_records() {
            Mode::Records
        } else {
            Mode::Text
        },
        timeout_ms: Some(u64::from(args.timeout_seconds) * 1000),
        on_disconnect: OnDisconnect::Stop,
        // A model answers with the tool `answer`.
        on_question: OnQuestion::Ask,
        on_signed_out: OnSignedOut::Refuse,
        only_reads,
        what_if: args.what_if,
        reason: args.reason,
        ticket: args.ticket,
        client: "mcp".to_owned(),
        ..RunRequest::new(&args.connection, &args.module, args.command)
    };
    let began = Instant::now();
    let events = match client.run(&request).await {
        Err(ClientError::Api(error)) if error.code == ErrorCode::SignInNeeded => {
            let session = SessionArgs {
                connection: args.connection,
                module: args.module,
            };
            return Ok(sign_in_first(call, &client, session).await?.into());
        }
        other => other?,
    };
    let (mut stands, mut events) = follow::run(call, events, time, StopsAt::NEWS).await?;
    if let Stands::NeedsYes(run) = &stands {
        let left = || time.saturating_sub(began.elapsed()).max(AFTER_YES);
        match approve::ask(call, &client, run, left()).await? {
            Said::Retry(retry) => {
                hand_over(call, &client, run).await?;
                return Ok((*retry).into());
            }
            Said::Decided => {
                (stands, events) = follow::run(call, events, left(), StopsAt::QUESTION).await?;
            }
            Said::Nothing => {}
        }
    }
    if let Stands::Asks(run) | Stands::GoesOn(run) | Stands::NeedsYes(run) = &stands {
        hand_over(call, &client, run).await?;
    }
    // Only now: dropping the stream of a run that was not handed over stops it.
    drop(events);
    Ok(told(call, &client, stands, &shape, max).await?.into())
}

/// The run's id goes out: from now on the run outlives this call.
async fn hand_over(call: &Call, client: &Client, run: &Run) -> Result<(), Refusal> {
    client.keep(run.id.as_str()).await?;
    if call.is_left() {
        client.stop(run.id.as_str()).await?;
        return Err(Refusal::caller_left());
    }
    Ok(())
}

/// The command did not run; the way to its sign-in does not cost another call.
async fn sign_in_first(
    call: &Call,
    client: &Client,
    session: SessionArgs,
) -> Result<Reply, Refusal> {
    let session = super::login::begin(call, client, session).await?;
    if session.challenge.is_none() {
        return Ok(super::login::outcome(&session).failed(true));
    }
    Ok(
        Reply::new(format!("Nothing ran: {}", super::login::waits(&session)))
            .next(format!(
                "show code, page and account to the person, then {}, then the same `run` again",
                tell::wait_for_sign_in(&session)
            ))
            .failed(true),
    )
}

/// Where a run stands, with its output so far.
pub(super) async fn told(
    call: &Call,
    client: &Client,
    stands: Stands,
    shape: &Shape,
    max: usize,
) -> Result<Reply, Refusal> {
    let told = async {
        match stands {
            Stands::Ended(run) => ended(client, &run, shape, max).await,
            Stands::Asks(run) => Ok(asks(&run)),
            Stands::NeedsYes(run) => Ok(needs_yes(&run).failed(true)),
            Stands::GoesOn(run) => goes_on(client, &run, shape, max).await,
        }
    };
    tokio::select! {
        reply = told => reply,
        () = call.left() => Err(Refusal::caller_left()),
    }
}

async fn ended(client: &Client, run: &Run, shape: &Shape, max: usize) -> Result<Reply, Refusal> {
    let shape = &shape_of(run, shape);
    let (page, note) = shown(client, run, shape, max).await?;
    let afterwards = afterwards(client, run).await;
    Ok(end(run, shape, &page, &format!("{afterwards}{note}")))
}

/// How a run ended, with a page of its output and what is to be noted about both.
pub(super) fn end(run: &Run, shape: &Shape, page: &Excerpt, note: &str) -> Reply {
    let outcome = run.end.as_ref().map(|end| end.outcome);
    let failed = !matches!(outcome, Some(Outcome::Succeeded | Outcome::Stopped));
    let body = format!(
        "{}{}{}",
        page.body,
        tell::errors(run, &page.body),
        tell::asked_in_vain(run)
    );
    let wrote = if body.is_empty() {
        " It wrote nothing."
    } else {
        ""
    };
    let mut reply = Reply::new(format!("{}{note}{wrote}", sentence(run))).failed(failed);
    let more = page.next.map(|next| more(run, shape, next, page.missing));
    if let Some(step) = more.or_else(|| after(run).map(str::to_owned)) {
        reply = reply.next(step);
    }
    if body.is_empty() {
        reply
    } else {
        reply.data(&format!("output of {}", run.id), &body)
    }
}

/// What has become of its session; nothing where that cannot be learned, as where the session's connection is gone.
async fn afterwards(client: &Client, run: &Run) -> &'static str {
    let (connection, module) = (run.connection.as_str(), run.module.as_str());
    match client.sessions(Some(connection), Some(module)).await {
        Ok(sessions) => tell::afterwards(run, sessions.first()),
        Err(_) => "",
    }
}

/// What to do about an end.
fn after(run: &Run) -> Option<&'static str> {
    let end = run.end.as_ref()?;
    match end.outcome {
        Outcome::Stopped if end.question.is_some() => {
            Some("what it asks can be answered with `answer` where `run` has ordered it")
        }
        Outcome::Succeeded | Outcome::Stopped => None,
        Outcome::Failed => Some(
            "correct the command before running it again; what it did before its error is not undone",
        ),
        Outcome::Lost if run.started_at.is_none() => {
            Some("call `status`; the command can be run again")
        }
        Outcome::TimedOut => Some(
            "ask for less, or run it again with a larger timeout_seconds; what it did before is not undone",
        ),
        Outcome::Lost => {
            Some("call `status`, and look at what the command changed before running it again")
        }
        Outcome::NotRun => Some("call `status` to see why"),
        Outcome::Refused => Some("tell the person, and do not send it again unless they say so"),
    }
}

pub(super) fn asks(run: &Run) -> Reply {
    let reply = Reply::new(sentence(run));
    let Some(question) = &run.question else {
        return reply.next(wait_for(run));
    };
    let reply = if question.kind == QuestionKind::Secret {
        reply.next(format!(
            "it wants a secret: ask the person to type it in a terminal with `mm answer {}`, then {}",
            run.id,
            wait_for(run)
        ))
    } else {
        reply.next(format!(
            "ask the person, then {}; or `stop` it",
            a_call("answer", &json!({"run_id": run.id, "text": "..."}))
        ))
    };
    reply.data(
        &format!("question of {}", run.id),
        &tell::question(question),
    )
}

/// Nothing ran, and nothing that a model sends changes that.
pub(super) fn needs_yes(run: &Run) -> Reply {
    let reply = Reply::new(format!("{} Nothing ran yet.", sentence(run)))
        .next(format!("tell the person, then {}", wait_for(run)));
    let Some(approval) = &run.approval else {
        return reply;
    };
    reply.data(&format!("why {} waits", run.id), &tell::approval(approval))
}

async fn goes_on(client: &Client, run: &Run, shape: &Shape, max: usize) -> Result<Reply, Refusal> {
    // Since the last event it may have written more, or ended.
    let run = client.show(run.id.as_str()).await?;
    match run.state {
        RunState::Ended => return ended(client, &run, shape, max).await,
        RunState::WaitingForApproval => return Ok(needs_yes(&run)),
        _ => {}
    }
    if let Some(reply) = is_held_up(client, &run).await {
        return Ok(reply);
    }
    let shape = shape_of(&run, shape);
    let (page, _) = shown(client, &run, &default_shape(&run), max).await?;
    let then = if shape == default_shape(&run) {
        String::new()
    } else {
        format!(
            ", and when it has ended {}",
            a_call("output", &again(&run, &shape))
        )
    };
    let reply = Reply::new(sentence(&run));
    let reply = reply.next(format!("{}{then}", wait_for(&run)));
    Ok(if page.body.is_empty() {
        reply
    } else {
        reply.data(&format!("output so far of {}", run.id), &page.body)
    })
}

/// A run whose turn does not come by waiting: the one before it asks a question that somebody has to answer.
async fn is_held_up(client: &Client, run: &Run) -> Option<Reply> {
    if run.state != RunState::Queued {
        return None;
    }
    let (connection, module) = (run.connection.as_str(), run.module.as_str());
    // Nothing is said of it where that cannot be learned, as where the session's connection is gone.
    let sessions = client.sessions(Some(connection), Some(module)).await.ok()?;
    let session = sessions.first()?;
    let asks = session.current.as_ref()?;
    if session.state != SessionState::Asking || *asks == run.id {
        return None;
    }
    Some(
        Reply::new(format!(
            "{} The run {asks} before it asks a question.",
            sentence(run)
        ))
        .next(format!(
            "{} shows the question; when it is answered or stopped, {}",
            a_call("wait", &json!({"run_id": asks})),
            wait_for(run)
        )),
    )
}

/// A page of a run's output in a shape, which is [`shape_of`] it, and what is to be noted about it.
async fn shown(
    client: &Client,
    run: &Run,
    shape: &Shape,
    max: usize,
) -> Result<(Excerpt, String), Refusal> {
    if run.mode == Mode::Text {
        let source = Source::Kept { client, run };
        let page = excerpt(&source, None, Part::HeadAndTail, max).await?;
        return Ok((page, String::new()));
    }
    let made = shape.show(&all(client, run).await?);
    let page = excerpt(&Source::Made(&made.text), None, Part::HeadAndTail, max).await?;
    Ok((page, made.note))
}

/// How a run is shown by whoever does not know how it was asked for.
pub(in crate::mcp) fn default_shape(run: &Run) -> Shape {
    Shape {
        format: match run.mode {
            Mode::Text => Format::Text,
            Mode::Records => Format::Json,
        },
        ..Shape::default()
    }
}

/// How a run is shown to whoever asked for `shape`, or for none.
fn shape_of(run: &Run, shape: &Shape) -> Shape {
    if run.mode == Mode::Records && shape.needs_records() {
        shape.clone()
    } else {
        default_shape(run)
    }
}

/// How to get at what is missing of a run that is shown in `shape`.
pub(super) fn more(run: &Run, shape: &Shape, next: u64, missing: u64) -> String {
    let mut arguments = again(run, shape);
    arguments["from"] = next.into();
    let less = match run.mode {
        Mode::Text => {
            "search finds lines of it; run again with format csv or json, what only reads shows less with select and first, or its count"
        }
        Mode::Records => "format count or csv, select, first or search show less",
    };
    let goes_on = a_call("output", &arguments);
    format!("{missing} bytes are missing; {goes_on} goes on; {less}")
}

/// How to get at what is before the tail of a run that is shown in `shape`.
pub(super) fn before(run: &Run, shape: &Shape, bytes: u64) -> String {
    let mut arguments = again(run, shape);
    arguments["part"] = "head".into();
    let begins = a_call("output", &arguments);
    format!("{bytes} bytes are before it; {begins} begins there")
}

/// The arguments of `output` that show a run in `shape`.
fn again(run: &Run, shape: &Shape) -> Value {
    let mut arguments = json!({"run_id": run.id});
    if shape.format != Format::Text {
        arguments["format"] = shape.format.name().into();
    }
    if !shape.select.is_empty() {
        arguments["select"] = json!(shape.select);
    }
    if let Some(first) = shape.first {
        arguments["first"] = first.into();
    }
    arguments
}

pub(super) fn wait_for(run: &Run) -> String {
    a_call("wait", &json!({"run_id": run.id}))
}

/// How a run stands, as sentences.
pub(super) fn sentence(run: &Run) -> String {
    let stands = tell::run(run).replacen("run ", "Run ", 1);
    format!("{stands}.{}", tell::troubles(run))
}
