//! Recordings, shown, played and redacted.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Clone, Args)]
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
