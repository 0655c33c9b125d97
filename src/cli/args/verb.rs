//! [`Args`]: the whole command line, with a [`Verb`] each and examples for it.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use super::{
    AnswerArgs, ApprovalsArgs, AuditArgs, CompletionsArgs, ConnectionsArgs, DaemonArgs, DemoArgs,
    DisconnectArgs, LoginArgs, McpArgs, ModulesArgs, PolicyArgs, RecordingArgs, RunArgs, RunsArgs,
    StandInArgs, StatusArgs,
};
use crate::cli::exit;

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
    /// List, show, read and stop runs; alone, it lists
    #[command(after_help = "Examples:
  mm runs -c Contoso
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
    /// List, show, approve and deny the runs that wait for a person's yes; alone, it lists
    #[command(after_help = "Examples:
  mm approvals
  mm approvals show r7k2m9xq4a
  mm approvals approve r7k2m9xq4a            asks at this terminal; nothing else can say yes
  mm approvals deny r7k2m9xq4a --reason 'not on a Friday'
")]
    Approvals(ApprovalsArgs),
    /// Show and check the record of what was done; alone, it lists
    #[command(after_help = "Examples:
  mm audit -c Contoso --since 2h
  mm audit --kind refused --text Remove-
  mm audit show 17
  mm audit verify
  mm audit export --format csv > audit.csv
")]
    Audit(AuditArgs),
    /// List, show, add, change and check connections; alone, it lists
    #[command(after_help = "Examples:
  mm connections
  mm connections add                         asks one thing after the other, and signs in
  mm connections add Contoso --tenant contoso.com --expected-email ada@contoso.com
  mm connections edit Contoso moduleApps.pnp 11112222-3333-4444-5555-666677778888
  mm connections check

They are kept in ~/.m365-connections.json, or in the file that MM_CONNECTIONS names.
")]
    Connections(ConnectionsArgs),
    /// List, show, write, record and check modules; alone, it lists
    #[command(after_help = "Examples:
  mm modules
  mm modules show exo
  mm modules check my-module.yaml
  mm modules schema > module.schema.json
")]
    Modules(ModulesArgs),
    /// Say what a command would do, before it runs; let programs have a looser policy
    #[command(after_help = "Examples:
  mm policy explain -c Contoso -m exo 'Get-Mailbox | Remove-Mailbox'
  mm policy explain --json 'Set-Mailbox u -ForwardingSmtpAddress a@b.c'
  mm policy explain --jsonl < texts.jsonl    a line {\"text\": …} in, a line out
  mm policy accept -c Contoso                after its entry was made to allow more
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
  mm daemon restart                          after mm was updated
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
}
