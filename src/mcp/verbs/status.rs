//! `status`: the sessions there are, and the runs that wait for a person.

use serde_json::json;

use super::run::sentence;
use crate::api::{ErrorCode, Run, Session, SessionState};
use crate::client::{Client, ClientError};
use crate::mcp::args::StatusArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply, a_call};
use crate::mcp::tell;

/// Shows sessions.
pub(in crate::mcp) async fn status(call: &Call, args: StatusArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let sessions = client
        .sessions(args.connection.as_deref(), args.module.as_deref())
        .await?;
    if sessions.is_empty() {
        let which = match (&args.connection, &args.module) {
            (None, None) => "No session lives.".to_owned(),
            (Some(one), None) | (None, Some(one)) => format!("No session of {one} lives."),
            (Some(connection), Some(module)) => {
                format!("No session of {connection}/{module} lives.")
            }
        };
        return Ok(Reply::new(which)
            .next("`connections` lists what can be signed in to, `login` signs in"));
    }
    let runs = need_a_yes(&client, &sessions).await?;
    Ok(told(&sessions, &runs))
}

/// Sessions, and the runs that wait for a yes.
pub(super) fn told(sessions: &[Session], runs: &[Run]) -> Reply {
    let mut told: Vec<String> = sessions.iter().map(tell::session).collect();
    told.extend(runs.iter().map(sentence));
    let said: Vec<String> = sessions
        .iter()
        .flat_map(|session| {
            [
                tell::asked(session),
                tell::unwell_said(session),
                tell::failure_said(session),
            ]
        })
        .flatten()
        .collect();
    let reply = Reply::new(told.join("\n\n"));
    let reply = match next(sessions) {
        Some(step) => reply.next(step),
        None => reply,
    };
    if said.is_empty() {
        reply
    } else {
        reply.data("what the sessions said", &said.concat())
    }
}

/// What to do about the first session that somebody has to do something about.
fn next(sessions: &[Session]) -> Option<String> {
    if let Some(session) = sessions.iter().find(|one| one.challenge.is_some()) {
        return Some(format!(
            "show code and page to the person, then {}",
            tell::wait_for_sign_in(session)
        ));
    }
    if let Some(run) = sessions.iter().find_map(|one| one.current.as_ref()) {
        return Some(format!(
            "{} follows its run, `stop` ends it",
            a_call("wait", &json!({"run_id": run}))
        ));
    }
    let is_stopping = |one: &Session| one.state == SessionState::Stopping;
    sessions.iter().any(is_stopping).then(|| {
        "call `status` again in a minute; what is stopping recovers by itself, and takes no command until then".to_owned()
    })
}

/// The runs of `sessions` that a person has to approve. A daemon that is too old for approvals has none.
async fn need_a_yes(client: &Client, sessions: &[Session]) -> Result<Vec<Run>, Refusal> {
    let mut runs = match client.approvals().await {
        Err(ClientError::Api(error)) if error.code == ErrorCode::NoSuchRoute => Vec::new(),
        other => other?,
    };
    runs.retain(|run| {
        let is_its = |session: &Session| {
            session.connection == run.connection && session.module == run.module
        };
        sessions.iter().any(is_its)
    });
    Ok(runs)
}
