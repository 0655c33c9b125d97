//! What can be typed. Values are checked here as far as their form goes; what they name is the daemon's business.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::audit_args::AuditArgs;
use super::connection_args::ConnectionsArgs;
use super::exit;
use super::module_args::{NewModuleArgs, RecordModuleArgs};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Keeps signed-in Microsoft 365 command sessions alive and runs commands in them.
///
/// A session is one connection (from `~/.m365-connections.json`) and one module (`exo`, `azure`, …): a real program in its
/// own terminal, signed in once and kept by a daemon that starts by itself.
#[derive(Debug, Parser)]
#[command(
    name = "mm",
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = exit::LIST,
    disable_help_subcommand = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command in a session, signing in first where needed
    #[command(after_help = "Examples:
  mm run -c Contoso -m exo 'Get-Mailbox -ResultSize 3'
  mm run -c Contoso -m exo --json 'Get-Mailbox' | jq '.objects[].Name'
  mm run -c Contoso -m exo - < report.ps1
  mm run -c Contoso -m exo --timeout 5m --no-wait 'Get-AcceptedDomain'

Ctrl-C stops the command and leaves the session signed in; a second one leaves the command running (`mm runs`).

Errors without failure are told on standard error and exit with 0, or with 1 under --strict.
")]
    Run(RunArgs),
    /// Sign in to a session: shows code and page at once, waits, says who signed in
    #[command(after_help = "Examples:
  mm login -c Contoso -m exo
  mm login -c Contoso -m exo --no-wait      shows the code and returns

Ctrl-C stops the waiting, not the sign-in.
")]
    Login(LoginArgs),
    /// Show the sessions: state, account, tenant, since when, last run, what they wait for
    #[command(after_help = "Examples:
  mm status
  mm status -c Contoso --json
")]
    Status(StatusArgs),
    /// Sign out and end a session
    #[command(
        visible_alias = "logout",
        after_help = "Examples:
  mm disconnect -c Contoso -m exo
  mm disconnect -c Contoso -m exo --force    ends a program that does not listen
"
    )]
    Disconnect(DisconnectArgs),
    /// List, show, read and stop runs
    #[command(after_help = "Examples:
  mm runs list -c Contoso
  mm runs show r7k2m9xq4a
  mm runs output r7k2m9xq4a --follow
  mm runs stop r7k2m9xq4a
")]
    Runs(RunsArgs),
    /// Answer what a run asks
    #[command(after_help = "Examples:
  mm answer r7k2m9xq4a Y
  mm answer r7k2m9xq4a                       asks at a hidden prompt
  pass show contoso | mm answer r7k2m9xq4a   reads standard input
")]
    Answer(AnswerArgs),
    /// List, show, approve and deny the runs that wait for a person's yes
    #[command(after_help = "Examples:
  mm approvals list
  mm approvals show r7k2m9xq4a
  mm approvals approve r7k2m9xq4a            asks at this terminal; nothing else can say yes
  mm approvals deny r7k2m9xq4a --reason 'not on a Friday'
")]
    Approvals(ApprovalsArgs),
    /// Show and check the record of what was done
    #[command(after_help = "Examples:
  mm audit list -c Contoso --since 2h
  mm audit list --kind refused --text Remove-
  mm audit show 17
  mm audit verify
  mm audit export --format csv > audit.csv
")]
    Audit(AuditArgs),
    /// List, show, add, change and check connections
    #[command(after_help = "Examples:
  mm connections list
  mm connections add Contoso --tenant contoso.com --expected-email ada@contoso.com
  mm connections edit Contoso moduleApps.pnp 11112222-3333-4444-5555-666677778888
  mm connections check

They are kept in ~/.m365-connections.json, or in the file that MM_CONNECTIONS names.
")]
    Connections(ConnectionsArgs),
    /// List, show and check modules
    #[command(after_help = "Examples:
  mm modules list
  mm modules show exo
  mm modules check my-module.yaml
  mm modules schema > module.schema.json
