//! Between the daemon's words and the wire's. The matches are exhaustive, so that a new variant has to be thought about.

use std::time::Duration;

use axum::http::StatusCode;

use super::failure::Failure;
use crate::api::{self, ApiError, ErrorCode};
use crate::daemon::{
    Answer, ApprovalView, Approve, ChallengeView, CommandError, ConnectionView, DaemonView,
    FailureView, Finding, LoginOrder, Mode, ModuleView, NotRunCause, OffersView, OnDisconnect,
    OnQuestion, OnSignedOut, Outcome, PastSessionView, QuestionView, RunEnd, RunOrder, RunState,
    RunView, ServiceError, SessionState, SessionView, Who,
};
use crate::redact::mask;
use crate::script::{EndState, QuestionKind};

/// Characters of a command that lists and streams carry.
const COMMAND_SHOWN: usize = 1000;

/// Status and code of an error.
fn classify(error: &ServiceError) -> (StatusCode, ErrorCode) {
    match error {
        ServiceError::UnknownName { .. } => (StatusCode::NOT_FOUND, ErrorCode::UnknownName),
        ServiceError::Connection { .. } => (StatusCode::NOT_FOUND, ErrorCode::BadConnection),
        ServiceError::Module { .. } => (StatusCode::NOT_FOUND, ErrorCode::BadModule),
        ServiceError::Command { .. } => (StatusCode::BAD_REQUEST, ErrorCode::BadCommand),
        ServiceError::UnknownRun { .. } => (StatusCode::NOT_FOUND, ErrorCode::UnknownRun),
        ServiceError::UnknownSession { .. } => (StatusCode::NOT_FOUND, ErrorCode::UnknownSession),
        ServiceError::SignInNeeded { .. } => (StatusCode::CONFLICT, ErrorCode::SignInNeeded),
        ServiceError::SessionLost { .. } => (StatusCode::BAD_GATEWAY, ErrorCode::SessionLost),
        ServiceError::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::Busy),
        ServiceError::InUse { .. } => (StatusCode::CONFLICT, ErrorCode::InUse),
        ServiceError::Stopping { .. } => (StatusCode::CONFLICT, ErrorCode::Stopping),
        ServiceError::NothingAsked { .. } => (StatusCode::CONFLICT, ErrorCode::NothingAsked),
        ServiceError::BadAnswer { .. } => (StatusCode::BAD_REQUEST, ErrorCode::BadAnswer),
        ServiceError::Refused { .. } => (StatusCode::FORBIDDEN, ErrorCode::Refused),
        ServiceError::Unrecorded { .. } => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unrecorded),
        ServiceError::NotReading { .. } => (StatusCode::FORBIDDEN, ErrorCode::NotReading),
        ServiceError::TicketNeeded { .. } => (StatusCode::FORBIDDEN, ErrorCode::TicketNeeded),
        ServiceError::NoWhatIf { .. } => (StatusCode::BAD_REQUEST, ErrorCode::NoWhatIf),
        ServiceError::NeedsPerson { .. } => (StatusCode::FORBIDDEN, ErrorCode::NeedsPerson),
        ServiceError::NoApproval { .. } => (StatusCode::CONFLICT, ErrorCode::NoApproval),
        ServiceError::ApprovalChanged { .. } => (StatusCode::CONFLICT, ErrorCode::ApprovalChanged),
        ServiceError::WouldLoseSignIns { .. } => {
            (StatusCode::CONFLICT, ErrorCode::WouldLoseSignIns)
        }
        ServiceError::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown),
        ServiceError::State { .. } => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::State),
    }
}

/// The error as a line of a stream.
pub(super) fn error(error: &ServiceError) -> ApiError {
    let (_, code) = classify(error);
    ApiError {
        code,
        // A policy names what it refuses, and a file what is wrong in it.
        message: mask(&error.to_string()).into(),
        help: error.help().map(|help| mask(&help).into()),
        run: match error {
            ServiceError::InUse { run, .. } => run.clone(),
            _ => None,
        },
    }
}

impl From<ServiceError> for Failure {
    fn from(from: ServiceError) -> Self {
        let (status, _) = classify(&from);
        let error = error(&from);
        Self { status, error }
    }
}

/// What a request asks for.
pub(super) fn login(request: api::LoginRequest) -> LoginOrder {
    LoginOrder {
        connection: request.connection,
        module: request.module,
        way: request.way,
        forget_identity: request.forget_identity,
        record: request.record,
    }
}

