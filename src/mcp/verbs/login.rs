//! `login`: starts or finds a sign-in, and returns at once with what a person needs for it.

use std::time::Duration;

use rmcp::model::{CallToolResponse, ElicitationAction};

use crate::api::{Session, WatchRequest};
use crate::client::Client;
use crate::mcp::args::SessionArgs;
use crate::mcp::ask::Asked;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::{follow, tell};

/// How long the program may take until it shows a code; the answer then says that there is none yet.
const CODE_WITHIN: Duration = Duration::from_secs(40);

/// Hosts whose pages may be opened for a person. Any other page is only named.
const HOSTS: [&str; 5] = [
    "microsoft.com",
    "www.microsoft.com",
    "login.microsoft.com",
    "login.microsoftonline.com",
    "aka.ms",
];

/// Starts or finds the sign-in.
pub(in crate::mcp) async fn login(
    call: &Call,
    args: SessionArgs,
) -> Result<CallToolResponse, Refusal> {
    let client = call.client().await?;
    let session = begin(call, &client, args).await?;
    let Some(challenge) = session.challenge.as_ref() else {
        return Ok(outcome(&session).into());
    };
    let code = &challenge.user_code;
    let account = match &challenge.expected_account {
        Some(account) => format!(" as {account}"),
        None => String::new(),
    };
    let message = format!(
        "Sign in to {}{account}: enter the code {code} on the page.",
        tell::key(&session)
    );
    let asked = if is_microsofts(&challenge.verification_uri) {
        call.show_page(message, &challenge.verification_uri).await?
    } else {
        Asked::Not
    };
    let seen = match asked {
        Asked::Retry(retry) => return Ok((*retry).into()),
        Asked::Reacted(result) => match result.action {
            ElicitationAction::Accept => {
                "\nThe person has seen the code; that does not mean that they are done."
            }
            ElicitationAction::Decline | ElicitationAction::Cancel => {
                "\nThe person did not want to open the page now; the code stays valid."
            }
            _ => "",
        },
        Asked::Not => "",
    };
    let reply = Reply::new(format!("{}{seen}", waits(&session)));
    Ok(reply
        .next(format!(
            "show code, page and account to the person, then {}",
            tell::wait_for_sign_in(&session)
        ))
        .into())
}

/// Starts or finds a sign-in and returns when it has a code or an end.
pub(in crate::mcp) async fn begin(
    call: &Call,
    client: &Client,
    args: SessionArgs,
) -> Result<Session, Refusal> {
    let request = WatchRequest {
        connection: args.connection,
        module: args.module,
        // Whose identity counts is a person's decision.
        way: None,
        forget_identity: false,
        record: None,
    };
    let events = client.watch_sign_in(&request).await?;
    let enough = |session: &Session| session.challenge.is_some();
    follow::sign_in(call, events, CODE_WITHIN, enough)
        .await?
        .ok_or_else(|| {
            Refusal::new(
                "the session has said nothing yet",
                "call `status` in a moment",
            )
        })
}

/// A sign-in that waits for its person.
pub(super) fn waits(session: &Session) -> String {
    let challenge = session.challenge.as_ref().map(tell::challenge);
    format!(
        "{} waits for a person to sign in.\n{}",
        tell::key(session),
        challenge.unwrap_or_default()
    )
}

/// A sign-in that is over, or has no code yet.
pub(super) fn outcome(session: &Session) -> Reply {
    let key = tell::key(session);
    if session.signed_in() {
        let who = tell::who(session.account.as_deref(), session.tenant.as_deref());
        let text = match who.as_str() {
            "" => format!("{key} is ready; it needs no sign-in."),
            who => format!("{key} is signed in{who}."),
        };
        return Reply::new(text).next("`read` or `run` with this connection and module");
    }
    if let Some(failure) = tell::failure(session) {
        let may_help = session
            .failure
            .as_ref()
            .is_some_and(|failure| failure.retry);
        return Reply::new(format!("{key} is not signed in. {failure}"))
            .next(if may_help {
                "tell the person; `login` tries again with a new code"
            } else {
                "tell the person; `login` fails again until that is changed"
            })
            .data(
                "the failure",
                &tell::failure_said(session).unwrap_or_default(),
            )
            .failed(true);
    }
    if session.sign_in_ended() {
        return Reply::new(tell::session(session))
            .next("`login` starts it again")
            .failed(true);
    }
    Reply::new(format!("{key} is getting ready and has no code yet."))
        .next(tell::wait_for_sign_in(session))
}

/// Whether a page is one of Microsoft's own for codes. What it is called comes out of a program.
fn is_microsofts(page: &str) -> bool {
    let Some(rest) = page.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    HOSTS.contains(&host.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_microsofts_pages_are_opened() {
        assert!(is_microsofts("https://login.microsoft.com/device"));
        assert!(is_microsofts("https://microsoft.com/devicelogin"));
        for page in [
            "http://microsoft.com/devicelogin",
            "https://microsoft.com.example.org/devicelogin",
            "https://user@example.org/microsoft.com",
            "https://login.microsoft.com@example.org/",
        ] {
            assert!(!is_microsofts(page), "{page}");
        }
    }
}
