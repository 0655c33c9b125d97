//! What the programs in `benches/` drive: the product's own session, machine and output store, without the daemon around
//! them. The opening is hidden, because nobody else may lean on it, and adds no way of its own to do anything, so
//! that what is measured is what runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::expect::{Finish, Mode};
use crate::output::{Kept, Limits};
use crate::pty::{Command, TerminalFlags};
use crate::script::{
    ChallengeRule, Challenges, EndState, IdentityRule, Pattern, Quoting, SignIn, Template,
};
use crate::session::{
    Launch, Order, RunEvent, RunListener, RunResult, Session as Live, SessionEvent, SessionListener,
};
use crate::spec::{Catalog, CatalogError};

mod door;
mod machine;

pub use door::Door;
pub use machine::Machine;

/// Something that should not have happened, for people.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Raises the limit of open files, as the daemon does when it starts.
pub fn raise_file_limit() -> std::io::Result<()> {
    crate::pty::raise_file_limit().map(drop)
}

/// One kind of program, from a shell file.
#[derive(Clone)]
pub struct Shell(Arc<crate::script::Shell>);

impl Shell {
    /// One of the shells that are part of the program.
    pub fn built_in(name: &str) -> Result<Self, Fault> {
        Self::found(Catalog::load(&[]).shell(name))
    }

    /// The shell `name` of `folder`, which is laid out as `modules.d/` is.
    pub fn load(folder: &Path, name: &str) -> Result<Self, Fault> {
        Self::found(Catalog::shell_of(folder, name))
    }

    fn found(shell: Result<Arc<crate::script::Shell>, CatalogError>) -> Result<Self, Fault> {
        let shell = shell.map_err(|error| format!("{error}: {}", error.help()))?;
        Ok(Self(shell))
    }

    /// Starts its program, in a session that lives on `runtime` and needs no sign-in.
    pub fn start(&self, runtime: &Handle) -> Result<Session, Fault> {
        let (start, terminal) = (&self.0.start, &self.0.terminal);
        let environment = &self.0.environment;
        let kept = environment
            .keep
            .iter()
            .filter_map(|name| Some((name.clone(), std::env::var_os(name)?)));
        let set = environment
            .set
            .iter()
            .map(|(name, value)| (name.clone(), value.render(Quoting::Plain, |_| None).into()));
        let command = Command {
            program: start.program.clone(),
            arguments: start
                .arguments
                .iter()
                .map(|argument| argument.render(Quoting::Plain, |_| None).into())
                .collect(),
            environment: kept.chain(set).collect(),
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
            shell: Arc::clone(&self.0),
            needs_sign_in: false,
            listener: Box::new(Unheard),
        };
        Ok(Session {
            live: Live::start(launch, runtime)?,
            runs: 0,
        })
    }
}

/// Patterns that race over a run's output.
#[derive(Clone)]
pub struct Patterns(Arc<SignIn>);

impl Patterns {
    /// Compiles one pattern a text.
    pub fn parse(texts: &[String]) -> Result<Self, Fault> {
        let rule = |text: &String| {
            Ok(ChallengeRule {
                pattern: Pattern::parse(&format!("(?<code>{text})"))?,
                assumed_url: None,
            })
        };
        let identity = IdentityRule {
            command: Template::parse("", &[])?,
            text: None,
            account: String::new(),
            tenant: String::new(),
            expires: None,
            require: Vec::new(),
        };
        Ok(Self(Arc::new(SignIn {
            restore: None,
            ways: Vec::new(),
            challenges: Challenges::new(texts.iter().map(rule).collect::<Result<_, Fault>>()?)?,
            failures: Vec::new(),
            identity,
            proof: None,
            disconnect: None,
            clouds: Vec::new(),
            partner: None,
        })))
    }
}

/// How much of an output is kept.
#[derive(Clone)]
pub struct Keep {
    /// Bytes in memory before the file takes over.
    pub memory: usize,
    /// Bytes altogether.
    pub total: u64,
    /// The file.
    pub file: PathBuf,
}

fn kept(keep: &Keep) -> Kept {
    Kept::new(Limits {
        memory: keep.memory,
        total: keep.total,
        file: keep.file.clone(),
    })
}

/// A running program.
pub struct Session {
    live: Live,
    runs: u64,
}

impl Session {
    /// Runs `command` to its end.
    pub async fn run(
        &mut self,
        command: String,
        patterns: Option<&Patterns>,
        keep: &Keep,
    ) -> Result<Output, Fault> {
        let kept = kept(keep);
        let (done, result) = oneshot::channel();
        self.runs += 1;
        let order = Order {
            tag: self.runs,
            command,
            mode: Mode::Text,
            depth: 2,
            deadline: Some(Duration::from_secs(600)),
            quiet: false,
            fails_on_question: false,
            watch: patterns.map(|patterns| Arc::clone(&patterns.0)),
            recorder: None,
            condition: None,
            inquiry: None,
            listener: Box::new(Listener {
                kept: kept.clone(),
                done,
                codes: Vec::new(),
            }),
        };
        self.live.run(order).await?;
        let (result, codes) = result.await?;
        match result {
            RunResult::Finished {
                finish:
                    Finish::Ended {
                        state: EndState::Ok,
                        ..
                    },
                ..
            } => Ok(Output { kept, codes }),
            other => Err(format!("the run ended otherwise: {other:?}").into()),
        }
    }
}

/// What a run left.
pub struct Output {
    kept: Kept,
    codes: Vec<String>,
}

impl Output {
    /// Bytes of output, whatever is kept of them.
    pub fn length(&self) -> u64 {
        self.kept.extent().length
    }

    /// At most `max` bytes from `from` on.
    pub fn read(&self, from: u64, max: usize) -> std::io::Result<Vec<u8>> {
        Ok(self.kept.read(from, max)?.bytes)
    }

    /// What the patterns matched, in order.
    pub fn matched(&self) -> &[String] {
        &self.codes
    }
}

struct Listener {
    kept: Kept,
    done: oneshot::Sender<(RunResult, Vec<String>)>,
    codes: Vec<String>,
}

impl RunListener for Listener {
    fn event(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::Output(text) => self.kept.append(text),
            RunEvent::Challenged(challenge) => self.codes.push(challenge.user_code.clone()),
            RunEvent::Queued(_)
            | RunEvent::Waiting
            | RunEvent::Sent { .. }
            | RunEvent::Asks(_)
            | RunEvent::Stopping
            | RunEvent::Record(_)
            | RunEvent::RecordingFailed(_) => {}
        }
    }

    fn ended(self: Box<Self>, result: RunResult) {
        self.kept.finish();
        // Who waits for it may have left.
        let _ = self.done.send((result, self.codes));
    }
}

struct Unheard;

impl SessionListener for Unheard {
    fn event(&mut self, _: SessionEvent<'_>) {}
}
