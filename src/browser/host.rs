//! What the package's scripts do for the WebAssembly: `Host` in `core.ts`.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use super::{clock, get, object};
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
    /// Eight characters that name a new sign-in attempt.
    #[wasm_bindgen(method, js_name = supportCode)]
    pub fn support_code(this: &Host) -> String;
}

impl Host {
    /// The validated configuration for a district, as JSON.
    ///
    /// # Errors
    /// What the scripts make of a mistake in it.
    pub async fn config(&self, district: Option<&str>) -> Result<String, Error> {
        let json =
            JsFuture::from(self.config_of(district)).await.map_err(Error::made_by_scripts)?;
        Ok(json.as_string().unwrap_or_default())
    }

    /// Leaves for a URL.
    ///
    /// # Errors
    /// What the application's own function threw.
    pub async fn navigate(&self, url: &str) -> Result<(), Error> {
        JsFuture::from(self.leave_for(url)).await.map_err(Error::made_by_scripts)?;
        Ok(())
    }

    /// Makes the application's error.
    pub fn error(&self, error: &Error, support_code: &str) -> JsValue {
        if let Some(made) = &error.made_by_scripts {
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
        let details = object(&[
            ("code", error.code.as_str().into()),
            ("message", [error.subject, error.message].concat().into()),
            ("retryable", error.retryable.into()),
            ("supportCode", support_code.into()),
            ("reason", error.reason.map(Reason::as_str).into()),
            ("status", error.status.into()),
            ("clockOffset", error.clock_offset.into()),
            ("providerError", words),
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
