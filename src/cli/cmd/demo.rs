//! `mm demo`: the whole story on this machine, told by the same client that every other verb uses.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::api::{
    AnswerRequest, Event, Mode, OnDisconnect, OnQuestion, Outcome, Run, RunRequest, RunState,
    Session, WatchRequest,
};
use crate::cli::args::DemoArgs;
use crate::cli::challenge::SignInView;
use crate::cli::ending::messages;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::follow::ticks;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Screen;
use crate::cli::when::span;
use crate::cli::wiring;
use crate::client::{Client, ClientError, Events, Place};
use crate::secret::Secret;

const CONNECTION: &str = "Demo";
const MODULE: &str = "exo";
/// The built-in scenario: Exchange Online, and the user approves after a few seconds.
const SCENARIO: &str = "exo";

/// Between two steps, to read what was shown.
const PAUSE: Duration = Duration::from_millis(700);

/// How long the command runs that is interrupted.
const BEFORE_INTERRUPT: Duration = Duration::from_millis(1200);

/// What to do with a real tenant.
const CLOSING: &str = "\
With a real tenant
  1. install PowerShell 7.4 or newer, and in it: Install-PSResource ExchangeOnlineManagement (mm doctor says what is missing)
  2. mm connections add Contoso
       asks for the tenant and the account, and signs in; or in one line:
       mm connections add Contoso --tenant contoso.com --expected-email admin@contoso.com
  3. mm login -c Contoso -m exo
  4. mm run -c Contoso -m exo 'Get-Mailbox -ResultSize 3'";

/// Tells the story: in a daemon of its own that is gone afterwards, or with `--keep` in the user's.
pub(crate) async fn demo(args: DemoArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let pause = if args.fast { Duration::ZERO } else { PAUSE };
    if args.keep {
        let client = wiring::client().await?;
        let mut story = Story {
            client: &client,
            screen,
            pause,
        };
        story.tell().await?;
        screen.text(&format!("\n{CLOSING}\n\nThe connection {CONNECTION} stays, for instance: mm run -c {CONNECTION} -m {MODULE} 'Get-Mailbox -ResultSize 3'"))?;
        return Ok(Exit::Done);
    }
    let home = PrivateHome::make()?;
    let client = Client::find_or_start(home.place()).await?;
    let mut story = Story {
        client: &client,
        screen,
        pause,
    };
    let mut interrupts = Interrupts::listen()?;
    let told = tokio::select! {
        told = story.tell() => told,
        () = interrupts.next() => Err(CliError::Io {
            what: "the demo was left".to_owned(),
            source: std::io::ErrorKind::Interrupted.into(),
        }),
    };
    // The story's own failure is worth more than that of the cleaning up.
    let ended = client.shut_down(true).await;
    told?;
    ended?;
    screen.text(&format!("\n{CLOSING}\n\nThis is gone now; `mm demo --keep` leaves the connection {CONNECTION} to play with."))?;
    Ok(Exit::Done)
}

/// A folder for a daemon that lives as long as the story. Dropping it removes the folder.
struct PrivateHome(PathBuf);

impl PrivateHome {
    fn make() -> Result<Self, CliError> {
        let failed = |source| CliError::Io {
            what: "a folder for the demo cannot be made".to_owned(),
            source,
        };
        let number =
            getrandom::u32().map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        let path = std::env::temp_dir().join(format!("mm-demo-{number:08x}"));
        // Fails where somebody else has one of this name: it is never a folder that others made.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(failed)?;
        Ok(Self(path))
    }

    fn place(&self) -> Place {
        Place {
            socket: self.0.join("run/mm.sock"),
            state_dir: self.0.clone(),
        }
    }
}

impl Drop for PrivateHome {
    fn drop(&mut self) {
        // What is left of a demo in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Story<'a> {
    client: &'a Client,
    screen: &'a mut Screen,
    pause: Duration,
}

impl Story<'_> {
    async fn tell(&mut self) -> Result<(), CliError> {
        self.client.keep_demo(Some(SCENARIO)).await?;
        self.sign_in().await?;
        self.table().await?;
        self.records().await?;
        self.error().await?;
        self.question().await?;
        self.interrupt().await
    }

