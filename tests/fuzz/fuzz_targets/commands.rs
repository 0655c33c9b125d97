//! See `src/fuzz/commands.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::commands(data));
