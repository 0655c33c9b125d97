//! The wire contract between the daemon and its clients: JSON in `snake_case` over HTTP/1.1, streams as one JSON object a
//! line. It owns the form, not the meaning; nothing here knows a session or a socket.
//!
//! Requests refuse fields they do not know. Responses may grow: a client ignores what it does not know, and what an older
//! daemon does not send is absent. So a newer client works with the daemon that is running.

mod approval;
mod audit;
mod error;
mod event;
mod offers;
mod policy;
mod request;
mod run;
mod session;

pub(crate) use approval::{Approval, ApprovalList, ApproveRequest, AskedBy, DenyRequest, Finding};
pub(crate) use audit::{
    AcceptAuditRequest, AcceptedAudit, AuditFinding, AuditHead, AuditPage, AuditReport,
    VerifyAuditRequest,
};
pub(crate) use error::{ApiError, ErrorBody, ErrorCode};
pub(crate) use event::{Event, Output};
pub(crate) use offers::{Connection, Module, Offers};
pub(crate) use policy::{AcceptPolicyRequest, LoosenedPolicy};
pub(crate) use request::{
    AnswerRequest, DemoRequest, DisconnectRequest, LoginRequest, Mode, OnDisconnect, OnQuestion,
    OnSignedOut, RunRequest, ShutdownRequest, WatchRequest,
};
pub(crate) use run::{
    Choice, CommandError, EndState, NotRunCause, Outcome, Question, QuestionKind, Run, RunEnd,
    RunList, RunState,
};
pub(crate) use session::{
    Challenge, DaemonInfo, Failure, LastRun, PastSession, PastSessionList, Session, SessionList,
    SessionState, Unwell,
};

/// The first part of every path is `/v1`; this number grows when something is added to it.
pub(crate) const API_VERSION: u32 = 7;

/// Response header: the daemon's version, on every response.
pub(crate) const VERSION_HEADER: &str = "mm-version";

/// On a request: the connections file that the client means. A daemon that reads another one refuses.
pub(crate) const CONNECTIONS_HEADER: &str = "mm-connections";

/// On a request: the program that asks, as a short word for lists and the audit. Absent: `http`.
pub(crate) const CLIENT_HEADER: &str = "mm-client";

/// The largest body of a request, in bytes.
pub(crate) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Response headers of a run's raw output: offset of its first byte, where to go on, and whether it is the end.
pub(crate) const PAGE_HEADERS: [&str; 3] = ["mm-from", "mm-next", "mm-last"];
