//! Sign-in with `ClassLink` for single-page apps, compiled to WebAssembly.
//!
//! Imports run downward only: [`bindings`] face JavaScript, [`client`] is one application's sign-in from start to end,
//! [`protocol`] decides and [`browser`] does.

pub mod bindings;
pub mod browser;
pub mod client;
pub mod config;
pub mod error;
pub mod host;
pub mod protocol;
pub mod session;

/// A smaller allocator than the standard library's, which wipes whatever is freed: tokens pass through buffers, strings
/// and JSON on their way, and none of those is left behind.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<talc::wasm::WasmDynamicTalc> =
    zeroizing_alloc::ZeroAlloc(talc::wasm::new_wasm_dynamic_allocator());
