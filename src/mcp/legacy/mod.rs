//! The tools of the two programs that came before, under their old names and with their old texts, so that a configuration
//! that knows them changes one path. A failure is a text here, as it was then; what is enforced is enforced all the same.

mod args;
mod call;
mod graph;
mod list;
mod run;
mod session;
mod text;

pub(super) use call::call;
pub(crate) use list::Legacy;
pub(super) use list::OldTool;
