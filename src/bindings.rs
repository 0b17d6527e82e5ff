//! What the package's scripts call: `Core` in `core.ts`. Types in, types out; nothing is decided here.

use std::pin::Pin;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use crate::browser::host::Host;
use crate::client::Client;

/// One client.
#[wasm_bindgen]
pub struct Core(Rc<Client>);

#[wasm_bindgen]
impl Core {
    /// A client that has done nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host) -> Self {
        Self(Client::new(host))
    }

    /// `startLogin`.
    #[wasm_bindgen(js_name = startLogin)]
    pub fn start_login(&self, options: String) -> Promise {
        let client = self.0.clone();
        promise(Box::pin(async move {
            client.start_login(&options).await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// `handleCallback`, with an absolute URL.
    #[wasm_bindgen(js_name = handleCallback)]
    pub fn handle_callback(&self, url: String) -> Promise {
        let client = self.0.clone();
        let handled = promise(Box::pin(async move { client.handle_callback(&url).await }));
        self.0.wait_for(&handled);
        handled
    }

    /// Whether the last callback failed before anything was consumed, so that the same URL may be tried again.
    #[wasm_bindgen(getter, js_name = callbackRetryable)]
    pub fn callback_retryable(&self) -> bool {
        self.0.callback_retryable()
    }

    /// `getUser`.
    #[wasm_bindgen(js_name = getUser)]
    pub fn get_user(&self) -> Promise {
        let client = self.0.clone();
        promise(Box::pin(async move {
            #[cfg(feature = "forced-panic")]
            forced_panic().await;
            client.user().await
        }))
    }

    /// The page comes back from the back/forward cache.
    #[wasm_bindgen(js_name = comeBack)]
    pub fn come_back(&self) {
        self.0.come_back();
    }

    /// Forgets everything.
    pub fn close(&self) {
        self.0.close();
    }
}

/// A promise for a call's end. One function for all calls: each kind of future would bring a copy of its own.
fn promise(call: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>) -> Promise {
    future_to_promise(call)
}

/// Panics after an await, the worst moment, where the page's `forcePanic` is true.
#[cfg(feature = "forced-panic")]
#[expect(clippy::panic, reason = "the test of what happens then")]
async fn forced_panic() {
    if crate::browser::get(&js_sys::global(), "forcePanic").is_truthy() {
        let _ = wasm_bindgen_futures::JsFuture::from(Promise::resolve(&JsValue::NULL)).await;
        panic!("forced");
    }
}
