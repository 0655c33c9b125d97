//! `mm status`: the sessions.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::api::{DaemonInfo, PastSession, Session, SessionState};
use crate::cli::args::StatusArgs;
use crate::cli::ending::Message;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::harmless::one_line;
use crate::cli::output::Screen;
use crate::cli::table::table;
use crate::cli::when::{ago, left, since, size, span};
use crate::cli::wiring;
use crate::client::ClientError;

/// What `mm status --json` prints.
#[derive(Serialize)]
struct Report {
    /// Absent where none is running.
    daemon: Option<DaemonInfo>,
    sessions: Vec<Session>,
}

/// Shows the sessions. It starts no daemon: where none is running, there is no session.
pub(crate) async fn status(args: StatusArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let client = match wiring::running_client().await {
        Ok(client) => client,
        Err(CliError::Client(ClientError::NoDaemon)) => {
            if args.json {
                screen.json(&Report {
                    daemon: None,
                    sessions: Vec::new(),
                })?;
            } else {
                screen.text("no daemon is running, so nothing is signed in")?;
            }
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error),
    };
    let filter = &args.filter;
    if args.history {
        let past = client
            .past_sessions(filter.connection.as_deref(), filter.module.as_deref())
            .await?;
        if args.json {
            screen.json(&past)?;
        } else {
            let text = history(&past, Timestamp::now(), &TimeZone::system(), screen.width());
            screen.text(&text)?;
        }
        return Ok(Exit::Done);
    }
    let sessions = client
        .sessions(filter.connection.as_deref(), filter.module.as_deref())
        .await?;
    let daemon = client.daemon().await?;
    if args.json {
        screen.json(&Report {
            daemon: Some(daemon),
            sessions,
        })?;
        return Ok(Exit::Done);
    }
    if sessions.is_empty() {
        screen.text("no sessions; `mm login -c NAME -m MODULE` makes one")?;
    } else {
        let text = rendered(
            &sessions,
            Timestamp::now(),
            &TimeZone::system(),
            screen.width(),
        );
        screen.text(&text)?;
    }
    if let Some(version) = client.other_version() {
        screen.note(&super::run::other_version(&version));
    }
    if client.is_other_build() {
        screen.note(super::run::OTHER_BUILD);
    }
    for trouble in &daemon.troubles {
        screen.tell(&Message::error(trouble));
    }
    Ok(Exit::Done)
}

/// The table, and below it what is wrong with sessions.
fn history(
    sessions: &[PastSession],
    now: Timestamp,
    zone: &TimeZone,
    width: Option<usize>,
) -> String {
    let head = ["SESSION", "STARTED", "SIGNED IN", "ACCOUNT", "ENDED", "WHY"];
    let row = |session: &PastSession| {
        let time =
            |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| since(at, now, zone));
        let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), one_line);
        vec![
            format!("{}/{}", session.connection, session.module),
            since(session.started_at, now, zone),
            time(session.signed_in_at),
            text(&session.account),
            time(session.ended_at),
            text(&session.reason),
        ]
    };
    let rows: Vec<Vec<String>> = sessions.iter().map(row).collect();
    table(&head, &rows, width)
}

