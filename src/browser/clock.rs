//! The device's clocks (`Date`, `performance.now`), and the server's from an HTTP response.

use super::window;

use crate::protocol::ascii;

/// Returns the device's time, in seconds since 1970.
#[must_use]
pub fn now_secs() -> f64 {
    now_ms() / 1000.0
}

/// Returns seconds on a clock that nothing sets, since an arbitrary instant. It may stop while the device sleeps.
#[must_use]
pub fn monotonic_secs() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now() / 1000.0)
}

/// Returns the time of an HTTP response, in seconds since 1970: its `Date` plus its `Age` in a cache (RFC 9110, 6.6.1;
/// RFC 9111, 5.1).
#[must_use]
pub fn server_time(date: &str, age: Option<&str>) -> Option<f64> {
    let date = js_sys::Date::parse(date) / 1000.0;
    let age = age.and_then(|age| ascii::parse_u32(age.as_bytes())).map_or(0.0, f64::from);
    date.is_finite().then_some(date + age)
}

/// Returns the device's time, in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// Returns the device's time, in whole seconds since 1970.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, in 2106")]
pub fn now_whole_secs() -> u32 {
    now_secs() as u32
}
