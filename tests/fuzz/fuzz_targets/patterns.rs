//! See `src/fuzz/patterns.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::patterns(data));
