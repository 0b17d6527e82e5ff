//! See `src/gateway.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| classlink_spa_fuzz::gateway::run(data));
