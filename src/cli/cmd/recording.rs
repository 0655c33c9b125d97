//! `mm recording`: what a terminal said, looked at afterwards.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::args::{RecordingArgs, RecordingVerb};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Screen;
use crate::cli::wiring;
use crate::recording::{EventKind, Recording, Redactor, looks_secret};
use crate::replay::{self, Played};
use crate::script::{EndState, Shell, SignIn};
use crate::spec::{Catalog, CatalogError};

/// Pauses longer than this are cut when a recording is played: nobody waits for somebody else's coffee.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Shows or plays a recording.
pub(crate) fn recording(args: RecordingArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        RecordingVerb::Show { file, json } => {
            let recording = open(&file)?;
            let (shell, watch) = reader(&wiring::catalog(&[])?, &recording)?;
            for played in replay::play(&recording, &shell, watch.as_ref()) {
                if !json {
                    screen.text(&shown(&played, &shell))?;
                } else if played.state.is_some() {
                    screen.text(&format!("{}\n", played.to_json(&shell)))?;
                }
            }
        }
        RecordingVerb::Play { file } => play(&open(&file)?, screen)?,
        RecordingVerb::Redact { file, copy } => redact(&open(&file)?, &copy)?,
    }
    Ok(Exit::Done)
}

fn open(file: &Path) -> Result<Recording, CliError> {
    Recording::open(file).map_err(|error| CliError::usage(error.to_string(), error.help()))
}

/// A copy without what must not leave the house. One that still looks secret is not written.
fn redact(recording: &Recording, copy: &Path) -> Result<(), CliError> {
    let redacted = Redactor::new([], []).recording(recording);
    if let Some(finding) = looks_secret(&redacted).first() {
        let place = finding.event.map_or("its header".to_owned(), |event| {
            format!("event {}", event + 1)
        });
        return Err(CliError::usage(
            format!(
                "the recording still holds something that looks like {}, in {place}",
                finding.kind
            ),
            "nothing was written; look at that place, and keep the recording to yourself",
        ));
    }
    let failed = |source| CliError::Io {
        what: format!("`{}` cannot be written", copy.display()),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(copy)
        .map_err(failed)?;
    file.write_all(redacted.to_text().as_bytes())
        .map_err(failed)
}

/// The shell that a recording is of, by its header's command, and the device-code prompts to look for in it.
fn reader(
    catalog: &Catalog,
    recording: &Recording,
) -> Result<(Arc<Shell>, Option<Arc<SignIn>>), CliError> {
    let command = recording.header.command.as_deref().unwrap_or("pwsh");
    let program = command
        .split_whitespace()
        .next()
        .unwrap_or("pwsh")
        .rsplit('/')
        .next()
        .unwrap_or("pwsh");
    let name = if catalog.shells().any(|listing| listing.name == program) {
        program
    } else {
        "pwsh"
    };
    let failed = |error: CatalogError| CliError::Spec {
        message: error.to_string(),
        help: Some(error.help()),
    };
    let shell = catalog.shell(name).map_err(failed)?;
    // Any module with Microsoft's prompts will do: they are one shared file.
    let watch = catalog
        .modules()
        .filter_map(|listing| listing.value.and_then(|module| module.sign_in.as_ref()))
        .max_by_key(|sign_in| sign_in.challenges.rules().len())
        .map(|sign_in| Arc::new(sign_in.clone()));
    Ok((shell, watch))
}

fn shown(played: &Played, shell: &Shell) -> String {
    let mut text = String::new();
    let state = played.state.map_or("no end", EndState::name);
    let exit = played
        .exit
        .map(|exit| format!(", exit {exit}"))
        .unwrap_or_default();
    let mode = if played.mode == crate::expect::Mode::Records {
        "records"
    } else {
        "text"
    };
    let interrupted = if played.interrupted {
        ", interrupted"
    } else {
        ""
    };
    let line = |text: &mut String, line: &str| {
        writeln!(text, "{line}").expect("writing to a string does not fail");
    };
    line(
        &mut text,
        &format!("> {}", played.command.replace('\n', "\n> ")),
    );
    if let Some(challenge) = &played.challenge {
        line(
            &mut text,
            &format!(
                "  code {} at {}",
                challenge.user_code, challenge.verification_uri
            ),
        );
    }
    if let Some(question) = &played.question {
        line(
            &mut text,
            &format!("  asked: {}", question.text.replace('\n', " ")),
        );
    }
    let json = played.to_json(shell);
    if played.mode == crate::expect::Mode::Records {
        for object in played.objects() {
            line(&mut text, &format!("  {object}"));
        }
        for console in played.console() {
            line(&mut text, &format!("  console: {console}"));
        }
        for (tag, values) in json["streams"].as_object().into_iter().flatten() {
            for value in values.as_array().into_iter().flatten() {
                line(&mut text, &format!("  {tag}: {value}"));
            }
        }
    } else {
        for output in String::from_utf8_lossy(&played.output).lines() {
            line(&mut text, &format!("  {output}"));
        }
    }
    for error in &played.errors {
        line(
            &mut text,
            &format!("  error: {}", error.message.replace('\n', " ")),
        );
    }
    line(
        &mut text,
        &format!("  [{mode}, {state}{exit}{interrupted}]"),
    );
    text
}

/// To the screen, at its own pace.
fn play(recording: &Recording, screen: &mut Screen) -> Result<(), CliError> {
    let (start, mut cut, mut before) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    for event in &recording.events {
        cut += event
            .at
            .saturating_sub(before)
            .saturating_sub(LONGEST_PAUSE);
        before = event.at;
        let due = start + event.at.saturating_sub(cut);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        match &event.kind {
            EventKind::Output => screen.output(event.data.as_bytes())?,
            EventKind::Marker => screen.output(format!("\n-- {}\n", event.data).as_bytes())?,
            EventKind::Input | EventKind::Other(_) => {}
        }
    }
    screen.output_ended()
}
