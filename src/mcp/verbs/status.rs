//! `status`: the sessions there are.

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
    let told: Vec<String> = sessions.iter().map(tell::session).collect();
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
