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
    Ok(SignInRequest {
        attended: true,
        restore: rules.restore.as_ref().map(fill).transpose()?,
        connect: fill(&way.connect)?,
        identity: fill(&rules.identity.command)?,
        proof: rules.proof.as_ref().map(fill).transpose()?,
        disconnect: rules.disconnect.as_ref().map(fill).transpose()?,
        expected: expected(connection, pin),
        rules: Arc::new(rules.clone()),
        within: way.within,
        nonces: nonces(NONCES),
    })
}

/// Whom the connection names; what it leaves open is whom it proved to be the first time. A pin of somebody else than the
/// entry names was made before somebody wrote that name, and counts no more.
fn expected(connection: &Connection, pin: Option<Pin>) -> Expected {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let (account, tenant) = (
        text(connection.expected_email()),
        text(connection.expected_tenant_id()),
    );
    let agrees = |named: &Option<String>, pinned: &str| {
        named
            .as_ref()
            .is_none_or(|named| named.to_lowercase() == pinned.to_lowercase())
    };
    let pin = pin.filter(|pin| agrees(&account, &pin.account) && agrees(&tenant, &pin.tenant));
    let (pinned_account, pinned_tenant) = (account.is_none(), tenant.is_none());
    let pin = pin.map(|pin| (pin.account, pin.tenant));
    let (first_account, first_tenant) = pin.unzip();
    Expected {
        account: account.or(first_account),
        tenant: tenant.or(first_tenant),
        pinned_account,
        pinned_tenant,
    }
}

/// Refuses a session whose sign-in is not the one that its connection, as it is written now, would make: another tenant or
/// application was named since, or somebody else is expected.
pub(super) fn still_expected(
    entry: &Entry,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), ServiceError> {
    let refused = |message: String| ServiceError::Refused {
        message: format!("{}: {message}", entry.key),
        help: Some(format!(
            "the connection was changed since the sign-in: `mm disconnect -c '{}' -m {}`, then sign in again",
            entry.key.connection, entry.key.module
        )),
    };
    compare(&expected(connection, None), identity).map_err(|failure| refused(failure.message))?;
    let bound = entry.bound();
    let module = &entry.module.name;
    let was = [
        ("tenant", Some(bound.tenant()), Some(connection.tenant())),
        ("appId", bound.app_id(module), connection.app_id(module)),
        (
            "sharepoint_host",
            Some(bound.sharepoint_host()),
            Some(connection.sharepoint_host()),
        ),
        ("stand_in", bound.stand_in(), connection.stand_in()),
    ];
    if let Some((key, before, now)) = was.iter().find(|(_, before, now)| before != now) {
        let shown = |value: &Option<&str>| {
            value.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"))
        };
        return Err(refused(format!(
            "its sign-in was made with the {key} {}, and the connection says {} now",
            shown(before),
            shown(now)
        )));
    }
    Ok(())
}

/// The command that asks who is signed in, or the one that only the service can answer.
pub(super) fn question(
    module: &Module,
    connection: &Connection,
    of_service: bool,
) -> Option<String> {
    let sign_in = module.sign_in.as_ref()?;
    let template = if of_service {
        sign_in.proof.as_ref()?
    } else {
        &sign_in.identity.command
    };
    fill(module, connection, template).ok()
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
