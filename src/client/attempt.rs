//! One sign-in attempt as the application's monitoring sees it: events and errors under one support code.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::{Client, State};
use crate::browser::clock;
use crate::browser::host::Event;
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
        Self { support_code: client.host.support_code(), began: clock::now() }
    }

    /// An attempt that began with a pending login.
    pub(super) fn resumed(support_code: &str, began: f64) -> Self {
        Self { support_code: support_code.to_owned(), began }
    }

    /// Tells of a step.
    pub(super) fn emit(&self, client: &Client, name: &'static str) {
        client.host.emit(&self.event(name));
    }

    /// Tells that it succeeded.
    pub(super) fn succeeded(&self, client: &Client) {
        client
            .host
            .emit(&Event { duration_ms: Some(self.duration()), ..self.event("login.succeeded") });
    }

    /// Tells that it failed, and answers with the application's error. Somebody who is signed in stays so: a bad link
    /// must not sign anybody out.
    pub(super) fn failed(&self, client: &Client, error: &Error) -> JsValue {
        let error = client.host.error(error, &self.support_code);
        let word = |name: &str| Reflect::get(&error, &name.into()).ok()?.as_string();
        // An error of the scripts' making has a support code of its own, which is the one that people read out.
        let support_code = word("supportCode");
        client.host.emit(&Event {
            support_code: support_code.as_deref(),
            duration_ms: Some(self.duration()),
            code: word("code"),
            reason: word("reason"),
            ..self.event("login.failed")
        });
        if client.session().is_none() {
            client.enter(State::Error(error.clone()));
        }
        error
    }

    fn event(&self, name: &'static str) -> Event<'_> {
        Event {
            name,
            support_code: Some(&self.support_code),
            duration_ms: None,
            code: None,
            reason: None,
        }
    }

    fn duration(&self) -> f64 {
        ((clock::now() - self.began) * 1000.0).max(0.0).round()
    }
}
