//! The interface for the package's scripts: `Core` in `core.ts`. It converts types, and decides nothing.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::driver::Driver;
use crate::host::Host;
use crate::protocol::{json, metadata};
use crate::session::{Event, Request};

/// One client; `None` once it was closed, so that its memory is free before JavaScript collects what is left.
#[wasm_bindgen]
pub struct Core(RefCell<Option<Rc<Driver>>>);

#[wasm_bindgen]
impl Core {
    /// Creates a client that has done nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host) -> Self {
        Self(RefCell::new(Some(Driver::new(host))))
    }

    /// Makes a call, by the numbers of `CallKind` in `core.ts`.
    pub fn call(&self, call: u32, kind: u8, min_validity_secs: f64) {
        let request = match kind {
            0 => Request::User,
            1 => Request::Restore,
            2 => Request::AccessToken { min_validity_secs, refused: None },
            3 => Request::IdToken,
            4 => Request::Login,
            5 => Request::Launch,
            6 => Request::Popup,
            7 => Request::Callback,
            _ => Request::SignOut,
        };
        if let Some(driver) = self.driver() {
            #[cfg(feature = "forced-panic")]
            driver.panic_if_asked();
            driver.call(call, request);
        }
    }

    /// Requests the access token for the origin that is the call's argument; `refused` is one that it rejected with a 401.
    #[wasm_bindgen(js_name = callForFetch)]
    pub fn call_for_fetch(&self, call: u32, refused: Option<String>) {
        if let Some(driver) = self.driver() {
            driver.call_for_fetch(call, refused.as_deref());
        }
    }

    /// Returns the built-in metadata of an issuer, as JSON.
    #[wasm_bindgen(js_name = knownMetadata)]
    pub fn known_metadata(&self, issuer: String) -> JsValue {
        json::write_object(&metadata::builtin_metadata(&issuer)).into()
    }

    /// Passes an event of the page, by the numbers of `PageEvent` in `core.ts`.
    pub fn notify(&self, event: u8) {
        let event = match event {
            0 => Event::TimerFired,
            1 => Event::Woke { is_focus: false },
            2 => Event::Woke { is_focus: true },
            3 => Event::Hidden,
            4 => Event::PageHide,
            5 => Event::PageShow,
            _ => Event::Closed,
        };
        let is_closed = matches!(event, Event::Closed);
        if let Some(driver) = self.driver() {
            driver.notify(event);
        }
        if is_closed {
            self.0.take();
        }
    }

    /// Records that the user was active.
    #[wasm_bindgen(js_name = recordActivity)]
    pub fn record_activity(&self) {
        if let Some(driver) = self.driver() {
            driver.record_activity();
        }
    }

    /// Receives a message of another tab.
    pub fn receive(
        &self,
        kind: String,
        session: Option<String>,
        user: Option<String>,
        at_secs: f64,
    ) {
        if let Some(driver) = self.driver() {
            driver.receive(&kind, session.as_deref(), user.as_deref(), at_secs);
        }
    }
}

impl Core {
    fn driver(&self) -> Option<Rc<Driver>> {
        self.0.borrow().clone()
    }
}
