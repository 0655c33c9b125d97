//! See `src/fuzz/yaml.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mm::fuzz::yaml(data));
