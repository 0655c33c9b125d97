//! Sessions and runs in words: short, with the ids that the next call needs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::clean;
use super::reply::a_call;
use crate::api::{
    Approval, Challenge, NotRunCause, Outcome, Question, Run, RunState, Session, SessionState,
};

/// How long names, accounts and reasons may get in our own sentences.
const SHORT: usize = 300;

/// How long the daemon's own hint about a code may get: it names commands.
const HINT: usize = 600;

/// `Contoso/exo`.
pub(super) fn key(session: &Session) -> String {
    format!("{}/{}", session.connection, session.module)
}

/// `14 min 59 s`, for what a person waits for.
pub(super) fn span(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// What a person needs for a sign-in.
pub(super) fn challenge(challenge: &Challenge) -> String {
    let assumed = if challenge.verification_uri_assumed {
        " (the usual page; the program did not name one)"
    } else {
        ""
    };
    let account = match &challenge.expected_account {
        Some(account) => format!("\nAccount: {} and no other", clean::line(account, SHORT)),
        None => String::new(),
    };
    let hint = match &challenge.hint {
        Some(hint) => format!("\nNote: {}", clean::line(hint, HINT)),
        None => String::new(),
    };
    format!(
        "Code: {}\nPage: {}{assumed}{account}\nTime left: {}{hint}",
        clean::line(&challenge.user_code, SHORT),
        clean::line(&challenge.verification_uri, SHORT),
        span(challenge.expires_in),
    )
}

/// The call that waits for a session's sign-in.
pub(super) fn wait_for_sign_in(session: &Session) -> String {
    a_call(
        "wait",
        &json!({"connection": session.connection, "module": session.module}),
    )
}

/// Whom a session proved to be.
pub(super) fn who(account: Option<&str>, tenant: Option<&str>) -> String {
    let short = |text: &str| clean::line(text, SHORT);
    match (account, tenant) {
        (Some(account), Some(tenant)) => {
            format!(" as {} (tenant {})", short(account), short(tenant))
        }
        (Some(account), None) => format!(" as {}", short(account)),
        (None, Some(tenant)) => format!(" in tenant {}", short(tenant)),
        (None, None) => String::new(),
    }
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Starting => "starting",
        SessionState::SignedOut => "not signed in",
        SessionState::SigningIn => "waiting for a person to sign in",
        SessionState::Proving => "checking who signed in",
        SessionState::Ready => "ready",
        SessionState::Running => "running a command",
        SessionState::Asking => "asking a question",
        SessionState::Stopping => "stopping a command",
        SessionState::Closing => "closing",
        SessionState::Closed => "closed",
    }
}

/// A session in one paragraph.
pub(super) fn session(session: &Session) -> String {
    let mut text = format!("{}: {}", key(session), state(session.state));
    if session.signed_in() {
        text.push_str(&who(session.account.as_deref(), session.tenant.as_deref()));
    }
    write!(text, ", since {:.0}", session.since).expect("a string takes everything");
    // What a session asks is a tenant's words: [`asked`].
    if let Some(detail) = &session.detail
        && session.state != SessionState::Asking
    {
        write!(text, " ({})", clean::line(detail, SHORT)).expect("a string takes everything");
    }
    if let Some(shown) = &session.challenge {
        text.push('\n');
        text.push_str(&challenge(shown));
    }
    if let Some(run) = &session.current {
        write!(text, "\nIts run: {run}").expect("a string takes everything");
    }
    if let Some(last) = &session.last {
        write!(text, "\nIts last run: {}", last.id).expect("a string takes everything");
    }
    if session.queued > 0 {
        write!(text, "\nRuns that wait: {}", session.queued).expect("a string takes everything");
    }
    if let Some(unwell) = &session.unwell {
        let what = clean::line(&unwell.what, SHORT);
        write!(
            text,
            "\nIt may not be well: {what} was not answered since {:.0}",
            unwell.since
        )
        .expect("a string takes everything");
    }
    if let Some(failure) = failure(session) {
        text.push('\n');
        text.push_str(&failure);
    }
    text
}

/// What a session's run asks, on a line; it is a tenant's words.
pub(super) fn asked(session: &Session) -> Option<String> {
    let detail = session.detail.as_ref()?;
    let asks = session.state == SessionState::Asking;
    asks.then(|| format!("{} {}\n", key(session), clean::line(detail, 1_000)))
}

/// Why a session may not be well, on a line; it is a tenant's words.
pub(super) fn unwell_said(session: &Session) -> Option<String> {
    let unwell = session.unwell.as_ref()?;
    let why = clean::line(&unwell.why, 1_000);
    Some(format!(
        "{}: {}: {why}\n",
        key(session),
        clean::line(&unwell.what, SHORT)
    ))
}

