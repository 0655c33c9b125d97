//! Following a run at a terminal: its output, its sign-in, its questions, and Ctrl-C.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::approval;
use super::challenge::SignInView;
use super::ending::Message;
use super::error::CliError;
use super::interrupt::Interrupts;
use super::output::Screen;
use super::prompt::Prompt;
use super::when::span;
use crate::api::{
    AnswerRequest, Approval, AskedBy, DenyRequest, Event, Failure, Question, QuestionKind, Run,
    RunState, Session,
};
use crate::client::{Client, ClientError, Events};
use crate::name::RunId;
use crate::secret::Secret;

/// Who waits longer wants to know for what.
const A_WHILE: Duration = Duration::from_secs(1);

/// Where a run's output goes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To standard output, as it comes.
    Stream,
    /// Kept until the end.
    Keep(Vec<u8>),
}

/// How following ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The run has ended.
    Ended {
        run: Box<Run>,
        /// What was kept, for [`Sink::Keep`].
        output: Vec<u8>,
        /// Why its session could not be signed in, where that was seen.
        failure: Option<Failure>,
    },
    /// The person left; the run goes on.
    Detached,
}

/// Follows one run to its end.
pub(crate) struct Follow<'a> {
    client: &'a Client,
    screen: &'a mut Screen,
    sink: Sink,
    /// Whether questions are answered here.
    answers: bool,
    /// Whether Ctrl-C stops the run; otherwise it only stops the following.
    stops: bool,
    sign_in: SignInView,
    run: Option<Run>,
    failure: Option<Failure>,
    prompt: Option<Prompt>,
    /// What the prompt is for, where it is no answer to the command.
    approving: Option<Approval>,
    interrupted: bool,
}

impl<'a> Follow<'a> {
    pub(crate) fn new(client: &'a Client, screen: &'a mut Screen, sink: Sink) -> Self {
        Self {
            client,
            screen,
            sink,
            answers: std::io::stdin().is_terminal(),
            stops: true,
            sign_in: SignInView::default(),
            run: None,
            failure: None,
            prompt: None,
            approving: None,
            interrupted: false,
        }
    }

    /// Follows somebody else's run: asks nothing, and Ctrl-C stops the following only.
    pub(crate) fn watching(client: &'a Client, screen: &'a mut Screen, sink: Sink) -> Self {
        Self {
            answers: false,
            stops: false,
            ..Self::new(client, screen, sink)
        }
    }

    /// Shows what comes until the run has ended or the person has left. The first Ctrl-C stops the run, the second leaves
    /// it; neither ends a sign-in.
    pub(crate) async fn until_it_ends(
        mut self,
        mut events: Events,
        interrupts: &mut Interrupts,
    ) -> Result<Ending, CliError> {
        let mut ticks = ticks();
        let begun = Instant::now();
        loop {
            let event = tokio::select! {
                event = events.next() => event?.ok_or(ClientError::Gone)?,
                () = interrupts.next() => {
                    if self.interrupted || !self.stops {
                        return Ok(self.left());
                    }
                    self.stop().await?;
                    continue;
                }
                typed = typed(self.prompt.as_mut()) => {
                    match self.approving.take() {
                        Some(approval) => self.decide(&approval, typed).await?,
                        None => self.answer(typed).await?,
                    }
                    continue;
                }
                _ = ticks.tick() => {
                    self.starting(begun.elapsed());
                    self.sign_in.tick(self.screen);
                    continue;
                }
            };
            match event {
                Event::Output(output) => self.output(&output.bytes)?,
                Event::Session(session) => self.session(&session),
                Event::Run(run) if run.state == RunState::Ended => return self.ended(run),
                Event::Run(run) => {
                    let first = self.run.is_none();
                    self.run(*run);
                    if first && self.interrupted {
                        // Ctrl-C came before the run had an id.
                        self.stop().await?;
                    }
                }
                Event::Error(error) => return Err(ClientError::Api(error).into()),
                Event::Sessions(_) | Event::Unknown => {}
            }
        }
    }

