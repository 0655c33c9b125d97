//! The `sign_in` key of a module, and a file of `modules.d/include/`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::EffectSpec;
use crate::spec::source::At;
use crate::spec::value::{
    Aadsts, Entries, Interval, Name, NationalCloud, PropertyPath, RegexText, Text, Word,
};

/// How a module signs in, proves who it is, and signs out. Holes of its commands, each filled as a quoted literal:
/// `{tenant}`, `{tenant_id}`, `{organization}`, `{sharepoint_host}`, `{sharepoint_domain}`, `{app_id}`, `{expected_email}`,
/// `{delegated_organization}`, `{certificate_file}`, `{managed_identity_id}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInSpec {
    /// Files of shared rules, by name: `microsoft` is `include/microsoft.yaml`. Their rules come after this module's own.
    #[serde(default)]
    pub(crate) include: Vec<At<Name>>,
    /// The ways in, the preferred one first.
    pub(crate) ways: At<Vec<WaySpec>>,
    /// What a device-code prompt looks like.
    #[serde(default)]
    pub(crate) challenges: Vec<ChallengeSpec>,
    /// What failures mean; the first that fits counts.
    #[serde(default)]
    pub(crate) failures: Vec<At<FailureSpec>>,
    /// For a program that keeps its sign-in in the session's private home: a command that succeeds where the one that an
    /// earlier session left is still good. It is asked first; then nobody has to enter a code, and stopping the daemon
    /// signs nobody out.
    pub(crate) restore: Option<At<String>>,
    /// Who is signed in.
    pub(crate) identity: IdentitySpec,
    /// A command that only a living sign-in can answer.
    pub(crate) proof: Option<At<String>>,
    /// The command that ends the sign-in.
    pub(crate) disconnect: Option<At<String>>,
    /// What every connect command has in addition for a tenant in a national cloud, by the cloud.
    #[serde(default)]
    pub(crate) clouds: Entries<NationalCloud, String>,
    /// What is otherwise for a partner who signs in to a customer's tenant.
    pub(crate) partner: Option<PartnerSpec>,
}

/// One way to sign in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaySpec {
    /// `device_code`, `certificate`, …
    pub(crate) name: At<Word>,
    /// The command. Besides the holes of every command it may have those of secrets: `{certificate_password}`,
    /// `{client_secret}`, `{access_token}`, `{graph_access_token}`, `{federated_token}`. A secret is never in its text: the hole
    /// becomes the name that it is bound to.
    pub(crate) connect: At<String>,
    /// Parameters that are added to the command, each where the connection has a value for all of its holes.
    #[serde(default)]
    pub(crate) options: Vec<At<String>>,
    /// How long it may take; for a device code, how long the code lives.
    pub(crate) within: At<Interval>,
    /// Who is then signed in. Default: a user.
    #[serde(default, rename = "as")]
    pub(crate) holder: HolderName,
    /// Whether it needs nobody, so that a lost session may come back by itself. Default: false.
    #[serde(default)]
    pub(crate) unattended: bool,
    /// Who is signed in, where this way tells it otherwise than the others.
    pub(crate) identity: Option<IdentitySpec>,
}

/// Who is signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HolderName {
    /// A person, compared with the connection's `expectedEmail`.
    #[default]
    User,
    /// An application, compared with the connection's `appId`.
    Application,
    /// What the machine itself is in Azure, compared with `signIn.managedIdentityId` where the connection has one.
    ManagedIdentity,
}

/// What is otherwise for a connection with `delegatedOrganization`, in ways that sign in a user.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartnerSpec {
    /// Parameters that are added to the connect command; they name `{delegated_organization}`.
    pub(crate) add: At<String>,
    /// A command that only a sign-in to the customer's tenant can answer, in place of `proof`.
    pub(crate) proof: Option<At<String>>,
}

/// What a device-code prompt looks like.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChallengeSpec {
    /// Matched against output without escapes, white space collapsed to single spaces. Groups: `code`, which it must have,
    /// and `url`.
    pub(crate) pattern: At<RegexText>,
    /// The page, where the prompt names none; it is then shown as assumed.
    pub(crate) assumed_url: Option<At<Text>>,
}

/// One cause of a failed sign-in, recognised by `aadsts` or by `pattern`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailureSpec {
    /// Numbers of Entra ID errors (`AADSTS70018`).
    pub(crate) aadsts: Option<At<Vec<At<Aadsts>>>>,
    /// Matched against error messages and output, white space collapsed to single spaces.
    pub(crate) pattern: Option<At<RegexText>>,
    /// A word for programs: `declined`.
    pub(crate) name: At<Word>,
    /// What a person should do next. This or `missing` has to be given.
    pub(crate) advice: Option<At<Text>>,
    /// The one of the `needs` that is then not installed: what its `install` says is the advice.
    pub(crate) missing: Option<At<Text>>,
    /// Whether simply trying again may help. Default: false.
    #[serde(default)]
    pub(crate) retry: bool,
}

/// Who is signed in: a command that gives one object, and where in it that is told. Without records, its text is read as
/// JSON.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentitySpec {
    /// The command.
    pub(crate) command: At<String>,
    /// For a command whose text is no JSON: the named groups of all its matches are the object's properties, so that
    /// `Name: (?<name>\S+)|Id: (?<id>\S+)` reads two lines in any order.
    pub(crate) text: Option<At<RegexText>>,
    /// The property that names the account.
    pub(crate) account: At<PropertyPath>,
    /// The property that names the tenant.
    pub(crate) tenant: At<PropertyPath>,
    /// The property that says when the sign-in ends.
    pub(crate) expires: Option<At<PropertyPath>>,
    /// Properties and the values that they must have.
    #[serde(default)]
    pub(crate) require: Entries<PropertyPath, String>,
}

/// Rules that several modules share.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncludeSpec {
    /// The name: the name of its file without `.yaml`.
    pub(crate) include: At<Name>,
    /// What a device-code prompt looks like.
    #[serde(default)]
    pub(crate) challenges: Vec<ChallengeSpec>,
    /// What failures mean.
    #[serde(default)]
    pub(crate) failures: Vec<At<FailureSpec>>,
    /// What commands do. Only those of the file `effects` hold, and they hold for every module.
    #[serde(default)]
    pub(crate) effects: Vec<At<EffectSpec>>,
}
