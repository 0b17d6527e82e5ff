//! One sign-in attempt as the application's monitoring sees it: events and errors under one support code.

use wasm_bindgen::JsValue;

use super::{Client, State};
use crate::browser::{clock, get};
use crate::config::Config;
use crate::error::Error;

/// One sign-in attempt.
pub(super) struct Attempt {
    pub(super) support_code: String,
    /// When it began, in seconds since 1970 by the device's clock.
    began: f64,
}

impl Attempt {
    /// An attempt that begins now.
    pub(super) fn new(client: &Client) -> Self {
        Self { support_code: client.host.support_code(), began: clock::now_secs() }
    }

    /// An attempt that began with a pending login.
    pub(super) fn resumed(support_code: &str, began: f64) -> Self {
        Self { support_code: support_code.to_owned(), began }
    }

    /// The support code, where requests go to a gateway, which demands it.
    pub(super) fn at_gateway(&self, config: &Config) -> Option<&str> {
        config.gateway().map(|_| self.support_code.as_str())
    }

    /// Tells of a step.
    pub(super) fn emit(&self, client: &Client, name: &str) {
        client.host.emit(name, self.support_code.as_str().into(), None, &JsValue::UNDEFINED);
    }

    /// Tells that the session is about to end, in so many seconds.
    pub(super) fn expiring(&self, client: &Client, seconds: f64) {
        let support_code = self.support_code.as_str().into();
        let remaining = Some((seconds * 1000.0).round());
        client.host.emit("session.expiring", support_code, remaining, &JsValue::UNDEFINED);
    }

    /// Tells that it succeeded.
    pub(super) fn succeeded(&self, client: &Client) {
        let support_code = self.support_code.as_str().into();
        let duration = Some(self.duration());
        client.host.emit("login.succeeded", support_code, duration, &JsValue::UNDEFINED);
    }

    /// Tells that it failed, and answers with the application's error. Somebody who is signed in stays so: a bad link
    /// must not sign anybody out.
    pub(super) fn failed(&self, client: &Client, error: &Error) -> JsValue {
        let error = client.host.error(error, &self.support_code);
        // An error of the scripts' making has a support code of its own, which is the one that people read out.
        let support_code = get(&error, "supportCode");
        client.host.emit("login.failed", support_code, Some(self.duration()), &error);
        if client.session().is_none() {
            client.enter(State::Error(error.clone()));
        }
        error
    }

    /// Tells that a renewal or a restore failed, and answers with the application's error.
    pub(super) fn not_renewed(&self, client: &Client, error: &Error) -> JsValue {
        let error = client.host.error(error, &self.support_code);
        let support_code = get(&error, "supportCode");
        client.host.emit("token.renewal_failed", support_code, None, &error);
        error
    }

    fn duration(&self) -> f64 {
        ((clock::now_secs() - self.began) * 1000.0).max(0.0).round()
    }
}
