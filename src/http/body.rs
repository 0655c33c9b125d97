//! Extractors: a JSON body and query parameters, with every way they can be wrong as an API error.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use crate::api::{BODY_LIMIT, ErrorCode};

/// How long a body may take to arrive. It comes from this machine; what takes longer does not come.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
const DISCARD_LIMIT: usize = 4 * BODY_LIMIT;

/// A request's body as `T`, at most [`BODY_LIMIT`] bytes. An empty body counts as `{}`.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = tokio::time::timeout(BODY_WITHIN, collect(request))
            .await
            .map_err(|_| {
                bad_request("the body did not arrive in time")
                    .with_status(StatusCode::REQUEST_TIMEOUT)
            })??;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            let error = without_value(&error.to_string());
            bad_request(format!("the body is not what this path takes: {error}"))
        })
    }
}

/// What serde says of a value that does not fit, without the value: an answer may be a secret.
fn without_value(error: &str) -> String {
    let place = error.find("string \"").zip(error.rfind("\", expected"));
    match place {
        Some((from, to)) if from < to => format!("{}a string{}", &error[..from], &error[to + 1..]),
        _ => error.to_owned(),
    }
}

async fn collect(request: Request) -> Result<Vec<u8>, Failure> {
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad_request("the body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length > DISCARD_LIMIT {
            break;
        }
        if length > BODY_LIMIT {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    if length > BODY_LIMIT {
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::TooLarge,
            format!("the body is larger than {} MiB", BODY_LIMIT >> 20),
        )
        .with_help("put large data into a file that the command reads"));
    }
    Ok(bytes)
}

/// Query parameters as `T`.
pub(super) struct Params<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|rejection| bad_request(rejection.body_text()))
    }
}

fn bad_request(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, message)
}

impl Failure {
    fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::api::{LoginRequest, ShutdownRequest};

    async fn read<T: DeserializeOwned>(body: Vec<u8>) -> Result<T, Failure> {
        let request = Request::new(Body::from(body));
        JsonBody::from_request(request, &())
            .await
            .map(|JsonBody(value)| value)
    }

    #[tokio::test]
    async fn bodies_are_read_or_refused() {
        let shutdown: ShutdownRequest = read(Vec::new()).await.expect("empty is the default");
        assert!(!shutdown.force);
        let failure = read::<LoginRequest>(b"{\"connection\":".to_vec())
            .await
            .expect_err("it is half a body");
        assert_eq!(failure.error.code, ErrorCode::BadRequest);
        let failure = read::<ShutdownRequest>(br#"{"force":"hunter\"2x"}"#.to_vec())
            .await
            .expect_err("it is no truth value");
        let message = failure.error.message;
        assert!(
            message.contains("a string, expected a boolean"),
            "{message}"
        );
        assert!(!message.contains("hunter"), "{message}");
        let failure = read::<LoginRequest>(vec![0xff; 64])
            .await
            .expect_err("it is no text");
        assert_eq!(failure.status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let body = |length: usize| {
            let mut body = b"{\"force\":true}".to_vec();
            body.resize(length, b' ');
            body
        };
        let shutdown: ShutdownRequest = read(body(BODY_LIMIT)).await.expect("it just fits");
        assert!(shutdown.force);
        let failure = read::<ShutdownRequest>(body(BODY_LIMIT + 1))
            .await
            .expect_err("it is one byte too large");
        assert_eq!(failure.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(failure.error.code, ErrorCode::TooLarge);
    }
}
