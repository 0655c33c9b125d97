//! The demo, the stand-in that it plays with, and completions.

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// Keep the connection `Demo`, in your own daemon
    #[arg(long)]
    pub(crate) keep: bool,
    /// Without the pauses for reading
    #[arg(long)]
    pub(crate) fast: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StandInArgs {
    /// A scenario: the name of a built-in one, or a file
    pub(crate) scenario: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    pub(crate) shell: Shell,
}
