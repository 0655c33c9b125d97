//! The ways in of a module, as one connection takes them: which one, what it lacks, and the command that results.

use std::collections::HashSet;

use super::ServiceError;
use crate::connection::Connection;
use crate::script::{Holder, Module, Quoting, SignIn, Template, WayIn, hole};
use crate::secret::{Reference, Secret};

/// A way in as it was chosen, with the secrets that it needs fetched.
pub(super) struct Credentials<'m> {
    pub(super) way: &'m WayIn,
    /// By hole.
    pub(super) secrets: Vec<(&'static str, Secret)>,
}

/// The way in to take: the one that was asked for, the connection's, the module's preferred one.
pub(super) fn way<'m>(
    module: &'m Module,
    rules: &'m SignIn,
    connection: &Connection,
    asked: Option<&str>,
) -> Result<&'m WayIn, ServiceError> {
    let wanted = asked.or_else(|| connection.way(&module.name));
    rules.way(wanted).ok_or_else(|| {
        let ways: Vec<&str> = rules.ways.iter().map(|way| way.name.as_str()).collect();
        ServiceError::Connection {
            message: format!(
                "the module `{}` has no way in called `{}`",
                module.name,
                wanted.unwrap_or_default()
            ),
            help: Some(format!("it has {}", ways.join(", "))),
        }
    })
}

/// The parts of a way's connect command that hold for `connection`, in order.
fn parts<'m>(
    module: &Module,
    rules: &'m SignIn,
    way: &'m WayIn,
    connection: &Connection,
) -> Vec<&'m Template> {
    let holes = connection.holes(&module.name);
    let has = |hole: &str| {
        if hole::is_secret(hole) {
            connection.secret(&module.name, hole).is_some()
        } else {
            holes(hole).is_some()
        }
    };
    let options = way.options.iter().filter(|option| option.holes().all(has));
    let cloud = rules
        .clouds
        .iter()
        .filter(|(cloud, _)| *cloud == connection.cloud())
        .map(|(_, add)| add);
    let is_partner = way.holder == Holder::User && connection.delegated_organization().is_some();
    let partner = rules.partner.as_ref().filter(|_| is_partner);
    [&way.connect]
        .into_iter()
        .chain(options)
        .chain(cloud)
        .chain(partner.map(|partner| &partner.add))
        .collect()
}

/// The keys that the connection lacks for this way in, as a person writes them. Empty: it can be used.
pub(crate) fn missing_keys(
    module: &Module,
    rules: &SignIn,
    way: &WayIn,
    connection: &Connection,
) -> Vec<&'static str> {
    let holes = connection.holes(&module.name);
    let identity = way.identity.as_ref().unwrap_or(&rules.identity);
    let mut keys: Vec<&'static str> = parts(module, rules, way, connection)
        .into_iter()
        .chain([&identity.command])
        .chain(proof(rules, way, connection))
        .chain(&rules.disconnect)
        .flat_map(Template::holes)
        .filter(|hole| {
            if hole::is_secret(hole) {
                *hole != hole::MAY_BE_EMPTY && connection.secret(&module.name, hole).is_none()
            } else {
                holes(hole).is_none()
            }
        })
        .map(hole::key_of)
        .collect();
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert(*key));
    keys
}

/// The secrets of this way in that the connection refers to, by hole.
pub(super) fn references<'c>(
    module: &Module,
    rules: &SignIn,
    way: &WayIn,
    connection: &'c Connection,
) -> Vec<(&'static str, &'c Reference)> {
    let mut found: Vec<(&'static str, &Reference)> = Vec::new();
    for part in parts(module, rules, way, connection) {
        for hole in part.holes().filter(|hole| hole::is_secret(hole)) {
            if let Some(reference) = connection.secret(&module.name, hole)
                && found.iter().all(|(known, _)| *known != hole)
            {
                found.push((hole, reference));
            }
        }
    }
    found
}

pub(super) fn proof<'m>(
    rules: &'m SignIn,
    way: &WayIn,
    connection: &Connection,
) -> Option<&'m Template> {
    let is_partner = way.holder == Holder::User && connection.delegated_organization().is_some();
    let partner = rules.partner.as_ref().filter(|_| is_partner);
    partner
        .and_then(|partner| partner.proof.as_ref())
        .or(rules.proof.as_ref())
}

/// The connect command with all its parts, its secrets bound before it.
pub(super) fn connect(
    module: &Module,
    rules: &SignIn,
    connection: &Connection,
    credentials: &Credentials<'_>,
) -> Secret {
    let quoting = quoting(module);
    let holes = connection.holes(&module.name);
    let mut bound: Vec<(&str, &str)> = credentials
        .secrets
        .iter()
        .map(|(hole, secret)| (*hole, secret.expose()))
        .collect();
    let mut command = String::new();
    for part in parts(module, rules, credentials.way, connection) {
        if !command.is_empty() {
            command.push(' ');
        }
        command.push_str(&part.render_with(|hole| {
            if hole::is_secret(hole) {
                quoting.reference(hole)
            } else {
                quoting.quote(holes(hole).unwrap_or_default())
            }
        }));
        for hole in part.holes() {
            if hole == hole::MAY_BE_EMPTY && bound.iter().all(|(name, _)| *name != hole) {
                bound.push((hole, ""));
            }
        }
    }
    let text = quoting.bind(&command, &bound);
    Secret::new(text.as_str().to_owned())
}

/// Whom the identity's account is compared with.
pub(super) fn account<'c>(
    module: &Module,
    way: &WayIn,
    connection: &'c Connection,
) -> Option<&'c str> {
    match way.holder {
        Holder::User => connection.expected_email(),
        Holder::Application => connection.app_id(&module.name),
        Holder::ManagedIdentity => connection.managed_identity_id(&module.name),
    }
}

/// How values are written into the commands of `module`.
pub(super) fn quoting(module: &Module) -> Quoting {
    if module.shell.quoting == Quoting::Plain {
        Quoting::Posix
    } else {
        module.shell.quoting
    }
}
