//! An old tool's call, answered as the old programs did.

use serde_json::{Value, json};

use super::args::OldArgs;
use super::list::OldTool;
use super::{graph, run, session, text};
use crate::mcp::args;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};

/// The module of the old `pwsh_*` tools where none was named.
const MODULE: &str = "exo";

/// Answers a call. What went wrong is a text, as it was; only a call that nobody waits for is an error.
pub(in crate::mcp) async fn call(
    call: &Call,
    tool: OldTool,
    arguments: Value,
) -> Result<Reply, Refusal> {
    match answer(call, tool, arguments).await {
        Ok(text) => Ok(Reply::new(text)),
        Err(refusal) if call.is_left() => Err(refusal),
        Err(refusal) => Ok(Reply::new(format!("Error: {}", refusal.message()))),
    }
}

async fn answer(call: &Call, tool: OldTool, arguments: Value) -> Result<String, Refusal> {
    let mut args: OldArgs = args::read(arguments).map_err(|why| {
        Refusal::new(
            format!("the arguments are not right: {why}"),
            "correct them and call again",
        )
    })?;
    if matches!(
        tool,
        OldTool::PwshLogin | OldTool::PwshStatus | OldTool::PwshRun | OldTool::PwshDisconnect
    ) {
        args.module.get_or_insert_with(|| MODULE.to_owned());
    }
    let client = call.client().await?;
    match tool {
        OldTool::Run | OldTool::MmRun => run::run(call, &client, args).await,
        OldTool::GraphRequest => graph::request(call, &client, args).await,
        OldTool::MmStatus => Ok(text::table(&client.sessions(None, None).await?)),
        OldTool::MmDisconnect => session::disconnect(&client, &args).await,
        OldTool::PwshRun => run::pwsh_run(call, &client, args).await,
        OldTool::PwshLogin => session::login(call, &client, &args).await,
        OldTool::PwshStatus => session::status(&client, &args).await,
        OldTool::PwshSessions => {
            let sessions = client.sessions(None, None).await?;
            let sessions: Vec<Value> = sessions.iter().map(text::session).collect();
            Ok(json!({"sessions": sessions}).to_string())
        }
        OldTool::PwshListConnections => Ok(text::connections(&client.offers().await?)),
        OldTool::PwshDisconnect if args.confirmation.as_deref() == Some("DISCONNECT") => {
            let message = session::disconnect(&client, &args).await?;
            Ok(json!({"success": true, "message": message}).to_string())
        }
        OldTool::PwshDisconnect => Err(Refusal::new(
            "confirmation must be DISCONNECT",
            "ask the person, then call again with it",
        )),
        OldTool::PwshSessionHistory => session::history(&client, &args).await,
    }
}
