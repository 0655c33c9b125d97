//! From written types to the compiled form: the only maker of [`script::Shell`](crate::script::Shell) and
//! [`script::Module`](crate::script::Module). Patterns and templates are checked here, because making them is the check;
//! every fault is reported, none hides the next.

mod command;
mod effects;
mod markers;
mod module;
mod needs;
mod quotes;
mod shell;
mod sign_in;
mod text;

pub(super) use module::{ShellFile, compile_module};
pub(super) use shell::compile_shell;
pub(super) use sign_in::{Rules, compile_include};
