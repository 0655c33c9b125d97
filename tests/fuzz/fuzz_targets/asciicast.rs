//! See `src/fuzz/asciicast.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::asciicast(data));
