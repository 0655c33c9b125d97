//! [`Caller`]: the program behind a request, as it calls itself; and [`Person`], where only a person may ask.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::failure::Failure;
use super::peer::Peer;
use crate::api::{CLIENT_HEADER, ErrorCode};
use crate::audit::Who;
use crate::daemon;

/// A client's name is a word of at most so many bytes.
const LONGEST: usize = 32;

/// Who asks. A name that is none is not taken for one, and counts as not given.
pub(super) struct Caller(pub(super) Who);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Who::asking(name(parts), is_person(parts))))
    }
}

/// Who asks, where the kernel does not contradict that it is a person; see [`Peer`] for what that is worth. Every request
/// of somebody else's is refused before its body is read.
pub(super) struct Person(pub(super) Who);

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        if is_person(parts) {
            return Ok(Self(Who::client(name(parts))));
        }
        Err(needs_person())
    }
}

/// What a program is told that asks for what only a person decides.
pub(super) fn needs_person() -> Failure {
    let message = "only a person at a terminal can ask for this";
    Failure::new(StatusCode::FORBIDDEN, ErrorCode::NeedsPerson, message)
        .with_help("run it with `mm` in a terminal of your own")
}

/// What a command of a session is told, whatever it asks for.
pub(super) fn from_session() -> Failure {
    let message = "what runs in a session of the daemon's can ask it for nothing";
    Failure::new(StatusCode::FORBIDDEN, ErrorCode::NeedsPerson, message)
        .with_help("a command that is to run in another session is run from outside of this one")
}

/// Whether a person asks. A request that came in over no connection that is known comes from nobody.
fn is_person(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<Peer>();
    peer.is_some_and(|peer| peer.who(name(parts)) == daemon::Who::Person)
}

fn name(parts: &Parts) -> &str {
    let name = parts.headers.get(CLIENT_HEADER);
    let name = name.and_then(|name| name.to_str().ok());
    name.filter(|name| is_name(name)).unwrap_or("http")
}

/// Whether a client may call itself so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control)
}
