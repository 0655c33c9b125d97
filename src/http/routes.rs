//! The routes: which path calls which verb.

use axum::Extension;
use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::body::{JsonBody, Params};
use super::caller::{Caller, is_name, needs_person};
use super::failure::Failure;
use super::peer::Peer;
use super::server::Stopper;
use super::stream;
use super::{convert, server};
use crate::api::{
    AnswerRequest, ApprovalList, ApproveRequest, CONNECTIONS_HEADER, DaemonInfo, DemoRequest,
    DenyRequest, DisconnectRequest, ErrorCode, LoginRequest, Offers, PAGE_HEADERS, PastSessionList,
    Run, RunList, RunRequest, Session, SessionList, ShutdownRequest, VERSION_HEADER, WatchRequest,
};
use crate::audit::Who;
use crate::daemon::{self, Disconnect, Service, Shutdown};
use crate::name::{RunId, SessionKey};

/// Runs in a list where nobody said how many.
const LIST_LENGTH: usize = 50;

/// Runs in a list, at most.
const LIST_LIMIT: usize = 1000;

/// Bytes of a raw page, at most and where nobody said how many.
const PAGE_LIMIT: usize = 1024 * 1024;

/// What the routes share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) service: Service,
    stopper: Stopper,
}

/// Proof that the caller means the connections file that the daemon reads, or did not say which.
struct SameConnections;

impl FromRequestParts<Door> for SameConnections {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Failure> {
        if let Some(meant) = parts.headers.get(CONNECTIONS_HEADER) {
            let meant = String::from_utf8_lossy(meant.as_bytes());
            door.service.check_connections_file(&meant)?;
        }
        Ok(Self)
    }
}

