//! [`Connection`]: one entry, its keys typed. What other programs keep in it stays, in order, unread.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::EntryError;
use super::policy::Policy;
use super::rules::PolicyRule;
use super::sign_in::SignInChoice;
use crate::cloud::Cloud;
use crate::name::{ConnectionName, ModuleName};
use crate::secret::Reference;

/// Application ids by module.
pub(super) type ModuleApps = BTreeMap<String, String>;

/// Whom a session is signed in to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connection {
    name: ConnectionName,
    tenant: String,
    tenant_id: Option<String>,
    app_id: Option<String>,
    expected_email: Option<String>,
    description: Option<String>,
    mcps: Vec<String>,
    module_apps: ModuleApps,
    /// The file's `_knownModuleApps`, shared by its entries.
    known_module_apps: Arc<ModuleApps>,
    sharepoint_host: Option<String>,
    organization: Option<String>,
    delegated_organization: Option<String>,
    cloud: Cloud,
    sign_in: SignInChoice,
    policy: Policy,
    skip_send_guards: bool,
    requires_ticket: bool,
    policy_rules: Vec<PolicyRule>,
    stand_in: Option<String>,
    raw: Map<String, Value>,
}

impl Connection {
    /// Reads one entry. `null` counts as a key that is not there, which is how people write "none".
    pub(crate) fn read(
        name: ConnectionName,
        value: Value,
        known_module_apps: &Arc<ModuleApps>,
    ) -> Result<Self, EntryError> {
        let path = format!("connections.{name}");
        let Value::Object(raw) = value else {
            return Err(wrong_kind(path, "an object", &value));
        };
        let keys = Keys { path, raw: &raw };
        let tenant = keys.text("tenant")?.ok_or_else(|| EntryError::Kind {
            key: keys.path("tenant"),
            expected: "text",
            found: "nothing",
        })?;
        // Kept for the programs that read it, and checked for whoever wrote it.
        keys.flag("skipSignatureStrip")?;
        Ok(Self {
            tenant,
            tenant_id: keys.text("tenantId")?,
            app_id: keys.text("appId")?,
            expected_email: keys.text("expectedEmail")?,
            description: keys.text("description")?,
            mcps: keys.texts("mcps")?.unwrap_or_default(),
            module_apps: module_apps(&keys.path("moduleApps"), raw.get("moduleApps"))?,
            known_module_apps: Arc::clone(known_module_apps),
            sharepoint_host: keys.text("sharepoint_host")?,
            organization: keys.text("organization")?,
            delegated_organization: keys.text("delegatedOrganization")?,
            cloud: keys
                .word("cloud", Cloud::EXPECTED, Cloud::of_word)?
                .unwrap_or_default(),
            sign_in: SignInChoice::read(&keys.path("signIn"), raw.get("signIn"))?,
            policy: keys
                .word("policy", Policy::EXPECTED, Policy::of_word)?
                .unwrap_or_default(),
            skip_send_guards: keys.flag("skipSendGuards")?,
            requires_ticket: keys.flag("requireTicket")?,
            policy_rules: PolicyRule::read_all(name.as_str(), &keys)?,
            stand_in: keys.text("stand_in")?,
            name,
            raw,
        })
    }

    /// A connection to the stand-in tenant, which needs no file, no account and no network.
    pub(crate) fn demo(scenario: &str) -> Self {
        let entry = serde_json::json!({
            "tenant": "contoso.com",
            "tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
            "expectedEmail": "ada@contoso.com",
            "description": "the stand-in tenant of the demo",
            "mcps": ["mm"],
            "policy": "open",
            "stand_in": scenario,
        });
        let name = "Demo".parse().expect("`Demo` is a connection name");
        Self::read(name, entry, &Arc::default()).expect("the demo's entry is well formed")
    }

    /// Its name in the file.
    pub(crate) fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// The tenant's domain.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The tenant's id, or its domain where the entry has no id: Microsoft's sign-ins take either.
    pub(crate) fn tenant_id(&self) -> &str {
        self.tenant_id.as_deref().unwrap_or(&self.tenant)
    }

