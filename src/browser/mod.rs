//! One module per web API, as thin as it can be.

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
    /// The page's window. The global object is taken as it is: in test environments it is no real `Window`, but has
    /// its members.
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static WINDOW: Window;
}

fn window() -> Window {
    WINDOW.with(Clone::clone)
}

/// A member of an object; `undefined` where there is none.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Sets a member of an object that was made here.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // It can't fail: no such object is frozen, and none has setters.
    let _ = Reflect::set(object, &name.into(), value);
}

/// An object of these members, less those that are `undefined`.
pub fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in members {
        if !value.is_undefined() {
            set(&object, name, value);
        }
    }
    object
}
