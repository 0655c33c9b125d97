//! What can be typed after `mm modules`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Clone, Args)]
pub(crate) struct ModulesArgs {
    /// A folder of module files that add to and replace the built-in ones; after those of `MM_MODULES`
    #[arg(long, value_name = "DIR")]
    pub(crate) modules: Vec<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Option<ModulesVerb>,
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
    /// A page to learn from: your first module in ten minutes
    Guide,
    /// Every key that a file may have; with KEY, what it is for, and an example
    Keys {
        /// The key, such as `connect` or `sign_in.ways`
        key: Option<String>,
    },
    /// A JSON Schema of module files, for editors
    Schema {
        /// Of which kind of file
        #[arg(long, value_enum, default_value_t = SpecKind::Module)]
        of: SpecKind,
    },
}

/// The kinds of files in `modules.d/`, and `config.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpecKind {
    Module,
    Shell,
    Include,
    Settings,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct NewModuleArgs {
    /// The module's name, and its file's
    pub(crate) name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The shell it runs in; if nothing is said, bash with --run, else pwsh
    #[arg(long, value_name = "NAME")]
    pub(crate) shell: Option<String>,
    /// What a person's command is put into: sqlite3 my.db {command}
    #[arg(long, value_name = "COMMAND")]
    pub(crate) run: Option<String>,
    /// The command that signs in; without it, the module needs no sign-in
    #[arg(long, value_name = "COMMAND")]
    pub(crate) connect: Option<String>,
    /// The command that tells who is signed in
    #[arg(long, value_name = "COMMAND")]
    pub(crate) identity: Option<String>,
    /// The property that names the account
    #[arg(long, value_name = "PROPERTY")]
    pub(crate) account: Option<String>,
    /// The property that names the tenant
    #[arg(long, value_name = "PROPERTY")]
    pub(crate) tenant: Option<String>,
    /// A command that only a living sign-in can answer
    #[arg(long, value_name = "COMMAND")]
    pub(crate) proof: Option<String>,
    /// The command that signs out
    #[arg(long, value_name = "COMMAND")]
    pub(crate) disconnect: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RecordModuleArgs {
    /// The module's name or alias
    pub(crate) name: String,
    /// The connection's name, as in `~/.m365-connections.json`
    #[arg(short, long, value_name = "NAME")]
    pub(crate) connection: String,
    /// Where the recordings go, named MODULE-sign-in.cast, MODULE-1.cast, …
    #[arg(long, value_name = "DIR", default_value = "recordings")]
    pub(crate) to: PathBuf,
    /// Sign in this way, not the one that the connection or the module prefers
    #[arg(long, value_name = "NAME")]
    pub(crate) way: Option<String>,
    /// A command to record; without one, commands are asked for at the terminal
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}
