//! [`Caller`]: the program behind a request, as it calls itself.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::CLIENT_HEADER;
use crate::audit::Who;

/// A client's name is a word of at most so many bytes.
const LONGEST: usize = 32;

/// Who asks. A name that is none is not taken for one, and counts as not given.
pub(super) struct Caller(pub(super) Who);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let name = parts.headers.get(CLIENT_HEADER);
        let name = name.and_then(|name| name.to_str().ok());
        let name = name.filter(|name| is_name(name)).unwrap_or("http");
        Ok(Self(Who::client(name)))
    }
}

/// Whether a client may call itself so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control)
}