pub(super) fn order(request: api::RunRequest, who: Who) -> RunOrder {
    RunOrder {
        connection: request.connection,
        module: request.module,
        command: request.command,
        mode: match request.mode {
            api::Mode::Text => Mode::Text,
            api::Mode::Records => Mode::Records,
        },
        depth: request.depth,
        deadline: request.timeout_ms.map(Duration::from_millis),
        on_disconnect: match request.on_disconnect {
            api::OnDisconnect::Keep => OnDisconnect::Keep,
            api::OnDisconnect::Stop => OnDisconnect::Stop,
        },
        on_question: match request.on_question {
            api::OnQuestion::Ask => OnQuestion::Ask,
            api::OnQuestion::Fail => OnQuestion::Fail,
        },
        refuse_if_asked: request.refuse_if_asked,
        on_signed_out: match request.on_signed_out {
            api::OnSignedOut::SignIn => OnSignedOut::SignIn,
            api::OnSignedOut::Refuse => OnSignedOut::Refuse,
        },
        record: request.record,
        only_reads: request.only_reads,
        what_if: request.what_if,
        reason: request.reason.map(|reason| mask(&reason).into()),
        ticket: request.ticket.map(|ticket| mask(&ticket).into()),
        who,
        client: request.client,
    }
}

/// An answer that was sent.
pub(super) fn answer(request: api::AnswerRequest) -> Answer {
    Answer {
        text: request.text,
        secret: request.secret,
    }
}

/// A run with a command that is cut where it is long.
pub(super) fn run(view: RunView) -> api::Run {
    let mut run = whole_run(view);
    if let Some((cut, _)) = run.command.char_indices().nth(COMMAND_SHOWN) {
        run.command.truncate(cut);
        run.command_truncated = true;
    }
    run
}

/// A run with its whole command.
pub(super) fn whole_run(view: RunView) -> api::Run {
    api::Run {
        id: view.id,
        connection: view.session.connection,
        module: view.session.module,
        command: view.command,
        command_truncated: false,
        mode: match view.mode {
            Mode::Text => api::Mode::Text,
            Mode::Records => api::Mode::Records,
        },
        client: view.client,
        state: match view.state {
            RunState::Queued => api::RunState::Queued,
            RunState::WaitingForSignIn => api::RunState::WaitingForSignIn,
            RunState::WaitingForApproval => api::RunState::WaitingForApproval,
            RunState::Running => api::RunState::Running,
            RunState::Asking => api::RunState::Asking,
            RunState::Stopping => api::RunState::Stopping,
            RunState::Ended => api::RunState::Ended,
        },
        ahead: view.ahead,
        submitted_at: view.submitted_at,
        started_at: view.started_at,
        ended_at: view.ended_at,
        question: view.question.map(question),
        approval: view.approval.map(approval),
        end: view.end.map(end),
        account: view.account,
        tenant: view.tenant,
        output_length: view.output_length,
        output_skipped: view.output_skipped,
    }
}

fn approval(view: ApprovalView) -> api::Approval {
    let finding = |finding: Finding| api::Finding {
        effect: finding.effect.word().to_owned(),
        what: finding.what,
        line: finding.line,
        reason: finding.reason,
    };
    api::Approval {
        effects: view.effects.into_iter().map(str::to_owned).collect(),
        findings: view.findings.into_iter().map(finding).collect(),
        rule: view.rule,
        asked_by: match view.who {
            Who::Person => api::AskedBy::Person,
            Who::Program => api::AskedBy::Program,
        },
        client: view.client,
        reason: view.reason,
        ticket: view.ticket,
        preview: view.preview,
        type_tenant: view.type_tenant,
        hides_something: view.hides_something,
        tenant_name: view.tenant_name,
        trusted_forms: view.trusted_forms,
        asked_at: view.asked_at,
        expires_in: view.left.as_secs(),
        digest: view.digest,
    }
}

/// A yes that was sent.
pub(super) fn approve(request: api::ApproveRequest, who: Who) -> Approve {
    Approve {
        digest: request.digest,
        tenant: request.tenant,
        who,
        client: request.client,
        form: request.form,
    }
}

fn question(view: QuestionView) -> api::Question {
    api::Question {
        kind: match view.kind {
            QuestionKind::Confirm => api::QuestionKind::Confirm,
            QuestionKind::Choice => api::QuestionKind::Choice,
            QuestionKind::Text => api::QuestionKind::Text,
            QuestionKind::Secret => api::QuestionKind::Secret,
            QuestionKind::Parameter => api::QuestionKind::Parameter,
        },
        text: view.text,
        default: view.default,
        choices: view
            .choices
            .into_iter()
            .map(|(key, label)| api::Choice { key, label })
            .collect(),
    }
}

