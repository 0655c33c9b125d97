//! [`Failure`]: a response that is not a success.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::api::{ApiError, ErrorBody, ErrorCode};
use crate::redact::mask;

/// An error with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) error: ApiError,
}

impl Failure {
    /// One without help.
    pub(super) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let error = ApiError {
            code,
            message: mask(&message.into()).into(),
            help: None,
            run: None,
        };
        Self { status, error }
    }

    /// The same, with what to do about it.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.error.help = Some(mask(&help.into()).into());
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.error })).into_response()
    }
}
