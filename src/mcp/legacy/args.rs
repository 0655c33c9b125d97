//! [`OldArgs`]: every key that an old configuration uses. What else it sends was ignored then and is ignored now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The keys of all old tools; each has one meaning.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct OldArgs {
    /// Name of the connection.
    #[schemars(with = "String")]
    pub(super) connection: Option<String>,
    /// Name of the connection.
    #[serde(rename = "connectionName")]
    #[schemars(with = "String")]
    pub(super) connection_name: Option<String>,
    /// The same as connectionName; a tenant's domain or id is understood too.
    #[schemars(with = "String")]
    pub(super) tenant: Option<String>,
    /// Name of the module: exo, azure, teams, pnp, ...
    #[schemars(with = "String")]
    pub(super) module: Option<String>,
    /// The command to run.
    #[schemars(with = "String")]
    pub(super) command: Option<String>,
    /// Means nothing any longer: a person confirms, elsewhere.
    pub(super) confirmed: bool,
    /// Means nothing any longer: the connection says which account it expects.
    #[schemars(with = "String")]
    pub(super) account: Option<Value>,
    /// `DISCONNECT`.
    #[schemars(with = "String")]
    pub(super) confirmation: Option<String>,
    /// The path below Microsoft Graph, for example `/me/messages`; `/v1.0` is put before it unless it names a version.
    #[schemars(with = "String")]
    pub(super) endpoint: Option<String>,
    /// The request's method.
    pub(super) method: Method,
    /// The request's body.
    #[schemars(with = "Map<String, Value>")]
    pub(super) body: Option<Value>,
    /// `graph`, and no other.
    #[schemars(with = "String")]
    pub(super) resource: Option<String>,
    /// Only what is called so: `session_start`, `authenticated`, `session_disconnected`.
    #[schemars(with = "String")]
    pub(super) event: Option<String>,
    /// So many at most.
    pub(super) limit: Limit,
}

/// How many events are listed.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct Limit(pub(super) u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// A method of Microsoft Graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub(super) enum Method {
    #[default]
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl OldArgs {
    /// The connection, by whichever name.
    pub(super) fn named(&self) -> Option<&str> {
        let named = [&self.connection, &self.connection_name, &self.tenant];
        let mut named = named.into_iter().flatten().map(String::as_str);
        named.find(|name| !name.is_empty())
    }
}
