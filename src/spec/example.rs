//! The example of each key: files that a test compiles, cut to pieces along the schema.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::parse::load;
use super::source::SourceFile;

/// The example files, by the kind of file that they are.
macro_rules! example {
    ($path:literal) => {
        ($path, include_str!(concat!("examples/", $path)))
    };
}

/// Modules.
pub(super) const MODULES: Files = &[example!("shop.yaml"), example!("notes.yaml")];
/// Shells.
pub(super) const SHELLS: Files = &[example!("shells/talk.yaml")];
/// Shared rules.
pub(super) const INCLUDES: Files = &[example!("include/house.yaml")];

/// Examples by the name of a schema's definition (empty for the whole file) and the key.
type Examples = BTreeMap<(String, String), Value>;

/// Files of one kind, by their paths.
type Files = &'static [(&'static str, &'static str)];

/// Writes into `schema`, a whole one, an example for each of its keys: out of `files`, which are of its kind, and for the
/// parts that it shares with other kinds out of theirs.
pub(super) fn add_examples(schema: &mut Value, files: Files, others: &[(Value, Files)]) {
    let mut found = Examples::new();
    read(schema, files, &mut found);
    for (schema, files) in others {
        let mut more = Examples::new();
        read(schema, files, &mut more);
        // A key of a whole file is that kind's own.
        more.retain(|(definition, _), _| !definition.is_empty());
        for (key, value) in more {
            found.entry(key).or_insert(value);
        }
    }
    let write = |definition: &str, part: &mut Value| {
        let keys = part.get_mut("properties").and_then(Value::as_object_mut);
        for (key, about) in keys.into_iter().flatten() {
            if let Some(example) = found.get(&(definition.to_owned(), key.clone())) {
                about["examples"] = Value::Array(vec![example.clone()]);
            }
        }
    };
    write("", schema);
    let definitions = schema.get_mut("definitions").and_then(Value::as_object_mut);
    for (name, definition) in definitions.into_iter().flatten() {
        write(name, definition);
    }
}

fn read(schema: &Value, files: Files, found: &mut Examples) {
    for (path, text) in files {
        let file = SourceFile::new(PathBuf::from(path), *text);
        let value: Value = load(&file).expect("a test reads every example");
        gather(schema, "", schema, &value, found);
    }
}

/// The definition that a key's schema comes to, with its name; `None` where it is no definition.
pub(super) fn definition<'s>(root: &'s Value, about: &'s Value) -> Option<(&'s str, &'s Value)> {
    if let Some(reference) = about.get("$ref").and_then(Value::as_str) {
        let name = reference.strip_prefix("#/definitions/")?;
        return Some((name, root.get("definitions")?.get(name)?));
    }
    let either = ["allOf", "anyOf"];
    let parts = either.iter().filter_map(|word| about.get(word)?.as_array());
    parts.flatten().find_map(|part| definition(root, part))
}

/// Notes every key of `value`, which `about` describes.
fn gather(root: &Value, name: &str, about: &Value, value: &Value, found: &mut Examples) {
    if let Some((name, about)) = definition(root, about) {
        return gather(root, name, about, value, found);
    }
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if let Some(about) = about["properties"].get(key) {
                    found
                        .entry((name.to_owned(), key.clone()))
                        .or_insert_with(|| value.clone());
                    gather(root, "", about, value, found);
                } else if let Some(about) = about.get("additionalProperties") {
                    gather(root, "", about, value, found);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                gather(root, "", &about["items"], item, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec::Catalog;

    /// The examples are a folder of modules like any other, and are judged as the daemon would.
    #[test]
    fn every_example_compiles() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/spec/examples");
        let catalog = Catalog::load(std::slice::from_ref(&folder));
        assert!(
            catalog.problems().iter().next().is_none(),
            "{:?}",
            catalog.problems()
        );
        for name in ["shop", "notes"] {
            let module = catalog.module(name);
            assert!(module.is_ok(), "{name}: {}", findings(&catalog));
        }
        assert!(catalog.shell("talk").is_ok(), "{}", findings(&catalog));
        let written = [MODULES, SHELLS, INCLUDES].concat();
        for (path, text) in written {
            let file = std::fs::read_to_string(folder.join(path)).expect("it is there");
            assert_eq!(file, text, "{path}");
        }
    }

    fn findings(catalog: &Catalog) -> String {
        let modules = catalog.modules().map(|one| one.findings.render(false));
        let shells = catalog.shells().map(|one| one.findings.render(false));
        modules.chain(shells).collect()
    }
}
