//! A connection fills a module's holes: from patterns and templates to what one session says to its program.

use std::sync::Arc;

use super::ServiceError;
use super::registry::Entry;
use crate::connection::Connection;
use crate::expect::{Expected, Identity, SignInRequest, compare};
use crate::script::{Module, Quoting, SignIn, Template};
use crate::session::nonces;
use crate::store::Pin;

/// Nonces of a whole sign-in: four commands and a disconnect, each perhaps sent again twice, and what absorbs a cancel.
const NONCES: usize = 20;

/// The sign-in of `connection` with `module`; `pin` is whom it proved to be the first time.
pub(super) fn sign_in(
    module: &Module,
    rules: &SignIn,
    connection: &Connection,
    pin: Option<Pin>,
) -> Result<SignInRequest, ServiceError> {
    let way = rules.ways.first().ok_or_else(|| ServiceError::Module {
        message: format!("the module `{}` has no way to sign in", module.name),
        help: None,
    })?;
    let fill = |template: &Template| fill(module, connection, template);
    let expected = match (
        connection.expected_email(),
        connection.expected_tenant_id(),
        pin,
    ) {
        (None, None, Some(pin)) => Expected {
            account: Some(pin.account),
            tenant: Some(pin.tenant),
            pinned: true,
        },
        (account, tenant, _) => Expected {
            account: account.map(str::to_owned),
            tenant: tenant.map(str::to_owned),
            pinned: false,
        },
    };
    Ok(SignInRequest {
        restore: rules.restore.as_ref().map(fill).transpose()?,
        connect: fill(&way.connect)?,
        identity: fill(&rules.identity.command)?,
        proof: rules.proof.as_ref().map(fill).transpose()?,
        disconnect: rules.disconnect.as_ref().map(fill).transpose()?,
        expected,
        rules: Arc::new(rules.clone()),
        within: way.within,
        nonces: nonces(NONCES),
    })
}

/// Refuses a session that is signed in as somebody whom its connection, as it is written now, does not expect.
pub(super) fn still_expected(
    entry: &Entry,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), ServiceError> {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let expected = Expected {
        account: text(connection.expected_email()),
        tenant: text(connection.expected_tenant_id()),
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

/// The command that signs out.
pub(super) fn disconnect(module: &Module, connection: &Connection) -> Option<String> {
    let template = module.sign_in.as_ref()?.disconnect.as_ref()?;
    fill(module, connection, template).ok()
}

/// A person's command as the module wants it sent.
pub(super) fn command(module: &Module, command: &str) -> String {
    match &module.run {
        Some(run) => run.render(module.shell.quoting, |_| Some(command)),
        None => command.to_owned(),
    }
}

fn fill(
    module: &Module,
    connection: &Connection,
    template: &Template,
) -> Result<String, ServiceError> {
    let holes = connection.holes(&module.name);
    if let Some(missing) = template.holes().find(|hole| holes(hole).is_none()) {
        let key = match missing {
            "app_id" => "appId",
            "expected_email" => "expectedEmail",
            "tenant_id" => "tenantId",
            other => other,
        };
        return Err(ServiceError::Connection {
            message: format!(
                "the connection `{}` has no `{key}`, which the module `{}` needs",
                connection.name(),
                module.name
            ),
            help: Some(format!("add `{key}` to its entry in the connections file")),
        });
    }
    let quoting = if module.shell.quoting == Quoting::Plain {
        Quoting::Posix
    } else {
        module.shell.quoting
    };
    Ok(template.render(quoting, holes))
}
