//! The machine: bytes and requests in, effects out. No clock, no runtime, no descriptor: the times come in with the
//! inputs, so a recording plays as fast as it can be read and a test never waits.

mod echo;
mod engine;
mod event;
mod exchange;
mod framing;
mod matcher;
mod question;
mod records;
mod report;
mod sign_in;
mod skim;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod watch;

pub(crate) use engine::{Engine, Habits};
pub(crate) use event::{
    AnswerLine, Challenge, CloseReason, Effect, Expected, Finish, Finished, Identity, Input, Mode,
    Nonce, Question, Record, ReportedError, RunRequest, SignInFailure, SignInRequest,
};
pub(crate) use exchange::objects_in;
pub(crate) use framing::decode;
#[cfg(any(fuzzing, test))]
pub(crate) use matcher::Matcher;
#[cfg(any(fuzzing, test))]
pub(crate) use records::RecordLines;
pub(crate) use report::error as reported_error;
pub(crate) use sign_in::{
    compare, disowned, failure as why_failed, identity as identity_of, not_admitted,
};
#[cfg(any(fuzzing, test))]
pub(crate) use skim::Skim;
pub(crate) use state::{State, StopCause};
#[cfg(any(fuzzing, test))]
pub(crate) use terminal::Terminal;
#[cfg(any(fuzzing, test))]
pub(crate) use text::Collapse;
