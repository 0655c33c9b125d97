//! Door one: the service over HTTP on a unix socket. It owns the socket, its lock and the routes; it converts between
//! the wire ([`crate::api`]) and the daemon's words, and decides nothing.

mod audit;
mod body;
mod caller;
mod convert;
mod failure;
mod peer;
mod policy;
mod routes;
mod server;
mod socket;
mod stream;

pub(crate) use server::{Server, Stopper};
pub(crate) use socket::{DaemonLock, Socket, SocketError};
