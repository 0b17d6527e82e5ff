//! The calls from Rust to the package's scripts: `Host` in `core.ts`. [`crate::bindings`] has those in the other
//! direction.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::browser::task::{Task, await_promise};
use crate::error::{Error, Reason};

#[wasm_bindgen]
extern "C" {
    /// The scripts' side of one client.
    #[derive(Clone)]
    pub type Host;

    #[wasm_bindgen(method, js_name = config)]
    fn config_of(this: &Host, district: Option<&str>) -> Promise;
    #[wasm_bindgen(method, js_name = error)]
    fn make_error(
        this: &Host,
        code: &str,
        message: &str,
        is_retryable: bool,
        support_code: &str,
        reason: Option<&str>,
        status: Option<u16>,
        clock_offset: Option<f64>,
        provider_error: Option<&str>,
        provider_description: Option<&str>,
        provider_uri: Option<&str>,
        return_to: Option<&str>,
        app_state: Option<&str>,
        cause: &JsValue,
    ) -> JsValue;
    /// Publishes a new state: `Snapshot` in `types.ts`.
    #[wasm_bindgen(method)]
    pub fn publish(this: &Host, status: &str, user: &JsValue, scope: &JsValue, error: &JsValue);
    /// Emits an event of this moment: `ClassLinkEvent` in `types.ts`. The support code of an error has precedence.
    #[wasm_bindgen(method)]
    pub fn emit(
        this: &Host,
        name: &str,
        support_code: &str,
        duration_ms: Option<f64>,
        error: &JsValue,
    );
    #[wasm_bindgen(method, js_name = navigate)]
    fn leave_for(this: &Host, url: &str) -> Promise;
    #[wasm_bindgen(method, js_name = openChildWindow)]
    fn open_child_window(
        this: &Host,
        url: &str,
        state: &str,
        call: u32,
        cancelled: &AbortSignal,
    ) -> Promise;
    #[wasm_bindgen(method, js_name = handOver)]
    fn offer(this: &Host, url: &str, state: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn lock(this: &Host, name: &str) -> Promise;
    /// Returns a signal that aborts after so many milliseconds or with `cancelled`, until `ended` aborts.
    #[wasm_bindgen(method)]
    pub fn deadline(
        this: &Host,
        milliseconds: u32,
        cancelled: &AbortSignal,
        ended: &AbortSignal,
    ) -> AbortSignal;
    /// Returns the text that an application's call was made with.
    #[wasm_bindgen(method)]
    pub fn argument(this: &Host, call: u32) -> Option<String>;
    /// Keeps the status that a call resolves with at [`Self::settle_prepared`].
    #[wasm_bindgen(method, js_name = prepareStatus)]
    pub fn prepare_status(this: &Host, call: u32, status: &str);
    /// Keeps the sign-in that a call resolves with at [`Self::settle_prepared`]. `app_state` is JSON.
    #[wasm_bindgen(method, js_name = prepareSignIn)]
    pub fn prepare_sign_in(
        this: &Host,
        call: u32,
        user: &JsValue,
        return_to: &str,
        app_state: Option<&str>,
        district: Option<&str>,
    );
    /// Keeps the sign-out that a call resolves with at [`Self::settle_prepared`].
    #[wasm_bindgen(method, js_name = prepareSignOut)]
    pub fn prepare_sign_out(this: &Host, call: u32, has_ended: bool, may_remain: bool);
    /// Resolves an application's call with the result that was kept for it.
    #[wasm_bindgen(method, js_name = settlePrepared)]
    pub fn settle_prepared(this: &Host, call: u32);
    /// Resolves an application's call.
    #[wasm_bindgen(method)]
    pub fn resolve(this: &Host, call: u32, value: &JsValue);
    /// Rejects an application's call. `is_retryable`: the same callback URL may be tried again.
    #[wasm_bindgen(method)]
    pub fn reject(this: &Host, call: u32, error: &JsValue, is_retryable: bool);
    /// Schedules `Core::notify` with [`crate::session::Event::TimerFired`] in so many milliseconds; a later call replaces an
    /// earlier one.
    #[wasm_bindgen(method)]
    pub fn schedule(this: &Host, milliseconds: f64);
    /// Joins the channel of a registration's tabs (`BroadcastChannel`).
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, channel: &str);
    /// Posts a message to a channel; without one, to the channel that was joined last or is joined next.
    #[wasm_bindgen(method)]
    pub fn post(
        this: &Host,
        channel: Option<&str>,
        kind: &str,
        session: Option<&str>,
        user: Option<&str>,
        at: f64,
    );
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

    /// Sends an authorization request in the popup of a call or, without a call, in a hidden iframe. Returns the callback
    /// URL; `None` if the iframe did not respond in time.
    ///
    /// # Errors
    /// `popup_closed`.
    pub async fn navigate_child_window(
        &self,
        url: &str,
        state: &str,
        call: Option<u32>,
        cancelled: &AbortSignal,
    ) -> Result<Option<String>, Error> {
        let opened = self.open_child_window(url, state, call.unwrap_or_default(), cancelled);
        Ok(await_promise(opened).await.map_err(Error::js_error)?.as_string())
    }

    /// Offers a callback that belongs to no login of this page to its opener or parent, and returns whether that waited for
    /// it.
    pub async fn hand_over(&self, url: &str, state: &str) -> bool {
        await_promise(self.offer(url, state)).await.is_ok_and(|taken| taken.is_truthy())
    }

    /// Waits until no other tab holds the lock of this name, and acquires it.
    pub async fn locked(&self, name: &str) -> Lock {
        Lock(await_promise(self.lock(name)).await.unwrap_or_default())
    }

    /// Makes the `ClassLinkError` that the application sees.
    pub fn error(&self, error: &Error, support_code: &str) -> JsValue {
        if let Some(made) = &error.js_error {
            return made.clone();
        }
        let provider = error.provider.as_ref();
        let login = error.login.as_ref();
        self.make_error(
            error.code.as_str(),
            &[error.subject, error.message].concat(),
            error.retryable,
            support_code,
            error.reason.map(Reason::as_str),
            error.status,
            error.clock_offset,
            provider.map(|provider| provider.error.as_str()),
            provider.and_then(|provider| provider.description.as_deref()),
            provider.and_then(|provider| provider.uri.as_deref()),
            login.map(|login| login.return_to.as_str()),
            login.and_then(|login| login.app_state.as_deref()),
            error.cause.as_ref().unwrap_or(&JsValue::UNDEFINED),
        )
    }
}
