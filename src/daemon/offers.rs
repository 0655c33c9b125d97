//! [`OffersView`]: what can be signed in to, and with what. It shows names and descriptions, never an application's id.

use crate::connection::{Connection, Registry, RegistryError};
use crate::name::{ConnectionName, ModuleName};
use crate::redact::mask;
use crate::script::Module;
use crate::spec::Catalog;

/// All connections and modules, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct OffersView {
    pub(crate) connections: Vec<ConnectionView>,
    pub(crate) modules: Vec<ModuleView>,
    /// What is wrong with the connections file and its entries, and with the modules' files.
    pub(crate) troubles: Vec<String>,
}

/// A connection that can be used.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionView {
    pub(crate) name: ConnectionName,
    /// The tenant's domain.
    pub(crate) tenant: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) expected_account: Option<String>,
    /// What a person wrote about it.
    pub(crate) description: Option<String>,
    /// The only modules that may use it. `None`: any.
    pub(crate) modules: Option<Vec<ModuleName>>,
}

/// A module that can be used.
#[derive(Debug, Clone)]
pub(crate) struct ModuleView {
    pub(crate) name: ModuleName,
    pub(crate) title: String,
    /// Other names it answers to.
    pub(crate) aliases: Vec<ModuleName>,
    /// Whether it needs a sign-in at all.
    pub(crate) signs_in: bool,
}

impl OffersView {
    /// `trouble` is why the connections file could not be read again; `enforces_mcps` is whether a connection is only for
    /// what its `mcps` name.
    pub(super) fn new(
        connections: &Registry,
        trouble: Option<&RegistryError>,
        catalog: &Catalog,
        enforces_mcps: bool,
    ) -> Self {
        let mut troubles: Vec<String> = trouble.map(ToString::to_string).into_iter().collect();
        // Without the name before it: an entry's fault says its own path.
        troubles.extend(connections.faults().map(|(_, error)| error.to_string()));
        let mut modules = Vec::new();
        for listing in catalog.modules() {
            match listing.value {
                Some(module) => modules.push(ModuleView::from(&**module)),
                None => troubles.push(format!(
                    "the module `{}` cannot be used; `mm modules check` says why",
                    listing.name
                )),
            }
        }
        let only = |connection: &Connection| {
            let usable = catalog.modules().filter_map(|listing| listing.value);
            let its = usable.filter(|module| connection.is_for(module));
            its.map(|module| module.name.clone()).collect()
        };
        Self {
            connections: connections
                .connections()
                .map(|one| ConnectionView {
                    modules: enforces_mcps.then(|| only(one)),
                    ..ConnectionView::from(one)
                })
                .collect(),
            modules,
            troubles,
        }
    }
}

impl From<&Connection> for ConnectionView {
    fn from(connection: &Connection) -> Self {
        Self {
            name: connection.name().clone(),
            tenant: connection.tenant().to_owned(),
            tenant_id: connection.expected_tenant_id().map(str::to_owned),
            expected_account: connection.expected_email().map(str::to_owned),
            description: connection.description().map(|text| mask(text).into()),
            modules: None,
        }
    }
}

impl From<&Module> for ModuleView {
    fn from(module: &Module) -> Self {
        Self {
            name: module.name.clone(),
            title: module.title.clone(),
            aliases: module.aliases.clone(),
            signs_in: module.sign_in.is_some(),
        }
    }
}