/// The routes over `service`. A granted shutdown calls `stopper` after its answer was made.
pub(super) fn routes(service: Service, stopper: Stopper) -> Router {
    let version = HeaderValue::from_static(server::VERSION);
    Router::new()
        .route("/v1/daemon", get(about))
        .route("/v1/daemon/shutdown", post(shutdown))
        .route("/v1/connections", get(connections))
        .route("/v1/sessions", get(sessions))
        .route("/v1/sessions/events", get(session_events))
        .route("/v1/sessions/history", get(history))
        .route("/v1/sessions/login", post(login))
        .route("/v1/sessions/watch", post(watch))
        .route("/v1/sessions/disconnect", post(disconnect))
        .route("/v1/runs", get(runs).post(run))
        .route("/v1/runs/{id}", get(show_run))
        .route("/v1/runs/{id}/events", get(events))
        .route("/v1/runs/{id}/output", get(output))
        .route("/v1/runs/{id}/stop", post(stop))
        .route("/v1/runs/{id}/keep", post(keep))
        .route("/v1/runs/{id}/answer", post(answer))
        .route("/v1/approvals", get(approvals))
        .route("/v1/approvals/{id}", get(show_approval))
        .route("/v1/approvals/{id}/approve", post(approve))
        .route("/v1/approvals/{id}/deny", post(deny))
        .route("/v1/policy/accept", post(super::policy::accept))
        .route("/v1/demo", post(demo))
        .merge(super::audit::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(Door { service, stopper })
        .layer(axum::middleware::map_response(
            move |mut response: Response| {
                let version = version.clone();
                async move {
                    response.headers_mut().insert(VERSION_HEADER, version);
                    response
                }
            },
        ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    connection: Option<String>,
    module: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhichRuns {
    connection: Option<String>,
    module: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    #[serde(default)]
    from: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    from: u64,
    max: Option<usize>,
}

async fn about(State(door): State<Door>) -> Json<DaemonInfo> {
    Json(convert::daemon(door.service.info()))
}

async fn shutdown(
    State(door): State<Door>,
    JsonBody(request): JsonBody<ShutdownRequest>,
) -> Result<StatusCode, Failure> {
    let how = if request.force {
        Shutdown::Forced
    } else {
        Shutdown::Asked
    };
    door.service.shut_down(how).await?;
    door.stopper.stop();
    Ok(StatusCode::NO_CONTENT)
}

async fn connections(State(door): State<Door>) -> Json<Offers> {
    Json(convert::offers(door.service.offers()))
}

async fn sessions(
    State(door): State<Door>,
    Params(which): Params<Which>,
) -> Result<Json<SessionList>, Failure> {
    let views = door
        .service
        .sessions(which.connection.as_deref(), which.module.as_deref())?;
    let sessions = views.into_iter().map(convert::session).collect();
    Ok(Json(SessionList { sessions }))
}

async fn session_events(State(door): State<Door>) -> Response {
    stream::sessions(door.service.watch_sessions(), door.stopper)
}

async fn history(
    State(door): State<Door>,
    Params(which): Params<WhichRuns>,
) -> Result<Json<PastSessionList>, Failure> {
    let limit = which.limit.unwrap_or(LIST_LENGTH).clamp(1, LIST_LIMIT);
    let views = door
        .service
        .past_sessions(which.connection.as_deref(), which.module.as_deref(), limit)
        .await?;
    let sessions = views.into_iter().map(convert::past_session).collect();
    Ok(Json(PastSessionList { sessions }))
}

/// Who may sign in is a person's decision once it was proven; that they sign in is not.
fn check_login(request: &LoginRequest, peer: Peer, who: &Who) -> Result<(), Failure> {
    if request.forget_identity && peer.who(&who.client) != daemon::Who::Person {
        return Err(needs_person());
    }
    Ok(())
}

async fn login(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    _: SameConnections,
    Caller(who): Caller,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Json<Session>, Failure> {
    check_login(&request, peer, &who)?;
    let order = convert::login(request);
    let watch = door.service.login(&order, &who).await?;
    Ok(Json(convert::session(watch.view())))
}

async fn watch(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    _: SameConnections,
    Caller(who): Caller,
    JsonBody(request): JsonBody<WatchRequest>,
) -> Result<Response, Failure> {
    check_login(&request, peer, &who)?;
    let order = convert::login(request);
    let watch = door.service.login(&order, &who).await?;
    Ok(stream::session(watch))
}

async fn disconnect(
    State(door): State<Door>,
    _: SameConnections,
    Caller(who): Caller,
    JsonBody(request): JsonBody<DisconnectRequest>,
) -> Result<Json<SessionKey>, Failure> {
    let how = match (request.force, request.unless_used) {
        (false, false) => Disconnect::SignOut,
        (false, true) => Disconnect::UnlessUsed,
        (true, false) => Disconnect::Kill,
        (true, true) => return Err(bad("`force` and `unless_used` exclude each other")),
    };
    let key = door
        .service
        .disconnect(&request.connection, &request.module, how, &who)
        .await?;
    Ok(Json(key))
}

async fn run(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    _: SameConnections,
    JsonBody(request): JsonBody<RunRequest>,
) -> Result<Response, Failure> {
    check(&request)?;
    let (wait, who) = (request.wait, peer.who(&request.client));
    let (watch, asker) = door.service.run(convert::order(request, who)).await?;
    if wait {
        Ok(stream::run(watch, 0, Some(asker)))
    } else {
        // Who only wants its id has it now.
        asker.served();
        Ok((StatusCode::ACCEPTED, Json(convert::run(watch.view()))).into_response())
    }
}

async fn runs(
    State(door): State<Door>,
    Params(which): Params<WhichRuns>,
) -> Result<Json<RunList>, Failure> {
    let views = door
        .service
        .runs(
            which.connection.as_deref(),
            which.module.as_deref(),
            which.limit.unwrap_or(LIST_LENGTH).clamp(1, LIST_LIMIT),
        )
        .await?;
    let runs = views.into_iter().map(convert::run).collect();
    Ok(Json(RunList { runs }))
}

async fn show_run(State(door): State<Door>, Path(id): Path<String>) -> Result<Json<Run>, Failure> {
    let watch = door.service.watch_run(&run_id(&id)?).await?;
    Ok(Json(convert::whole_run(watch.view())))
}

async fn events(
    State(door): State<Door>,
    Path(id): Path<String>,
    Params(page): Params<From>,
) -> Result<Response, Failure> {
    let watch = door.service.watch_run(&run_id(&id)?).await?;
    Ok(stream::run(watch, page.from, None))
}

async fn output(
    State(door): State<Door>,
    Path(id): Path<String>,
    Params(page): Params<Page>,
) -> Result<Response, Failure> {
    let max = page.max.unwrap_or(PAGE_LIMIT).clamp(1, PAGE_LIMIT);
    let page = door.service.output(&run_id(&id)?, page.from, max).await?;
    let [from, next, last] = PAGE_HEADERS;
    let headers = [
        (from, page.from.to_string()),
        (next, page.next.to_string()),
        (last, page.last.to_string()),
        (
            header::CONTENT_TYPE.as_str(),
            "application/octet-stream".to_owned(),
        ),
    ];
    Ok((headers, page.bytes).into_response())
}

async fn stop(
    State(door): State<Door>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Run>, Failure> {
    let view = door.service.stop(&run_id(&id)?, &who).await?;
    Ok(Json(convert::run(view)))
}

async fn keep(State(door): State<Door>, Path(id): Path<String>) -> Result<Json<Run>, Failure> {
    let view = door.service.keep_run(&run_id(&id)?).await?;
    Ok(Json(convert::run(view)))
}

async fn answer(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Caller(who): Caller,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<AnswerRequest>,
) -> Result<Json<Run>, Failure> {
    let kind = peer.who(&who.client);
    let view = door
        .service
        .answer(&run_id(&id)?, convert::answer(request), &who, kind)
        .await?;
    Ok(Json(convert::run(view)))
}

async fn approvals(State(door): State<Door>) -> Json<ApprovalList> {
    let views = door.service.runs_to_approve();
    let runs = views.into_iter().map(convert::run).collect();
    Json(ApprovalList { runs })
}

async fn show_approval(
    State(door): State<Door>,
    Path(id): Path<String>,
) -> Result<Json<Run>, Failure> {
    let view = door.service.run_to_approve(&run_id(&id)?)?;
    Ok(Json(convert::whole_run(view)))
}

async fn approve(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<ApproveRequest>,
) -> Result<Json<Run>, Failure> {
    check_word(&request.client)?;
    let who = peer.who(&request.client);
    let view = door
        .service
        .approve(&run_id(&id)?, &convert::approve(request, who))?;
    Ok(Json(convert::run(view)))
}

async fn deny(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<DenyRequest>,
) -> Result<Json<Run>, Failure> {
    check_word(&request.client)?;
    check_reason(request.reason.as_deref())?;
    let is_person = peer.who(&request.client) == daemon::Who::Person;
    let who = Who::asking(&request.client, is_person);
    let view = door
        .service
        .deny(&run_id(&id)?, request.reason, who.client)?;
    Ok(Json(convert::run(view)))
}

async fn demo(
    State(door): State<Door>,
    JsonBody(request): JsonBody<DemoRequest>,
) -> Result<StatusCode, Failure> {
    door.service.keep_demo(request.scenario.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unknown(method: axum::http::Method, uri: Uri) -> Failure {
    let message = format!(
        "this daemon ({}) has no {method} {}",
        server::VERSION,
        uri.path()
    );
    Failure::new(StatusCode::NOT_FOUND, ErrorCode::NoSuchRoute, message)
}

/// What the form of a request cannot say by itself.
fn check(request: &RunRequest) -> Result<(), Failure> {
    if !(1..=99).contains(&request.depth) {
        return Err(bad("`depth` is not between 1 and 99"));
    }
    if request.timeout_ms == Some(0) {
        return Err(bad("`timeout_ms` is 0").with_help("leave it out for a run without a limit"));
    }
    if request
        .record
        .as_ref()
        .is_some_and(|path| path.is_relative())
    {
        return Err(bad("`record` is not an absolute path"));
    }
    check_word(&request.client)?;
    check_reason(request.reason.as_deref())?;
    if is_too_long(request.ticket.as_deref(), TICKET_LIMIT) {
        return Err(bad("`ticket` is longer than 64 characters"));
    }
    Ok(())
}

fn bad(message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, message)
}

/// What a client calls itself stands in lists and in the audit.
fn check_word(client: &str) -> Result<(), Failure> {
    if is_name(client) {
        Ok(())
    } else {
        Err(bad("`client` is not a word of 1 to 32 bytes"))
    }
}

fn check_reason(reason: Option<&str>) -> Result<(), Failure> {
    if is_too_long(reason, REASON_LIMIT) {
        Err(bad("`reason` is longer than 500 characters"))
    } else {
        Ok(())
    }
}

/// A person reads it before deciding.
const REASON_LIMIT: usize = 500;

/// As long as any ticket system's numbers.
const TICKET_LIMIT: usize = 64;

fn is_too_long(text: Option<&str>, limit: usize) -> bool {
    text.is_some_and(|text| text.chars().count() > limit)
}

/// A text that is no id names no run.
fn run_id(text: &str) -> Result<RunId, Failure> {
    text.parse::<RunId>().map_err(|error| {
        Failure::new(
            StatusCode::NOT_FOUND,
            ErrorCode::UnknownRun,
            error.to_string(),
        )
        .with_help(error.help())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_cannot_be_meant_are_refused() {
        let request = |change: serde_json::Value| -> RunRequest {
            let mut request =
                serde_json::json!({"connection": "Contoso", "module": "exo", "command": "1"});
            let fields = request.as_object_mut().expect("it is an object");
            fields.extend(change.as_object().expect("it is an object").clone());
            serde_json::from_value(request).expect("its form is right")
        };
        assert_eq!(check(&request(serde_json::json!({}))), Ok(()));
        for bad in [
            serde_json::json!({"depth": 0}),
            serde_json::json!({"depth": 100}),
            serde_json::json!({"timeout_ms": 0}),
            serde_json::json!({"record": "here.cast"}),
            serde_json::json!({"client": "a\nb"}),
            serde_json::json!({"reason": "x".repeat(501)}),
            serde_json::json!({"ticket": "x".repeat(65)}),
        ] {
            let failure = check(&request(bad.clone())).expect_err(&bad.to_string());
            assert_eq!(failure.error.code, ErrorCode::BadRequest);
        }
    }

    #[test]
    fn a_text_that_is_no_id_names_no_run() {
        let failure = run_id("../x").expect_err("it has a slash");
        assert_eq!(failure.status, StatusCode::NOT_FOUND);
        assert_eq!(failure.error.code, ErrorCode::UnknownRun);
        assert!(run_id("rabcdefghj").is_ok());
    }
}
