//! `mm login`: signs in and says who it is.

use crate::api::{Event, Failure, LoginRequest, Session, SessionState, Unwell};
use crate::cli::args::LoginArgs;
use crate::cli::challenge::SignInView;
use crate::cli::ending::Message;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::follow::ticks;
use crate::cli::harmless::one_line;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::wiring;
use crate::client::{Client, ClientError, Events};

/// Starts the sign-in or joins the one under way, and waits for its end.
pub(crate) async fn login(args: LoginArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let request = LoginRequest {
        connection: args.session.connection.clone(),
        module: args.session.module.clone(),
        way: args.way.clone(),
        forget_identity: args.accept_identity,
        record: None,
    };
    let client = wiring::client().await?;
    if args.accept_identity && !accepts_identity(&args, screen).await? {
        screen.note("nothing was changed, and nobody was signed in");
        return Ok(Exit::Refused);
    }
    sign_in(&client, &request, args.no_wait, args.json, screen).await
}

/// Whether a person says at their terminal that the next one who signs in takes the place of who was proven before.
async fn accepts_identity(args: &LoginArgs, screen: &mut Screen) -> Result<bool, CliError> {
    let mut prompt = Prompt::open(false).map_err(|_no_terminal| {
        CliError::usage(
            "another identity is accepted at a terminal, and this process has none",
            "run it with `mm` in a terminal of your own",
        )
    })?;
    let (connection, module) = (&args.session.connection, &args.session.module);
    screen.note(&format!(
        "{connection}/{module}: whoever signs in now takes the place of the account and tenant that were proven before"
    ));
    screen.ask("type yes to go on: ");
    let typed = prompt.line().await.map_err(|source| CliError::Io {
        what: "the answer cannot be read".to_owned(),
        source,
    })?;
    screen.line_ended_by_typing();
    Ok(typed.is_some_and(|typed| typed.expose().trim().eq_ignore_ascii_case("yes")))
}

/// As [`login`], with a client that is there and a request that is whole.
pub(super) async fn sign_in(
    client: &Client,
    request: &LoginRequest,
    no_wait: bool,
    json: bool,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let Some(session) = session(client, request, no_wait, screen).await? else {
        return Ok(Exit::SignInNeeded);
    };
    if json {
        screen.json(&session)?;
    }
    let exit = conclude(&session, json, screen)?;
    if request.record.is_some()
        && let Some(why) = &session.recording_failed
    {
        screen.tell(&Message::error(format!(
            "{why}; the sign-in went on without it"
        )));
        return Ok(if exit == Exit::Done {
            Exit::Failed
        } else {
            exit
        });
    }
    Ok(exit)
}

/// The session when its sign-in has ended, or when its code is shown and nobody waits; its end is not told yet. `None` after
/// Ctrl-C.
pub(super) async fn session(
    client: &Client,
    request: &LoginRequest,
    no_wait: bool,
    screen: &mut Screen,
) -> Result<Option<Session>, CliError> {
    let mut interrupts = Interrupts::listen()?;
    let events = client.watch_sign_in(request).await?;
    if let Some(version) = client.other_version() {
        screen.note(&super::run::other_version(&version));
    }
    let waited = wait(events, &mut interrupts, no_wait, screen).await?;
    screen.clear_progress();
    if waited.is_none() {
        screen.note("not waiting any longer; the sign-in goes on: mm status");
    }
    Ok(waited)
}

/// The session when the sign-in has ended, or when its code is shown and nobody waits. `None` after Ctrl-C.
async fn wait(
    mut events: Events,
    interrupts: &mut Interrupts,
    no_wait: bool,
    screen: &mut Screen,
) -> Result<Option<Session>, CliError> {
    let mut view = SignInView::default();
    let mut ticks = ticks();
    loop {
        let event = tokio::select! {
            event = events.next() => event?.ok_or(ClientError::Gone)?,
            () = interrupts.next() => return Ok(None),
            _ = ticks.tick() => {
                view.tick(screen);
                continue;
            }
        };
        if let Event::Session(session) = event {
            view.show(&session, screen);
            if session.sign_in_ended() || (no_wait && session.challenge.is_some()) {
                return Ok(Some(*session));
            }
        }
    }
}

/// Says how a sign-in ended.
pub(super) fn conclude(
    session: &Session,
    json: bool,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    if session.signed_in() {
        if let Some(unwell) = &session.unwell {
            for message in not_well(session, unwell) {
                screen.tell(&message);
            }
            return Ok(Exit::SignInNeeded);
        }
        if !json {
            screen.text(&signed_in(session))?;
        }
        return Ok(Exit::Done);
    }
    if let Some(failure) = &session.failure {
        for message in failed(session, failure) {
            screen.tell(&message);
        }
    } else if session.state == SessionState::Closed {
        let why = session.detail.as_deref().unwrap_or("its program has ended");
        let (connection, module) = (&session.connection, &session.module);
        screen.tell(&Message::error(format!(
            "{connection}/{module} was closed: {why}"
        )));
        return Ok(Exit::SessionLost);
    }
    Ok(Exit::SignInNeeded)
}

fn signed_in(session: &Session) -> String {
    let key = format!("{}/{}", session.connection, session.module);
    match (&session.account, &session.tenant) {
        (Some(account), Some(tenant)) => {
            format!("{key} is signed in as {account} (tenant {tenant})")
        }
        (Some(account), None) => format!("{key} is signed in as {account}"),
        (None, _) => format!("{key} is ready"),
    }
}

/// A sign-in that stands and that the service does not answer: it may be over, and the network may be away.
fn not_well(session: &Session, unwell: &Unwell) -> [Message; 2] {
    let (connection, module) = (&session.connection, &session.module);
    let account = session.account.as_deref().unwrap_or("somebody");
    let (what, why) = (&unwell.what, one_line(&unwell.why));
    [
        Message::error(format!(
            "{connection}/{module} was signed in as {account}, and asking {what} gives: {why}"
        )),
        Message::help(format!(
            "if the network is there, the sign-in may be over; to give it up and make a new one: mm disconnect -c '{connection}' -m {module}, and mm login again"
        )),
    ]
}

fn failed(session: &Session, failure: &Failure) -> Vec<Message> {
    let (connection, module) = (&session.connection, &session.module);
    let mut said = vec![Message::error(format!(
        "{connection}/{module} could not be signed in: {}",
        failure.message
    ))];
    if !failure.advice.is_empty() {
        said.push(Message::help(&*failure.advice));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_in_is_said() {
        let mut session: Session = serde_json::from_value(serde_json::json!({
            "connection": "Contoso", "module": "exo", "state": "ready",
            "since": "2026-01-02T03:04:05Z", "account": "admin@contoso.com", "tenant": "t-1",
        }))
        .expect("it is a session");
        assert_eq!(
            signed_in(&session),
            "Contoso/exo is signed in as admin@contoso.com (tenant t-1)"
        );
        session.account = None;
        assert_eq!(signed_in(&session), "Contoso/exo is ready");
    }
}
