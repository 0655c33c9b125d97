//! The program from its arguments to its exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use super::args::{Args, McpArgs, OnlyMcp, Verb};
use super::cmd;
use super::error::CliError;
use super::output::Screen;

/// Runs the program and says how it went. Prints whatever there is to print.
pub fn run() -> ExitCode {
    let words = words(std::env::args_os());
    let verb = match server(&words) {
        Some(args) => Verb::Mcp(args),
        None => match Args::try_parse_from(words) {
            Ok(args) => args.verb,
            Err(error) => return Screen::usage(&error).into(),
        },
    };
    let mut screen = Screen::new();
    match dispatch(verb, &mut screen) {
        Ok(code) => code,
        Err(error) => {
            screen.failure(&error);
            error.exit().into()
        }
    }
}

/// The words of the command line. Called by the name of the program that it replaces, `mm-connections`, this program is
/// `mm connections`: a link is enough for those who are used to it.
fn words(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = given.collect();
    let name = words.first().map(Path::new).and_then(Path::file_name);
    if name.is_some_and(|name| name == "mm-connections") {
        words.splice(..1, ["mm".into(), "connections".into()]);
    }
    words
}

/// The arguments of a server for an assistant, read without a description of every other verb: some clients start one for
/// each call. What is not right is `None`, and is told of by whoever knows all verbs.
fn server(words: &[OsString]) -> Option<McpArgs> {
    let [_, verb, rest @ ..] = words else {
        return None;
    };
    if verb != "mcp" {
        return None;
    }
    if rest.is_empty() {
        return Some(McpArgs::default());
    }
    Some(OnlyMcp::try_parse_from(&words[1..]).ok()?.mcp)
}

fn dispatch(verb: Verb, screen: &mut Screen) -> Result<ExitCode, CliError> {
    let exit = match verb {
        // It stands in for another program, whose exit codes these are.
        Verb::StandIn(args) => return cmd::stand_in::stand_in(&args),
        // These have runtimes of their own, or need none.
        Verb::Daemon(args) => cmd::daemon::daemon(args, screen),
        Verb::Modules(args) => cmd::modules::modules(args, screen),
        Verb::Connections(args) => cmd::connections::connections(args, screen),
        Verb::Policy(args) => block_on(cmd::policy::policy(args, screen)),
        Verb::Recording(args) => cmd::recording::recording(args, screen),
        Verb::Completions(args) => cmd::completions::completions(&args, screen),
        Verb::Run(args) => block_on(cmd::run::run(args, screen)),
        Verb::Login(args) => block_on(cmd::login::login(args, screen)),
        Verb::Status(args) => block_on(cmd::status::status(args, screen)),
        Verb::Disconnect(args) => block_on(cmd::disconnect::disconnect(args, screen)),
        Verb::Runs(args) => block_on(cmd::runs::runs(args, screen)),
        Verb::Approvals(args) => block_on(cmd::approvals::approvals(args, screen)),
        Verb::Audit(args) => block_on(cmd::audit::audit(args, screen)),
        Verb::Answer(args) => block_on(cmd::answer::answer(args, screen)),
        Verb::Doctor { json } => block_on(cmd::doctor::doctor(json, screen)),
        Verb::Mcp(args) => cmd::mcp::mcp(args, screen),
        Verb::Demo(args) => block_on(cmd::demo::demo(args, screen)),
    };
    exit.map(ExitCode::from)
}

/// One thread is enough for a client, and starts faster than a pool of them.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::Io {
            what: "the runtime cannot be started".to_owned(),
            source,
        })?
        .block_on(work)
}
