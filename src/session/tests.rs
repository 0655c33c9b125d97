//! Whole sessions on real terminals: with the real bash in them, and with a program that misbehaves
//! (`fixtures/peers/session.py`).

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::{
    Launch, Order, RunEvent, RunListener, RunResult, Session, SessionError, SessionEvent,
    SessionListener, SessionStatus, Standing, StopWhy,
};
use crate::expect::{AnswerLine, CloseReason, Finish, Mode, Question, StopCause};
use crate::pty::{Command, TerminalFlags};
use crate::script::{EndState, Quoting, Shell};
use crate::secret::Secret;
use crate::spec::Catalog;

mod bash;
mod peers;
mod stops;

/// No test needs as long as this on any machine that is alive.
const DEADLINE: Duration = Duration::from_secs(60);

/// A session, and what its runs tell.
struct Watched {
    session: Session,
    tags: u64,
}

/// A run, and what it tells.
struct Run {
    tag: u64,
    heard: mpsc::UnboundedReceiver<Heard>,
    output: Vec<u8>,
    /// The longest piece of output that came at once.
    longest: usize,
}

enum Heard {
    Output(Vec<u8>),
    Asks(Question),
    Ended(RunResult),
}

struct Ear(mpsc::UnboundedSender<Heard>);

impl RunListener for Ear {
    fn event(&mut self, event: RunEvent<'_>) {
        let heard = match event {
            RunEvent::Output(text) => Heard::Output(text.to_vec()),
            RunEvent::Record(record) => Heard::Output(record.value.get().as_bytes().to_vec()),
            RunEvent::Asks(Some(question)) => Heard::Asks(question.clone()),
            RunEvent::Queued(_)
            | RunEvent::Waiting
            | RunEvent::Sent { .. }
            | RunEvent::Asks(None)
            | RunEvent::Stopping
            | RunEvent::Challenged(_)
            | RunEvent::RecordingFailed(_) => return,
        };
        self.0.send(heard).unwrap_or_default();
    }

    fn ended(self: Box<Self>, result: RunResult) {
        self.0.send(Heard::Ended(result)).unwrap_or_default();
    }
}

struct Nobody;

impl SessionListener for Nobody {
    fn event(&mut self, _: SessionEvent<'_>) {}
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it happens in time")
}

fn shell(name: &str) -> Arc<Shell> {
    Catalog::load(&[])
        .shell(name)
        .expect("it is part of the program")
}

impl Watched {
    fn start(shell: Arc<Shell>, program: &str, arguments: Vec<String>) -> Self {
        let path = std::env::var_os("PATH").expect("the tests have a PATH");
        let mut environment = vec![("PATH".to_owned(), path)];
        for (name, value) in &shell.environment.set {
            let value = value.render(Quoting::Plain, |_| Some("/nonexistent"));
            environment.push((name.clone(), value.into()));
        }
        let terminal = &shell.terminal;
        let command = Command {
            program: program.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment,
            directory: "/".into(),
            terminal: TerminalFlags {
                columns: terminal.columns,
                rows: terminal.rows,
                echo: terminal.echo,
                canonical: terminal.canonical,
                map_cr_to_lf: terminal.map_cr_to_lf,
                signals: terminal.signals,
                flush_on_signal: terminal.flush_on_signal,
            },
        };
        let launch = Launch {
            command,
            shell,
            needs_sign_in: false,
            listener: Box::new(Nobody),
        };
        let session = Session::start(launch, &Handle::current()).expect("it starts");
        Self { session, tags: 0 }
    }

    /// A program that speaks PowerShell's protocol, and then misbehaves like this.
    fn peer(how: &str) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/peers/session.py");
        Self::start(shell("pwsh"), program, vec![how.to_owned()])
    }

    fn bash() -> Self {
        let shell = shell("bash");
        let bootstrap = shell.bootstrap.as_ref().expect("it has one").argument();
        let arguments = shell
            .start
            .arguments
            .iter()
            .map(|argument| argument.render(Quoting::Plain, |_| Some(&bootstrap)))
            .collect();
        let program = shell.start.program.clone();
        Self::start(shell, &program, arguments)
    }

    async fn try_run(&mut self, command: &str, mode: Mode) -> Result<Run, SessionError> {
        self.order(command, mode, false).await
    }

    async fn order(&mut self, command: &str, mode: Mode, quiet: bool) -> Result<Run, SessionError> {
        self.tags += 1;
        let (sender, heard) = mpsc::unbounded_channel();
        let order = Order {
            tag: self.tags,
            command: command.to_owned(),
            mode,
            depth: 2,
            deadline: None,
            quiet,
            fails_on_question: false,
            watch: None,
            recorder: None,
            condition: None,
            inquiry: None,
            listener: Box::new(Ear(sender)),
        };
        in_time(self.session.run(order)).await?;
        Ok(Run {
            tag: self.tags,
            heard,
            output: Vec::new(),
            longest: 0,
        })
    }

    async fn run(&mut self, command: &str) -> Run {
        self.try_run(command, Mode::Text)
            .await
            .expect("the session takes it")
    }

    /// Runs to the end; the output, where it ended like this.
    async fn says(&mut self, command: &str, state: EndState) -> String {
        let mut run = self.run(command).await;
        let result = run.end().await;
        assert_eq!(ended(&result), Some(state), "{command}: {result:?}");
        run.text()
    }

    fn stop(&self, run: &Run) {
        self.session.stop(run.tag, StopWhy::Asked);
    }

    async fn answer(&self, run: &Run, text: &str) -> Result<(), SessionError> {
        let line = AnswerLine {
            text: Secret::new(text.to_owned()),
            secret: false,
        };
        in_time(self.session.answer(run.tag, line)).await
    }

    async fn status(&self, what: impl FnMut(&SessionStatus) -> bool) -> SessionStatus {
        let mut status = self.session.status();
        let status = in_time(status.wait_for(what))
            .await
            .expect("its task lives");
        status.clone()
    }

    /// Why it is closed, once it is.
    async fn closed(&self) -> CloseReason {
        match self.status(SessionStatus::is_closed).await.standing {
            Standing::Closed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }
}

impl Run {
    async fn next(&mut self) -> Heard {
        let heard = in_time(self.heard.recv()).await.expect("it ends before");
        if let Heard::Output(text) = &heard {
            self.longest = self.longest.max(text.len());
            self.output.extend_from_slice(text);
        }
        heard
    }

    async fn end(&mut self) -> RunResult {
        loop {
            if let Heard::Ended(result) = self.next().await {
                assert!(self.heard.recv().await.is_none(), "nothing follows an end");
                return result;
            }
        }
    }

    async fn asks(&mut self) -> Question {
        loop {
            match self.next().await {
                Heard::Asks(question) => return question,
                Heard::Output(_) => {}
                Heard::Ended(result) => panic!("{result:?}"),
            }
        }
    }

    /// Waits until it has said this.
    async fn said(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(matches!(self.next().await, Heard::Output(_)), "no {text:?}");
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

fn finish(result: &RunResult) -> Option<&Finish> {
    match result {
        RunResult::Finished { finish, .. } => Some(finish),
        _ => None,
    }
}

fn ended(result: &RunResult) -> Option<EndState> {
    match finish(result) {
        Some(Finish::Ended { state, .. }) => Some(*state),
        _ => None,
    }
}
