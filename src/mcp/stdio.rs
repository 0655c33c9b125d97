//! The server on standard input and output. Standard output carries the protocol and nothing else. When the client closes
//! its side, or is killed, everything that waited ends at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::server::{Options, Server};
use crate::client::Place;

/// Serves one client until it is gone. Errors are those of the pipe.
pub(crate) async fn serve(place: Place, options: Options) -> io::Result<()> {
    let pipe_closed = CancellationToken::new();
    let (input, output) = rmcp::transport::io::stdio_pipes();
    let input = Watched {
        inner: input,
        closed: pipe_closed.clone(),
    };
    let server = Server::new(place, options, pipe_closed);
    let service = match Box::pin(server.serve((input, output))).await {
        Ok(service) => service,
        // A client that looked and left.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(io::Error::other(error)),
    };
    service.waiting().await.map(drop).map_err(io::Error::other)
}

/// Input whose end is told at once. The library itself waits for calls under way before it tells anybody.
struct Watched<R> {
    inner: R,
    closed: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Poll::Ready(result) = &read
            && (result.is_err() || buffer.filled().len() == before)
        {
            self.closed.cancel();
        }
        read
    }
}
