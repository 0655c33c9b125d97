//! What can be signed in to, as clients see it.

use serde::{Deserialize, Serialize};

use crate::name::{ConnectionName, ModuleName};

/// A connection that can be used. No application id and no secret is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) name: ConnectionName,
    /// The tenant's domain.
    pub(crate) tenant: String,
    #[serde(default)]
    pub(crate) tenant_id: Option<String>,
    /// The account that has to be the one signed in.
    #[serde(default)]
    pub(crate) expected_account: Option<String>,
    /// What a person wrote about it.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The only modules that may use it. Absent: any.
    #[serde(default)]
    pub(crate) modules: Option<Vec<ModuleName>>,
}

/// A module that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Module {
    pub(crate) name: ModuleName,
    #[serde(default)]
    pub(crate) title: String,
    /// Other names it answers to.
    #[serde(default)]
    pub(crate) aliases: Vec<ModuleName>,
    /// Whether it needs a sign-in at all.
    #[serde(default)]
    pub(crate) signs_in: bool,
}

/// `GET /v1/connections`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offers {
    /// In the file's order.
    pub(crate) connections: Vec<Connection>,
    /// Any of them may be used with any connection that does not name its own.
    #[serde(default)]
    pub(crate) modules: Vec<Module>,
    /// What is wrong with the connections file, its entries and the modules' files.
    #[serde(default)]
    pub(crate) troubles: Vec<String>,
}
