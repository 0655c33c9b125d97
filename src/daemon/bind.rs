//! A connection fills a module's holes: from patterns and templates to what one session says to its program.

use std::sync::Arc;

use super::ServiceError;
use super::registry::Entry;
use super::ways::{Credentials, account, connect, missing_keys, proof, quoting};
use crate::cloud::Cloud;
use crate::connection::Connection;
use crate::expect::{Expected, Identity, SignInRequest, compare};
use crate::script::{Module, SignIn, Template, WayIn};
use crate::session::nonces;
use crate::store::Pin;

/// Nonces of a whole sign-in: four commands and a disconnect, each perhaps sent again twice, and what absorbs a cancel.
const NONCES: usize = 20;

/// The sign-in of `connection` with `module`; `pin` is whom it proved to be the first time.
pub(super) fn sign_in(
    module: &Module,
    rules: &SignIn,
    connection: &Connection,
    credentials: Credentials<'_>,
    pin: Option<Pin>,
) -> Result<SignInRequest, ServiceError> {
    let way = credentials.way;
    if let Some(key) = missing_keys(module, rules, way, connection).first() {
        return Err(lacks(module, connection, way, key));
    }
    let national = connection.cloud();
    if national != Cloud::Global && rules.clouds.iter().all(|(cloud, _)| *cloud != national) {
        return Err(ServiceError::Connection {
            message: format!(
                "the connection `{}` is in the cloud `{}`, and the module `{}` does not say how to sign in there",
                connection.name(),
                national.word(),
                module.name
            ),
            help: Some("a module's `clouds` say what its connect command needs".to_owned()),
        });
    }
    let identity = way.identity.as_ref().unwrap_or(&rules.identity);
    let expected = match (account(module, way, connection), pin) {
        (None, Some(pin)) if connection.expected_tenant_id().is_none() => Expected {
            account: Some(pin.account),
            tenant: Some(pin.tenant),
            pinned: true,
        },
        (account, _) => Expected {
            account: account.map(str::to_owned),
            tenant: connection.expected_tenant_id().map(str::to_owned),
            pinned: false,
        },
    };
    let fill = |template: &Template| fill(module, connection, template);
    let connect = connect(module, rules, connection, &credentials);
    Ok(SignInRequest {
        // There is no code to spare, and what is kept may be another way's.
        restore: rules.restore.as_ref().filter(|_| !way.unattended).map(fill),
        way: way.name.clone(),
        connect,
        identity: fill(&identity.command),
        proof: proof(rules, way, connection).map(fill),
        disconnect: rules.disconnect.as_ref().map(fill),
        expected,
        rules: Arc::new(SignIn {
            identity: identity.clone(),
            ..rules.clone()
        }),
        within: way.within,
        nonces: nonces(NONCES),
        secrets: credentials
            .secrets
            .into_iter()
            .map(|(_, secret)| secret)
            .collect(),
    })
}

fn lacks(module: &Module, connection: &Connection, way: &WayIn, key: &str) -> ServiceError {
    ServiceError::Connection {
        message: format!(
            "the connection `{}` has no `{key}`, which the module `{}` needs ({})",
            connection.name(),
            module.name,
            way.name.replace('_', " "),
        ),
        help: Some(format!(
            "add it: mm connections edit '{}' {key} VALUE",
            connection.name()
        )),
    }
}

/// Refuses a session that is signed in as somebody whom its connection, as it is written now, does not expect.
pub(super) fn still_expected(
    entry: &Entry,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), ServiceError> {
    let status = entry.session.status();
    let way = status.borrow().way.clone();
    let rules = entry.module.sign_in.as_ref();
    let way = rules.and_then(|rules| rules.way(way.as_deref()));
    let expected = Expected {
        account: way
            .and_then(|way| account(&entry.module, way, connection))
            .map(str::to_owned),
        tenant: connection.expected_tenant_id().map(str::to_owned),
        pinned: false,
    };
    compare(&expected, identity).map_err(|failure| ServiceError::Refused {
        message: format!("{}: {}", entry.key, failure.message),
        help: Some(format!(
            "the connection was changed since the sign-in: `mm disconnect -c '{}' -m {}`, then sign in again",
            entry.key.connection, entry.key.module
        )),
    })
}

/// The command that signs out. `None` where there is none, or where the connection no longer has what it needs.
pub(super) fn disconnect(module: &Module, connection: &Connection) -> Option<String> {
    let template = module.sign_in.as_ref()?.disconnect.as_ref()?;
    let holes = connection.holes(&module.name);
    let whole = template.holes().all(|hole| holes(hole).is_some());
    whole.then(|| fill(module, connection, template))
}

/// A person's command as the module wants it sent.
pub(super) fn command(module: &Module, command: &str) -> String {
    match &module.run {
        Some(run) => run.render(module.shell.quoting, |_| Some(command)),
        None => command.to_owned(),
    }
}

/// A command whose values are all there.
fn fill(module: &Module, connection: &Connection, template: &Template) -> String {
    template.render(quoting(module), connection.holes(&module.name))
}