    /// The tenant's id to compare an identity with. Unlike [`tenant_id`](Self::tenant_id) never a domain.
    pub(crate) fn expected_tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// The application to sign in with: the entry's for the module, the file's for the module, the entry's own.
    pub(crate) fn app_id(&self, module: &ModuleName) -> Option<&str> {
        let module = module.as_str();
        self.module_apps
            .get(module)
            .or_else(|| self.known_module_apps.get(module))
            .or(self.app_id.as_ref())
            .map(String::as_str)
    }

    /// The account that has to be the one signed in. Compare without case.
    pub(crate) fn expected_email(&self) -> Option<&str> {
        self.expected_email.as_deref()
    }

    /// The first label of the tenant's `sharepoint.com` host; without the key, of its domain.
    pub(crate) fn sharepoint_host(&self) -> &str {
        match &self.sharepoint_host {
            Some(host) => host,
            None => self.tenant.split('.').next().unwrap_or(&self.tenant),
        }
    }

    /// The tenant's `onmicrosoft.com` name, as signing in with an application wants it; without the key, its domain.
    pub(crate) fn organization(&self) -> &str {
        self.organization.as_deref().unwrap_or(&self.tenant)
    }

    /// The customer whose tenant a partner signs in to (GDAP).
    pub(crate) fn delegated_organization(&self) -> Option<&str> {
        self.delegated_organization.as_deref()
    }

    /// The cloud that the tenant is in.
    pub(crate) fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// The way in to take for `module`. `None`: the one that the module prefers.
    pub(crate) fn way(&self, module: &ModuleName) -> Option<&str> {
        self.sign_in.way(module)
    }

    /// The file with the certificate and its key.
    pub(crate) fn certificate_file(&self, module: &ModuleName) -> Option<&str> {
        self.sign_in.certificate_file(module)
    }

    /// The client id of the managed identity; without one it is the machine's own.
    pub(crate) fn managed_identity_id(&self, module: &ModuleName) -> Option<&str> {
        self.sign_in.managed_identity_id(module)
    }

    /// Where the secret that `hole` stands for is to be had.
    pub(crate) fn secret(&self, module: &ModuleName, hole: &str) -> Option<&Reference> {
        self.sign_in.secret(module, hole)
    }

    /// What a person wrote about it.
    pub(crate) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The tools that it is for, as people name them.
    pub(super) fn mcps(&self) -> &[String] {
        &self.mcps
    }

    /// How much it allows.
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Whether sending mail or messages needs no approval here.
    pub(crate) fn skip_send_guards(&self) -> bool {
        self.skip_send_guards
    }

    /// Whether what is asked about has to name a ticket.
    pub(crate) fn requires_ticket(&self) -> bool {
        self.requires_ticket
    }

    /// What it says about some commands, before its policy does.
    pub(crate) fn policy_rules(&self) -> &[PolicyRule] {
        &self.policy_rules
    }

    /// Adds to each rule in which line of the file it stands.
    pub(super) fn place_rules(&mut self, lines: &[usize]) {
        for (rule, line) in self.policy_rules.iter_mut().zip(lines) {
            rule.place = format!("{}, line {line} of the connections file", rule.place);
        }
    }

    /// The scenario that stands in for the tenant; then nothing real is started.
    pub(crate) fn stand_in(&self) -> Option<&str> {
        self.stand_in.as_deref()
    }

    /// The entry as it stands in the file, unknown keys included, in order.
    pub(crate) fn raw(&self) -> &Map<String, Value> {
        &self.raw
    }

    /// What fills a template's holes for `module`. `None` for a hole that the entry has no value for, and for any other
    /// name; secrets are no values.
    pub(crate) fn holes<'c>(
        &'c self,
        module: &ModuleName,
    ) -> impl Fn(&str) -> Option<&'c str> + use<'c> {
        let app_id = self.app_id(module);
        let certificate_file = self.certificate_file(module);
        let managed_identity_id = self.managed_identity_id(module);
        move |hole| match hole {
            "tenant" => Some(self.tenant()),
            "tenant_id" => Some(self.tenant_id()),
            "organization" => Some(self.organization()),
            "sharepoint_host" => Some(self.sharepoint_host()),
            "sharepoint_domain" => Some(self.cloud().sharepoint_domain()),
            "app_id" => app_id,
            "certificate_file" => certificate_file,
            "managed_identity_id" => managed_identity_id,
            "delegated_organization" => self.delegated_organization(),
            "expected_email" => self.expected_email(),
            _ => None,
        }
    }
}