")]
    Modules(ModulesArgs),
    /// Say what a command would do, before it runs
    #[command(after_help = "Examples:
  mm policy explain -c Contoso -m exo 'Get-Mailbox | Remove-Mailbox'
  mm policy explain --json 'Set-Mailbox u -ForwardingSmtpAddress a@b.c'
  mm policy explain --jsonl < texts.jsonl    a line {\"text\": …} in, a line out
")]
    Policy(PolicyArgs),
    /// Show or play a recording
    #[command(after_help = "Examples:
  mm recording show session.cast
  mm recording show session.cast --json
  mm recording play session.cast
")]
    Recording(RecordingArgs),
    /// Serve an AI assistant: the Model Context Protocol on standard input and output
    #[command(after_help = "Examples:
  mm mcp                                     as a client starts it
  mm mcp --confirm                           the client asks before each command
  mm mcp config claude                       what to tell the client
  mm mcp check                               what the client then sees
")]
    Mcp(McpArgs),
    /// Start, stop and show the daemon
    #[command(after_help = "Examples:
  mm daemon status
  mm daemon stop --force                     also when sign-ins are lost
")]
    Daemon(DaemonArgs),
    /// What is wrong on this machine, and how to mend it
    #[command(after_help = "Examples:
  mm doctor
  mm doctor --json | jq '.findings[] | select(.level == \"error\")'

Exits with 1 where something has to be mended. It changes nothing and starts no daemon.
")]
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The whole story on this machine: no tenant, no network, no PowerShell needed
    #[command(after_help = "Examples:
  mm demo
  mm demo --keep                             the connection `Demo` stays, for every other verb
")]
    Demo(DemoArgs),
    /// Behave in this terminal as PowerShell does, from a scenario file
    #[command(after_help = "Examples:
  mm stand-in approved
  mm stand-in my-scenario.yaml
")]
    StandIn(StandInArgs),
    /// Print completions for a shell
    #[command(after_help = "Examples:
  mm completions bash > ~/.local/share/bash-completion/completions/mm
  mm completions fish > ~/.config/fish/completions/mm.fish
")]
    Completions(CompletionsArgs),
}

/// Which session.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct SessionArgs {
    /// The connection's name, from the connections file
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: String,
    /// The module's name or alias: exo, azure, …
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: String,
}

