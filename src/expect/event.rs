//! Everything that can happen to a session, everything it can ask for, and what the two are made of.

use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::script::{EndState, Failure, QuestionKind, SignIn, Stream};
use crate::secret::Secret;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Sixteen random hex digits that bind a frame to its markers: what no data can guess ends no run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nonce([u8; 16]);

impl Nonce {
    /// From eight random bytes.
    pub(crate) fn from_random(bytes: [u8; 8]) -> Self {
        let mut digits = [0; 16];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = [byte >> 4, byte & 0xf].map(|digit| HEX[usize::from(digit)]);
        }
        Self(digits)
    }

    /// From its text; `None` if that is not sixteen lower-case hex digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 16] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(|digit| HEX.contains(digit))
            .then_some(Self(digits))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

/// How a command's output comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the program formats it.
    Text,
    /// As tagged lines: objects and streams.
    Records,
}

/// One command to run.
#[derive(Debug, Clone)]
pub(crate) struct RunRequest {
    /// The caller's name for this run; it comes back with [`Effect::Finished`].
    pub(crate) tag: u64,
    pub(crate) command: String,
    pub(crate) mode: Mode,
    /// 1 to 99.
    pub(crate) depth: u8,
    /// The first is the frame's; the others are for sending it again and for the absorbing command.
    pub(crate) nonces: Vec<Nonce>,
    /// Whose device-code prompts to look for in the output.
    pub(crate) watch: Option<Arc<SignIn>>,
}

/// Whom a sign-in must prove. What is absent is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Compared without regard to case.
    pub(crate) account: Option<String>,
    /// A tenant's id; compared without regard to case.
    pub(crate) tenant: Option<String>,
    /// Whether the account comes from an earlier sign-in instead of the connection's own entry.
    pub(crate) pinned_account: bool,
    /// Whether the tenant does.
    pub(crate) pinned_tenant: bool,
}

/// A sign-in with every hole filled.
#[derive(Debug, Clone)]
pub(crate) struct SignInRequest {
    /// The name of the way in.
    pub(crate) way: String,
    /// Asked first: where it ends `ok`, an earlier session's sign-in is still good and `connect` is not sent.
    pub(crate) restore: Option<String>,
    /// Whether somebody is there to sign in where that brings nothing back.
    pub(crate) attended: bool,
    /// It may hold secrets.
    pub(crate) connect: Secret,
    /// What must not appear in what is told of a failure.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) identity: String,
    pub(crate) proof: Option<String>,
    /// Sent when the wrong identity was proven. Without one the program is ended then.
    pub(crate) disconnect: Option<String>,
    pub(crate) expected: Expected,
    /// Patterns, failures, and how to read the identity.
    pub(crate) rules: Arc<SignIn>,
    /// How long a code lives. The connect command may take that long, and a little more, from its start and from each code
    /// that it shows; reading and proving the identity has a time of its own.
    pub(crate) within: std::time::Duration,
    /// Enough for every frame of it; fifteen are.
    pub(crate) nonces: Vec<Nonce>,
}

/// An answer to a question: one line.
#[derive(Debug, Clone)]
pub(crate) struct AnswerLine {
    pub(crate) text: Secret,
    /// Whether it must not be kept.
    pub(crate) secret: bool,
}

/// Everything that can happen to a session.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// Bytes came from the terminal.
    Output(&'a [u8]),
    /// The terminal took some of what was to be typed.
    Written,
    /// The deadline passed, or it is simply later.
    Tick,
    /// Run this. Whether it may is the caller's business; whether it can is told by [`super::Engine::is_free`].
    Run(Box<RunRequest>),
    /// Sign in.
    SignIn(Box<SignInRequest>),
    /// Answer the question that stands.
    Answer(AnswerLine),
    /// Stop what runs, or the sign-in.
    Interrupt,
    /// Sign out with this command, then end the program. Without one the program just ends.
    Close {
        disconnect: Option<String>,
        nonces: Vec<Nonce>,
        why: CloseReason,
    },
    /// Whoever was signed in is not any longer, for this reason. Heeded only while nothing runs.
    Disown(SignInFailure),
    /// The program and its terminal are gone.
    Ended(CloseReason),
}

