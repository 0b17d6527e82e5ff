//! Sign-in with `ClassLink` for single-page apps: an `OpenID` Connect client for browsers, compiled to WebAssembly.
//!
//! The npm package `classlink-spa` is this crate behind a façade in TypeScript. The crate is not published by itself;
//! its documentation is for maintainers.
//!
//! # Contents
//!
//! | module | what it has |
//! |---|---|
//! | [`protocol`] | OAuth 2.0 and `OpenID` Connect as pure functions: requests, responses, ID token validation, the user |
//! | [`session`] | who is signed in, as a pure state machine: calls, operations, limits, other tabs |
//! | [`browser`] | one module per web API: `fetch`, `sessionStorage`, Web Crypto, clocks, promises |
//! | [`driver`] | runs the effects of the session, one operation per module: login, callback, restore, renewal, logout |
//! | [`config`], [`error`] | the application's configuration, and the errors that it sees |
//! | [`bindings`], [`host`] | the calls from JavaScript, and the calls to JavaScript |
//!
//! Imports run downward only: bindings, driver, then session and browser, then protocol. `tests/lint/architecture.test.mjs`
//! checks it.
//!
//! # The flow
//!
//! 1. [`protocol::authorization`] builds the request, with PKCE and a nonce derived from the code verifier;
//!    [`protocol::pending`] is stored under its state, and the page leaves.
//! 2. [`protocol::callback`] parses the URL that the page comes back with. It is validated against the pending login
//!    before that is removed.
//! 3. [`protocol::token`] builds the token request and parses its response, while [`protocol::jwks`] arrives.
//! 4. [`protocol::jws`] and [`protocol::id_token`] validate the ID token in stages. Only the last one makes a
//!    [`VerifiedIdToken`](protocol::id_token::VerifiedIdToken), and only from that [`protocol::user`] makes a
//!    [`User`](protocol::user::User).
//! 5. [`session::machine`] decides what becomes of it; [`session::lifetime`] when tokens are renewed and when the session ends.
//!
//! # Features
//!
//! `browser`, a default, has what needs a browser: all but [`error`], [`protocol`] and [`session`]. `gateway` adds what only
//! the native gateway server (`gateway/`) asks of [`protocol`].
//!
//! # What is never done
//!
//! - No `unsafe`, and no panic that input can reach: `unwrap`, `expect`, indexing and slicing are denied outside tests.
//! - No token, code, verifier, name or claim in storage, logs, events, error messages or `Debug` output. The exceptions
//!   are the pending login's verifier, which the token request needs, and
//!   [`ProviderError`](error::ProviderError), which is not enumerable for JavaScript.
//! - No code is exchanged without the `state` of a login of this tab, and none is sent twice.
//! - No ID token is used before its signature, claims and times are validated, whatever its source.
//! - No request goes to a URL that is not [potentially trustworthy](protocol::url::is_potentially_trustworthy), and none
//!   follows a redirect.
//! - No cell is borrowed across an await.

#[cfg(feature = "benchmark")]
pub mod benchmark;
#[cfg(feature = "browser")]
pub mod bindings;
#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "browser")]
pub mod config;
#[cfg(feature = "browser")]
pub mod driver;
pub mod error;
#[cfg(feature = "browser")]
pub mod host;
pub mod protocol;
pub mod session;

/// The allocator: smaller than the standard library's, and it wipes all freed memory, since tokens pass through buffers,
/// strings and JSON.
///
/// Saves 6.7 KB of WebAssembly against the standard library's.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<talc::wasm::WasmDynamicTalc> =
    zeroizing_alloc::ZeroAlloc(talc::wasm::new_wasm_dynamic_allocator());