/// Which sessions or runs.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct FilterArgs {
    /// Only of this connection
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only of this module
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: Option<String>,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// The command; `-` reads it from standard input
    #[arg(value_name = "COMMAND", required_unless_present = "command_option")]
    pub(crate) command: Option<String>,
    /// The command, as an option
    #[arg(
        long = "command",
        id = "command_option",
        value_name = "COMMAND",
        conflicts_with = "command"
    )]
    pub(crate) command_option: Option<String>,
    /// Run in records mode and print one JSON object at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Depth of nested objects with --json; 1 to 99
    #[arg(long, value_name = "N", default_value_t = crate::api::RunRequest::DEPTH, value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) depth: u8,
    /// Stop the command so long after it began: 30s, 5m, 1h30m. Waiting for a turn or a sign-in does not count
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Where the session is not signed in, say so and exit with 3
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Exit with 1 when the command wrote errors, even if it succeeded
    #[arg(long)]
    pub(crate) strict: bool,
    /// Refuse the command where it may do more than read
    #[arg(long)]
    pub(crate) only_reads: bool,
    /// Only say what it would do: adds `-WhatIf` to the one command in it that does more than read
    #[arg(long)]
    pub(crate) what_if: bool,
    /// Why, for whoever approves it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The ticket that it belongs to
    #[arg(long, value_name = "NUMBER")]
    pub(crate) ticket: Option<String>,
    /// Write a redacted recording of the run
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Print the run's id at once and let it go on
    #[arg(long)]
    pub(crate) detach: bool,
    /// What to do when the command asks a question; without it, ask if standard input is a terminal, else fail
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) on_question: Option<OnQuestionArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnQuestionArg {
    /// Wait for an answer
    Ask,
    /// Stop the command and say what it asked
    Fail,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Sign in this way, not the one that the connection or the module prefers: `device_code`, `certificate`, …
    #[arg(long, value_name = "NAME")]
    pub(crate) way: Option<String>,
    /// Show the code and return
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Forget who was signed in before and take whoever signs in now
    #[arg(long)]
    pub(crate) accept_identity: bool,
    /// Print the session as JSON at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The sessions there have been, and why they ended
    #[arg(long)]
    pub(crate) history: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DisconnectArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// End the program at once, whatever it does
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) verb: RunsVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RunsVerb {
    /// The newest runs
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One run: its command, state, end and errors
    Show {
        /// The run's id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What a run has written
    Output {
        /// The run's id
        id: String,
        /// Go on until the run has ended
        #[arg(long)]
        follow: bool,
        /// Begin at this byte
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: u64,
    },
    /// Stop a run; its session stays signed in
    Stop {
        /// The run's id
        id: String,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct AnswerArgs {
    /// The run's id
    pub(crate) id: String,
    /// The answer; without it, a hidden prompt or standard input. Refused for secrets
    pub(crate) text: Option<String>,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ApprovalsArgs {
    #[command(subcommand)]
    pub(crate) verb: ApprovalsVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ApprovalsVerb {
    /// What waits
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One run: what it would do, as whom, who asked and why
    Show {
        /// The run's id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one run and ask at this terminal whether it may run
    Approve {
        /// The run's id
        id: String,
    },
    /// Say no: the run ends without having run
    Deny {
        /// The run's id
        id: String,
        /// Why, for whoever asked
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ModulesArgs {
    /// A folder of module files that add to and replace the built-in ones; after those of `MM_MODULES`
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: ModulesVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ModulesVerb {
    /// All modules, with where they come from
    List,
    /// One module, as it is meant
    Show {
        /// The module's name or alias
        name: String,
    },
    /// Check module files; without FILE, all that are used
    Check {
        /// Files to check
        files: Vec<PathBuf>,
        /// Print the findings as a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Write the file of a new module; at a terminal, what is not given is asked for
    New(NewModuleArgs),
    /// Sign in and run commands with the real program, and keep a redacted recording of each
    Record(RecordModuleArgs),
    /// Play recordings of modules against their files, and compare with what was accepted
    Test {
        /// The module's name or alias; without it, every module that has recordings
        name: Option<String>,
        /// Where the recordings are, named MODULE-CASE.cast; otherwise in `recordings` beside the module's file
        #[arg(long, value_name = "DIR")]
        recordings: Option<PathBuf>,
        /// Accept what comes out
        #[arg(long)]
        update: bool,
    },
    /// A JSON Schema of module files, for editors
    Schema {
        /// Of which kind of file
        #[arg(long, value_enum, default_value_t = SpecKind::Module)]
        of: SpecKind,
    },
}

/// The kinds of files in `modules.d/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpecKind {
    Module,
    Shell,
    Include,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct PolicyArgs {
    /// A folder of module files that add to and replace the built-in ones; after those of `MM_MODULES`
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: PolicyVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PolicyVerb {
    /// What a command runs, what that does, and which rule says so
    Explain {
        /// Decide by what this connection allows; without it, by what holds where a connection says nothing
        #[arg(short, long, value_name = "NAME", conflicts_with = "jsonl")]
        connection: Option<String>,
        /// Read it as a command of this module; without it, as PowerShell
        #[arg(short, long, value_name = "NAME")]
        module: Option<String>,
        /// The command
        #[arg(value_name = "COMMAND", required_unless_present = "jsonl")]
        command: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Answer each line `{"text": …}` of standard input with a line of JSON
        #[arg(long, conflicts_with_all = ["command", "json"])]
        jsonl: bool,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RecordingArgs {
    #[command(subcommand)]
    pub(crate) verb: RecordingVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RecordingVerb {
    /// What each command of a recording did
    Show {
        /// A recording (asciicast v2)
        file: PathBuf,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// What the terminal said, at its own pace
    Play {
        /// A recording (asciicast v2)
        file: PathBuf,
    },
    /// A copy without codes, tokens, accounts and tenants, that plays like the original
    Redact {
        /// A recording (asciicast v2)
        file: PathBuf,
        /// The copy, which must not exist yet
        copy: PathBuf,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DaemonArgs {
    #[command(subcommand)]
    pub(crate) verb: DaemonVerb,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DaemonVerb {
    /// Start it, if it is not running
    Start,
    /// Stop it
    Stop {
        /// Also when sign-ins are lost
        #[arg(long)]
        force: bool,
    },
    /// Whether it runs, its version, what is wrong with it
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Be the daemon, in this terminal
    Run {
        /// Leave the terminal (used when it is started by itself)
        #[arg(long, hide = true)]
        detach: bool,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct McpArgs {
    /// Have the client ask a person before each command; clients that do not know this ignore it
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Show the tools of an older server, with their old names and texts, instead of the new ones
    #[arg(long, value_name = "LIST", value_enum)]
    pub(crate) legacy: Option<crate::mcp::Legacy>,
    #[command(subcommand)]
    pub(crate) verb: Option<McpVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum McpVerb {
    /// Print what a client's configuration needs
    Config {
        /// Which client
        #[arg(value_enum)]
        client: crate::mcp::ConfiguredClient,
    },
    /// Start the server as a client does and say what a client sees
    Check,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Keep the connection `Demo`, in your own daemon
    #[arg(long)]
    pub(crate) keep: bool,
    /// Without the pauses for reading
    #[arg(long)]
    pub(crate) fast: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct StandInArgs {
    /// A scenario: the name of a built-in one, or a file
    pub(crate) scenario: String,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    pub(crate) shell: Shell,
}

/// A time as people write it: `30s`, `5m`, `1h30m`. At least a millisecond.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is not a time such as 30s, 5m or 1h30m");
    let time: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    if time.as_millis() < 1 {
        return Err(expected());
    }
    Ok(time.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn helps(command: &mut clap::Command, path: &str, all: &mut String) {
        use std::fmt::Write as _;
        let help = command.render_long_help();
        writeln!(all, "=== {path}\n{help}").expect("a string takes everything");
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        for name in names {
            let sub = command
                .find_subcommand_mut(&name)
                .expect("it was just listed");
            helps(sub, &format!("{path} {name}"), all);
        }
    }

    #[test]
    fn every_help_is_kept() {
        let mut command = Args::command().term_width(100);
        command.build();
        let mut all = String::new();
        helps(&mut command, "mm", &mut all);
        insta::assert_snapshot!(all);
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples() {
        for verb in Args::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(
                    |help| help.starts_with("Examples:\n  mm ") || help.contains("\n  mm ")
                ),
                "{}",
                verb.get_name()
            );
        }
    }

    #[test]
    fn a_command_is_given_once() {
        let parse = |rest: &[&str]| {
            let words = ["mm", "run", "-c", "Contoso", "-m", "exo"];
            Args::try_parse_from(words.iter().chain(rest).copied())
        };
        assert!(parse(&["Get-Mailbox"]).is_ok());
        assert!(parse(&["--command", "Get-Mailbox"]).is_ok());
        assert!(parse(&["-"]).is_ok());
        assert!(parse(&[]).is_err());
        assert!(parse(&["a", "--command", "b"]).is_err());
        assert!(parse(&["--depth", "100", "a"]).is_err());
    }

    #[test]
    fn times_are_read() {
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        for bad in ["", "5", "-5m", "0s", "soon"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
