//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns milliseconds since 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns seconds since 1970.
#[must_use]
pub fn now_secs() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

/// The largest integer that JavaScript writes exactly.
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// Returns the instant that lies so many seconds after another, which JavaScript can write.
#[must_use]
pub fn after(now: i64, seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let seconds = seconds as i64;
    now.saturating_add(seconds).min(MAX_SAFE_INTEGER)
}
