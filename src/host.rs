//! The calls from Rust to the package's scripts: `Host` in `core.ts`. [`crate::bindings`] has those in the other
//! direction.

use js_sys::{Function, JSON, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::browser::task::{Task, await_promise};
use crate::browser::{clock, get, object};
use crate::error::{Error, Reason};

#[wasm_bindgen]
extern "C" {
    /// The scripts' side of one client.
    pub type Host;

    #[wasm_bindgen(method, js_name = config)]
    fn config_of(this: &Host, district: Option<&str>) -> Promise;
    #[wasm_bindgen(method, js_name = error)]
    fn make_error(this: &Host, details: JsValue, cause: &JsValue) -> JsValue;
    #[wasm_bindgen(method, js_name = publish)]
    fn publish_value(this: &Host, snapshot: JsValue);
    #[wasm_bindgen(method, js_name = event)]
    fn tell(this: &Host, event: JsValue);
    #[wasm_bindgen(method, js_name = navigate)]
    fn leave_for(this: &Host, url: &str) -> Promise;
    #[wasm_bindgen(method, js_name = aside)]
    fn open_child_window(this: &Host, url: &str, state: &str, popup: &JsValue) -> Promise;
    #[wasm_bindgen(method, js_name = handOver)]
    fn offer(this: &Host, url: &str, state: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn lock(this: &Host) -> Promise;
    /// Schedules the client's next task in so many milliseconds; a later call replaces an earlier one.
    #[wasm_bindgen(method)]
    pub fn schedule(this: &Host, milliseconds: f64);
    /// Joins the channel of a registration's tabs (`BroadcastChannel`).
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, channel: &str);
    /// Sends a message to the other tabs.
    #[wasm_bindgen(method)]
    pub fn post(this: &Host, kind: &str, person: Option<&str>);
    /// Removes `state` from the page's URL if it has this value, and returns whether it had.
    #[wasm_bindgen(method, js_name = stripState)]
    pub fn strip_state(this: &Host, state: &str) -> bool;
    /// Drives a task to its end; the promise settles to its result.
    #[wasm_bindgen(method)]
    pub fn run(this: &Host, task: Task) -> Promise;
    /// Makes a support code: eight characters for a new sign-in attempt.
    #[wasm_bindgen(method, js_name = supportCode)]
    pub fn support_code(this: &Host) -> String;
}

/// The lock of a registration's tabs (Web Locks), held until this is dropped.
pub struct Lock(JsValue);

impl Drop for Lock {
    fn drop(&mut self) {
        // On a platform without Web Locks there is no function to call.
        if let Some(release) = self.0.dyn_ref::<Function>() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

impl Host {
    /// Resolves the validated configuration for a district, as JSON.
    ///
    /// # Errors
    /// The scripts' error for a mistake in it.
    pub async fn config(&self, district: Option<&str>) -> Result<String, Error> {
        let json = await_promise(self.config_of(district)).await.map_err(Error::js_error)?;
        Ok(json.as_string().unwrap_or_default())
    }

    /// Navigates the page to a URL.
    ///
    /// # Errors
    /// The error that the application's `navigate` threw.
    pub async fn navigate(&self, url: &str) -> Result<(), Error> {
        await_promise(self.leave_for(url)).await.map_err(Error::js_error)?;
        Ok(())
    }

    /// Sends an authorization request in the popup given or, without one, in a hidden iframe. Returns the callback URL;
    /// `None` if the iframe did not respond in time.
    ///
    /// # Errors
    /// `popup_closed`.
    pub async fn navigate_child_window(
        &self,
        url: &str,
        state: &str,
        popup: &JsValue,
    ) -> Result<Option<String>, Error> {
        let answer = await_promise(self.open_child_window(url, state, popup)).await;
        Ok(answer.map_err(Error::js_error)?.as_string())
    }

    /// Offers a callback that belongs to no login of this page to its opener or parent, and returns whether that waited for
    /// it.
    pub async fn hand_over(&self, url: &str, state: &str) -> bool {
        await_promise(self.offer(url, state)).await.is_ok_and(|taken| taken.is_truthy())
    }

    /// Waits until no other tab of the registration holds the lock, and acquires it.
    pub async fn locked(&self) -> Lock {
        Lock(await_promise(self.lock()).await.unwrap_or_default())
    }

    /// Makes the `ClassLinkError` that the application sees.
    pub fn error(&self, error: &Error, support_code: &str) -> JsValue {
        if let Some(made) = &error.js_error {
            return made.clone();
        }
        let mut words = JsValue::UNDEFINED;
        if let Some(provider) = &error.provider {
            words = object(&[
                ("error", provider.error.as_str().into()),
                ("description", provider.description.as_deref().into()),
                ("uri", provider.uri.as_deref().into()),
            ]);
        }
        let (return_to, app_state) = match &error.login {
            Some((return_to, app_state)) => (Some(return_to.as_str()), app_state.as_deref()),
            None => (None, None),
        };
        let details = object(&[
            ("code", error.code.as_str().into()),
            ("message", [error.subject, error.message].concat().into()),
            ("retryable", error.retryable.into()),
            ("supportCode", support_code.into()),
            ("reason", error.reason.map(Reason::as_str).into()),
            ("status", error.status.into()),
            ("clockOffset", error.clock_offset.into()),
            ("providerError", words),
            ("returnTo", return_to.into()),
            // Text that was tampered with in storage may not be JSON; it counts as missing.
            ("appState", app_state.and_then(|text| JSON::parse(text).ok()).into()),
        ]);
        self.make_error(details, error.cause.as_ref().unwrap_or(&JsValue::UNDEFINED))
    }

    /// Publishes a new snapshot: `Snapshot` in `types.ts`.
    pub fn publish(&self, status: &str, user: JsValue, scope: JsValue, error: JsValue) {
        let status = status.into();
        self.publish_value(object(&[
            ("status", status),
            ("user", user),
            ("scope", scope),
            ("error", error),
        ]));
    }

    /// Reports an event with the current time: `ClassLinkEvent` in `types.ts`.
    pub fn emit(&self, name: &str, support_code: JsValue, duration: Option<f64>, error: &JsValue) {
        self.tell(object(&[
            ("type", name.into()),
            ("at", clock::now_ms().into()),
            ("supportCode", support_code),
            ("durationMs", duration.into()),
            ("code", get(error, "code")),
            ("reason", get(error, "reason")),
        ]));
    }
}
