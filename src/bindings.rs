//! What the package's scripts call: `Core` in `core.ts`. Types in, types out; nothing is decided here.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::task::BoxedCall;
use crate::client::Client;
use crate::host::Host;
use crate::protocol::{json, metadata};

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
        self.0.run(Box::pin(async move {
            client.start_login(&options).await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// `startLogin` in a popup.
    #[wasm_bindgen(js_name = startPopupLogin)]
    pub fn start_popup_login(&self, options: String, popup: JsValue) -> Promise {
        let client = self.0.clone();
        self.0.run(Box::pin(async move { client.start_popup_login(&options, &popup).await }))
    }

    /// `handleCallback`, with an absolute URL.
    #[wasm_bindgen(js_name = handleCallback)]
    pub fn handle_callback(&self, url: String) -> Promise {
        let client = self.0.clone();
        let handled = self.0.run(Box::pin(async move { client.handle_callback(&url).await }));
        self.0.wait_for(&handled, false);
        handled
    }

    /// Whether the last callback failed before anything was consumed, so that the same URL may be tried again.
    #[wasm_bindgen(getter, js_name = callbackRetryable)]
    pub fn callback_retryable(&self) -> bool {
        self.0.callback_retryable()
    }

    /// `handleLaunch`, with an absolute URL.
    #[wasm_bindgen(js_name = handleLaunch)]
    pub fn handle_launch(&self, url: String) -> Promise {
        let client = self.0.clone();
        self.0.run(Box::pin(async move {
            client.handle_launch(&url).await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// `getUser`.
    #[wasm_bindgen(js_name = getUser)]
    pub fn get_user(&self) -> Promise {
        let client = self.0.clone();
        self.settled(Box::pin(async move {
            #[cfg(feature = "forced-panic")]
            forced_panic().await;
            Ok(client.user())
        }))
    }

    /// `restoreSession`; `may_leave` says whether this page may be left for it.
    #[wasm_bindgen(js_name = restoreSession)]
    pub fn restore_session(&self, may_leave: bool) -> Promise {
        self.0.restoring(may_leave)
    }

    /// `getAccessToken`, with the seconds for which it must be valid.
    #[wasm_bindgen(js_name = accessToken)]
    pub fn access_token(&self, min_validity: f64) -> Promise {
        let client = self.0.clone();
        self.settled(Box::pin(async move { client.access_token(min_validity, None).await }))
    }

    /// The access token for a request to an origin; `refused` is one that it has answered with a 401.
    #[wasm_bindgen(js_name = accessTokenFor)]
    pub fn access_token_for(&self, origin: String, refused: Option<String>) -> Promise {
        let client = self.0.clone();
        self.settled(Box::pin(
            async move { client.access_token_for(&origin, refused.as_deref()).await },
        ))
    }

    /// `getIdToken`.
    #[wasm_bindgen(js_name = idToken)]
    pub fn id_token(&self) -> Promise {
        let client = self.0.clone();
        self.settled(Box::pin(async move { client.id_token() }))
    }

    /// `logout`.
    pub fn logout(&self, return_to: Option<String>) -> Promise {
        let client = self.0.clone();
        self.0.run(Box::pin(async move { client.logout(return_to.as_deref()).await }))
    }

    /// What is known of an issuer's metadata without asking, as JSON.
    #[wasm_bindgen(js_name = knownMetadata)]
    pub fn known_metadata(&self, issuer: String) -> JsValue {
        json::write_object(metadata::builtin_metadata(&issuer).strings()).into()
    }

    /// Does what is due: to be called when the scheduled time has come, and when the page wakes.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// Somebody is there. Answers with whether anybody is signed in.
    #[wasm_bindgen(js_name = beActive)]
    pub fn be_active(&self) -> bool {
        self.0.be_active()
    }

    /// Hears from another tab. Answers with whether the session is to be looked for anew.
    pub fn hear(&self, kind: String, about: Option<String>) -> bool {
        self.0.hear(&kind, about.as_deref())
    }

    /// The page goes into the back/forward cache, perhaps.
    pub fn freeze(&self) {
        self.0.freeze();
    }

    /// The page comes back from it. Answers with whether the session is to be looked for anew.
    #[wasm_bindgen(js_name = comeBack)]
    pub fn come_back(&self) -> bool {
        self.0.come_back()
    }

    /// Forgets everything.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Core {
    /// A call that waits for the sign-in or restore under way, and begins one where it is not known who is signed in.
    fn settled(&self, call: BoxedCall) -> Promise {
        if self.0.needs_restore() {
            let _ = self.restore_session(true);
        }
        let client = self.0.clone();
        self.0.run(Box::pin(async move {
            client.settle().await?;
            call.await
        }))
    }
}

/// Panics after an await, the worst moment, where the page's `forcePanic` is true.
#[cfg(feature = "forced-panic")]
#[expect(clippy::panic, reason = "the test of what happens then")]
async fn forced_panic() {
    if crate::browser::get(&js_sys::global(), "forcePanic").is_truthy() {
        let _ = crate::browser::task::await_promise(Promise::resolve(&JsValue::NULL)).await;
        panic!("forced");
    }
}
