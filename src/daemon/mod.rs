//! All sessions and all runs, in domain words. The daemon never hears of HTTP: doors call [`Service`] and convert what it
//! shows.

mod error;
mod service;
mod view;

pub(crate) use error::ServiceError;
pub(crate) use service::{RunWatch, Service, SessionWatch};
pub(crate) use view::{
    Answer, ChallengeView, CommandError, DaemonView, FailureView, Mode, OnDisconnect, OnQuestion,
    OnSignedOut, Outcome, OutputPage, QuestionView, RunEnd, RunOrder, RunState, RunView,
    SessionState, SessionView,
};
