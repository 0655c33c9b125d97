//! See `src/fuzz/escapes.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::escapes(data));
