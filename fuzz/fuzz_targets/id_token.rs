//! See `src/id_token.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classlink_spa_fuzz::id_token::run(data));
