//! A sign-in under way, shown: the code and the page at once, then the minutes left.

use std::time::{Duration, Instant};

use super::output::Screen;
use super::when::left;
use crate::api::{Challenge, Session, SessionState};

/// What was shown of a sign-in. A code is shown once; on a terminal a spinner counts its minutes.
#[derive(Debug, Default)]
pub(crate) struct SignInView {
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    code: String,
    /// Whether it was said what it may mean that nobody enters it.
    hinted: bool,
    page: String,
    until: Instant,
}

impl SignInView {
    /// Shows what is new about `session`.
    pub(crate) fn show(&mut self, session: &Session, screen: &mut Screen) {
        let Some(challenge) = &session.challenge else {
            self.shown = None;
            match waiting_for(session) {
                Some(text) => screen.progress(&text),
                None => screen.clear_progress(),
            }
            return;
        };
        let known = self.shown.as_ref().map(|shown| &shown.code);
        if known != Some(&challenge.user_code) {
            for line in lines(session, challenge) {
                screen.important(&line);
            }
        }
        let hinted = known == Some(&challenge.user_code)
            && self.shown.as_ref().is_some_and(|shown| shown.hinted);
        if let Some(hint) = challenge.hint.as_ref().filter(|_| !hinted) {
            screen.important(hint);
        }
        self.shown = Some(Shown {
            hinted: challenge.hint.is_some(),
            code: challenge.user_code.clone(),
            page: challenge.verification_uri.clone(),
            until: Instant::now() + Duration::from_secs(challenge.expires_in),
        });
        self.tick(screen);
    }

    /// Renews the minutes left; to be called now and then.
    pub(crate) fn tick(&self, screen: &mut Screen) {
        if let Some(shown) = &self.shown {
            let left = left(shown.until.saturating_duration_since(Instant::now()));
            screen.progress(&format!("{} at {} · {left}", shown.code, shown.page));
        }
    }
}

fn lines(session: &Session, challenge: &Challenge) -> Vec<String> {
    let who = challenge
        .expected_account
        .as_ref()
        .map(|account| format!(" as {account}"))
        .unwrap_or_default();
    let assumed = if challenge.verification_uri_assumed {
        "  (the usual page; the prompt named none)"
    } else {
        ""
    };
    let left = left(Duration::from_secs(challenge.expires_in));
    vec![
        format!("sign in to {}/{}{who}", session.connection, session.module),
        format!("  open   {}{assumed}", challenge.verification_uri),
        format!("  enter  {}  ({left})", challenge.user_code),
    ]
}

fn waiting_for(session: &Session) -> Option<String> {
    let key = format!("{}/{}", session.connection, session.module);
    match session.state {
        SessionState::Starting => Some(format!("{key}: starting {}", session.module_title)),
        SessionState::SigningIn => Some(format!("{key}: asking for a code")),
        SessionState::Proving => Some(format!("{key}: proving who is signed in")),
        SessionState::Stopping => Some(format!("{key}: stopping")),
        SessionState::SignedOut
        | SessionState::Ready
        | SessionState::Running
        | SessionState::Asking
        | SessionState::Closing
        | SessionState::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_account_and_time_are_told() {
        let session: Session = serde_json::from_value(serde_json::json!({
            "connection": "Contoso", "module": "exo", "state": "signing_in",
            "since": "2026-01-02T03:04:05Z",
            "challenge": {
                "user_code": "ABCD1234E", "verification_uri": "https://microsoft.com/devicelogin",
                "expires_in": 899, "expected_account": "admin@contoso.com",
            },
        }))
        .expect("it is a session");
        let challenge = session.challenge.as_ref().expect("it has one");
        assert_eq!(
            lines(&session, challenge),
            [
                "sign in to Contoso/exo as admin@contoso.com",
                "  open   https://microsoft.com/devicelogin",
                "  enter  ABCD1234E  (14 minutes left)",
            ]
        );
    }
}
