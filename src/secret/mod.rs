//! Secrets: the text itself, which never shows itself, and where such a text comes from. What is written down, in a file or
//! a request, is only ever a reference; nothing here opens what a reference names.

mod reference;
mod text;

pub(crate) use reference::Reference;
pub(crate) use text::Secret;
