//! See `src/fuzz/requests.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::requests(data));
