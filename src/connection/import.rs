//! What other programs know of tenants, as entries of the file: the session manager's aliases (`TENANT_ALIASES`) and its
//! mapping of tenants to hosts (`SHAREPOINT_TENANTS`), which stand as literals in a Python file or as objects in JSON.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::edit::Editor;
use super::error::EditError;
use crate::name::ConnectionName;

/// What was found in such a file, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Import {
    /// Alias and domain.
    aliases: Vec<(String, String)>,
    /// Domain and first label of its `sharepoint.com` host.
    hosts: Vec<(String, String)>,
}

/// What one tenant came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Imported {
    /// A new entry.
    Added(ConnectionName),
    /// An entry that was there learnt its `sharepoint_host`.
    Host(ConnectionName),
    /// Nothing was done.
    Left {
        /// The alias or domain.
        what: String,
        /// Why.
        why: String,
    },
}

impl Import {
    /// Finds both tables in the text. `None` where there is neither.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let import = Self {
            aliases: table(text, "TENANT_ALIASES"),
            hosts: table(text, "SHAREPOINT_TENANTS"),
        };
        (import != Self::default()).then_some(import)
    }

    /// Puts it into the file that `editor` holds: an entry for each alias that is not there yet, and for each domain of the
    /// mapping that no entry has; a host where an entry of that domain has none. Entries that are there are otherwise left as
    /// they are.
    pub(crate) fn apply(&self, editor: &mut Editor) -> Result<Vec<Imported>, EditError> {
        let mut done = Vec::new();
        for (alias, domain) in &self.aliases {
            done.push(add(editor, alias, domain)?);
        }
        for (domain, host) in &self.hosts {
            let mut names = editor.of_tenant(domain)?;
            if names.is_empty() {
                let added = add(editor, domain, domain)?;
                let Imported::Added(name) = &added else {
                    done.push(added);
                    continue;
                };
                names.push(name.clone());
                done.push(added);
            }
            for name in names {
                if editor.has(&name, "sharepoint_host")? {
                    continue;
                }
                editor.set(&name, "sharepoint_host", Some(json!(host)))?;
                if !done.contains(&Imported::Added(name.clone())) {
                    done.push(Imported::Host(name));
                }
            }
        }
        Ok(done)
    }
}

fn add(editor: &mut Editor, name: &str, domain: &str) -> Result<Imported, EditError> {
    let left = |why: String| Imported::Left {
        what: name.to_owned(),
        why,
    };
    let parsed: ConnectionName = match name.parse() {
        Ok(parsed) => parsed,
        Err(error) => return Ok(left(error.to_string())),
    };
    let entry = Map::from_iter([
        ("tenant".to_owned(), json!(domain)),
        ("mcps".to_owned(), Value::from(vec!["mm"])),
    ]);
    match editor.add(&parsed, entry) {
        Ok(()) => Ok(Imported::Added(parsed)),
        Err(EditError::Taken { .. }) => Ok(left("there is such a connection already".to_owned())),
        Err(error) => Err(error),
    }
}

/// The pairs of quoted texts between the braces behind `name`.
fn table(text: &str, name: &str) -> Vec<(String, String)> {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"["']([^"'\\\n]+)["']\s*:\s*["']([^"'\\\n]+)["']"#)
            .expect("the pattern is sound")
    });
    static COMMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)(^|\s)#[^\n]*").expect("the pattern is sound"));
    let Some(begin) = text.match_indices(name).find_map(|(at, _)| {
        let after = text[at + name.len()..].trim_start_matches(['"', '\'']);
        let after = after.trim_start().strip_prefix(['=', ':'])?;
        // What stands between is nothing, or a type: `: dict[str, str] =`.
        let (between, inside) = after.split_once('{')?;
        let is_type = |c: char| c.is_alphanumeric() || " [],=".contains(c);
        between.chars().all(is_type).then_some(inside)
    }) else {
        return Vec::new();
    };
    let inside = begin.split('}').next().unwrap_or_default();
    let inside = COMMENT.replace_all(inside, "");
    PAIR.captures_iter(&inside)
        .map(|pair| (pair[1].to_owned(), pair[2].to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &str = r#"
TENANT_ALIASES = {
    "fabrikam": "fabrikam.com",   # the main one
    # "old": "old.example.org",
    'personal': 'ada.example.org',
}

# Maps tenant domain -> SharePoint tenant prefix
SHAREPOINT_TENANTS = {"fabrikam.com": "fabrikamllc", "contoso.com": "contosollc"}

def sharepoint(tenant): return SHAREPOINT_TENANTS.get(tenant)
"#;

    #[test]
    fn both_tables_are_found_in_python_and_in_json() {
        let import = Import::read(PYTHON).expect("both are there");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            import.aliases,
            [
                pair("fabrikam", "fabrikam.com"),
                pair("personal", "ada.example.org")
            ]
        );
        assert_eq!(
            import.hosts,
            [
                pair("fabrikam.com", "fabrikamllc"),
                pair("contoso.com", "contosollc")
            ]
        );
        let json = r#"{"TENANT_ALIASES": {"fabrikam": "fabrikam.com"}}"#;
        let import = Import::read(json).expect("one is there");
        assert_eq!(import.aliases, [pair("fabrikam", "fabrikam.com")]);
        let typed = "TENANT_ALIASES: dict[str, str] = {'fabrikam': 'fabrikam.com'}";
        let import = Import::read(typed).expect("one is there");
        assert_eq!(import.aliases, [pair("fabrikam", "fabrikam.com")]);
        assert_eq!(Import::read("x = {'a': 'b'}"), None);
    }

    #[test]
    fn entries_that_are_there_only_learn_their_host() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("c.json");
        let before = json!({"connections": {
            "Contoso": {"tenant": "contoso.com", "notes": 1},
            "personal": {"tenant": "else.example.org"},
        }});
        std::fs::write(&path, before.to_string()).expect("it can be written");
        let mut editor = Editor::open(&path).expect("it is sound");
        let done = Import::read(PYTHON)
            .expect("both are there")
            .apply(&mut editor)
            .expect("it can be applied");
        let name = |name: &str| -> ConnectionName { name.parse().expect("a name") };
        assert_eq!(done[0], Imported::Added(name("fabrikam")));
        assert!(matches!(&done[1], Imported::Left { what, .. } if what == "personal"));
        assert_eq!(done[2..], [Imported::Host(name("Contoso"))]);
        editor
            .save_all(&[name("fabrikam"), name("Contoso")])
            .expect("it can be written");
        let after: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("it is there")).expect("JSON");
        assert_eq!(
            after["connections"],
            json!({
                "Contoso": {"tenant": "contoso.com", "notes": 1, "sharepoint_host": "contosollc"},
                "personal": {"tenant": "else.example.org"},
                "fabrikam": {"tenant": "fabrikam.com", "mcps": ["mm"], "sharepoint_host": "fabrikamllc"},
            })
        );
    }
}