/// How the last sign-in failed or the session ended, with the advice. What the service said about it is
/// [`failure_said`]: a tenant's words.
pub(super) fn failure(session: &Session) -> Option<String> {
    let failure = session.failure.as_ref()?;
    let mut text = format!("Failed: {}", clean::line(&failure.name, SHORT));
    if !failure.advice.is_empty() {
        write!(text, ". {}", clean::line(&failure.advice, SHORT))
            .expect("a string takes everything");
    }
    Some(text)
}

/// What was said about a failure, on a line.
pub(super) fn failure_said(session: &Session) -> Option<String> {
    let failure = session.failure.as_ref()?;
    let said = clean::line(&failure.message, 1_000);
    Some(format!("{}: {said}\n", key(session)))
}

/// How a run stands or ended, in a sentence.
pub(super) fn run(run: &Run) -> String {
    let place = format!(
        "run {} in {}/{}{}",
        run.id,
        run.connection,
        run.module,
        who(run.account.as_deref(), run.tenant.as_deref())
    );
    let Some(end) = run.end.as_ref().filter(|_| run.state == RunState::Ended) else {
        let stands = match run.state {
            RunState::Queued if run.ahead > 0 => {
                format!("waits for its turn, {} ahead of it", run.ahead)
            }
            RunState::Queued => "waits for its turn".to_owned(),
            RunState::WaitingForSignIn => "waits for the sign-in".to_owned(),
            RunState::WaitingForApproval => format!(
                "waits for a person's yes; nobody else can give it, and the person gives it in a terminal with `mm approvals approve {}`",
                run.id
            ),
            RunState::Asking => "asks a question".to_owned(),
            RunState::Stopping => "is stopping".to_owned(),
            RunState::Running | RunState::Ended => match run.started_at {
                Some(since) => format!("goes on, {} so far", took(since, Timestamp::now())),
                None => "goes on".to_owned(),
            },
        };
        return format!("{place} {stands}");
    };
    let ended = match end.outcome {
        Outcome::Succeeded => match end.errors.len() {
            0 => "succeeded",
            1 => "succeeded, with an error",
            _ => "succeeded, with errors",
        },
        Outcome::Failed => "failed",
        Outcome::Stopped => "was stopped",
        Outcome::TimedOut => "timed out",
        Outcome::Lost if run.started_at.is_none() => "did not run",
        Outcome::Lost => "was lost with its session; whether it did anything is not known",
        Outcome::NotRun => "did not run",
        Outcome::Refused => "was refused and did not run",
    };
    let mut text = format!("{place} {ended}");
    // How a sign-in failed is the service's words, which `status` shows as such.
    let reason = match (end.cause, &end.question) {
        (Some(NotRunCause::SignIn), _) => Some("the sign-in failed".to_owned()),
        (_, Some(_)) => Some(unanswered(end.reason.as_deref())),
        _ => end.reason.clone(),
    };
    if let Some(reason) = reason {
        write!(text, ": {}", clean::line(&reason, SHORT)).expect("a string takes everything");
    }
    if let (Some(from), Some(to)) = (run.started_at, run.ended_at) {
        write!(text, " ({})", took(from, to)).expect("a string takes everything");
    }
    text
}

/// Why a run ended that asked: without what it asked, which is a tenant's words ([`asked_in_vain`]), and with the daemon's
/// advice, which stands behind that.
fn unanswered(reason: Option<&str>) -> String {
    const NOBODY: &str = " and nobody was to answer";
    let advice = reason.and_then(|reason| reason.rsplit_once(NOBODY));
    let advice = advice.map(|(_, advice)| advice).unwrap_or_default();
    format!("it asked a question{NOBODY}{advice}")
}

/// What a run asked that ended because nobody was to answer, on a line; it is a tenant's words.
pub(super) fn asked_in_vain(run: &Run) -> String {
    let asked = run.end.as_ref().and_then(|end| end.question.as_ref());
    asked.map_or_else(String::new, |asked| {
        format!("it asked: {}\n", clean::line(&asked.text, 1_000))
    })
}

/// What went wrong beside a run's command, a sentence each: what was shown of it is not all there was.
pub(super) fn troubles(run: &Run) -> String {
    let troubles = run.end.iter().flat_map(|end| &end.troubles);
    troubles
        .map(|trouble| format!(" Note: {}.", clean::line(trouble, SHORT)))
        .collect::<Vec<String>>()
        .concat()
}

