//! Which session, and what is wanted of it besides running something.

use clap::Args;

/// Which session.
#[derive(Debug, Clone, Args)]
pub(crate) struct SessionArgs {
    /// The connection's name, from the connections file
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: String,
    /// The module's name or alias: exo, azure, …
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: String,
}

/// Which sessions or runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Only of this connection
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only of this module
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: Option<String>,
}

/// How a list is printed.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
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

#[derive(Debug, Clone, Args)]
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

#[derive(Debug, Clone, Args)]
pub(crate) struct DisconnectArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// End the program at once, whatever it does
    #[arg(long)]
    pub(crate) force: bool,
}
