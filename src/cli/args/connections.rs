//! What can be typed after `mm connections`.

use clap::{Args, Subcommand};

use super::ListArgs;

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ConnectionsArgs {
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(subcommand)]
    pub(crate) verb: Option<ConnectionsVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConnectionsVerb {
    /// All connections, in the file's order
    List(ListArgs),
    /// One connection: its keys, the modules it can use and what is missing for the others
    Show {
        /// The connection's name
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a connection; at a terminal, what is not given is asked for
    Add(AddArgs),
    /// Set a key of a connection; an empty value or `null` takes it out
    Edit {
        /// The connection's name
        name: String,
        /// A key, or a path with dots: `moduleApps.pnp`
        key: String,
        /// `true`, `false`, JSON that begins with `[` or `{`, or text
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Give a connection another name
    Rename {
        /// The connection's name
        name: String,
        /// Its new name
        new: String,
    },
    /// Take a connection out of the file
    Remove {
        /// The connection's name
        name: String,
        /// Without asking
        #[arg(long)]
        yes: bool,
    },
    /// Copy a connection for another account
    Duplicate {
        /// The connection's name
        name: String,
        /// The copy's name
        new: String,
    },
    /// Take over tenants from the session manager's file: its aliases and its mapping of hosts
    Import {
        /// The Python or JSON file with `TENANT_ALIASES` or `SHAREPOINT_TENANTS`
        file: std::path::PathBuf,
        /// Say what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Check the file; exits with 9 where an entry cannot be used
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AddArgs {
    /// The connection's name
    pub(crate) name: Option<String>,
    /// The tenant's domain: contoso.com
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) tenant: Option<String>,
    /// The tenant's id
    #[arg(long, value_name = "GUID")]
    pub(crate) tenant_id: Option<String>,
    /// The account that has to sign in
    #[arg(long, value_name = "USER")]
    pub(crate) expected_email: Option<String>,
    /// The application to sign in with; the module `pnp` needs one
    #[arg(long, value_name = "GUID")]
    pub(crate) app_id: Option<String>,
    /// The application for one module: pnp=GUID
    #[arg(long, value_name = "MODULE=GUID", value_parser = module_app)]
    pub(crate) module_app: Vec<(String, String)>,
    /// Register the application that `pnp` signs in with, with the `pwsh` that is here; an administrator has to sign in
    #[arg(long, conflicts_with = "app_id")]
    pub(crate) register_app: bool,
    /// The first label of the tenant's sharepoint.com host, where it is not the domain's
    #[arg(long, value_name = "NAME")]
    pub(crate) sharepoint_host: Option<String>,
    /// What you want to remember about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Any other key, as `mm connections edit` sets it: policy=read-only
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Sign in to this module at once
    #[arg(long, value_name = "MODULE")]
    pub(crate) sign_in: Option<String>,
    /// Expect whoever signs in now, and nobody else, from then on
    #[arg(long, requires = "sign_in")]
    pub(crate) pin: bool,
    /// Ask nothing, also at a terminal
    #[arg(long)]
    pub(crate) no_input: bool,
}

fn module_app(text: &str) -> Result<(String, String), String> {
    let (module, app) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not MODULE=GUID"))?;
    Ok((module.to_owned(), app.to_owned()))
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}
