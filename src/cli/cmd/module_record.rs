//! `mm modules record`: a module against its real program, at the person's terminal. The sign-in and each command go into a
//! redacted recording of their own, which `mm modules test` can play.
//!
//! The session is the daemon's, so a recording holds what the machine will meet: frames, markers, and what the program does
//! with them. Questions are answered and commands are stopped at the terminal as with `mm run`.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{login, run};
use crate::api::{LoginRequest, RunRequest};
use crate::cli::args::RecordModuleArgs;
use crate::cli::ending::Message;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::follow::{Ending, Follow, Sink};
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Screen;
use crate::cli::prompt::Prompt;
use crate::cli::wiring;
use crate::client::Client;
use crate::recording::{Recording, looks_secret};
use crate::script::Module;

/// Records the sign-in, where the module has one, and the commands. Exits as the first of them that did not go well.
pub(crate) async fn record(
    args: RecordModuleArgs,
    module: &Module,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let folder = whole(&args.to)?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|source| CliError::Io {
            what: format!("`{}` cannot be made", folder.display()),
            source,
        })?;
    let mut recorder = Recorder {
        client: wiring::client().await?,
        connection: &args.connection,
        module,
        folder: &folder,
        made: Vec::new(),
    };
    let mut exit = Exit::Done;
    if module.sign_in.is_some() {
        exit = recorder.sign_in(args.way, screen).await?;
    }
    if exit == Exit::Done {
        exit = recorder.commands(args.command, screen).await?;
    }
    let sound = recorder.judge(screen)?;
    Ok(if sound { exit } else { Exit::Refused })
}

struct Recorder<'a> {
    client: Client,
    connection: &'a str,
    module: &'a Module,
    folder: &'a Path,
    made: Vec<PathBuf>,
}

impl Recorder<'_> {
    /// The file of a case; it must not be there.
    fn file(&mut self, case: &str) -> Result<PathBuf, CliError> {
        let file = self
            .folder
            .join(format!("{}-{case}.cast", self.module.name));
        if file.exists() {
            return Err(CliError::usage(
                format!("there is already a recording `{}`", file.display()),
                "name another folder with --to, or move it away",
            ));
        }
        self.made.push(file.clone());
        Ok(file)
    }

    async fn sign_in(
        &mut self,
        way: Option<String>,
        screen: &mut Screen,
    ) -> Result<Exit, CliError> {
        let request = LoginRequest {
            connection: self.connection.to_owned(),
            module: self.module.name.to_string(),
            way,
            forget_identity: false,
            record: Some(self.file("sign-in")?),
        };
        login::sign_in(&self.client, &request, false, false, screen).await
    }

    /// Runs what was given; without anything given, what a person types until an empty line.
    async fn commands(
        &mut self,
        given: Vec<String>,
        screen: &mut Screen,
    ) -> Result<Exit, CliError> {
        let asks = given.is_empty() && screen.asks_people();
        let mut given = given.into_iter();
        // An earlier recording keeps its number.
        let taken = |number: &usize| {
            let file = format!("{}-{number}.cast", self.module.name);
            self.folder.join(file).exists()
        };
        let first = (1..usize::MAX).find(|number| !taken(number)).unwrap_or(1);
        for number in first.. {
            let command = if asks {
                ask(self.module, screen).await?
            } else {
                given.next()
            };
            let Some(command) = command else { break };
            let exit = self.command(&number.to_string(), command, screen).await?;
            // At a terminal a failure is seen, and worth a recording; what was given in a line is not gone on with.
            if exit != Exit::Done && !asks {
                return Ok(exit);
            }
        }
        Ok(Exit::Done)
    }

    async fn command(
        &mut self,
        case: &str,
        command: String,
        screen: &mut Screen,
    ) -> Result<Exit, CliError> {
        let mut request = RunRequest::new(self.connection, self.module.name.to_string(), command);
        request.record = Some(self.file(case)?);
        "cli".clone_into(&mut request.client);
        request.on_question = run::where_nothing_is_said();
        let mut interrupts = Interrupts::listen()?;
        let events = self.client.run(&request).await?;
        let follow = Follow::new(&self.client, screen, Sink::Stream);
        match follow.until_it_ends(events, &mut interrupts).await? {
            Ending::Ended { run, failure, .. } => {
                Ok(run::tell(&run, failure.as_ref(), false, screen))
            }
            Ending::Detached => Ok(Exit::Failed),
        }
    }

    /// Says what was made. A recording that still looks secret is removed; then the answer is false.
    fn judge(&self, screen: &mut Screen) -> Result<bool, CliError> {
        let mut sound = true;
        let mut left = 0;
        for file in self.made.iter().filter(|file| file.exists()) {
            let recording = Recording::open(file)
                .map_err(|error| CliError::usage(error.to_string(), error.help()))?;
            if let Some(finding) = looks_secret(&recording).first() {
                sound = false;
                std::fs::remove_file(file).map_err(|source| CliError::Io {
                    what: format!("`{}` cannot be removed", file.display()),
                    source,
                })?;
                screen.tell(&Message::error(format!(
                    "{} still held something that looks like {}, and was removed",
                    file.display(),
                    finding.kind
                )));
                continue;
            }
            left += 1;
            screen.text(&format!("{}\n", file.display()))?;
        }
        if left > 0 {
            screen.note(&format!(
                "look at them: mm recording show FILE; accept what they come to: mm modules test {} --recordings '{}' --update",
                self.module.name,
                self.folder.display()
            ));
        }
        Ok(sound)
    }
}

/// Asks for the next command. `None` at an empty line and at the end of input.
async fn ask(module: &Module, screen: &mut Screen) -> Result<Option<String>, CliError> {
    screen.ask(&format!("{} (empty to end)> ", module.name));
    let failed = |source| CliError::Io {
        what: "the terminal cannot be read".to_owned(),
        source,
    };
    let mut prompt = Prompt::open(false).map_err(failed)?;
    let line = prompt.line().await.map_err(failed)?;
    let text = line.map(|line| line.expose().trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

fn whole(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|source| CliError::Io {
        what: format!("`{}` is not a path", path.display()),
        source,
    })
}