/// Reads an object of application ids; `key` is its path.
pub(super) fn module_apps(key: &str, value: Option<&Value>) -> Result<ModuleApps, EntryError> {
    let apps = match value {
        None | Some(Value::Null) => return Ok(ModuleApps::new()),
        Some(Value::Object(apps)) => apps,
        Some(other) => return Err(wrong_kind(key.to_owned(), "an object", other)),
    };
    let keys = Keys {
        path: key.to_owned(),
        raw: apps,
    };
    let mut found = ModuleApps::new();
    for module in apps.keys() {
        if let Some(app) = keys.text(module)? {
            found.insert(module.clone(), app);
        }
    }
    Ok(found)
}

/// An object's keys, read with their path for errors.
pub(super) struct Keys<'r> {
    pub(super) path: String,
    pub(super) raw: &'r Map<String, Value>,
}

impl Keys<'_> {
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn error(&self, key: &str, expected: &'static str, found: &Value) -> EntryError {
        wrong_kind(self.path(key), expected, found)
    }

    /// Text without the blanks around it. Empty text counts as none: other programs' editors leave it behind.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, EntryError> {
        match self.raw.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                let text = text.trim();
                Ok((!text.is_empty()).then(|| text.to_owned()))
            }
            Some(other) => Err(self.error(key, "text", other)),
        }
    }

    /// One of some words. Another one is no default: it takes the entry out.
    pub(super) fn word<T>(
        &self,
        key: &str,
        expected: &'static str,
        of_word: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, EntryError> {
        let Some(word) = self.text(key)? else {
            return Ok(None);
        };
        of_word(&word).map(Some).ok_or_else(|| EntryError::Kind {
            key: self.path(key),
            expected,
            found: "another word",
        })
    }

    fn flag(&self, key: &str) -> Result<bool, EntryError> {
        match self.raw.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.error(key, "true or false", other)),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, EntryError> {
        let items = match self.raw.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.error(key, "a list of texts", other)),
        };
        let text = |(at, item): (usize, &Value)| match item {
            Value::String(text) => Ok(text.clone()),
            other => Err(self.error(&format!("{key}[{at}]"), "text", other)),
        };
        items
            .iter()
            .enumerate()
            .map(text)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

