//! What must not be in a recording leaves it here, on the way to the file. Frames, reports and records are decoded,
//! redacted and encoded again, also where events split them, so that a redacted recording plays like its original:
//! the same events, markers, nonces and states. Nonces stay: they bind frames to markers and open nothing.

mod finding;
mod redactor;
mod segments;
mod stream;
mod text;

pub(crate) use finding::looks_secret;
pub(crate) use redactor::{Known, Redactor};

#[cfg(test)]
pub(super) mod tests;
