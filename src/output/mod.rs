//! A run's kept output: memory, then a file, bounded, read by offset. Readers never block the writer, and nothing here
//! knows what the bytes mean.

mod kept;
mod layout;
mod page;

pub(crate) use kept::{Follower, Kept, Limits};
pub(crate) use page::read_file;
