//! What the package's scripts do for the WebAssembly: `Host` in `core.ts`.

use js_sys::{Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::clock;
use crate::error::{Error, ProviderError};

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

/// `ClassLinkEvent` in `types.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "documented where applications see it")]
pub struct Event<'a> {
    #[serde(rename = "type")]
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `ErrorDetails` in `core.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetails<'a> {
    code: &'static str,
    message: &'a str,
    retryable: bool,
    support_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_offset: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<ProviderWords<'a>>,
}

#[derive(Serialize)]
struct ProviderWords<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
}

impl<'a> From<&'a ProviderError> for ProviderWords<'a> {
    fn from(words: &'a ProviderError) -> Self {
        Self {
            error: &words.error,
            description: words.description.as_deref(),
            uri: words.uri.as_deref(),
        }
    }
}

fn to_js(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_default()
}

/// Sets a member of an object that was made here.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // It can't fail: no such object is frozen, and none has setters.
    let _ = Reflect::set(object, &name.into(), value);
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
        let details = ErrorDetails {
            code: error.code.as_str(),
            message: &[error.subject, error.message].concat(),
            retryable: error.retryable,
            support_code,
            reason: error.reason.map(crate::error::Reason::as_str),
            status: error.status,
            clock_offset: error.clock_offset,
            provider_error: error.provider.as_ref().map(Into::into),
        };
        self.make_error(to_js(&details), error.cause.as_ref().unwrap_or(&JsValue::UNDEFINED))
    }

    /// Publishes a new state: `Snapshot` in `types.ts`.
    pub fn publish(&self, status: &str, user: &JsValue, scope: &[String], error: &JsValue) {
        let snapshot = js_sys::Object::new();
        set(&snapshot, "status", &status.into());
        set(&snapshot, "user", user);
        set(&snapshot, "scope", &to_js(&scope));
        set(&snapshot, "error", error);
        self.publish_value(snapshot.unchecked_into());
    }

    /// Tells of an event, at this moment.
    pub fn emit(&self, event: &Event<'_>) {
        let value = to_js(event);
        set(&value, "at", &clock::now_ms().into());
        self.tell(value);
    }
}
