//! The two servers: the daemon, and the one for an assistant.

use clap::{Args, Parser, Subcommand};

#[derive(Debug, Clone, Args)]
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
    /// Stop it, and start the one of this program
    Restart {
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

/// `mm mcp` alone.
#[derive(Debug, Parser)]
pub(crate) struct OnlyMcp {
    #[command(flatten)]
    pub(crate) mcp: McpArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct McpArgs {
    /// Have the client ask a person before each command; clients that do not know this ignore it
    #[arg(long, global = true)]
    pub(crate) confirm: bool,
    /// Show the tools of an older server, with their old names and texts, instead of the new ones
    #[arg(long, value_name = "LIST", value_enum, global = true)]
    pub(crate) legacy: Option<crate::mcp::Legacy>,
    #[command(subcommand)]
    pub(crate) verb: Option<McpVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum McpVerb {
    /// Print what a client's configuration needs
    #[command(arg_required_else_help = true)]
    Config {
        /// Which client
        #[arg(value_enum)]
        client: crate::mcp::ConfiguredClient,
    },
    /// Start the server as a client does and say what a client sees
    Check,
}
