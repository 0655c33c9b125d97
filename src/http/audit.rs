//! The routes of the audit.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::body::{JsonBody, Params};
use super::caller::Person;
use super::failure::Failure;
use super::routes::Door;
use crate::api::{
    AcceptAuditRequest, AcceptedAudit, AuditFinding, AuditHead, AuditPage, AuditReport, ErrorCode,
    VerifyAuditRequest,
};
use crate::audit::{Filter, Head, Page, Place, Report, exported};

/// Rows in a page where nobody said how many.
const PAGE_LENGTH: usize = 50;

/// Rows in a page, at most.
const PAGE_LIMIT: usize = 1000;

pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/v1/audit", get(list))
        .route("/v1/audit/{number}", get(show))
        .route("/v1/audit/verify", post(verify))
        .route("/v1/audit/accept", post(accept))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    connection: Option<String>,
    module: Option<String>,
    account: Option<String>,
    client: Option<String>,
    run: Option<String>,
    kind: Option<String>,
    effect: Option<String>,
    outcome: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    text: Option<String>,
    /// The oldest first, after this row.
    after: Option<u64>,
    /// The newest first, before this row.
    before: Option<u64>,
    limit: Option<usize>,
}

async fn list(
    State(door): State<Door>,
    Params(which): Params<Which>,
) -> Result<Json<AuditPage>, Failure> {
    let place = match (which.after, which.before) {
        (Some(_), Some(_)) => {
            let message = "`after` and `before` are two directions; give one";
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::BadRequest,
                message,
            ));
        }
        (Some(after), None) => Place::After(after),
        (None, before) => Place::Before(before.unwrap_or(u64::MAX)),
    };
    let filter = Filter {
        connection: which.connection,
        module: which.module,
        account: which.account,
        client: which.client,
        run: which.run,
        kind: which.kind,
        effect: which.effect,
        outcome: which.outcome,
        since: which.since,
        until: which.until,
        text: which.text,
        limit: which.limit.unwrap_or(PAGE_LENGTH).clamp(1, PAGE_LIMIT),
    };
    Ok(Json(page(door.service.audit_page(&filter, place).await?)))
}

async fn show(
    State(door): State<Door>,
    Path(number): Path<String>,
) -> Result<Json<Box<RawValue>>, Failure> {
    let missing = || {
        let message = format!("the audit has no row `{number}`");
        Failure::new(StatusCode::NOT_FOUND, ErrorCode::UnknownRow, message)
            .with_help("`mm audit list` shows the newest rows")
    };
    let number: u64 = number.parse().map_err(|_| missing())?;
    let filter = Filter {
        limit: 1,
        ..Filter::default()
    };
    let after = Place::After(number.saturating_sub(1));
    let found = door.service.audit_page(&filter, after).await?;
    let found = found.rows.into_iter().find(|row| row.number == number);
    Ok(Json(raw(&exported(&found.ok_or_else(missing)?))))
}

async fn verify(
    State(door): State<Door>,
    JsonBody(request): JsonBody<VerifyAuditRequest>,
) -> Result<Json<AuditReport>, Failure> {
    let heads = request.heads.into_iter().map(|head| Head {
        number: head.number,
        hash: head.hash,
    });
    Ok(Json(report(
        door.service.verify_audit(heads.collect()).await?,
    )))
}

async fn accept(
    State(door): State<Door>,
    Person(who): Person,
    JsonBody(request): JsonBody<AcceptAuditRequest>,
) -> Result<Json<AcceptedAudit>, Failure> {
    if request.reason.trim().is_empty() {
        let message = "`reason` is empty; whoever reads the record later wants to know why";
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::BadRequest,
            message,
        ));
    }
    let accepted = door.service.accept_audit(&who, &request.reason).await?;
    Ok(Json(AcceptedAudit { accepted }))
}

fn page(page: Page) -> AuditPage {
    AuditPage {
        rows: page.rows.iter().map(|row| raw(&exported(row))).collect(),
        next: page.next.map(|place| match place {
            Place::After(number) | Place::Before(number) => number,
        }),
    }
}

/// The text as it is where it is JSON, else as a JSON string.
fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned())
        .or_else(|_| to_raw_value(text))
        .expect("a text can be a JSON string")
}

fn report(report: Report) -> AuditReport {
    AuditReport {
        sound: report.is_sound(),
        rows: report.rows,
        faults: report.faults.iter().map(ToString::to_string).collect(),
        head: report.head.map(|head| AuditHead {
            number: head.number,
            hash: head.hash,
        }),
        found_before: report
            .found_before
            .into_iter()
            .map(|(what, accepted)| AuditFinding { what, accepted })
            .collect(),
    }
}
