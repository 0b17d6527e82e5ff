//! A simulated world for the machine: tabs, a gateway behind a cookie jar, a provider, channels, locks and users, in
//! which every order of events can be played. Deterministic: a schedule says what happens, and a seed makes a schedule.

#![expect(
    clippy::cast_possible_truncation,
    clippy::struct_excessive_bools,
    clippy::needless_for_each,
    reason = "a small world"
)]

mod browser;
mod gateway;
mod rules;
mod runs;
mod schedules;
mod tab;
mod world;
