//! What the package's scripts do for the WebAssembly: `Host` in `core.ts`.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::browser::task::{Task, await_promise};
use crate::error::{Error, Reason};

#[wasm_bindgen]
extern "C" {
    /// The script side of one client.
    #[derive(Clone)]
    pub type Host;

    #[wasm_bindgen(method, js_name = config)]
    fn config_of(this: &Host, district: Option<&str>) -> Promise;
    #[wasm_bindgen(method, js_name = error)]
    #[expect(clippy::too_many_arguments, reason = "an object of them would weigh more")]
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
    #[wasm_bindgen(method, js_name = aside)]
    fn go_aside(this: &Host, url: &str, state: &str, call: u32, cancelled: &AbortSignal)
    -> Promise;
    #[wasm_bindgen(method, js_name = handOver)]
    fn offer(this: &Host, url: &str, state: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn lock(this: &Host, name: &str) -> Promise;
    /// Returns a signal that aborts after so many milliseconds, or with another signal.
    #[wasm_bindgen(method)]
    pub fn deadline(this: &Host, milliseconds: u32, cancelled: &AbortSignal) -> AbortSignal;
    /// Returns the text that an application's call was made with.
    #[wasm_bindgen(method)]
    pub fn argument(this: &Host, call: u32) -> Option<String>;
    /// Keeps what an application's call resolves with once it is settled with [`Self::settle_prepared`]: a status.
    #[wasm_bindgen(method, js_name = prepareStatus)]
    pub fn prepare_status(this: &Host, call: u32, status: &str);
    /// The same: a sign-in. `app_state` is JSON.
    #[wasm_bindgen(method, js_name = prepareSignIn)]
    pub fn prepare_sign_in(
        this: &Host,
        call: u32,
        user: &JsValue,
        return_to: &str,
        app_state: Option<&str>,
        district: Option<&str>,
    );
    /// The same: a sign-out.
    #[wasm_bindgen(method, js_name = prepareSignOut)]
    pub fn prepare_sign_out(this: &Host, call: u32, has_ended: bool, may_remain: bool);
    /// Resolves an application's call with what was prepared.
    #[wasm_bindgen(method, js_name = settlePrepared)]
    pub fn settle_prepared(this: &Host, call: u32);
    /// Resolves an application's call.
    #[wasm_bindgen(method)]
    pub fn resolve(this: &Host, call: u32, value: &JsValue);
    /// Rejects an application's call; `is_retryable` says whether the same callback URL may be tried again.
    #[wasm_bindgen(method)]
    pub fn reject(this: &Host, call: u32, error: &JsValue, is_retryable: bool);
    /// Has the driver told after so many milliseconds that time came; a later call takes the place of an earlier one.
    #[wasm_bindgen(method)]
    pub fn schedule(this: &Host, milliseconds: f64);
    /// Joins the tabs of a registration.
    #[wasm_bindgen(method)]
    pub fn join(this: &Host, channel: &str);
    /// Posts a message to the tabs of a registration; without a channel, to those of the one that was or will be joined.
    #[wasm_bindgen(method)]
    pub fn post(
        this: &Host,
        channel: Option<&str>,
        kind: &str,
        session: Option<&str>,
        person: Option<&str>,
        at: f64,
    );
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

    /// Opens an authorization request without leaving the page: in the popup of a call or, without one, in a hidden
    /// iframe. Returns the callback URL; `None` if the iframe does not respond.
    ///
    /// # Errors
    /// `popup_closed`.
    pub async fn aside(
        &self,
        url: &str,
        state: &str,
        call: Option<u32>,
        cancelled: &AbortSignal,
    ) -> Result<Option<String>, Error> {
        let answer =
            await_promise(self.go_aside(url, state, call.unwrap_or_default(), cancelled)).await;
        Ok(answer.map_err(Error::js_error)?.as_string())
    }

    /// Offers a callback that answers no login of this page to the page that opened it, which may be waiting for it.
    /// Answers with whether it was.
    pub async fn hand_over(&self, url: &str, state: &str) -> bool {
        await_promise(self.offer(url, state)).await.is_ok_and(|taken| taken.is_truthy())
    }

    /// Waits until no other tab holds the lock of this name, and holds it until the result is dropped.
    pub async fn locked(&self, name: &str) -> Lock {
        Lock(await_promise(self.lock(name)).await.unwrap_or_default())
    }

    /// Makes the application's error.
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
            login.map(|(return_to, _)| return_to.as_str()),
            login.and_then(|(_, app_state)| app_state.as_deref()),
            error.cause.as_ref().unwrap_or(&JsValue::UNDEFINED),
        )
    }
}
