//! One module per web API, as thin as it can be.

pub mod clock;
pub mod crypto;
pub mod events;
pub mod host;
pub mod http;
pub mod navigation;
pub mod random;
pub mod storage;

use wasm_bindgen::JsCast;

/// The page's window. The global object is taken as it is: in test environments it is no real `Window`, but has its
/// members.
fn window() -> web_sys::Window {
    js_sys::global().unchecked_into()
}