    /// Tells what comes next, and the command a person would type for it.
    async fn step(&mut self, title: &str, typed: &str) -> Result<(), CliError> {
        tokio::time::sleep(self.pause).await;
        self.screen.text("")?;
        self.screen.heading(title)?;
        self.screen.text(&format!("$ {typed}"))
    }

    async fn sign_in(&mut self) -> Result<(), CliError> {
        let typed = format!("mm login -c {CONNECTION} -m {MODULE}");
        self.step(
            "A sign-in with a device code (approved for you in a moment)",
            &typed,
        )
        .await?;
        let request = WatchRequest {
            connection: CONNECTION.to_owned(),
            module: MODULE.to_owned(),
            way: None,
            forget_identity: false,
            record: None,
        };
        let mut events = self.client.watch_sign_in(&request).await?;
        let session = self.watch(&mut events).await?;
        self.screen.clear_progress();
        if !session.signed_in() {
            let why = session
                .failure
                .map(|failure| failure.message)
                .or(session.detail)
                .unwrap_or_else(|| "the sign-in did not succeed".to_owned());
            return Err(unexpected(&why));
        }
        let account = session.account.as_deref().unwrap_or("nobody");
        self.screen.text(&format!(
            "{CONNECTION}/{MODULE} is signed in as {account}; the identity was proven before the first command"
        ))
    }

    async fn watch(&mut self, events: &mut Events) -> Result<Session, CliError> {
        let mut view = SignInView::default();
        let mut ticks = ticks();
        loop {
            let event = tokio::select! {
                event = events.next() => event?.ok_or(ClientError::Gone)?,
                _ = ticks.tick() => {
                    view.tick(self.screen);
                    continue;
                }
            };
            if let Event::Session(session) = event {
                view.show(&session, self.screen);
                if session.sign_in_ended() {
                    return Ok(*session);
                }
            }
        }
    }

    async fn table(&mut self) -> Result<(), CliError> {
        let command = "Get-Mailbox -ResultSize 3";
        self.step(
            "A command, as the program shows it to people",
            &typed(command),
        )
        .await?;
        let run = self.run(command, Mode::Text, Scene::Watch).await?;
        self.expect(&run, Outcome::Succeeded)
    }

    async fn records(&mut self) -> Result<(), CliError> {
        let command = "Get-AcceptedDomain";
        let typed = format!("mm run -c {CONNECTION} -m {MODULE} --json '{command}'");
        self.step("The same for programs: objects, not text", &typed)
            .await?;
        let run = self.run(command, Mode::Records, Scene::Watch).await?;
        self.expect(&run, Outcome::Succeeded)
    }

    async fn error(&mut self) -> Result<(), CliError> {
        let command = "Get-Mailbox nobody@contoso.com";
        self.step("An error, told apart from the output", &typed(command))
            .await?;
        let run = self.run(command, Mode::Text, Scene::Watch).await?;
        self.conclude(&run);
        Ok(())
    }

    async fn question(&mut self) -> Result<(), CliError> {
        let command = "Remove-Mailbox user3@contoso.com";
        self.step("A command that asks; the answer is `Y`", &typed(command))
            .await?;
        let run = self.run(command, Mode::Text, Scene::Answer("Y")).await?;
        self.expect(&run, Outcome::Succeeded)
    }

    async fn interrupt(&mut self) -> Result<(), CliError> {
        let command = "Start-Sleep 60";
        self.step("A command that takes too long, and Ctrl-C", &typed(command))
            .await?;
        let run = self.run(command, Mode::Text, Scene::Interrupt).await?;
        self.expect(&run, Outcome::Stopped)?;
        let command = "Get-Mailbox user1@contoso.com";
        self.step("The session is still signed in", &typed(command))
            .await?;
        let run = self.run(command, Mode::Text, Scene::Watch).await?;
        self.expect(&run, Outcome::Succeeded)?;
        if let Some((from, to)) = run.started_at.zip(run.ended_at) {
            let took = span(to.duration_since(from).unsigned_abs());
            self.screen.text(&format!("({took})"))?;
        }
        Ok(())
    }

