//! What the task does when the machine asks, in order: it types, and tells the run's listener.

use jiff::Timestamp;

use super::recording::not_whole;
use super::{Current, Task};
use crate::expect::{Effect, Finish, Finished, Question};
use crate::pty::Child;
use crate::session::inquiry::Inquiring;
use crate::session::mail::{RunEvent, RunResult, StopWhy};

impl Task {
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Write(typed) => {
                if !typed.secret {
                    self.record(|recorder, now| recorder.input(now, &typed.bytes));
                }
                if typed.bytes == self.shell.interrupt.send {
                    self.outbox.overtake(typed.bytes);
                } else {
                    self.outbox.push(typed.bytes);
                }
            }
            Effect::Output(text) => self.tell(RunEvent::Output(&text)),
            // The echo of an answer is no output, and a beginning changes nothing.
            Effect::Echo(_) | Effect::Began => {}
            Effect::Record(record) => self.tell(RunEvent::Record(&record)),
            Effect::Challenged(challenge) => self.challenged(challenge),
            Effect::Asked(question) => self.asked(&question),
            Effect::Finished(finished) => self.finished(finished),
            Effect::SignedIn(identity) => {
                self.finish_sign_in_recording();
                match self.listener.admit(&identity) {
                    Some(admission) => self.admission = Some(Box::new((identity, admission))),
                    None => self.signed_in(identity),
                }
            }
            Effect::SignInFailed(failure) => {
                self.finish_sign_in_recording();
                self.sign_in_failed(failure);
            }
            Effect::HangUp => self.hang_up(),
            Effect::Kill => self.end_program(Child::kill_group),
        }
    }

    pub(super) fn tell(&mut self, event: RunEvent<'_>) {
        match self.current.as_deref_mut() {
            Some(Current {
                inquiring: Some(inquiring),
                ..
            }) => inquiring.hear(&event),
            Some(current) => current.order.listener.event(event),
            None => {}
        }
    }

    fn asked(&mut self, question: &Question) {
        self.tell(RunEvent::Asks(Some(question)));
        if let Some(current) = &self.current
            && (current.order.fails_on_question || current.inquiring.is_some())
        {
            self.stop(current.order.tag, StopWhy::Question(question.clone()));
        }
    }

    fn finished(&mut self, finished: Finished) {
        let Some(mut current) = self.current.take() else {
            return;
        };
        if self.shell.terminal.restore
            && let Err(error) = self.master.restore()
        {
            tracing::warn!(%error, "the terminal keeps the flags that a command left");
        }
        if let Some(inquiring) = current.inquiring.take() {
            self.inquired(*current, inquiring, finished);
            return;
        }
        if let Some(recorder) = current.order.recorder.take()
            && let Err(error) = recorder.finish()
        {
            not_whole(&error);
            let event = RunEvent::RecordingFailed(&error);
            current.order.listener.event(event);
        }
        if !current.order.quiet {
            let last = Some((current.order.tag, Timestamp::now()));
            self.status.send_modify(|status| status.last = last);
        }
        current
            .order
            .listener
            .ended(RunResult::from_finished(finished, current.stopped));
    }

    /// An inquiry has ended: its command is the next to be sent, or is not sent at all.
    fn inquired(&mut self, current: Current, inquiring: Inquiring, finished: Finished) {
        let Current { order, stopped, .. } = current;
        let verdict = inquiring.end(&finished);
        match (stopped, finished.finish, verdict) {
            (None | Some(StopWhy::Deadline), Finish::Lost(reason), _) => {
                order
                    .listener
                    .ended(RunResult::SessionEnded(reason.to_string()));
            }
            (None, _, Ok(())) => self.queue.push_first(order),
            (None, _, Err(why)) => order.listener.ended(RunResult::NotAllowed(why)),
            (Some(StopWhy::Deadline | StopWhy::Question(_)), _, _) => {
                let why = "what its names mean in the session could not be looked up in time";
                order.listener.ended(RunResult::NotAllowed(why.to_owned()));
            }
            (Some(why), _, _) => order.listener.ended(RunResult::Dropped(why)),
        }
    }
}
