//! JSON Schemas as every client takes them: no formats that only Rust knows, no defaults that are null, no titles.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde_json::Value;

/// The schema of `T`, an object. It stands by itself: no references.
pub(super) fn of<T: JsonSchema>() -> Arc<JsonObject> {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    trim(&mut schema);
    // The struct's comment is for people who read the source; the tool has a description of its own.
    let Value::Object(mut object) = schema else {
        unreachable!("arguments are a struct");
    };
    object.remove("description");
    // A struct without fields has none, and some clients want the key.
    object
        .entry("properties")
        .or_insert_with(|| Value::Object(JsonObject::new()));
    Arc::new(object)
}

fn trim(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    object.remove("title");
    object.remove("format");
    if object
        .get("default")
        .is_some_and(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
    {
        object.remove("default");
    }
    for key in ["properties", "items"] {
        match object.get_mut(key) {
            Some(Value::Object(inner)) if key == "properties" => {
                inner.values_mut().for_each(trim);
            }
            Some(inner) => trim(inner),
            None => {}
        }
    }
}