fn end(view: RunEnd) -> api::RunEnd {
    api::RunEnd {
        outcome: match view.outcome {
            Outcome::Succeeded => api::Outcome::Succeeded,
            Outcome::Failed => api::Outcome::Failed,
            Outcome::Stopped => api::Outcome::Stopped,
            Outcome::TimedOut => api::Outcome::TimedOut,
            Outcome::Lost => api::Outcome::Lost,
            Outcome::NotRun => api::Outcome::NotRun,
            Outcome::Refused => api::Outcome::Refused,
        },
        state: view.state.map(|state| match state {
            EndState::Ok => api::EndState::Ok,
            EndState::Failed => api::EndState::Failed,
            EndState::Aborted => api::EndState::Aborted,
            EndState::Parse => api::EndState::Parse,
            EndState::Garbled => api::EndState::Garbled,
            EndState::Unstarted => api::EndState::Unstarted,
        }),
        exit: view.exit,
        errors: view.errors.into_iter().map(command_error).collect(),
        cause: view.cause.map(|cause| match cause {
            NotRunCause::SignIn => api::NotRunCause::SignIn,
            NotRunCause::Busy => api::NotRunCause::Busy,
        }),
        reason: view.reason,
        troubles: view.troubles,
        question: view.question.map(question),
    }
}

fn command_error(error: CommandError) -> api::CommandError {
    let CommandError {
        message,
        id,
        category,
        line,
        column,
    } = error;
    api::CommandError {
        message,
        id,
        category,
        line,
        column,
    }
}

/// A session of the history.
pub(super) fn past_session(view: PastSessionView) -> api::PastSession {
    api::PastSession {
        connection: view.key.connection,
        module: view.key.module,
        started_at: view.started_at,
        signed_in_at: view.signed_in_at,
        account: view.account,
        tenant: view.tenant,
        ended_at: view.ended_at,
        reason: view.reason,
    }
}

/// A session.
pub(super) fn session(view: SessionView) -> api::Session {
    api::Session {
        connection: view.key.connection,
        module: view.key.module,
        module_title: view.module_title,
        state: match view.state {
            SessionState::Starting => api::SessionState::Starting,
            SessionState::SignedOut => api::SessionState::SignedOut,
            SessionState::SigningIn => api::SessionState::SigningIn,
            SessionState::Proving => api::SessionState::Proving,
            SessionState::Ready => api::SessionState::Ready,
            SessionState::Running => api::SessionState::Running,
            SessionState::Asking => api::SessionState::Asking,
            SessionState::Stopping => api::SessionState::Stopping,
            SessionState::Closing => api::SessionState::Closing,
            SessionState::Closed => api::SessionState::Closed,
        },
        since: view.since,
        detail: view.detail,
        pid: view.pid,
        account: view.account,
        tenant: view.tenant,
        way: view.way,
        signed_in_at: view.signed_in_at,
        challenge: view.challenge.map(challenge),
        failure: view.failure.map(failure),
        current: view.current,
        last: view
            .last
            .map(|(id, ended_at)| api::LastRun { id, ended_at }),
        queued: view.queued,
        started_at: Some(view.started_at),
        idle_since: view.idle_since,
        ends_at: view.ends_at,
        checked_at: view.checked_at,
        unwell: view.unwell.map(|unwell| api::Unwell {
            what: unwell.what.to_owned(),
            why: unwell.why,
            since: unwell.since,
        }),
        recording_failed: view.recording,
        memory_bytes: view.memory,
    }
}

fn challenge(view: ChallengeView) -> api::Challenge {
    api::Challenge {
        user_code: view.user_code,
        verification_uri: view.verification_uri,
        verification_uri_assumed: view.uri_assumed,
        expires_in: view.left.as_secs(),
        expected_account: view.expected_account,
        hint: view.hint,
    }
}

fn failure(view: FailureView) -> api::Failure {
    let FailureView {
        name,
        message,
        advice,
        retry,
    } = view;
    api::Failure {
        name,
        message,
        advice,
        retry,
    }
}

/// What can be signed in to.
pub(super) fn offers(view: OffersView) -> api::Offers {
    let connection = |view: ConnectionView| api::Connection {
        name: view.name,
        tenant: view.tenant,
        tenant_id: view.tenant_id,
        expected_account: view.expected_account,
        description: view.description,
        modules: view.modules,
    };
    let module = |view: ModuleView| api::Module {
        name: view.name,
        title: view.title,
        aliases: view.aliases,
        signs_in: view.signs_in,
    };
    api::Offers {
        connections: view.connections.into_iter().map(connection).collect(),
        modules: view.modules.into_iter().map(module).collect(),
        troubles: view.troubles,
    }
}

