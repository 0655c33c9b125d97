//! What a terminal said and was told, in order and with times: asciicast v2, in and out. What is written is redacted on
//! the way; there is no writer without a [`Redactor`]. It knows the frames and markers of the session protocol as far as
//! their encodings hide text, and nothing of what they do.

mod event;
mod read;
mod redact;
mod write;

pub(crate) use event::{EventKind, Header, Recording};
pub(crate) use redact::{Known, Redactor, looks_secret};
pub(crate) use write::{Existing, WriteError, Writer};