fn rendered(sessions: &[Session], now: Timestamp, zone: &TimeZone, width: Option<usize>) -> String {
    let head = [
        "SESSION",
        "STATE",
        "ACCOUNT",
        "TENANT",
        "SINCE",
        "LAST RUN",
        "MEMORY",
        "WAITS FOR",
    ];
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .map(|session| {
            let cell =
                |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), one_line);
            vec![
                format!("{}/{}", session.connection, session.module),
                state(session.state).to_owned(),
                cell(&session.account),
                cell(&session.tenant),
                since(session.since, now, zone),
                session.last.as_ref().map_or_else(
                    || "-".to_owned(),
                    |last| format!("{} {}", last.id, ago(last.ended_at, now)),
                ),
                session.memory_bytes.map_or_else(|| "-".to_owned(), size),
                waits_for(session, now),
            ]
        })
        .collect();
    let mut text = table(&head, &rows, width);
    for session in sessions {
        if let Some(unwell) = &session.unwell {
            text.extend([format!(
                "{}/{}: not well since {}: {} was asked, and what came is: {}\n",
                session.connection,
                session.module,
                since(unwell.since, now, zone),
                unwell.what,
                one_line(&unwell.why),
            )]);
        }
        if let Some(failure) = &session.failure {
            let (connection, module) = (&session.connection, &session.module);
            let (message, advice) = (one_line(&failure.message), one_line(&failure.advice));
            text.extend([format!("{connection}/{module}: {message}\n  {advice}\n")]);
        }
    }
    text
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Starting => "starting",
        SessionState::SignedOut => "signed out",
        SessionState::SigningIn => "signing in",
        SessionState::Proving => "proving",
        SessionState::Ready => "ready",
        SessionState::Running => "running",
        SessionState::Asking => "asking",
        SessionState::Stopping => "stopping",
        SessionState::Closing => "closing",
        SessionState::Closed => "closed",
    }
}

fn waits_for(session: &Session, now: Timestamp) -> String {
    let mut waits = Vec::new();
    if let Some(challenge) = &session.challenge {
        let left = left(std::time::Duration::from_secs(challenge.expires_in));
        waits.push(format!(
            "code {} at {}, {left}",
            one_line(&challenge.user_code),
            one_line(&challenge.verification_uri)
        ));
    }
    match (&session.current, session.state) {
        (Some(run), SessionState::Asking) => waits.push(format!("an answer: mm answer {run}")),
        (Some(run), _) => waits.push(format!("run {run}")),
        (None, _) => {}
    }
    if let Some(detail) = &session.detail {
        waits.push(one_line(detail));
    }
    match session.queued {
        0 => {}
        1 => waits.push("1 run queued".to_owned()),
        queued => waits.push(format!("{queued} runs queued")),
    }
    if let (Some(idle), Some(ends)) = (session.idle_since, session.ends_at) {
        let left = std::time::Duration::try_from(ends.duration_since(now)).unwrap_or_default();
        waits.push(format!(
            "use, last {}; ends in {}",
            ago(idle, now),
            span(left)
        ));
    }
    if waits.is_empty() {
        "-".to_owned()
    } else {
        waits.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_readable() {
        let sessions: Vec<Session> = serde_json::from_value(serde_json::json!([
            {
                "connection": "Contoso", "module": "exo", "state": "ready",
                "since": "2026-03-04T11:57:00Z", "account": "admin@contoso.com",
                "tenant": "6d5f1a3e-0000-4000-8000-000000000000",
                "idle_since": "2026-03-04T11:00:00Z", "ends_at": "2026-03-05T11:00:00Z", "memory_bytes": 201_326_592,
                "last": {"id": "rabcdefghj", "ended_at": "2026-03-04T11:00:00Z"},
            },
            {
                "connection": "Bäckerei Müller", "module": "azure", "state": "signing_in",
                "since": "2026-03-04T11:59:55Z", "queued": 2,
                "challenge": {
                    "user_code": "ABCD1234E", "verification_uri": "https://microsoft.com/devicelogin",
                    "expires_in": 850,
                },
            },
            {
                "connection": "Fabrikam", "module": "exo", "state": "asking",
                "since": "2026-03-04T11:59:00Z", "account": "a\u{1b}[31mb@fabrikam.com",
                "current": "rkkkkkkkkk",
                "unwell": {"what": "the service", "why": "UnAuthorized", "since": "2026-03-04T11:30:00Z"},
            },
            {
                "connection": "Fabrikam", "module": "teams", "state": "signed_out",
                "since": "2026-03-02T11:59:00Z",
                "failure": {"name": "declined", "message": "the sign-in was declined", "advice": "sign in again"},
            },
        ]))
        .expect("they are sessions");
        let now = "2026-03-04T12:00:00Z".parse().expect("it is a time");
        insta::assert_snapshot!(rendered(&sessions, now, &TimeZone::UTC, None));
    }
}
