//! What can be typed after `mm modules new` and `mm modules record`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct NewModuleArgs {
    /// The module's name, and its file's
    pub(crate) name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The shell it runs in; pwsh if nothing is said
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

#[derive(Debug, Clone, ClapArgs)]
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
