//! A connection fills a module's holes: from patterns and templates to what one session says to its program.

use std::sync::Arc;

use super::ServiceError;
use super::registry::Entry;
use super::ways::{Credentials, account, connect, missing_keys, proof, quoting};
use crate::cloud::Cloud;
use crate::connection::Connection;
use crate::expect::{Expected, Identity, Mode, SignInRequest, compare};
use crate::policy::Lookup;
use crate::script::{Module, SignIn, Template, WayIn};
use crate::session::{Inquiry, nonces};
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
    let expected = expected(account(module, way, connection), connection, pin);
    let fill = |template: &Template| fill(module, connection, template);
    let connect = connect(module, rules, connection, &credentials);
    Ok(SignInRequest {
        attended: true,
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

/// Whom the connection names, which for this way in is `account`; what it leaves open is whom it proved to be the first
/// time. A pin of somebody else than the entry names was made before somebody wrote that name, and counts no more.
fn expected(account: Option<&str>, connection: &Connection, pin: Option<Pin>) -> Expected {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let (account, tenant) = (text(account), text(connection.expected_tenant_id()));
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

/// Refuses a session whose sign-in is not the one that its connection, as it is written now, would make: another tenant or
/// application was named since, or somebody else is expected.
pub(super) fn still_expected(
    entry: &Entry,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), ServiceError> {
    let way = entry.session.status().borrow().way.clone();
    let rules = entry.module.sign_in.as_ref();
    let way = rules.and_then(|rules| rules.way(way.as_deref()));
    let account = way.and_then(|way| account(&entry.module, way, connection));
    let refused = |message: String| ServiceError::Refused {
        message: format!("{}: {message}", entry.key),
        help: Some(format!(
            "the connection was changed since the sign-in: `mm disconnect -c '{}' -m {}`, then sign in again",
            entry.key.connection, entry.key.module
        )),
    };
    compare(&expected(account, connection, None), identity)
        .map_err(|failure| refused(failure.message))?;
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
        (
            "organization",
            Some(bound.organization()),
            Some(connection.organization()),
        ),
        (
            "delegatedOrganization",
            bound.delegated_organization(),
            connection.delegated_organization(),
        ),
        (
            "cloud",
            Some(bound.cloud().word()),
            Some(connection.cloud().word()),
        ),
        ("stand_in", bound.stand_in(), connection.stand_in()),
    ];
    if let Some((key, before, now)) = was.iter().find(|(_, before, now)| before != now) {
        let shown = |value: Option<&str>| {
            value.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"))
        };
        return Err(refused(format!(
            "its sign-in was made with the {key} {}, and the connection says {} now",
            shown(*before),
            shown(*now)
        )));
    }
    Ok(())
}

/// The command that asks who is signed in, or the one that only the service can answer.
pub(super) fn question(
    module: &Module,
    connection: &Connection,
    way: &WayIn,
    of_service: bool,
) -> Option<String> {
    let rules = module.sign_in.as_ref()?;
    let template = if of_service {
        proof(rules, way, connection)?
    } else {
        &way.identity.as_ref().unwrap_or(&rules.identity).command
    };
    whole(module, connection, template)
}

/// The command that signs out. `None` where there is none, or where the connection no longer has what it needs.
pub(super) fn disconnect(module: &Module, connection: &Connection) -> Option<String> {
    let template = module.sign_in.as_ref()?.disconnect.as_ref()?;
    whole(module, connection, template)
}

/// The template filled, unless the connection lacks something for it.
fn whole(module: &Module, connection: &Connection, template: &Template) -> Option<String> {
    let holes = connection.holes(&module.name);
    let whole = template.holes().all(|hole| holes(hole).is_some());
    whole.then(|| fill(module, connection, template))
}

/// What is asked of a session about the names of a command that is to pass as reading.
pub(super) fn inquiry(lookup: Lookup, module: &Module) -> Result<Inquiry, ServiceError> {
    let command = lookup.command().map_err(|message| ServiceError::Refused {
        message: format!("{message}, so it does not pass as reading"),
        help: None,
    })?;
    Ok(Inquiry {
        command,
        mode: if module.shell.records.is_some() {
            Mode::Records
        } else {
            Mode::Text
        },
        verdict: Box::new(move |answer| lookup.verdict(answer.objects, &answer.text)),
    })
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
