//! One request over one connection.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::ClientError;
use crate::api::{CLIENT_HEADER, CONNECTIONS_HEADER, ErrorBody};

/// Sends one request on `stream` and waits for the answer's head. An answer that is no success becomes an error.
pub(super) async fn send(
    stream: UnixStream,
    method: Method,
    path: &str,
    body: Vec<u8>,
    client: &str,
    connections: Option<&str>,
) -> Result<Response<Incoming>, ClientError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| ClientError::Gone)?;
    // It ends when the answer was read or dropped; its error is the body's error too, and is told there.
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "mm")
        .header(header::CONTENT_TYPE, "application/json")
        .header(CLIENT_HEADER, client);
    // A path with control characters cannot be said in a header; then it is not compared.
    if let Some(path) = connections.and_then(|path| HeaderValue::from_bytes(path.as_bytes()).ok()) {
        request = request.header(CONNECTIONS_HEADER, path);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .expect("paths are encoded and headers are constants");
    let response = sender
        .send_request(request)
        .await
        .map_err(|_| ClientError::Gone)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let body = collect(response).await?;
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => Err(ClientError::Api(body.error)),
        Err(error) => Err(ClientError::Garbled {
            why: format!("status {status}, {error}"),
        }),
    }
}

/// The whole body.
pub(super) async fn collect(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = response.into_body().collect().await;
    Ok(body.map_err(|_| ClientError::Gone)?.to_bytes())
}

/// The whole body as `T`.
pub(super) async fn json<T: DeserializeOwned>(
    response: Response<Incoming>,
) -> Result<T, ClientError> {
    let body = collect(response).await?;
    serde_json::from_slice(&body).map_err(|error| ClientError::Garbled {
        why: error.to_string(),
    })
}

/// `text` as a value in a query (RFC 3986, everything but unreserved characters encoded).
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes everything");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        assert_eq!(encode("Bäck & Co/ü"), "B%C3%A4ck%20%26%20Co%2F%C3%BC");
        assert_eq!(encode("a-b_c.d~9"), "a-b_c.d~9");
    }
}
