//! The written form of modules and shells: from a file in `modules.d/` to a [`script::Module`](crate::script::Module).
//!
//! A file is loaded ([`source`]), parsed ([`parse`], into [`model`]), validated ([`validate`]) and compiled ([`compile`]);
//! [`catalog`] does that for folders of them. Whatever is wrong becomes a finding that points at its place.
//! Nothing here runs anything.

mod builtin;
mod catalog;
mod check;
mod compile;
mod diagnostic;
mod example;
mod explain;
mod folder;
mod keys;
mod library;
mod lookup;
mod model;
mod parse;
mod parts;
mod schema;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod validate;
mod value;

pub(crate) use builtin::guide;
pub(crate) use catalog::{Catalog, Listing};
#[cfg(any(fuzzing, test))]
pub(crate) use check::check_text;
pub(crate) use check::{Subject, check_file};
pub(crate) use diagnostic::{DiagnosticJson, Diagnostics};
pub(crate) use explain::explain;
pub(crate) use keys::{Key, keys};
pub(crate) use lookup::CatalogError;
pub(crate) use parse::load;
pub(crate) use schema::{include_schema, module_schema, schema, shell_schema};
pub(crate) use source::{Origin, SourceFile};
pub(crate) use value::Interval;
