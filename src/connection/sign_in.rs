//! [`SignInChoice`]: the `signIn` of an entry: which way in to take, and what it needs. Secrets are only referred to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::entry::{Keys, wrong_kind};
use super::error::EntryError;
use crate::name::ModuleName;
use crate::secret::Reference;

/// Keys that refer to a secret, and the hole of a command that stands for it.
const SECRETS: [(&str, &str); 5] = [
    ("certificatePassword", "certificate_password"),
    ("clientSecret", "client_secret"),
    ("accessToken", "access_token"),
    ("graphAccessToken", "graph_access_token"),
    ("federatedToken", "federated_token"),
];

/// What else there may be.
const OTHERS: [&str; 4] = ["way", "certificateFile", "managedIdentityId", "modules"];

/// How a connection signs in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SignInChoice {
    way: Option<String>,
    certificate_file: Option<String>,
    managed_identity_id: Option<String>,
    /// By hole.
    secrets: BTreeMap<&'static str, Reference>,
    /// What is otherwise for one module.
    modules: BTreeMap<String, Self>,
}

impl SignInChoice {
    /// Reads the key `signIn`; `path` is its own. Unlike an entry it has no keys of other programs, so one that is not known
    /// is a mistake.
    pub(super) fn read(path: &str, value: Option<&Value>) -> Result<Self, EntryError> {
        let raw = match value {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(raw)) => raw,
            Some(other) => return Err(wrong_kind(path.to_owned(), "an object", other)),
        };
        let keys = Keys {
            path: path.to_owned(),
            raw,
        };
        let known = |key: &str| OTHERS.contains(&key) || SECRETS.iter().any(|(one, _)| *one == key);
        if let Some(other) = raw.keys().find(|key| !known(key)) {
            return Err(EntryError::Kind {
                key: keys.path(other),
                expected: "`way`, `certificateFile`, `certificatePassword`, `clientSecret`, `accessToken`, `graphAccessToken`, \
                           `federatedToken`, `managedIdentityId` or `modules`",
                found: "another key",
            });
        }
        let mut secrets = BTreeMap::new();
        for (key, hole) in SECRETS {
            if let Some(text) = keys.text(key)? {
                // The text is not repeated: where it is no reference, it may be the secret.
                let reference = Reference::parse(&text).map_err(|_| EntryError::Kind {
                    key: keys.path(key),
                    expected: Reference::EXPECTED,
                    found: "other text",
                })?;
                secrets.insert(hole, reference);
            }
        }
        Ok(Self {
            way: keys.text("way")?,
            certificate_file: certificate_file(&keys)?,
            managed_identity_id: keys.text("managedIdentityId")?,
            secrets,
            modules: modules(&keys.path("modules"), raw)?,
        })
    }

    /// The way in for `module`; `None` for the module's preferred one.
    pub(super) fn way(&self, module: &ModuleName) -> Option<&str> {
        self.find(module, |choice| choice.way.as_deref())
    }

    pub(super) fn certificate_file(&self, module: &ModuleName) -> Option<&str> {
        self.find(module, |choice| choice.certificate_file.as_deref())
    }

    pub(super) fn managed_identity_id(&self, module: &ModuleName) -> Option<&str> {
        self.find(module, |choice| choice.managed_identity_id.as_deref())
    }

    /// Where the secret of `hole` is to be had.
    pub(super) fn secret(&self, module: &ModuleName, hole: &str) -> Option<&Reference> {
        self.find(module, |choice| choice.secrets.get(hole))
    }

    /// What is said for the module goes before what is said for all.
    fn find<'c, T>(
        &'c self,
        module: &ModuleName,
        part: impl Fn(&'c Self) -> Option<T>,
    ) -> Option<T> {
        let own = self.modules.get(module.as_str());
        own.and_then(&part).or_else(|| part(self))
    }
}

/// A whole path: the daemon works in another folder, and a session's home is its own.
fn certificate_file(keys: &Keys<'_>) -> Result<Option<String>, EntryError> {
    let found = keys.text("certificateFile")?;
    if found.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return Err(EntryError::Kind {
            key: keys.path("certificateFile"),
            expected: "an absolute path",
            found: "another one",
        });
    }
    Ok(found)
}

fn modules(
    path: &str,
    raw: &Map<String, Value>,
) -> Result<BTreeMap<String, SignInChoice>, EntryError> {
    let modules = match raw.get("modules") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(modules)) => modules,
        Some(other) => return Err(wrong_kind(path.to_owned(), "an object", other)),
    };
    modules
        .iter()
        .map(|(module, value)| {
            let path = format!("{path}.{module}");
            if let Some(inner) = value.get("modules") {
                return Err(wrong_kind(format!("{path}.modules"), "nothing", inner));
            }
            Ok((module.clone(), SignInChoice::read(&path, Some(value))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<SignInChoice, EntryError> {
        SignInChoice::read("connections.C.signIn", Some(value))
    }

    fn module(name: &str) -> ModuleName {
        name.parse().expect("it is a module name")
    }

    #[test]
    fn what_is_said_for_a_module_goes_first() {
        let choice = read(&json!({
            "way": "certificate", "certificateFile": "/keys/app.pfx", "certificatePassword": "env:PFX",
            "modules": {"graph": {"way": "client_secret", "clientSecret": "file:/keys/graph"}},
        }))
        .expect("it is well formed");
        assert_eq!(choice.way(&module("exo")), Some("certificate"));
        assert_eq!(choice.way(&module("graph")), Some("client_secret"));
        assert_eq!(
            choice.certificate_file(&module("graph")),
            Some("/keys/app.pfx")
        );
        let secret =
            |name: &str, hole: &str| choice.secret(&module(name), hole).map(ToString::to_string);
        assert_eq!(
            secret("exo", "certificate_password").as_deref(),
            Some("env:PFX")
        );
        assert_eq!(
            secret("graph", "client_secret").as_deref(),
            Some("file:/keys/graph")
        );
        assert_eq!(secret("exo", "client_secret"), None);
    }

    #[test]
    fn a_secret_itself_is_refused_without_being_repeated() {
        for (value, key) in [
            (json!({"clientSecret": "hunter2"}), "signIn.clientSecret"),
            (
                json!({"modules": {"exo": {"accessToken": "hunter2"}}}),
                "signIn.modules.exo.accessToken",
            ),
        ] {
            let error = read(&value).expect_err("it is no reference");
            let told = format!("{error} {}", error.help());
            assert!(told.contains(key) && told.contains("env:NAME"), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn a_key_that_is_not_known_is_a_mistake() {
        for value in [
            json!({"clientsecret": "env:X"}),
            json!({"certificateFile": "~/app.pfx"}),
            json!({"modules": {"exo": {"modules": {}}}}),
            json!({"modules": []}),
            json!("certificate"),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
