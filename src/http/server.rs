//! [`Server`]: takes connections and serves the routes on them until it is stopped.

use std::time::Duration;

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::caller::from_session;
use super::peer::Peer;
use super::routes::routes;
use super::socket::Socket;
use crate::daemon::Service;

/// This daemon's version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a request's head may take, and how long a connection may stand idle.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long answers under way may take after the stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// After `accept` failed, mostly for want of descriptors: time for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The socket, served.
pub(crate) struct Server {
    socket: Socket,
    service: Service,
    stopping: watch::Sender<bool>,
}

/// Stops a [`Server`]. Cheap to clone; dropping it stops nothing.
#[derive(Clone)]
pub(crate) struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// The server takes no more connections, finishes the answers under way and returns.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Returns when it was stopped, for answers that have no end of their own.
    pub(super) async fn stopped(&self) {
        stopped(&mut self.0.subscribe()).await;
    }
}

impl Server {
    /// A server that is not running yet; clients that connect wait for [`Server::run`].
    pub(crate) fn new(socket: Socket, service: Service) -> Self {
        let (stopping, _) = watch::channel(false);
        Self {
            socket,
            service,
            stopping,
        }
    }

    /// What stops it.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(self.stopping.clone())
    }

    /// Serves until it is stopped; the socket's file and lock are gone when this returns. Dropping it breaks off
    /// every connection.
    pub(crate) async fn run(self) {
        let router = routes(self.service.clone(), self.stopper());
        let mut stopping = self.stopping.subscribe();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok(stream) => {
                        connections.spawn(serve(stream, router.clone(), self.stopping.subscribe()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = stopped(&mut stopping) => break,
            }
        }
        // Gone from the file system at once, while the lock keeps a second daemon out until the last answer is given.
        let lock = self.socket.close();
        let drained = tokio::time::timeout(DRAIN_WITHIN, async {
            while connections.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            tracing::warn!(left = connections.len(), "connections were broken off");
        }
        drop(lock);
    }
}

/// Returns when the server was stopped.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The error says that every sender is gone, which is the end of the server too.
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn serve(stream: UnixStream, router: axum::Router, mut stopping: watch::Receiver<bool>) {
    let router = match Peer::of(&stream) {
        Peer::InSession => axum::Router::new().fallback(async || from_session()),
        peer @ (Peer::AtTerminal | Peer::Elsewhere) => router.layer(Extension(peer)),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // A client that left, sent garbage or never finished its head: its own affair, worth a line for whoever debugs it.
        tracing::debug!(%error, "a connection ended early");
    }
}
