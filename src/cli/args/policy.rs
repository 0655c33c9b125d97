//! What a command would do.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Clone, Args)]
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
    /// Let programs have what a connection's entry allows since it was loosened; asks at the terminal
    Accept {
        /// Whose entry; without it, what module files say of commands since they were changed
        #[arg(short, long, value_name = "NAME")]
        connection: Option<String>,
    },
}
