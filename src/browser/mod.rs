//! One module per web API, each as thin as it can be. They decide nothing: [`crate::protocol`] does.

pub mod clock;
pub mod crypto;
pub mod http;
pub mod navigation;
pub mod random;
pub mod storage;
pub mod task;

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Window;

#[wasm_bindgen]
extern "C" {
    /// The global object, without a check that it is a `Window`: in test environments it only has the same members.
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static WINDOW: Window;
}

fn window() -> Window {
    WINDOW.with(Clone::clone)
}

/// Reads a property of an object; `undefined` if there is none.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Sets a property of an object that was made here.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // It cannot fail: no such object is frozen, and none has setters.
    let _ = Reflect::set(object, &name.into(), value);
}

/// Makes an object of these properties, without those that are `undefined`.
pub fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in members {
        if !value.is_undefined() {
            set(&object, name, value);
        }
    }
    object
}
