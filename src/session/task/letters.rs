//! What the task does about its mail: it takes a run into the line or refuses it, remembers a sign-in, and stops what it is
//! told to stop.

use super::{Leaving, Task};
use crate::expect::{AnswerLine, CloseReason, Input, State};
use crate::session::SessionError;
use crate::session::mail::{Mail, Order, RunEvent, RunResult, StopWhy};

impl Task {
    pub(super) fn mail(&mut self, mail: Mail) {
        // A caller that does not wait for the reply has its reasons.
        match mail {
            Mail::Run(order, reply) => {
                let verdict = self.accept(order);
                reply.send(verdict).unwrap_or_default();
            }
            Mail::SignIn {
                request,
                recorder,
                reply,
            } => {
                let gone = matches!(self.engine.state(), State::Closing | State::Closed(_));
                let verdict = if self.leaving.is_some() || gone {
                    Err(SessionError::Ended)
                } else {
                    Ok(self.sign_in.is_none() && self.may_sign_in())
                };
                if verdict == Ok(true) {
                    let way = request.way.clone();
                    self.sign_in = Some((request, recorder));
                    // How the last one failed must not pass for how this one ended.
                    self.status.send_modify(|status| {
                        (status.failure, status.recording) = (None, None);
                        status.way = Some(way);
                    });
                }
                reply.send(verdict).unwrap_or_default();
            }
            Mail::Answer { tag, line, reply } => {
                let verdict = self.answer(tag, line);
                reply.send(verdict).unwrap_or_default();
            }
            Mail::Stop { tag, why } => self.stop(tag, why),
            Mail::Disconnect {
                command,
                force,
                why,
            } => self.disconnect(command, force, why),
            Mail::SignOut {
                command,
                why,
                reply,
            } => {
                let verdict = self.sign_out(command, why);
                reply.send(verdict).unwrap_or_default();
            }
            Mail::LetGo { command, why } => {
                if self.is_unused() {
                    self.leaving
                        .get_or_insert_with(|| Box::new(Leaving { command, why }));
                }
            }
            Mail::Disown(failure) => {
                if self.is_unused() {
                    self.feed(Input::Disown(failure));
                }
            }
        }
    }

    /// Whether nothing is under way or waits here.
    fn is_unused(&self) -> bool {
        self.engine.is_free()
            && self.queue.len() == 0
            && self.current.is_none()
            && self.sign_in.is_none()
            && self.admission.is_none()
    }

    fn may_sign_in(&self) -> bool {
        matches!(
            self.engine.state(),
            State::Starting | State::SignedOut | State::Stopping(_)
        ) && self.status.borrow().identity.is_none()
    }

    fn accept(&mut self, order: Box<Order>) -> Result<(), SessionError> {
        if self.leaving.is_some()
            || matches!(self.engine.state(), State::Closing | State::Closed(_))
        {
            Err(SessionError::Ended)
        } else if self.engine.is_stuck() {
            Err(SessionError::Stuck)
        } else if self.queue.is_full() {
            Err(SessionError::Busy {
                queued: self.queue.len(),
            })
        } else {
            self.queue.push(order);
            Ok(())
        }
    }

    fn answer(&mut self, tag: u64, line: AnswerLine) -> Result<(), SessionError> {
        let State::Asking(question) = self.engine.state() else {
            return Err(SessionError::NothingAsked);
        };
        let current = self.current.as_ref();
        if current.is_none_or(|current| current.order.tag != tag) {
            return Err(SessionError::NothingAsked);
        }
        if !question.takes(line.text.expose()) {
            return Err(SessionError::NotOffered(question.choices.clone()));
        }
        if line.secret {
            self.record(|recorder, now| recorder.secret_answer(now, &line.text));
        }
        self.feed(Input::Answer(line));
        Ok(())
    }

    pub(super) fn stop(&mut self, tag: u64, why: StopWhy) {
        if let Some(order) = self.queue.remove(tag) {
            order.listener.ended(RunResult::Dropped(why));
        } else if let Some(current) = &mut self.current
            && current.order.tag == tag
            && current.stopped.is_none()
        {
            current.stopped = Some(why);
            current.order.listener.event(RunEvent::Stopping);
            self.feed(Input::Interrupt);
        }
    }

    /// Looks and acts in one step: no run can begin between the two.
    fn sign_out(&mut self, command: Option<String>, why: CloseReason) -> Result<(), SessionError> {
        let somebodys = self.current.as_ref().map(|current| &current.order);
        let run = somebodys
            .filter(|order| !order.quiet)
            .map(|order| order.tag);
        let queued = self.queue.runs();
        if run.is_some() || queued > 0 {
            return Err(SessionError::InUse { run, queued });
        }
        self.disconnect(command, false, why);
        Ok(())
    }

    fn disconnect(&mut self, command: Option<String>, force: bool, why: CloseReason) {
        self.leaving = Some(Box::new(Leaving {
            command,
            why: why.clone(),
        }));
        if force {
            self.feed(Input::Close {
                disconnect: None,
                nonces: Vec::new(),
                why,
            });
            return;
        }
        if let Some(tag) = self.current.as_ref().map(|current| current.order.tag) {
            self.stop(tag, StopWhy::Asked);
        } else {
            self.feed(Input::Interrupt);
        }
    }
}
