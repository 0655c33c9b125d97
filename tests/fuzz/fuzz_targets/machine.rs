//! See `src/fuzz/machine.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::machine(data));
