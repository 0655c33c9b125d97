//! Every input that a fuzzer begins with, and every one that it found, through its target.

use std::path::Path;

/// A target's name, and the target.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 7] = [
    ("asciicast", super::asciicast),
    ("escapes", super::escapes),
    ("machine", super::machine),
    ("patterns", super::patterns),
    ("records", super::records),
    ("requests", super::requests),
    ("yaml", super::yaml),
];

#[test]
fn what_fuzzers_begin_with_and_found_is_sound() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/fuzz")
            .join(name);
        let mut inputs: Vec<_> = std::fs::read_dir(&folder)
            .expect("each target has its folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name}");
        for input in inputs {
            let bytes = std::fs::read(&input).expect("it can be read");
            // The name of the input that fails.
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{}", input.display());
        }
    }
}
