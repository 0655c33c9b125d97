//! `mm run`: a command in a session.

use std::io::{IsTerminal as _, Read as _};

use serde::Serialize;

use crate::api::{BODY_LIMIT, Mode, OnDisconnect, OnQuestion, OnSignedOut, Run, RunRequest};
use crate::cli::args::{OnQuestionArg, RunArgs};
use crate::cli::ending::{Message, messages};
use crate::cli::error::{CliError, ErrorReport};
use crate::cli::exit::Exit;
use crate::cli::follow::{Ending, Follow, Sink};
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Screen;
use crate::cli::programs;
use crate::cli::report::Report;
use crate::cli::wiring;
use crate::script::Needed;

/// Runs the command and shows what comes of it.
pub(crate) async fn run(args: RunArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let json = args.json;
    let result = attempt(args, screen).await;
    if let (true, Err(error)) = (json, &result)
        && !matches!(error, CliError::PipeClosed)
    {
        // Whoever reads JSON gets exactly one object, whatever happens.
        #[derive(Serialize)]
        struct Refused {
            error: ErrorReport,
        }
        screen.json(&Refused {
            error: error.report(),
        })?;
    }
    result
}

async fn attempt(args: RunArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let request = request(&args)?;
    let client = wiring::client().await?;
    if args.detach {
        let run = client.submit(&request).await?;
        if args.json {
            screen.json(&run)?;
        } else {
            screen.text(run.id.as_str())?;
        }
        return Ok(Exit::Done);
    }
    let mut interrupts = Interrupts::listen()?;
    let events = client.run(&request).await?;
    if let Some(version) = client.other_version() {
        screen.note(&other_version(&version));
    }
    let sink = if args.json {
        Sink::Keep(Vec::new())
    } else {
        Sink::Stream
    };
    let follow = Follow::new(&client, screen, sink);
    match follow.until_it_ends(events, &mut interrupts).await? {
        Ending::Ended {
            run,
            output,
            failure,
        } => {
            let exit = tell(&run, failure.as_ref(), args.strict, screen);
            if args.json {
                screen.json(&Report::new(*run, &output))?;
            }
            Ok(exit)
        }
        // Whether it succeeds is not known here.
        Ending::Detached => Ok(Exit::Failed),
    }
}

/// Says on standard error how a run ended, and finds its exit code.
pub(super) fn tell(
    run: &Run,
    failure: Option<&crate::api::Failure>,
    strict: bool,
    screen: &mut Screen,
) -> Exit {
    let Some(end) = &run.end else {
        screen.tell(&Message::error("the run has ended and nothing says how"));
        return Exit::SessionLost;
    };
    for message in messages(run, end, failure) {
        screen.tell(&message);
    }
    if end.exit == Some(NOT_FOUND) {
        for help in missing(run.module.as_str()) {
            screen.tell(&Message::help(help));
        }
    }
    Exit::of_end(end, strict)
}

/// The exit code of a shell that found no such program (POSIX, "Exit Status for Commands").
const NOT_FOUND: i32 = 127;

/// How to install what the module needs and what is not on the `PATH` here. Nothing where its file says nothing.
fn missing(module: &str) -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let module = wiring::catalog(&[])
        .ok()
        .and_then(|catalog| catalog.module(module).ok());
    let needs = module.iter().flat_map(|module| &module.needs);
    needs
        .filter(|need| matches!(need.what, Needed::Program { .. }))
        .filter(|need| programs::find(need.name(), &path).is_none())
        .map(|need| format!("`{}` is not installed. {}", need.name(), need.install))
        .collect()
}

/// What to say about a daemon of another version.
pub(super) fn other_version(version: &str) -> String {
    format!(
        "note: the daemon that is running is version {version}, this is {}; `mm daemon restart` starts this one",
        env!("CARGO_PKG_VERSION")
    )
}

/// What to say about a daemon of the same version that was built from other code.
pub(super) const OTHER_BUILD: &str = "note: the daemon that is running is another build of this version, from before this program was built or \
     installed; `mm daemon restart` starts this one";

/// Whoever is at a terminal sees the question and answers it; nobody else does.
pub(super) fn where_nothing_is_said() -> OnQuestion {
    if std::io::stdin().is_terminal() {
        OnQuestion::Ask
    } else {
        OnQuestion::Fail
    }
}

fn request(args: &RunArgs) -> Result<RunRequest, CliError> {
    let command = command(args)?;
    let record = match &args.record {
        Some(path) => Some(std::path::absolute(path).map_err(|source| CliError::Io {
            what: format!("`{}` is not a path", path.display()),
            source,
        })?),
        None => None,
    };
    Ok(RunRequest {
        connection: args.session.connection.clone(),
        module: args.session.module.clone(),
        command,
        mode: if args.json { Mode::Records } else { Mode::Text },
        depth: args.depth,
        timeout_ms: args
            .timeout
            .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        on_disconnect: OnDisconnect::Keep,
        on_question: match args.on_question {
            Some(OnQuestionArg::Ask) => OnQuestion::Ask,
            Some(OnQuestionArg::Fail) => OnQuestion::Fail,
            None => where_nothing_is_said(),
        },
        refuse_if_asked: args.no_wait,
        on_signed_out: if args.no_wait {
            OnSignedOut::Refuse
        } else {
            OnSignedOut::SignIn
        },
        record,
        only_reads: args.only_reads,
        what_if: args.what_if,
        reason: args.reason.clone(),
        ticket: args.ticket.clone(),
        client: "cli".to_owned(),
        wait: !args.detach,
    })
}

fn command(args: &RunArgs) -> Result<String, CliError> {
    let typed = args.command.as_ref().or(args.command_option.as_ref());
    let typed = typed.expect("the parser asks for one of them").clone();
    let command = if typed == "-" { read_stdin()? } else { typed };
    if command.len() >= BODY_LIMIT {
        return Err(CliError::usage(
            format!("the command is larger than {} MiB", BODY_LIMIT >> 20),
            "put large data into a file that the command reads",
        ));
    }
    Ok(command)
}

fn read_stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    // One byte more than is taken shows that it is too large, without reading what never ends.
    std::io::stdin()
        .lock()
        .take(BODY_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CliError::Io {
            what: "the command cannot be read from standard input".to_owned(),
            source,
        })?;
    String::from_utf8(bytes).map_err(|_| {
        CliError::usage(
            "the command on standard input is not UTF-8",
            "save it as UTF-8",
        )
    })
}