pub(super) fn wrong_kind(key: String, expected: &'static str, found: &Value) -> EntryError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "empty text",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    EntryError::Kind {
        key,
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: Value) -> Result<Connection, EntryError> {
        let known = ModuleApps::from([("pnp".to_owned(), "file-pnp".to_owned())]);
        let name = "Contoso".parse().expect("it is a name");
        Connection::read(name, entry, &Arc::new(known))
    }

    fn module(name: &str) -> ModuleName {
        name.parse().expect("it is a module name")
    }

    #[test]
    fn an_entry_with_only_a_tenant_has_defaults() {
        let connection = read(json!({"tenant": "contoso.com"})).expect("a tenant is enough");
        assert_eq!(connection.tenant(), "contoso.com");
        assert_eq!(connection.tenant_id(), "contoso.com");
        assert_eq!(connection.expected_tenant_id(), None);
        assert_eq!(connection.sharepoint_host(), "contoso");
        assert_eq!(connection.app_id(&module("exo")), None);
        assert_eq!(connection.expected_email(), None);
        assert!(!connection.skip_send_guards());
        assert_eq!(connection.stand_in(), None);
    }

    #[test]
    fn the_application_is_found_in_the_documented_order() {
        let full =
            json!({"tenant": "t", "appId": "own", "moduleApps": {"teams": "mine", "pnp": null}});
        let connection = read(full).expect("it is well formed");
        assert_eq!(connection.app_id(&module("teams")), Some("mine"));
        assert_eq!(connection.app_id(&module("pnp")), Some("file-pnp"));
        assert_eq!(connection.app_id(&module("graph")), Some("own"));
        let none = read(json!({"tenant": "t", "appId": null})).expect("null is none");
        assert_eq!(none.app_id(&module("graph")), None);
    }

    #[test]
    fn wrong_kinds_name_the_key() {
        for (entry, message) in [
            (
                json!({"tenant": 7}),
                "connections.Contoso.tenant: expected text, found a number",
            ),
            (
                json!({}),
                "connections.Contoso.tenant: expected text, found nothing",
            ),
            (
                json!([]),
                "connections.Contoso: expected an object, found a list",
            ),
            (
                json!({"tenant": "t", "skipSendGuards": "yes"}),
                "connections.Contoso.skipSendGuards: expected true or false, found text",
            ),
            (
                json!({"tenant": "t", "policy": "readonly"}),
                "connections.Contoso.policy: expected `read-only`, `ask` or `open`, found another word",
            ),
            (
                json!({"tenant": "t", "cloud": "gcc"}),
                "connections.Contoso.cloud: expected `global`, `us_gov_high`, `us_gov_dod` or `china`, found another word",
            ),
            (
                json!({"tenant": "t", "signIn": {"way": 1}}),
                "connections.Contoso.signIn.way: expected text, found a number",
            ),
            (
                json!({"tenant": "t", "mcps": ["mm", 1]}),
                "connections.Contoso.mcps[1]: expected text, found a number",
            ),
            (
                json!({"tenant": "t", "moduleApps": {"pnp": {}}}),
                "connections.Contoso.moduleApps.pnp: expected text, found an object",
            ),
        ] {
            let error = read(entry).expect_err(message);
            assert_eq!(error.to_string(), message);
            assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn the_policy_is_one_of_three_words() {
        let policy = |entry| read(entry).expect("it is well formed").policy();
        assert_eq!(policy(json!({"tenant": "t"})), Policy::Ask);
        for (word, expected) in [
            ("read-only", Policy::ReadOnly),
            ("ask", Policy::Ask),
            ("open", Policy::Open),
        ] {
            assert_eq!(policy(json!({"tenant": "t", "policy": word})), expected);
        }
    }

    #[test]
    fn unknown_keys_stay_in_order() {
        let entry =
            json!({"zeta": 1, "tenant": "t", "cliConnectionName": "c", "alpha": {"b": 1, "a": 2}});
        let connection = read(entry.clone()).expect("it is well formed");
        assert_eq!(
            serde_json::to_string(connection.raw()).expect("it is JSON"),
            entry.to_string()
        );
    }

    #[test]
    fn holes_are_filled_for_a_module() {
        let entry =
            json!({"tenant": "contoso.com", "tenantId": "id", "sharepoint_host": "contosollc"});
        let connection = read(entry).expect("it is well formed");
        let pnp = connection.holes(&module("pnp"));
        assert_eq!(pnp("tenant"), Some("contoso.com"));
        assert_eq!(pnp("tenant_id"), Some("id"));
        assert_eq!(pnp("sharepoint_host"), Some("contosollc"));
        assert_eq!(pnp("app_id"), Some("file-pnp"));
        assert_eq!(pnp("expected_email"), None);
        assert_eq!(pnp("sharepoint_domain"), Some("sharepoint.com"));
        assert_eq!(pnp("organization"), Some("contoso.com"));
        assert_eq!(pnp("delegated_organization"), None);
        assert_eq!(pnp("nonce"), None);
        assert_eq!(connection.holes(&module("exo"))("app_id"), None);
    }

    #[test]
    fn the_demo_is_a_connection_that_a_scenario_stands_in_for() {
        let demo = Connection::demo("exo");
        assert_eq!(demo.name().as_str(), "Demo");
        assert_eq!(demo.stand_in(), Some("exo"));
        assert_eq!(demo.tenant(), "contoso.com");
        assert_eq!(demo.tenant_id(), "aaaabbbb-0000-cccc-1111-dddd2222eeee");
        assert_eq!(demo.expected_email(), Some("ada@contoso.com"));
    }
}
