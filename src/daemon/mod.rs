//! All sessions and all runs, in domain words. The daemon never hears of HTTP: doors call [`Service`] and convert what it
//! shows.

mod approvals;
mod asker;
mod bind;
mod books;
mod credentials;
mod error;
mod gate;
mod hint;
mod launch;
mod notice;
mod offers;
mod orphans;
mod preview;
mod recorder;
mod registry;
mod run;
mod runs;
mod service;
mod shards;
mod upkeep;
mod view;
mod watch;
mod ways;

pub(crate) use crate::policy::{Finding, Who};
pub(crate) use asker::Asker;
pub(crate) use error::ServiceError;
pub(crate) use offers::{ConnectionView, ModuleView, OffersView};
pub(crate) use service::{Service, Shutdown};
pub(crate) use upkeep::Unwell;
pub(crate) use view::{
    Answer, ApprovalView, Approve, ChallengeView, CommandError, DaemonView, Disconnect,
    FailureView, LoginOrder, Mode, NotRunCause, OnDisconnect, OnQuestion, OnSignedOut, Outcome,
    OutputPage, PastSessionView, QuestionView, RunEnd, RunOrder, RunState, RunView, SessionState,
    SessionView,
};
pub(crate) use watch::{RunWatch, SessionWatch, SessionsWatch};
pub(crate) use ways::missing_keys;
