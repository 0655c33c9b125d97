//! Signing in, as a module file says it: the ways in, what to watch for, whom it proves, and what failures mean.

use std::sync::Arc;
use std::time::Duration;

use super::{Challenges, Pattern, Template};
use crate::cloud::Cloud;

/// How a module signs in, proves who it is, and signs out. Commands have the connection's holes ([`super::hole`]).
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    /// In the order of preference; the first is the default.
    pub(crate) ways: Vec<WayIn>,
    /// What a device-code prompt looks like.
    pub(crate) challenges: Challenges,
    /// The first that fits names the failure.
    pub(crate) failures: Vec<FailureRule>,
    /// For a program that keeps its sign-in in the session's home: ends `ok` where an earlier session's is still good.
    /// Then `connect` is not sent, and what ends the daemon leaves the sign-in.
    pub(crate) restore: Option<Template>,
    pub(crate) identity: IdentityRule,
    /// A command that only a living sign-in can answer: `ok`, no error, and at least one object, or any text where the
    /// shell has no records and the text is no JSON.
    pub(crate) proof: Option<Template>,
    /// Ends the sign-in on the service's side.
    pub(crate) disconnect: Option<Template>,
    /// What a connect command has in addition for a tenant in a national cloud.
    pub(crate) clouds: Vec<(Cloud, Template)>,
    /// What is otherwise for a partner who signs in to a customer's tenant.
    pub(crate) partner: Option<Partner>,
}

impl SignIn {
    /// The way in of this name; without a name the preferred one.
    pub(crate) fn way(&self, name: Option<&str>) -> Option<&WayIn> {
        match name {
            Some(name) => self.ways.iter().find(|way| way.name == name),
            None => self.ways.first(),
        }
    }
}

/// One way to sign in.
#[derive(Debug, Clone)]
pub(crate) struct WayIn {
    /// `device_code`, `certificate`, …
    pub(crate) name: String,
    /// The command. Besides the connection's values it may have holes for secrets.
    pub(crate) connect: Template,
    /// Parameters that are added to the command: each where the connection has a value for all of its holes.
    pub(crate) options: Vec<Template>,
    /// How long the whole may take; for a device code, how long the code lives.
    pub(crate) within: Duration,
    /// Who is then signed in.
    pub(crate) holder: Holder,
    /// Whether it needs nobody: a session that was lost can come back by itself with it.
    pub(crate) unattended: bool,
    /// Where the one who signed in so is told in another way than the module's usual one.
    pub(crate) identity: Option<IdentityRule>,
}

/// Who is signed in, and so whom the proven account is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A person: the connection's `expectedEmail`.
    User,
    /// An application: its id.
    Application,
    /// What the machine itself is in Azure: its client id, where the connection names it.
    ManagedIdentity,
}

/// What is otherwise for a partner (GDAP). Only ways in that sign in a user have it: an application signs in to the
/// customer's tenant itself.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    /// Added to the connect command.
    pub(crate) add: Template,
    /// Proves that it is the customer's tenant, and goes before the usual proof.
    pub(crate) proof: Option<Template>,
}

/// One cause of a failed sign-in.
#[derive(Debug, Clone)]
pub(crate) struct FailureRule {
    pub(crate) test: FailureTest,
    pub(crate) failure: Arc<Failure>,
}

/// How a failure is recognised, in error messages and output with collapsed white space.
#[derive(Debug, Clone)]
pub(crate) enum FailureTest {
    /// `AADSTS` and one of these numbers.
    Aadsts(Vec<u32>),
    /// A pattern.
    Pattern(Pattern),
}

/// What a failure means and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A word for programs: `declined`, `code-expired`, `blocked-by-policy`.
    pub(crate) name: String,
    /// What to do next, for people.
    pub(crate) advice: String,
    /// Whether the same sign-in may work when it is simply tried again.
    pub(crate) retry: bool,
}

/// Who is signed in, read from a command's only object.
#[derive(Debug, Clone)]
pub(crate) struct IdentityRule {
    pub(crate) command: Template,
    /// For a command that writes neither records nor JSON: the groups of all its matches are the object's properties.
    pub(crate) text: Option<Pattern>,
    /// Property paths (`Account.Id`).
    pub(crate) account: String,
    pub(crate) tenant: String,
    pub(crate) expires: Option<String>,
    /// Properties that must have these values: `State` = `Connected`.
    pub(crate) require: Vec<(String, String)>,
}