    /// Runs one command to its end, showing what comes.
    async fn run(&mut self, command: &str, mode: Mode, scene: Scene) -> Result<Run, CliError> {
        let request = RunRequest {
            mode,
            on_disconnect: OnDisconnect::Stop,
            on_question: OnQuestion::Ask,
            client: "demo".to_owned(),
            ..RunRequest::new(CONNECTION, MODULE, command)
        };
        let mut events = self.client.run(&request).await?;
        let mut stop_at = None;
        let mut answered = false;
        loop {
            let event = tokio::select! {
                event = events.next() => event?.ok_or(ClientError::Gone)?,
                id = due(&mut stop_at) => {
                    self.screen.note("^C");
                    self.client.stop(&id).await?;
                    continue;
                }
            };
            match event {
                Event::Output(output) if mode == Mode::Records => self.objects(&output.bytes)?,
                Event::Output(output) => self.screen.output(&output.bytes)?,
                Event::Run(run) if run.state == RunState::Ended => {
                    self.screen.output_ended()?;
                    return Ok(*run);
                }
                Event::Run(run) => match scene {
                    Scene::Answer(text) if run.question.is_some() && !answered => {
                        answered = true;
                        tokio::time::sleep(self.pause).await;
                        self.screen.note(text);
                        let request = AnswerRequest {
                            text: Secret::new(text.to_owned()),
                            secret: false,
                        };
                        self.client.answer(run.id.as_str(), &request).await?;
                    }
                    Scene::Interrupt if run.state == RunState::Running && stop_at.is_none() => {
                        let at = tokio::time::Instant::now() + BEFORE_INTERRUPT;
                        stop_at = Some((at, run.id.to_string()));
                    }
                    Scene::Watch | Scene::Answer(_) | Scene::Interrupt => {}
                },
                Event::Session(_) | Event::Sessions(_) | Event::Error(_) | Event::Unknown => {}
            }
        }
    }

    /// Shows the objects among lines of records.
    fn objects(&mut self, lines: &[u8]) -> Result<(), CliError> {
        for line in lines.split(|byte| *byte == b'\n') {
            // A line that is cut between two pieces is left out; this is a show.
            let record = serde_json::from_slice::<Value>(line).ok();
            let object = record
                .as_ref()
                .filter(|record| record["stream"] == "output");
            if let Some(object) = object {
                self.screen.text(&format!("  {}", object["value"]))?;
            }
        }
        Ok(())
    }

    fn conclude(&mut self, run: &Run) {
        if let Some(end) = &run.end {
            for message in messages(run, end, None) {
                self.screen.tell(&message);
            }
        }
    }

    /// Says how it ended; anything but `outcome` ends the story.
    fn expect(&mut self, run: &Run, outcome: Outcome) -> Result<(), CliError> {
        self.conclude(run);
        match &run.end {
            Some(end) if end.outcome == outcome => Ok(()),
            _ => Err(unexpected("a command did not end as it should")),
        }
    }
}

/// What happens while a command runs.
#[derive(Clone, Copy)]
enum Scene {
    Watch,
    /// Its question is answered with this.
    Answer(&'static str),
    /// It is stopped after a moment.
    Interrupt,
}

/// Returns the run's id when it is time to stop it, once.
async fn due(stop_at: &mut Option<(tokio::time::Instant, String)>) -> String {
    match stop_at {
        Some((at, id)) => {
            tokio::time::sleep_until(*at).await;
            // Far away: it is stopped once.
            *at += Duration::from_secs(3600);
            id.clone()
        }
        None => std::future::pending().await,
    }
}

fn typed(command: &str) -> String {
    format!("mm run -c {CONNECTION} -m {MODULE} '{command}'")
}

fn unexpected(why: &str) -> CliError {
    CliError::Daemon {
        message: format!("the demo broke off: {why}"),
        help: Some(
            "this should not happen; `mm daemon status` and the daemon's log tell more".to_owned(),
        ),
    }
}
