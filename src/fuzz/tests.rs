//! Every input that a fuzzer begins with, and every one that it found, through its target.

use std::path::Path;

use proptest::prelude::*;

/// A target's name, and the target.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("asciicast", super::asciicast),
    ("commands", super::commands),
    ("escapes", super::escapes),
    ("machine", super::machine),
    ("patterns", super::patterns),
    ("records", super::records),
    ("requests", super::requests),
    ("yaml", super::yaml),
];

/// What programs and files say that is hard to guess.
const WORDS: [&[u8]; 16] = [
    b"<<mm:begin:00112233445566aa>>\r\n",
    b"<<mm:out:00112233445566aa>>\r\n",
    b"<<mm:end:00112233445566aa:ok::>>\r\n",
    b"<<mm:end:00112233445566aa:failed:-1:e30=>>",
    b"<<mm:o:00112233445566aa>>[1]\n",
    b"<<mm:begin:NONCE>>\r\n",
    b"<<mm:end:NONCE:ok::>>\r\n",
    b"<<mm:",
    b"00112233445566aa",
    b"\r\n",
    b"\x1b[6n",
    b"\x1b]0;title",
    b"\x1bP",
    b"Name: ",
    b"enter the code ABCDEFGHJ to authenticate.",
    b"a+b|c\n\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_input_is_sound(
        first in any::<u8>(),
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&WORDS[..]).prop_map(<[u8]>::to_vec),
                prop::collection::vec(any::<u8>(), 0..8),
            ],
            0..24,
        ),
    ) {
        let data = [vec![first], parts.concat()].concat();
        for (_, target) in TARGETS {
            target(&data);
        }
    }
}

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
