//! One operation under way: its support code for events and errors, the signal that aborts its requests, and what its steps learn
//! about its login.

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};

use super::Driver;
use crate::browser::clock;
use crate::browser::http::abort_controller;
use crate::browser::storage::UndeliveredSignOut;
use crate::error::FailedLogin;
use crate::session::{CallId, OperationId};

/// One operation under way.
pub(super) struct Attempt {
    pub(super) operation: OperationId,
    /// The call that its outcome settles.
    pub(super) call: Option<CallId>,
    support_code: RefCell<String>,
    /// When it began, in seconds since 1970 by the device's clock.
    began_at: Cell<f64>,
    /// Aborts its requests.
    abort: AbortController,
    /// Whether its callback failed in a way that lets the same URL be tried again.
    pub(super) is_retryable: Cell<bool>,
    /// Whether it ends a launch that this client restarted.
    pub(super) is_launch: Cell<bool>,
    /// The session that it brings, which the machine does not know before its outcome.
    pub(super) session: Cell<Option<u32>>,
    /// The sign-outs that the gateway had not confirmed when its exchange began.
    pub(super) older_sign_outs: RefCell<Vec<UndeliveredSignOut>>,
    /// The login that its callback completes, for an error.
    pub(super) login: RefCell<Option<FailedLogin>>,
}

impl Attempt {
    /// Creates the attempt of an operation that begins now.
    pub(super) fn new(driver: &Driver, operation: OperationId, call: Option<CallId>) -> Self {
        Self {
            operation,
            call,
            support_code: RefCell::new(driver.host.support_code()),
            began_at: Cell::new(clock::now_secs()),
            abort: abort_controller(),
            is_retryable: Cell::new(false),
            is_launch: Cell::new(false),
            session: Cell::default(),
            older_sign_outs: RefCell::default(),
            login: RefCell::default(),
        }
    }

    /// Continues the attempt that began with a pending login.
    pub(super) fn resume(&self, support_code: &str, began_at: f64) {
        self.support_code.replace(support_code.to_owned());
        self.began_at.set(began_at);
    }

    /// Returns the support code.
    pub(super) fn support_code(&self) -> String {
        self.support_code.borrow().clone()
    }

    /// Aborts the requests, since the outcome is not wanted.
    pub(super) fn cancel(&self) {
        self.abort.abort();
    }

    /// Returns the signal that aborts the requests.
    pub(super) fn cancel_signal(&self) -> AbortSignal {
        self.abort.signal()
    }

    /// Emits the event of a step.
    pub(super) fn emit(&self, driver: &Driver, name: &str) {
        self.report(driver, name, false, &JsValue::UNDEFINED);
    }

    /// Emits the event of the outcome, with the duration if `is_timed`.
    pub(super) fn report(&self, driver: &Driver, name: &str, is_timed: bool, error: &JsValue) {
        let duration_ms = ((clock::now_secs() - self.began_at.get()) * 1000.0).max(0.0).round();
        driver.host.emit(name, &self.support_code.borrow(), is_timed.then_some(duration_ms), error);
    }
}
