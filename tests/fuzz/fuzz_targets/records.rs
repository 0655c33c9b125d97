//! See `src/fuzz/records.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::records(data));
