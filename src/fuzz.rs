//! What fuzzers throw bytes at: one function a target of `tests/fuzz`, each with an oracle of its own, so that what is wrong
//! without crashing is found too. Absent from the program: it is there for fuzzers and tests alone.

use std::sync::{Arc, LazyLock};

use crate::script::Shell;
use crate::spec::Catalog;

mod asciicast;
mod commands;
mod escapes;
mod machine;
mod patterns;
mod records;
mod requests;
#[cfg(test)]
mod tests;
mod yaml;

pub use asciicast::asciicast;
pub use commands::commands;
pub use escapes::escapes;
pub use machine::machine;
pub use patterns::patterns;
pub use records::records;
pub use requests::requests;
pub use yaml::yaml;

/// What the markers of the first run are made with.
const NONCE: &str = "00112233445566aa";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load(&[]));
static PWSH: LazyLock<Arc<Shell>> = LazyLock::new(|| shell("pwsh"));
static BASH: LazyLock<Arc<Shell>> = LazyLock::new(|| shell("bash"));

fn shell(name: &str) -> Arc<Shell> {
    CATALOG.shell(name).expect("it is part of the program")
}

/// Some bytes, and the pieces that they come in: a first byte says how many lengths follow it (at most fifteen), and they
/// are gone through again and again. Without any, each byte comes alone.
fn cut(data: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let Some((count, rest)) = data.split_first() else {
        return (data, Vec::new());
    };
    let (lengths, whole) = rest.split_at((usize::from(*count) % 16).min(rest.len()));
    let mut lengths = lengths.iter().cycle();
    let (mut pieces, mut left) = (Vec::new(), whole);
    while !left.is_empty() {
        let length = lengths.next().map_or(1, |length| usize::from(*length) + 1);
        let (piece, after) = left.split_at(length.min(left.len()));
        pieces.push(piece);
        left = after;
    }
    (whole, pieces)
}