/// What is typed into the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) bytes: Vec<u8>,
    /// Whether a recording must not hold it.
    pub(crate) secret: bool,
}

/// A device-code challenge (RFC 8628 §3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// Whether the prompt did not name the page.
    pub(crate) uri_assumed: bool,
}

/// A question that the program asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) kind: QuestionKind,
    pub(crate) text: String,
    pub(crate) default: Option<String>,
    /// Letter and word of each choice, without those that would strand the session.
    pub(crate) choices: Vec<(String, String)>,
}

/// One record of a command in records mode.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) stream: Stream,
    /// JSON, as it came. For [`Stream::Output`] an array of objects; for [`Stream::Console`] a string.
    pub(crate) value: Box<RawValue>,
}

/// An error of a command's report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReportedError {
    pub(crate) message: String,
    /// `FullyQualifiedErrorId`.
    pub(crate) id: String,
    pub(crate) category: String,
    /// 1-based.
    pub(crate) line: Option<u32>,
    /// 1-based.
    pub(crate) column: Option<u32>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Its end marker came.
    Ended {
        state: EndState,
        exit: Option<i32>,
        /// Whether any of it ran.
        began: bool,
        /// Whether the end of its output was marked. A command that replaces the session's prompt takes that mark away, and
        /// its own prompt is then the end of what it said.
        marked: bool,
    },
    /// It was interrupted and does not listen. It may still run; the session waits for it.
    GaveUp,
    /// Neither a begin nor an end marker came: something else took the frame. It is never sent again.
    Unanswered,
    /// The program ended under it.
    Lost(CloseReason),
    /// Something else runs; nothing was sent.
    NotFree,
}

/// A run is over for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) tag: u64,
    pub(crate) finish: Finish,
    pub(crate) errors: Vec<ReportedError>,
    /// Whether it was interrupted on request.
    pub(crate) interrupted: bool,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) account: String,
    pub(crate) tenant: String,
    /// As the program wrote it.
    pub(crate) expires: Option<String>,
}

/// Why a sign-in failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignInFailure {
    pub(crate) failure: Arc<Failure>,
    /// What happened, with the service's own message.
    pub(crate) message: String,
}

/// Why a session is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// Somebody asked for it.
    Asked,
    /// It was ended for this reason, which completes "it was ended:".
    Told(String),
    /// The program ended by itself with this exit code.
    Exited(u32),
    /// A signal ended the program.
    Signalled(String),
    /// It gave no sign of being ready.
    NeverReady,
    /// A sign-in was cancelled and did not listen.
    SignInCancelled,
    /// A sign-in was refused, and could not be signed out of.
    NotSignedOut,
    /// It did not answer at all.
    Unresponsive,
    /// The program closed its terminal, or the terminal failed.
    TerminalLost,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("it was disconnected"),
            Self::Told(why) => f.write_str(why),
            Self::Exited(code) => write!(f, "the program ended with exit code {code}"),
            Self::Signalled(signal) => write!(f, "a signal ended the program: {signal}"),
            Self::NeverReady => f.write_str("the program did not become ready"),
            Self::SignInCancelled => f.write_str("its sign-in was cancelled"),
            Self::NotSignedOut => {
                f.write_str("a sign-in was refused and could not be signed out of")
            }
            Self::Unresponsive => f.write_str("the program did not answer"),
            Self::TerminalLost => f.write_str("the program let go of its terminal"),
        }
    }
}

/// Everything a session can ask for, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Type this.
    Write(Typed),
    /// The run's command began.
    Began,
    /// Text of the run: escapes out, lines ended by LF, bytes otherwise as they came.
    Output(Vec<u8>),
    /// A typed answer, echoed. No part of the run's output.
    Echo(Vec<u8>),
    /// A record of the run.
    Record(Record),
    /// A device code is wanted.
    Challenged(Challenge),
    /// The run asks.
    Asked(Question),
    /// The run is over.
    Finished(Finished),
    /// Signed in, and proven.
    SignedIn(Identity),
    /// Not signed in.
    SignInFailed(SignInFailure),
    /// End the program: hang up, then kill.
    HangUp,
    /// Kill the program now.
    Kill,
}