/// What has become of the session whose run ended before its time, as far as it is known.
pub(super) fn afterwards(run: &Run, session: Option<&Session>) -> &'static str {
    let outcome = run.end.as_ref().map(|end| end.outcome);
    let is_cut_short = matches!(outcome, Some(Outcome::Stopped | Outcome::TimedOut));
    match session {
        _ if !is_cut_short || run.started_at.is_none() => "",
        Some(session) if session.signed_in() && session.signed_in_at <= run.started_at => {
            " Its session stays signed in."
        }
        Some(session) if session.signed_in() => {
            " Its session was signed out since, and is signed in again."
        }
        Some(_) | None => " Its session is not signed in any longer.",
    }
}

/// The errors that a run wrote and that do not stand in `shown`, a line each; they are a tenant's words.
pub(super) fn errors(run: &Run, shown: &str) -> String {
    let errors = run.end.iter().flat_map(|end| &end.errors);
    errors
        .filter(|error| !is_in(&error.message, shown))
        .map(|error| {
            let place = match (error.line, error.column) {
                (Some(line), Some(column)) => format!(" at {line}:{column}"),
                _ => String::new(),
            };
            format!("error{place}: {}\n", clean::line(&error.message, 1_000))
        })
        .collect::<Vec<String>>()
        .concat()
}

/// Whether an error's message was printed. Programs fold long ones, so that its beginning has to do.
fn is_in(message: &str, shown: &str) -> bool {
    let beginning: String = message.chars().take(60).collect();
    let beginning = beginning.lines().next().unwrap_or_default();
    !beginning.is_empty() && shown.contains(beginning)
}

/// Why a run needs a person's yes, and how long there is for it; some of it are the command's own words.
pub(super) fn approval(approval: &Approval) -> String {
    let mut text = format!("rule: {}\n", clean::line(&approval.rule, SHORT));
    for finding in &approval.findings {
        writeln!(
            text,
            "line {}, {}: {} ({})",
            finding.line,
            clean::line(&finding.what, SHORT),
            clean::line(&finding.reason, SHORT),
            clean::line(&finding.effect, SHORT)
        )
        .expect("a string takes everything");
    }
    writeln!(text, "time left: {}", span(approval.expires_in)).expect("a string takes everything");
    text
}

/// A question and its answers; they are a tenant's words.
pub(super) fn question(question: &Question) -> String {
    let mut text = clean::text(question.text.as_bytes());
    for choice in &question.choices {
        write!(
            text,
            "\n{} = {}",
            clean::line(&choice.key, 80),
            clean::line(&choice.label, SHORT)
        )
        .expect("a string takes everything");
    }
    if let Some(default) = &question.default {
        write!(text, "\ndefault: {}", clean::line(default, 80)).expect("a string takes everything");
    }
    text
}

fn took(from: Timestamp, to: Timestamp) -> String {
    let milliseconds = to.duration_since(from).as_millis().max(0);
    if milliseconds < 60_000 {
        format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
    } else {
        span(u64::try_from(milliseconds / 1000).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn a_run(end: Value) -> Run {
        serde_json::from_value(
            json!({"id": "raaaaaaaaa", "connection": "Contoso", "module": "exo",
            "command": "1", "state": "ended", "submitted_at": "2026-01-02T03:04:05Z",
            "started_at": "2026-01-02T03:04:06Z", "ended_at": "2026-01-02T03:04:07Z", "end": end}),
        )
        .expect("it is a run")
    }

    fn a_session(state: &str, signed_in_at: Option<&str>) -> Session {
        serde_json::from_value(
            json!({"connection": "Contoso", "module": "exo", "state": state,
            "since": "2026-01-02T03:04:05Z", "signed_in_at": signed_in_at}),
        )
        .expect("it is a session")
    }

    #[test]
    fn what_became_of_the_session_is_said_of_what_was_cut_short() {
        let before = Some("2026-01-02T03:04:05Z");
        let after = Some("2026-01-02T03:04:09Z");
        for outcome in ["stopped", "timed_out"] {
            let run = a_run(json!({"outcome": outcome}));
            let said = |session: Option<&Session>| afterwards(&run, session);
            assert!(said(Some(&a_session("ready", before))).contains("stays signed in"));
            assert!(said(Some(&a_session("ready", after))).contains("signed in again"));
            assert!(said(Some(&a_session("signed_out", before))).contains("not signed in"));
            assert!(said(None).contains("not signed in"));
        }
        let whole = a_run(json!({"outcome": "succeeded"}));
        assert_eq!(afterwards(&whole, None), "");
    }

    #[test]
    fn what_is_not_whole_is_said() {
        let run =
            a_run(json!({"outcome": "succeeded", "troubles": ["a part is lost: no space left"]}));
        assert_eq!(troubles(&run), " Note: a part is lost: no space left.");
        assert_eq!(troubles(&a_run(json!({"outcome": "succeeded"}))), "");
    }
}