/// The daemon.
pub(super) fn daemon(view: DaemonView) -> api::DaemonInfo {
    api::DaemonInfo {
        version: view.version,
        api_version: api::API_VERSION,
        pid: view.pid,
        started_at: view.started_at,
        state_dir: view.state_dir,
        sessions: view.sessions,
        signed_in: view.signed_in,
        running: view.running,
        trusted_forms: view.trusted_forms,
        troubles: view.troubles,
        waits_for: view.waits_for,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::SessionKey;

    fn key() -> SessionKey {
        SessionKey {
            connection: "Contoso".parse().expect("it is a name"),
            module: "exo".parse().expect("it is a name"),
        }
    }

    fn view(command: String) -> RunView {
        RunView {
            id: "rabcdefghj".parse().expect("it is an id"),
            session: key(),
            command,
            mode: Mode::Records,
            client: "cli".to_owned(),
            state: RunState::Asking,
            ahead: 0,
            submitted_at: jiff::Timestamp::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
            question: Some(QuestionView {
                kind: QuestionKind::Confirm,
                text: "Sure?".to_owned(),
                default: Some("N".to_owned()),
                choices: vec![("Y".to_owned(), "Yes".to_owned())],
            }),
            approval: None,
            end: Some(RunEnd {
                outcome: Outcome::Failed,
                state: Some(EndState::Parse),
                exit: Some(1),
                errors: vec![CommandError {
                    message: "Missing closing '}'".to_owned(),
                    line: Some(3),
                    column: Some(7),
                    ..CommandError::default()
                }],
                cause: None,
                reason: None,
                troubles: Vec::new(),
                question: None,
            }),
            account: Some("admin@contoso.com".to_owned()),
            tenant: None,
            output_length: 10,
            output_skipped: 2,
        }
    }

    #[test]
    fn an_error_keeps_its_words_and_gets_a_status_and_a_code() {
        let failure = Failure::from(ServiceError::Busy {
            key: key(),
            queued: 8,
        });
        assert_eq!(failure.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(failure.error.code, ErrorCode::Busy);
        assert_eq!(
            failure.error.message,
            "Contoso/exo is busy: 8 runs wait for it already"
        );
        assert!(
            failure
                .error
                .help
                .is_some_and(|help| help.contains("mm runs stop"))
        );
    }

    #[test]
    fn the_form_of_a_run_is_kept() {
        let run = run(view("Get-Mailbox".to_owned()));
        insta::assert_json_snapshot!(run);
    }

    #[test]
    fn a_long_command_is_cut_between_characters_and_says_so() {
        let long = "é".repeat(COMMAND_SHOWN + 1);
        let cut = run(view(long.clone()));
        assert!(cut.command_truncated);
        assert_eq!(cut.command.chars().count(), COMMAND_SHOWN);
        let whole = whole_run(view(long.clone()));
        assert_eq!(whole.command, long);
        assert!(!whole.command_truncated);
    }

    #[test]
    fn the_form_of_a_session_is_kept() {
        let session = session(SessionView {
            key: key(),
            module_title: "Exchange Online".to_owned(),
            state: SessionState::SigningIn,
            since: jiff::Timestamp::UNIX_EPOCH,
            detail: None,
            pid: Some(7),
            account: None,
            tenant: None,
            way: None,
            signed_in_at: None,
            challenge: Some(ChallengeView {
                user_code: "ABCD1234E".to_owned(),
                verification_uri: "https://microsoft.com/devicelogin".to_owned(),
                uri_assumed: false,
                left: Duration::from_millis(899_999),
                expected_account: Some("admin@contoso.com".to_owned()),
                hint: None,
            }),
            failure: Some(FailureView {
                name: "declined".to_owned(),
                message: "the sign-in was declined".to_owned(),
                advice: "try again".to_owned(),
                retry: true,
            }),
            current: None,
            last: Some((
                "rabcdefghj".parse().expect("it is an id"),
                jiff::Timestamp::UNIX_EPOCH,
            )),
            queued: 1,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            idle_since: None,
            ends_at: None,
            checked_at: None,
            unwell: None,
            recording: None,
            memory: Some(1 << 20),
        });
        insta::assert_json_snapshot!(session);
    }
}
