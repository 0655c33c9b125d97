//! What waits for a yes.

use clap::{Args, Subcommand};

use super::ListArgs;

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ApprovalsArgs {
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(subcommand)]
    pub(crate) verb: Option<ApprovalsVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ApprovalsVerb {
    /// What waits
    List(ListArgs),
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
