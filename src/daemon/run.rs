//! [`Run`]: one command from the moment it was accepted. It outlives whoever asked; its output is read by offset.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::sync::watch;

use super::approvals::Asked;
use super::view::{Mode, OnDisconnect, OutputPage, QuestionView, RunEnd, RunState, RunView};
use crate::audit::{Entry, Kind, Who};
use crate::name::{RunId, SessionKey};
use crate::output::Kept;
use crate::redact::mask;

mod end;
mod lines;
mod scribe;
mod stored;

pub(super) use scribe::Scribe;
pub(super) use stored::past_view;

/// What changes about a run.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    state: RunState,
    ahead: usize,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    question: Option<QuestionView>,
    approval: Option<Asked>,
    end: Option<RunEnd>,
    account: Option<String>,
    tenant: Option<String>,
    /// Why the recording that was asked for is not whole.
    recording: Option<String>,
}

/// One run that this daemon accepted.
pub(super) struct Run {
    pub(super) id: RunId,
    /// Its number in its session.
    pub(super) tag: u64,
    pub(super) session: SessionKey,
    /// Whether it ends with whoever asked for it. Once it outlives them, it does so for good.
    stops_with_caller: AtomicBool,
    pub(super) output: Kept,
    /// Without its secrets: it is shown and kept, and what is sent has its own copy.
    command: String,
    mode: Mode,
    client: String,
    /// As whom the audit has whoever asked for it.
    asker: Who,
    /// Whether a person asked for it or said yes to it: then what it asks is for a person too.
    is_a_persons: AtomicBool,
    submitted_at: Timestamp,
    progress: watch::Sender<Progress>,
}

impl Run {
    pub(super) fn new(
        id: RunId,
        tag: u64,
        session: SessionKey,
        order: &super::RunOrder,
        output: Kept,
    ) -> Self {
        let progress = Progress {
            state: RunState::Queued,
            ahead: 0,
            started_at: None,
            ended_at: None,
            question: None,
            approval: None,
            end: None,
            account: None,
            tenant: None,
            recording: None,
        };
        Self {
            id,
            tag,
            session,
            stops_with_caller: AtomicBool::new(order.on_disconnect == OnDisconnect::Stop),
            output,
            command: mask(&order.command).into(),
            mode: order.mode,
            client: order.client.clone(),
            asker: Who::asking(&order.client, order.who == crate::policy::Who::Person),
            is_a_persons: AtomicBool::new(order.who == crate::policy::Who::Person),
            submitted_at: Timestamp::now(),
            progress: watch::Sender::new(progress),
        }
    }

    pub(super) fn view(&self) -> RunView {
        let progress = self.progress.borrow().clone();
        let extent = self.output.extent();
        RunView {
            id: self.id.clone(),
            session: self.session.clone(),
            command: self.command.clone(),
            mode: self.mode,
            client: self.client.clone(),
            state: progress.state,
            ahead: progress.ahead,
            submitted_at: self.submitted_at,
            started_at: progress.started_at,
            ended_at: progress.ended_at,
            question: progress.question,
            approval: progress.approval.as_ref().map(Asked::view),
            end: progress.end,
            account: progress.account,
            tenant: progress.tenant,
            output_length: extent.length,
            output_skipped: extent.skipped,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn is_over(&self) -> bool {
        self.progress.borrow().state == RunState::Ended
    }

    /// Returns when it is over. Cancel safe.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut progress = self.watch();
        async move {
            // A run that is forgotten is over.
            drop(
                progress
                    .wait_for(|progress| progress.state == RunState::Ended)
                    .await,
            );
        }
    }

    /// Whether it ends when whoever asked for it goes.
    pub(super) fn stops_with_caller(&self) -> bool {
        self.stops_with_caller.load(Ordering::Relaxed)
    }

    /// From now on it outlives whoever asked for it.
    pub(super) fn outlive_caller(&self) {
        self.stops_with_caller.store(false, Ordering::Relaxed);
    }

    /// What went wrong beside the command, a sentence each.
    pub(super) fn troubles(&self) -> Vec<String> {
        let recording = self.progress.borrow().recording.clone();
        let output = self
            .output
            .trouble()
            .map(|why| format!("a part of the output is lost: {why}"));
        recording.into_iter().chain(output).collect()
    }

    /// A row of the audit about this run: who asked for it, where, and as whom it ran.
    pub(super) fn audited(&self, kind: Kind) -> Entry {
        let progress = self.progress.borrow();
        Entry::new(kind)
            .by(self.asker.clone())
            .session(&self.session)
            .run(&self.id)
            .proven(progress.account.as_deref(), progress.tenant.as_deref())
    }

    pub(super) fn submitted_at(&self) -> Timestamp {
        self.submitted_at
    }

    pub(super) fn command(&self) -> &str {
        &self.command
    }

    /// It waits for the sign-in of its session before anybody is asked.
    pub(super) fn waits_for_sign_in(&self) {
        self.change(|progress| progress.state = RunState::WaitingForSignIn);
    }

    /// It waits for a yes, in a session that is signed in as `account`.
    pub(super) fn asks_for_approval(
        &self,
        asked: Asked,
        account: Option<String>,
        tenant: Option<String>,
    ) {
        self.change(|progress| {
            progress.state = RunState::WaitingForApproval;
            (progress.account, progress.tenant) = (account, tenant);
            progress.approval = Some(asked);
        });
    }

    /// Somebody said yes; now it waits for its turn.
    pub(super) fn is_approved(&self) {
        self.is_a_persons.store(true, Ordering::Relaxed);
        self.change(|progress| {
            (progress.state, progress.approval) = (RunState::Queued, None);
        });
    }

    /// Whether only a person may answer what it asks.
    pub(super) fn is_a_persons(&self) -> bool {
        self.is_a_persons.load(Ordering::Relaxed)
    }

    /// What it waits with, if it waits for a yes.
    pub(super) fn asked(&self) -> Option<Asked> {
        self.progress.borrow().approval.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }
}

/// A page of a live run's output.
pub(super) fn page(run: &Run, from: u64, max: usize) -> std::io::Result<OutputPage> {
    // Whether it is over is read first: what comes between would make a last page that is not the last.
    let over = run.is_over();
    let page = run.output.read(from, max)?;
    let last = over && page.next >= page.end;
    Ok(OutputPage {
        from: page.from,
        bytes: page.bytes,
        next: page.next,
        last,
    })
}
