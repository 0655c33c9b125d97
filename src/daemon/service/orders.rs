//! The service's verb that accepts a command: it is checked, its session found or started, and its record made.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::policy::Checked;
use super::sessions::{Accepts, refused};
use super::tidy::output_name;
use super::{Service, state};
use crate::audit;
use crate::daemon::gate::Gate;
use crate::daemon::registry::Entry;
use crate::daemon::run::{Run, Scribe};
use crate::daemon::view::{Mode, OnDisconnect, OnQuestion, OnSignedOut, RunOrder};
use crate::daemon::watch::RunWatch;
use crate::daemon::{Asker, ServiceError, bind};
use crate::name::RunId;
use crate::output::{Kept, Limits};
use crate::policy::{self, Decision, Judgement, Verdict};
use crate::script::Module;
use crate::session::{Order, RunListener as _, RunResult, SessionError};
use crate::store::NewRun;

/// Bytes of output in memory before a file takes over; what fits goes into the database when the run is over.
const OUTPUT_IN_MEMORY: usize = crate::store::INLINE_OUTPUT_LIMIT;

impl Service {
    /// Accepts a command: checks it, finds or starts its session, and queues it, or has somebody asked first. Returns at
    /// once. Dropping the future takes nothing back: what was begun is done whole, and then whoever asked has left.
    pub(crate) async fn run(&self, order: RunOrder) -> Result<(RunWatch, Asker), ServiceError> {
        let service = self.clone();
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let accepted = service.accept(order).await.map(|watch| {
                let asker = Asker::new(service.clone(), watch.view().id);
                (watch, asker)
            });
            // What nobody takes is dropped here, and the `Asker` with it.
            drop(answer.send(accepted));
        });
        let lost = || state("the request was lost in the daemon; its log says why");
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn accept(&self, mut order: RunOrder) -> Result<RunWatch, ServiceError> {
        let module = self.module_of(&order)?;
        check_command(&order.command, &module, self.0.config.limits.command)
            .inspect_err(|error| self.note_refusal(&order, error, None))?;
        let connection = self.connection(&order.connection)?;
        self.check_mcps(&connection, &module)
            .inspect_err(|error| self.note_refusal(&order, error, None))?;
        let Checked {
            judged,
            decision,
            lookup,
        } = self.check_policy(&mut order, &module).await?;
        let inquiry = lookup
            .map(|lookup| bind::inquiry(lookup, &module))
            .transpose()
            .inspect_err(|error| self.note_refusal(&order, error, Some((&judged, &decision))))?;
        if module.sign_in.is_some() && order.on_signed_out == OnSignedOut::Refuse {
            // Before a program is started that could not be used.
            let key = self.key(&order.connection, &order.module)?;
            let living = self.0.sessions.get(&key);
            if !living.is_some_and(|entry| entry.is_signed_in()) {
                return Err(ServiceError::SignInNeeded { key });
            }
        }
        let entry = self.session(&order.connection, &order.module)?;
        // Before anything is asked of a person or written down: a file that cannot be made is the caller's mistake.
        let mut recorder = order
            .record
            .as_ref()
            .map(|path| crate::daemon::recorder::open(path, &entry))
            .transpose()?;
        let who = audit::Who::asking(&order.client, order.who == policy::Who::Person);
        self.sign_in(&entry, Accepts::TheFirst, None, None, &who)
            .await
            .inspect_err(|error| self.note_refusal(&order, error, None))?;
        if let Some(recorder) = &mut recorder {
            recorder.keep_out(&entry.secrets.all());
        }
        let run = self
            .write_down(&order, &entry, (&judged, &decision))
            .await?;
        let request = Order {
            tag: run.tag,
            command: bind::command(&entry.module, &order.command),
            mode: match order.mode {
                Mode::Records if entry.module.shell.records.is_some() => {
                    crate::expect::Mode::Records
                }
                Mode::Text | Mode::Records => crate::expect::Mode::Text,
            },
            depth: order.depth.clamp(1, 99),
            deadline: order.deadline,
            quiet: false,
            fails_on_question: order.on_question == OnQuestion::Fail,
            // A code that a command shows is part of its output, and whoever ran it reads that.
            watch: None,
            recorder: recorder.map(Box::new),
            condition: None,
            inquiry,
            listener: Box::new(self.scribe(&run, &order, &entry)),
        };
        if decision.verdict == Verdict::Ask {
            let Some(pending) = self.approvals().add(&run) else {
                let queued = crate::daemon::approvals::AT_MOST;
                let busy = SessionError::Busy { queued };
                request.listener.ended(RunResult::NotAccepted(busy));
                return Err(ServiceError::Busy {
                    key: entry.key.clone(),
                    queued,
                });
            };
            let gate = Gate {
                service: self.clone(),
                entry: entry.clone(),
                pending,
                wanted: order,
                judged,
                decision,
            };
            tokio::spawn(gate.pass(request));
            return Ok(RunWatch::live(self.clone(), run, Some(entry)));
        }
        if let Err(error) = entry.session.run(request).await {
            let scribe = self.scribe(&run, &order, &entry);
            Box::new(scribe).ended(RunResult::NotAccepted(error.clone()));
            return Err(refused(&entry, &error));
        }
        Ok(RunWatch::live(self.clone(), run, Some(entry)))
    }

    /// The module of an order. Where its session lives in another shell than its file names by now, the text is for that one.
    fn module_of(&self, order: &RunOrder) -> Result<Arc<Module>, ServiceError> {
        let module = self.module(&order.module)?;
        // What is wrong with the connection is said where it is checked.
        let Ok(key) = self.key(&order.connection, &order.module) else {
            return Ok(module);
        };
        let living = self.0.sessions.get(&key).filter(|entry| !entry.is_closed());
        let is_other = |living: &Module| {
            living.shell.name != module.shell.name || living.run.is_some() != module.run.is_some()
        };
        Ok(match living {
            Some(entry) if is_other(&entry.module) => Arc::clone(&entry.module),
            Some(_) | None => module,
        })
    }

    /// What writes down what the run's session tells of it.
    pub(in crate::daemon) fn scribe(
        &self,
        run: &Arc<Run>,
        order: &RunOrder,
        entry: &Entry,
    ) -> Scribe {
        let text_as_records = order.mode == Mode::Records && entry.module.shell.records.is_none();
        let signs_in = entry.module.sign_in.is_some();
        Scribe::new(
            Arc::clone(run),
            self.0.store.clone(),
            self.0.audit.clone(),
            text_as_records,
            signs_in,
        )
    }

    /// Makes the run's record before anything of it is sent: what has none did not happen.
    async fn write_down(
        &self,
        order: &RunOrder,
        entry: &Entry,
        decided: (&Judgement, &Decision),
    ) -> Result<Arc<Run>, ServiceError> {
        let mut random = [0; 9];
        getrandom::fill(&mut random)
            .map_err(|error| state(format!("no random numbers: {error}")))?;
        let id = RunId::from_random(random);
        let limits = Limits {
            memory: OUTPUT_IN_MEMORY,
            total: self.0.config.limits.output,
            file: self.outputs().join(output_name(&id)),
        };
        let tag = self.next_tag();
        let run = Arc::new(Run::new(
            id.clone(),
            tag,
            entry.key.clone(),
            order,
            Kept::new(limits),
        ));
        self.record_start(&run, order, entry, decided).await?;
        let row = NewRun {
            id,
            session: entry.key.clone(),
            mode: if order.mode == Mode::Records {
                "records"
            } else {
                "text"
            }
            .to_owned(),
            command: run.command().to_owned(),
            who: order.client.clone(),
            on_disconnect: if order.on_disconnect == OnDisconnect::Keep {
                "keep"
            } else {
                "stop"
            }
            .to_owned(),
            state: "queued".to_owned(),
            submitted: run.submitted_at(),
        };
        if let Err(error) = self.0.store.insert_run(row).await {
            let reason = format!("the run cannot be written down: {error}");
            self.note_not_run(&run, &reason);
            return Err(state(reason));
        }
        self.0.runs.add(Arc::clone(&run));
        Ok(run)
    }
}

/// Refuses what cannot be sent, and what would end the session by the way.
fn check_command(command: &str, module: &Module, limit: usize) -> Result<(), ServiceError> {
    let bad = |message: String| Err(ServiceError::Command { message });
    if command.trim().is_empty() {
        return bad("the command is empty".to_owned());
    }
    if command.len() > limit {
        return bad(format!(
            "the command has {} bytes; {limit} are the most",
            command.len()
        ));
    }
    if let Some(at) = command.find('\0')
        && !module.shell.framing.nul
    {
        return bad(format!(
            "the command holds a NUL byte at byte {at}, which {} cannot take",
            module.shell.title
        ));
    }
    let first = command.trim().trim_end_matches(';').trim();
    let mut words = first.split_whitespace();
    let exits = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("exit"))
        && words.next().is_none_or(|word| word.parse::<i64>().is_ok());
    if exits && words.next().is_none() {
        return Err(ServiceError::Refused {
            message: "`exit` would end the session and its sign-in".to_owned(),
            help: Some("end a session with `mm disconnect`".to_owned()),
        });
    }
    Ok(())
}
