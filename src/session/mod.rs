//! One session: the task that owns one terminal, one child and one machine, and the handle that others hold.
//!
//! Nobody locks. Requests come as mail, and what happens goes out to listeners and as a snapshot on a `watch`. The task
//! ends when its program is gone.

mod alarm;
mod handle;
mod inbox;
mod inquiry;
mod mail;
mod outbox;
mod queue;
mod status;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use handle::{Launch, Session, SessionError};
pub(crate) use inquiry::Inquiry;
pub(crate) use mail::{
    Admission, Order, RunEvent, RunListener, RunResult, SessionEvent, SessionListener, StopWhy,
};
pub(crate) use status::{SessionStatus, Standing, boot_seconds};
pub(crate) use task::nonces;
