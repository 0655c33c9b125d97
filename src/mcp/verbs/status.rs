//! `status`: the sessions there are, and the runs that wait for a person.

use super::run::sentence;
use crate::api::{ErrorCode, Run, Session};
use crate::client::{Client, ClientError};
use crate::mcp::args::StatusArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::tell;

/// Shows sessions.
pub(in crate::mcp) async fn status(call: &Call, args: StatusArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let sessions = client
        .sessions(args.connection.as_deref(), args.module.as_deref())
        .await?;
    if sessions.is_empty() {
        return Ok(Reply::new("No session lives.")
            .next("`connections` lists what can be signed in to, `login` signs in"));
    }
    let mut told: Vec<String> = sessions.iter().map(tell::session).collect();
    let runs = need_a_yes(&client, &sessions).await?;
    told.extend(runs.iter().map(|run| format!("{}.", sentence(run))));
    let failures: String = sessions.iter().filter_map(tell::failure_said).collect();
    let reply = Reply::new(told.join("\n\n"));
    let waiting = sessions.iter().find(|session| session.challenge.is_some());
    let reply = match waiting {
        Some(session) => reply.next(format!(
            "show code and page to the person, then {}",
            tell::wait_for_sign_in(session)
        )),
        None => reply,
    };
    Ok(if failures.is_empty() {
        reply
    } else {
        reply.data("the failures", &failures)
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
