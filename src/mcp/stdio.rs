//! The server on standard input and output. Standard output carries the protocol and nothing else. When the client closes
//! either side, or is killed, everything that waited ends at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rustix::event::{PollFd, PollFlags};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::server::{Options, Server};
use crate::client::Place;

/// More than it takes to wait and to log a line.
const WATCH_STACK: usize = 128 << 10;

/// Serves one client until it is gone. Errors are those of the pipe.
pub(crate) async fn serve(place: Place, options: Options) -> io::Result<()> {
    let pipe_closed = CancellationToken::new();
    let (input, output) = rmcp::transport::io::stdio_pipes();
    let input = Watched {
        inner: input,
        gone: Box::pin(pipe_closed.clone().cancelled_owned()),
        closed: pipe_closed.clone(),
    };
    watch_output(pipe_closed.clone())?;
    let server = Server::new(place, options, pipe_closed);
    let service = match Box::pin(server.serve((input, output))).await {
        Ok(service) => service,
        // A client that looked and left.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(io::Error::other(error)),
    };
    service.waiting().await.map(drop).map_err(io::Error::other)
}

/// Tells when nobody reads standard output any longer. It has a thread of its own, which ends with the process: what clients
/// connect here is a pipe or a socket, and the library writes to both in its own way.
fn watch_output(closed: CancellationToken) -> io::Result<()> {
    let watch = move || {
        let output = rustix::stdio::stdout();
        // Errors and hang-ups are told of without being asked for.
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        match rustix::io::retry_on_intr(|| rustix::event::poll(&mut watched, None)) {
            Ok(_) => closed.cancel(),
            Err(error) => tracing::debug!(%error, "standard output cannot be watched"),
        }
    };
    let thread = thread::Builder::new().name("output".to_owned());
    thread.stack_size(WATCH_STACK).spawn(watch).map(drop)
}

/// Input whose end is told at once, and which ends when the client has closed the other side. The library itself waits for
/// calls under way before it tells anybody.
struct Watched<R> {
    inner: R,
    closed: CancellationToken,
    /// The same, to wait for.
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gone.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
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
