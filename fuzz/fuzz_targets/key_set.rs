//! See `src/key_set.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classlink_spa_fuzz::key_set::run(data));
