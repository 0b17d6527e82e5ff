//! Hostile input: a target for every parser of text that comes from outside. Each takes any bytes whatever, and panics
//! if what came of them breaks a rule of the norm, or differs from what an independent library makes of them.
//!
//! `npm run test:fuzz` looks for such bytes; `cargo test` replays those that were found worth keeping. `docs/fuzzing.md` says
//! what each target holds.
#![forbid(unsafe_code)]

pub mod callback;
pub mod form;
pub mod gateway;
pub mod id_token;
pub mod json;
pub mod jws;
pub mod key_set;
mod login;
pub mod metadata;
pub mod pending_login;
pub mod profile;
mod reading;
pub mod server;
pub mod token_answer;
pub mod url;

/// The keys that the crate's own tests sign with, and `aws-lc-rs` in place of Web Crypto.
#[expect(dead_code, reason = "the tests need more of them")]
#[path = "../../src/protocol/id_token/tests/keys.rs"]
mod keys;
// What they call the crate.
use classlink_spa::protocol;

/// Takes any bytes whatever.
pub type Run = fn(&[u8]);

/// Every target, by the name of its folder in `corpus`.
pub const TARGETS: [(&str, Run); 21] = [
    ("callback", callback::run),
    ("form", form::run),
    ("gateway", gateway::run),
    ("id_token", id_token::run),
    ("json", json::run),
    ("jws", jws::run),
    ("key_set", key_set::run),
    ("metadata", metadata::run),
    ("pending_login", pending_login::run),
    ("profile", profile::run),
    ("server_assertion", server::assertion::run),
    ("server_configuration", server::configuration::run),
    ("server_cookies", server::cookies::run),
    ("server_device", server::device::run),
    ("server_form", server::form::run),
    ("server_logout", server::logout::run),
    ("server_provider", server::provider::run),
    ("server_request", server::request::run),
    ("server_session", server::session::run),
    ("token_answer", token_answer::run),
    ("url", url::run),
];
