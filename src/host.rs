//! What the package's scripts do for the WebAssembly: `Host` in `core.ts`.

use js_sys::{Function, JSON, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::browser::task::{Task, await_promise};
use crate::browser::{clock, get, object};
use crate::error::{Error, Reason};

#[wasm_bindgen]
extern "C" {
    /// The script side of one client.
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
    /// Has the client woken after so many milliseconds; a later call takes the place of an earlier one.
    #[wasm_bindgen(method)]
    pub fn schedule(this: &Host, milliseconds: f64);
    /// Joins the tabs of a registration.
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, channel: &str);
    /// Tells the other tabs.
    #[wasm_bindgen(method)]
    pub fn post(this: &Host, kind: &str, person: Option<&str>);
    /// Takes `state` out of the page's URL, where it is this one. Answers with whether it was.
    #[wasm_bindgen(method, js_name = stripState)]
    pub fn strip_state(this: &Host, state: &str) -> bool;
    /// Drives a call to its end; the promise tells of that.
    #[wasm_bindgen(method)]
    pub fn run(this: &Host, task: Task) -> Promise;
    /// Eight characters that name a new sign-in attempt.
    #[wasm_bindgen(method, js_name = supportCode)]
    pub fn support_code(this: &Host) -> String;
}

/// The lock of a registration's tabs, held until this is dropped.
pub struct Lock(JsValue);

impl Drop for Lock {
    fn drop(&mut self) {
        // Where there are no locks there is no function either.
        if let Some(release) = self.0.dyn_ref::<Function>() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

impl Host {
    /// The validated configuration for a district, as JSON.
    ///
    /// # Errors
    /// What the scripts make of a mistake in it.
    pub async fn config(&self, district: Option<&str>) -> Result<String, Error> {
        let json = await_promise(self.config_of(district)).await.map_err(Error::js_error)?;
        Ok(json.as_string().unwrap_or_default())
    }

    /// Leaves for a URL.
    ///
    /// # Errors
    /// What the application's own function threw.
    pub async fn navigate(&self, url: &str) -> Result<(), Error> {
        await_promise(self.leave_for(url)).await.map_err(Error::js_error)?;
        Ok(())
    }

    /// Goes for an authorization request without leaving the page: in the popup given, or else in a hidden frame. Answers
    /// with the callback URL, or with none where the frame stayed silent.
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

    /// Offers a callback that answers no login of this page to the page that opened it, which may be waiting for it.
    /// Answers with whether it was.
    pub async fn hand_over(&self, url: &str, state: &str) -> bool {
        await_promise(self.offer(url, state)).await.is_ok_and(|taken| taken.is_truthy())
    }

    /// Waits until no other tab of the registration holds the lock, and holds it until the answer is dropped.
    pub async fn locked(&self) -> Lock {
        Lock(await_promise(self.lock()).await.unwrap_or_default())
    }

    /// Makes the application's error.
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
            // What has been tampered with in storage is no JSON, and counts as missing.
            ("appState", app_state.and_then(|text| JSON::parse(text).ok()).into()),
        ]);
        self.make_error(details, error.cause.as_ref().unwrap_or(&JsValue::UNDEFINED))
    }

    /// Publishes a new state: `Snapshot` in `types.ts`.
    pub fn publish(&self, status: &str, user: JsValue, scope: JsValue, error: JsValue) {
        let status = status.into();
        self.publish_value(object(&[
            ("status", status),
            ("user", user),
            ("scope", scope),
            ("error", error),
        ]));
    }

    /// Tells of an event, at this moment: `ClassLinkEvent` in `types.ts`.
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
