//! Which modules a connection can use, and what is missing for the others.

use serde_json::{Value, json};

use crate::connection::Connection;
use crate::daemon::missing_keys;
use crate::script::{Module, WayIn};

/// A module as a connection can use it.
pub(super) struct Use<'m> {
    module: &'m Module,
    /// Whether the connection's `mcps` let it; only where they count.
    is_allowed: bool,
    /// The ways in, each with the keys that it still needs; the one that would be taken is the first.
    ways: Vec<(&'m WayIn, Vec<&'static str>)>,
}

impl<'m> Use<'m> {
    /// `enforces_mcps` is whether the connection is only for what its `mcps` name.
    pub(super) fn of(connection: &Connection, module: &'m Module, enforces_mcps: bool) -> Self {
        let is_allowed = !enforces_mcps || connection.is_for(module);
        let Some(rules) = &module.sign_in else {
            return Self {
                module,
                is_allowed,
                ways: Vec::new(),
            };
        };
        let chosen = rules.way(connection.way(&module.name));
        let is_chosen = |way: &WayIn| chosen.is_some_and(|chosen| chosen.name == way.name);
        let mut ways: Vec<_> = rules
            .ways
            .iter()
            .map(|way| (way, missing_keys(module, rules, way, connection)))
            .collect();
        // Stable: the others stay in the module's order.
        ways.sort_by_key(|(way, _)| !is_chosen(way));
        Self {
            module,
            is_allowed,
            ways,
        }
    }

    /// What the way in that would be taken still needs.
    fn missing(&self) -> &[&'static str] {
        self.ways.first().map_or(&[], |(_, keys)| keys)
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        let name = self.module.name.as_str();
        if !self.is_allowed {
            return format!("  {name:<14} may not be used: `mcps` does not name it");
        }
        let Some((first, missing)) = self.ways.first() else {
            return format!("  {name:<14} can be used; it needs no sign-in");
        };
        let state = if missing.is_empty() {
            format!("can be used, by {}", words(first))
        } else {
            format!("needs `{}` for {}", missing.join("` and `"), words(first))
        };
        let others: Vec<String> = self.ways[1..]
            .iter()
            .filter(|(_, keys)| keys.is_empty())
            .map(|(way, _)| words(way))
            .collect();
        if others.is_empty() {
            format!("  {name:<14} {state}")
        } else {
            format!("  {name:<14} {state}; also by {}", others.join(", "))
        }
    }

    /// For programs, by the module's name.
    pub(super) fn report(&self, connection: &Connection) -> (String, Value) {
        let ways: Vec<Value> = self
            .ways
            .iter()
            .map(|(way, keys)| json!({ "way": way.name, "missing": keys }))
            .collect();
        let way = connection.way(&self.module.name);
        let report = json!({
            "allowed": self.is_allowed, "missing": self.missing(), "ways": ways,
            "unattended": self.module.comes_back_without_a_person(way),
        });
        (self.module.name.to_string(), report)
    }
}

/// A way in, for people.
fn words(way: &WayIn) -> String {
    way.name.replace('_', " ")
}
