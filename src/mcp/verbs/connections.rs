//! `connections`: what can be signed in to, and which sessions live.

use std::fmt::Write as _;

use crate::api::{Offers, Session};
use crate::mcp::args::NoArgs;
use crate::mcp::call::Call;
use crate::mcp::reply::{Refusal, Reply};
use crate::mcp::{clean, tell};
use crate::name::ModuleName;

/// Lists connections, modules and living sessions.
pub(in crate::mcp) async fn connections(call: &Call, _: NoArgs) -> Result<Reply, Refusal> {
    let client = call.client().await?;
    let offers = client.offers().await?;
    let sessions = client.sessions(None, None).await?;
    Ok(told(&offers, &sessions))
}

/// What there is to sign in to.
pub(super) fn told(offers: &Offers, sessions: &[Session]) -> Reply {
    if offers.connections.is_empty() {
        let troubles = troubles(offers);
        return if troubles.is_empty() {
            Reply::new("No connection is configured.").next(
                "tell the person to add one with `mm connections add`, or to try `mm demo --keep`",
            )
        } else {
            Reply::new("No connection can be used.")
                .next("tell the person why, as it stands below; `mm connections check` says more")
                .data("troubles", &troubles)
        };
    }
    let text = format!(
        "{}\n{}\n{}",
        count(offers.connections.len(), "connection"),
        modules(offers),
        living(sessions)
    );
    Reply::new(text)
        .next("`read` or `run` where the session is signed in, else `login` with a connection and a module")
        .data("connections", &listed(offers))
}

fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}, listed below.")
}

fn modules(offers: &Offers) -> String {
    let modules: Vec<String> = offers
        .modules
        .iter()
        .map(|module| {
            let aliases: Vec<&str> = module.aliases.iter().map(ModuleName::as_str).collect();
            let also = if aliases.is_empty() {
                String::new()
            } else {
                format!(", also {}", aliases.join(", "))
            };
            format!("{} ({}{also})", module.name, clean::line(&module.title, 80))
        })
        .collect();
    format!("Modules: {}", modules.join("; "))
}

fn living(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "No session lives.".to_owned();
    }
    let sessions: Vec<String> = sessions
        .iter()
        .map(|session| {
            let state = if session.signed_in() {
                "signed in"
            } else {
                "not signed in"
            };
            format!("{} {state}", tell::key(session))
        })
        .collect();
    format!("Sessions: {}", sessions.join("; "))
}

fn listed(offers: &Offers) -> String {
    let mut text = String::new();
    for connection in &offers.connections {
        write!(
            text,
            "{}: tenant {}",
            connection.name,
            clean::line(&connection.tenant, 200)
        )
        .expect("a string takes everything");
        if let Some(account) = &connection.expected_account {
            write!(text, ", account {}", clean::line(account, 200))
                .expect("a string takes everything");
        }
        if let Some(description) = &connection.description {
            write!(text, ", {}", clean::line(description, 300)).expect("a string takes everything");
        }
        match connection.modules.as_deref() {
            None => {}
            Some([]) => text.push_str(", may be used with no module"),
            Some(modules) => {
                let modules: Vec<&str> = modules.iter().map(ModuleName::as_str).collect();
                write!(text, ", only with {}", modules.join(", "))
                    .expect("a string takes everything");
            }
        }
        text.push('\n');
    }
    text.push_str(&troubles(offers));
    text
}

fn troubles(offers: &Offers) -> String {
    offers
        .troubles
        .iter()
        .map(|trouble| format!("trouble: {}\n", clean::line(trouble, 500)))
        .collect::<Vec<String>>()
        .concat()
}
