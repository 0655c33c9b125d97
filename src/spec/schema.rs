//! The JSON Schemas of the written form: what an editor needs to complete and check a file while it is written.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::example::{self, add_examples};
use super::model::{IncludeSpec, ModuleSpec, ShellSpec};

/// The schema of a file of `modules.d/`.
pub(crate) fn module_schema() -> Value {
    let mut schema = schema::<ModuleSpec>("A module of mm");
    let shell = (self::schema::<ShellSpec>(""), example::SHELLS);
    add_examples(&mut schema, example::MODULES, &[shell]);
    schema
}

/// The schema of a file of `modules.d/shells/`.
pub(crate) fn shell_schema() -> Value {
    let mut schema = schema::<ShellSpec>("A shell of mm");
    let module = (self::schema::<ModuleSpec>(""), example::MODULES);
    add_examples(&mut schema, example::SHELLS, &[module]);
    schema
}

/// The schema of a file of `modules.d/include/`.
pub(crate) fn include_schema() -> Value {
    let mut schema = schema::<IncludeSpec>("Shared rules of mm");
    let module = (self::schema::<ModuleSpec>(""), example::MODULES);
    add_examples(&mut schema, example::INCLUDES, &[module]);
    schema
}

/// The schema of a file that is read with [`load`](super::load), without examples.
pub(crate) fn schema<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `look` for every schema of an object's keys.
    fn each_key(schema: &Value, look: &mut impl FnMut(&str, &Value)) {
        if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
            keys.iter().for_each(|(key, value)| look(key, value));
        }
        let inner = schema
            .as_object()
            .into_iter()
            .flat_map(|object| object.values());
        let listed = schema.as_array().into_iter().flatten();
        inner.chain(listed).for_each(|value| each_key(value, look));
    }

    #[test]
    fn every_key_is_described_and_shown() {
        for schema in [module_schema(), shell_schema(), include_schema()] {
            let mut keys = 0;
            each_key(&schema, &mut |key, value| {
                keys += 1;
                assert!(
                    value.get("description").is_some(),
                    "`{key}` has no description: {value}"
                );
                assert!(
                    value.get("examples").is_some(),
                    "`{key}` stands in no file of `src/spec/examples`: {value}"
                );
            });
            assert!(keys > 5, "{schema}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_the_schema_too() {
        let schema = module_schema();
        assert_eq!(schema["additionalProperties"], Value::Bool(false));
        assert_eq!(
            schema["required"],
            serde_json::json!(["module", "title", "shell"])
        );
        let mut written: Vec<&str> = include_str!("../../modules.d/exo.yaml")
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, _)| key)
            .filter(|key| key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.contains(' '))
            .collect();
        written.retain(|key| schema["properties"].get(*key).is_none());
        assert!(written.is_empty(), "{written:?}");
    }
}
