//! See `src/token_answer.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classlink_spa_fuzz::token_answer::run(data));
