//! See `src/jws.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classlink_spa_fuzz::jws::run(data));
