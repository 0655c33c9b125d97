//! `mcps`: which tools an entry is for, by the names that people have in their files. Whether it is heeded is somebody
//! else's business.

use super::entry::Connection;
use crate::script::Module;

/// Names that stand for every module: this program's own, and the server's that it replaces.
const FOR_ALL: [&str; 2] = ["mm", "pwsh-manager"];

/// Names of older servers, and the modules that do here what they did. Every other name is a module's own; a server whose
/// work no module does alone, such as `onenote`, opens none.
const OLDER: [(&str, &[&str]); 3] = [
    ("pnp-m365", &["pnp", "m365"]),
    ("microsoft-graph", &["graph"]),
    ("pp-admin", &["powerplatform"]),
];

impl Connection {
    /// Whether its `mcps` names something that this module is. An entry without the key names nothing.
    pub(crate) fn is_for(&self, module: &Module) -> bool {
        let is_module = |name: &str| {
            module.name.as_str() == name
                || module.aliases.iter().any(|alias| alias.as_str() == name)
        };
        self.mcps().iter().any(|word| {
            let word = word.trim().to_lowercase();
            let older = OLDER.iter().find(|(name, _)| *name == word);
            FOR_ALL.contains(&word.as_str())
                || is_module(&word)
                || older.is_some_and(|(_, modules)| modules.contains(&module.name.as_str()))
        })
    }

    /// Why its `mcps` keep `module` away, for people.
    pub(crate) fn why_not_for(&self, module: &Module) -> String {
        let says = match self.mcps() {
            [] => "its entry has no `mcps`".to_owned(),
            words => format!("its `mcps` are only `{}`", words.join("`, `")),
        };
        format!(
            "the connection `{}` may not be used with `{}`: {says}",
            self.name(),
            module.name
        )
    }

    /// How to let `module` use it.
    pub(crate) fn how_to_open_for(&self, module: &Module) -> String {
        let mut words: Vec<&str> = self.mcps().iter().map(String::as_str).collect();
        words.push(module.name.as_str());
        let list = serde_json::to_string(&words).expect("texts are JSON");
        format!(
            "name it, or `mm` for every module: mm connections edit '{}' mcps '{list}'; \
             `enforce_mcps` in config.yaml is what makes it count",
            self.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::spec::Catalog;

    fn open(mcps: Value) -> Vec<&'static str> {
        let entry = json!({"tenant": "contoso.com", "mcps": mcps});
        let name = "Contoso".parse().expect("it is a name");
        let connection = Connection::read(name, entry, &Arc::default()).expect("it is well formed");
        let catalog = Catalog::load(&[]);
        let is_for = |name: &&str| {
            let module = catalog.module(name).expect("it is built in");
            connection.is_for(&module)
        };
        let mut names = vec!["exo", "graph", "m365", "pnp", "powerplatform"];
        names.retain(is_for);
        names
    }

    #[test]
    fn a_name_opens_what_it_stands_for() {
        let all = ["exo", "graph", "m365", "pnp", "powerplatform"];
        assert_eq!(open(json!(["mm"])), all);
        assert_eq!(open(json!(["x", " PWSH-Manager "])), all);
        assert_eq!(open(json!(["pnp-m365"])), ["m365", "pnp"]);
        assert_eq!(open(json!(["microsoft-graph", "exo"])), ["exo", "graph"]);
        assert_eq!(open(json!(["pp-admin"])), ["powerplatform"]);
        for nothing in [json!(null), json!([]), json!(["onenote"])] {
            assert_eq!(open(nothing), [""; 0]);
        }
    }
}
