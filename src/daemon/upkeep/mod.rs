//! Sessions that last. While nobody uses a session, its upkeep watches over it: how long it has been idle, whether its
//! sign-in still stands, how large and how old it is. What it does about that is written in the settings; what it sees is
//! shown with the session.
//!
//! One task a session, which ends with it. It never gets between a person and a session: its questions go in when nothing
//! runs, one at a time, and an ordinary run behind one waits no longer than that takes.

mod ask;
mod health;
mod idle;
mod notes;
mod pace;
mod resident;
mod task;

pub(super) use ask::prove;
pub(super) use notes::Notes;
pub(crate) use notes::Unwell;
pub(super) use resident::resident;
pub(super) use task::attend;