    /// Says what a run waits for that nothing goes before, once that takes a while.
    fn starting(&mut self, waited: Duration) {
        if let Some(run) = &self.run
            && (run.state, run.ahead) == (RunState::Queued, 0)
            && waited >= A_WHILE
        {
            let key = format!("{}/{}", run.connection, run.module);
            self.screen.progress(&format!("{key}: starting"));
        }
    }

    fn output(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match &mut self.sink {
            Sink::Stream => self.screen.output(bytes),
            Sink::Keep(kept) => {
                kept.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn session(&mut self, session: &Session) {
        self.failure.clone_from(&session.failure);
        let waits = self
            .run
            .as_ref()
            .is_none_or(|run| run.state == RunState::WaitingForSignIn);
        if waits {
            self.sign_in.show(session, self.screen);
        }
    }

    fn run(&mut self, run: Run) {
        let before = self.run.replace(run);
        let run = self.run.as_ref().expect("it was just put there");
        match run.state {
            RunState::Queued if run.ahead > 0 => {
                let text = match run.ahead {
                    1 => "waiting: 1 run goes first".to_owned(),
                    ahead => format!("waiting: {ahead} runs go first"),
                };
                let known = before
                    .as_ref()
                    .is_some_and(|before| before.ahead == run.ahead);
                if self.screen.shows_progress() {
                    self.screen.progress(&text);
                } else if !known {
                    self.screen.note(&text);
                }
            }
            RunState::Running => {
                self.sign_in = SignInView::default();
                self.screen.clear_progress();
            }
            RunState::Queued
            | RunState::WaitingForSignIn
            | RunState::WaitingForApproval
            | RunState::Asking
            | RunState::Stopping
            | RunState::Ended => {}
        }
        let approval = run.approval.clone();
        let digest = |approval: &Approval| approval.digest.clone();
        let asked = before.as_ref().and_then(|before| before.approval.as_ref());
        if approval.as_ref().map(digest) != asked.map(digest) {
            (self.prompt, self.approving) = (None, None);
            if let Some(approval) = approval {
                self.ask_approval(approval);
            }
        }
        let run = self.run.as_ref().expect("it was just put there");
        let question = run.question.clone();
        let known = before.and_then(|before| before.question);
        if question != known {
            self.prompt = None;
            if let Some(question) = question {
                let id = run.id.clone();
                self.ask(&question, &id);
            }
        }
    }

    fn ask(&mut self, question: &Question, id: &RunId) {
        if matches!(self.sink, Sink::Keep(_)) {
            // Its text is among the output, which is shown at the end only.
            self.screen.note(&question.text);
        }
        if self.answers {
            match Prompt::open(question.kind == QuestionKind::Secret) {
                Ok(prompt) => {
                    self.prompt = Some(prompt);
                    return;
                }
                // A process without a terminal of its own; somebody else can answer.
                Err(error) => tracing::debug!(%error, "there is no terminal to ask at"),
            }
        }
        self.screen.note(&format!(
            "the command waits for an answer; from another terminal: mm answer {id}"
        ));
    }

    /// Asks for the yes here, where a person asked for the run at this terminal.
    fn ask_approval(&mut self, approval: Approval) {
        let Some(run) = &self.run else { return };
        self.screen.clear_progress();
        if self.stops && approval.asked_by == AskedBy::Person {
            match Prompt::open(false) {
                Ok(prompt) => {
                    self.screen.note(&approval::shown(run, &approval));
                    self.screen.ask(&approval::question(run, &approval));
                    self.prompt = Some(prompt);
                    self.approving = Some(approval);
                    return;
                }
                // A process without a terminal of its own; it is approved from another.
                Err(error) => tracing::debug!(%error, "there is no terminal to ask at"),
            }
        }
        self.screen.note(&format!(
            "the command waits for approval ({}: {}), for {} at most; in a terminal: mm approvals approve {}",
            approval.effects.join(", "),
            approval.rule,
            span(Duration::from_secs(approval.expires_in)),
            run.id
        ));
    }

    /// Sends the yes that was typed; anything else is a no.
    async fn decide(
        &mut self,
        approval: &Approval,
        typed: std::io::Result<Option<Secret>>,
    ) -> Result<(), CliError> {
        self.prompt = None;
        self.screen.line_ended_by_typing();
        let Some(run) = &self.run else { return Ok(()) };
        let id = run.id.clone();
        let typed = typed.ok().flatten();
        let yes = typed.and_then(|typed| approval::yes(approval, typed.expose()));
        let sent = if let Some(yes) = yes {
            self.client.approve(id.as_str(), &yes).await
        } else {
            let no = DenyRequest {
                reason: Some("whoever asked for it took it back".to_owned()),
                client: "cli".to_owned(),
            };
            self.client.deny(id.as_str(), &no).await
        };
        match sent {
            Ok(_) => Ok(()),
            // Somebody was faster, or it has expired: the stream says what became of it.
            Err(error @ ClientError::Api(_)) => {
                self.screen.failure(&error.into());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn answer(&mut self, typed: std::io::Result<Option<Secret>>) -> Result<(), CliError> {
        let hidden = self.prompt.take().is_some_and(|prompt| prompt.is_hidden());
        self.screen.line_ended_by_typing();
        let Some(run) = &self.run else {
            return Ok(());
        };
        let id = run.id.clone();
        let text = match typed {
            Ok(Some(text)) => text,
            Ok(None) => {
                self.screen
                    .note(&format!("no answer given; later: mm answer {id}"));
                return Ok(());
            }
            Err(error) => {
                self.screen.tell(&Message::error(format!(
                    "the answer cannot be read: {error}"
                )));
                self.screen.note(&format!("answer later: mm answer {id}"));
                return Ok(());
            }
        };
        let request = AnswerRequest {
            text,
            secret: hidden,
        };
        match self.client.answer(id.as_str(), &request).await {
            Ok(_) => Ok(()),
            Err(error @ ClientError::Api(_)) => {
                // Refused, or answered from elsewhere in the meantime; the question stands or the stream says otherwise.
                self.screen.failure(&error.into());
                let question = self.run.as_ref().and_then(|run| run.question.clone());
                if let Some(question) = question {
                    self.ask(&question, &id);
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The first Ctrl-C.
    async fn stop(&mut self) -> Result<(), CliError> {
        self.interrupted = true;
        (self.prompt, self.approving) = (None, None);
        let Some(run) = &self.run else {
            return Ok(());
        };
        let (id, state) = (run.id.clone(), run.state);
        let session = format!("{}/{}", run.connection, run.module);
        self.client.stop(id.as_str()).await?;
        self.screen.note(&match state {
            RunState::WaitingForSignIn => format!(
                "the command is not waited for any longer; the sign-in of {session} goes on: mm status"
            ),
            RunState::Queued => "taking it out of the queue".to_owned(),
            RunState::WaitingForApproval => "it is not asked for any longer".to_owned(),
            RunState::Running | RunState::Asking | RunState::Stopping | RunState::Ended => {
                "stopping; Ctrl-C again leaves it alone".to_owned()
            }
        });
        Ok(())
    }

    /// The second Ctrl-C.
    fn left(self) -> Ending {
        self.screen.clear_progress();
        match self.run.map(|run| run.id) {
            Some(id) => self
                .screen
                .note(&format!("left; the run goes on: mm runs show {id}")),
            None => self.screen.note("left; `mm runs list` shows the run"),
        }
        Ending::Detached
    }

    fn ended(mut self, run: Box<Run>) -> Result<Ending, CliError> {
        self.prompt = None;
        self.screen.clear_progress();
        let output = match self.sink {
            Sink::Stream => {
                self.screen.output_ended()?;
                Vec::new()
            }
            Sink::Keep(kept) => kept,
        };
        Ok(Ending::Ended {
            run,
            output,
            failure: self.failure,
        })
    }
}

/// Often enough for minutes.
pub(super) fn ticks() -> Interval {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// The next line that is typed; waits for ever where nothing is asked.
async fn typed(prompt: Option<&mut Prompt>) -> std::io::Result<Option<Secret>> {
    match prompt {
        Some(prompt) => prompt.line().await,
        None => std::future::pending().await,
    }
}
