//! The daemon's verbs from another process. It finds the daemon, starts it where there is none, and speaks
//! [`crate::api`] with it; it prints nothing and knows no terminal.

mod audit;
mod build;
mod error;
mod place;
mod start;
mod stream;
mod transport;
mod verbs;

pub(crate) use audit::AuditQuery;
pub(crate) use error::ClientError;
pub(crate) use place::Place;
pub(crate) use stream::Events;
pub(crate) use verbs::Client;
