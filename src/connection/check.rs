//! What is doubtful about entries that can be used: ids that are none, two accounts for one tenant, nobody expected.

use super::{Connection, Registry};
use crate::redact::mask_object;

/// One doubt about one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// The connection's name.
    pub(crate) connection: String,
    /// What is doubtful, in words.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: String,
}

/// All doubts, in the file's order.
pub(crate) fn doubts(registry: &Registry) -> Vec<Doubt> {
    let connections: Vec<&Connection> = registry.connections().collect();
    let mut doubts = Vec::new();
    for (at, connection) in connections.iter().enumerate() {
        let name = connection.name();
        let mut doubt = |message: String, help: String| {
            doubts.push(Doubt {
                connection: name.to_string(),
                message,
                help,
            });
        };
        for (key, text) in ids(connection) {
            if !is_guid(&text) {
                doubt(
                    format!("`{key}` is `{text}`, which is no application or tenant id"),
                    format!(
                        "copy the id from the Entra admin center: mm connections edit '{name}' {key} ID"
                    ),
                );
            }
        }
        for (key, shown) in mask_object(connection.raw()) {
            if connection.raw().get(&key) != Some(&shown) {
                doubt(
                    format!(
                        "`{key}` holds what looks like a secret, for everybody who can read the file"
                    ),
                    "keep it elsewhere, and only say where: env:NAME, file:PATH or command:PROGRAM"
                        .to_owned(),
                );
            }
        }
        if connection.expected_email().is_none() {
            doubt(
                "it does not say who is expected to sign in".to_owned(),
                format!(
                    "whoever signs in first is taken; say who it is: mm connections edit '{name}' expectedEmail USER"
                ),
            );
        } else if connection
            .expected_email()
            .is_some_and(|email| !email.contains('@'))
        {
            doubt(
                "`expectedEmail` is no address".to_owned(),
                "give the name that the user signs in with, such as ada@contoso.com".to_owned(),
            );
        }
        let same_tenant = |other: &&&Connection| {
            other.tenant().eq_ignore_ascii_case(connection.tenant())
                || other.expected_tenant_id().is_some()
                    && other.expected_tenant_id() == connection.expected_tenant_id()
        };
        for other in connections[..at].iter().filter(same_tenant) {
            let accounts = (other.expected_email(), connection.expected_email());
            if let (Some(one), Some(two)) = accounts
                && !one.eq_ignore_ascii_case(two)
            {
                doubt(
                    format!(
                        "it and `{}` are one tenant and two accounts, {one} and {two}",
                        other.name()
                    ),
                    "if that is meant, nothing has to be done; take care which of them you use"
                        .to_owned(),
                );
            }
        }
    }
    doubts
}

/// The entry's own ids with their keys.
fn ids(connection: &Connection) -> Vec<(String, String)> {
    let raw = connection.raw();
    let text = |value: Option<&serde_json::Value>| {
        let text = value.and_then(serde_json::Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut ids = Vec::new();
    for key in ["tenantId", "appId"] {
        ids.extend(text(raw.get(key)).map(|id| (key.to_owned(), id)));
    }
    let apps = raw.get("moduleApps").and_then(serde_json::Value::as_object);
    for (module, app) in apps.into_iter().flatten() {
        ids.extend(text(Some(app)).map(|id| (format!("moduleApps.{module}"), id)));
    }
    ids
}

/// Whether the value of this key is an id.
pub(super) fn wants_guid(key: &str) -> bool {
    matches!(key, "tenantId" | "appId" | "signIn.managedIdentityId")
        || key.starts_with("moduleApps.")
}

/// Whether `text` is an id as Entra writes them: 8, 4, 4, 4 and 12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_told_and_sound_entries_are_not() {
        let folder = tempfile::tempdir().expect("a temp dir");
        let path = folder.path().join("c.json");
        let id = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
        let text = serde_json::json!({"connections": {
            "Good": {"tenant": "contoso.com", "tenantId": id, "expectedEmail": "ada@contoso.com"},
            "Other": {"tenant": "contoso.onmicrosoft.com", "tenantId": id, "expectedEmail": "eve@contoso.com"},
            "Bare": {"tenant": "fabrikam.com"},
            "Ids": {"tenant": "w.com", "expectedEmail": "ada", "appId": "the app", "moduleApps": {"pnp": "x"}},
        }});
        std::fs::write(&path, text.to_string()).expect("it can be written");
        let registry = Registry::load(&path).expect("it is sound");
        let found: Vec<String> = doubts(&registry)
            .into_iter()
            .map(|doubt| format!("{}: {}", doubt.connection, doubt.message))
            .collect();
        assert_eq!(
            found,
            [
                "Other: it and `Good` are one tenant and two accounts, ada@contoso.com and eve@contoso.com",
                "Bare: it does not say who is expected to sign in",
                "Ids: `appId` is `the app`, which is no application or tenant id",
                "Ids: `moduleApps.pnp` is `x`, which is no application or tenant id",
                "Ids: `expectedEmail` is no address",
            ]
        );
    }
}
