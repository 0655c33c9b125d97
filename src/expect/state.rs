//! Where a session stands.

use super::event::{Challenge, CloseReason, Question};

/// Why a session waits for something that does not listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// A command was interrupted.
    Interrupted,
    /// A command was sent, and nothing answered.
    Unanswered,
}

/// A session's state. `Ready` and `SignedOut` are where it rests; every other one passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// The program starts.
    Starting,
    /// It runs, and nobody is signed in.
    SignedOut,
    /// The connect command runs; the challenge is there once it has shown one.
    SigningIn(Option<Challenge>),
    /// The identity is being read and compared.
    Proving,
    /// Signed in, or no sign-in is needed.
    Ready,
    /// A command runs.
    Running,
    /// A command waits for an answer.
    Asking(Question),
    /// A command was told to stop, or gave no answer, or its late cancel is being absorbed.
    Stopping(StopCause),
    /// Signing out, and ending the program.
    Closing,
    /// The program is gone.
    Closed(CloseReason),
}
