//! Stores of the values that the machine has handles for: sessions with their tokens, errors, registrations, texts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use crate::config::Config;
use crate::protocol::id_token::VerifiedIdToken;
use crate::protocol::metadata::ProviderMetadata;
use crate::protocol::secret::Secret;
use crate::session::{OperationId, Registration, SessionId};

/// The part of a session that never leaves the driver.
pub(super) struct Payload {
    pub(super) handle: u32,
    /// The user, as the application sees them.
    pub(super) user: JsValue,
    /// The granted scope.
    pub(super) scope: Array,
    pub(super) config: Config,
    pub(super) provider: ProviderMetadata,
    pub(super) token: VerifiedIdToken,
    /// The ID token as received.
    pub(super) id_token: Secret,
    pub(super) tokens: RefCell<Tokens>,
}

/// The tokens that a renewal replaces.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
}

impl Payload {
    /// Returns the scope, separated by spaces.
    pub(super) fn scope_text(&self) -> String {
        self.scope.join(" ").as_string().unwrap_or_default()
    }
}

/// The stores of one client.
#[derive(Default)]
pub(super) struct Stores {
    next: Cell<u32>,
    payloads: RefCell<Vec<Rc<Payload>>>,
    errors: RefCell<Vec<(u32, JsValue)>>,
    registrations: RefCell<Vec<Config>>,
    texts: RefCell<Vec<String>>,
    attempts: RefCell<Vec<Rc<Attempt>>>,
}

impl Stores {
    /// Returns a handle that names nothing yet.
    pub(super) fn handle(&self) -> u32 {
        self.next.set(self.next.get().wrapping_add(1));
        self.next.get()
    }

    pub(super) fn keep_payload(&self, payload: Payload) {
        self.payloads.borrow_mut().push(Rc::new(payload));
    }

    pub(super) fn payload(&self, handle: u32) -> Option<Rc<Payload>> {
        let payloads = self.payloads.borrow();
        payloads.iter().find(|payload| payload.handle == handle).cloned()
    }

    pub(super) fn keep_error(&self, error: JsValue) -> u32 {
        let handle = self.handle();
        self.errors.borrow_mut().push((handle, error));
        handle
    }

    pub(super) fn error(&self, handle: u32) -> JsValue {
        let errors = self.errors.borrow();
        let found = errors.iter().find(|(found, _)| *found == handle);
        found.map_or(JsValue::UNDEFINED, |(_, error)| error.clone())
    }

    /// Drops all sessions and errors but those that the machine still names, or that an operation under way brings.
    pub(super) fn retain(&self, payload: Option<u32>, error: Option<u32>) {
        let attempts = self.attempts.borrow();
        self.payloads.borrow_mut().retain(|kept| {
            let handle = Some(kept.handle);
            handle == payload || attempts.iter().any(|attempt| attempt.session.get() == handle)
        });
        self.errors.borrow_mut().retain(|(kept, _)| Some(*kept) == error);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.payloads.take();
        self.errors.take();
        self.registrations.take();
        self.texts.take();
    }

    /// Returns the handle of a registration.
    pub(super) fn registration(&self, config: &Config) -> Registration {
        let mut known = self.registrations.borrow_mut();
        let same = known.iter().position(|known| known.channel() == config.channel());
        let handle = same.unwrap_or(known.len());
        if same.is_none() {
            known.push(config.clone());
        }
        let handle = u32::try_from(handle).unwrap_or_default();
        Registration { handle, has_gateway: config.gateway().is_some() }
    }

    pub(super) fn config(&self, registration: Registration) -> Option<Config> {
        self.registrations.borrow().get(registration.handle as usize).cloned()
    }

    /// Returns the handle of a text; equal texts have equal handles.
    pub(super) fn intern(&self, text: &str) -> u32 {
        let mut texts = self.texts.borrow_mut();
        let same = texts.iter().position(|known| known == text);
        let handle = same.unwrap_or(texts.len());
        if same.is_none() {
            texts.push(text.to_owned());
        }
        u32::try_from(handle).unwrap_or_default()
    }

    pub(super) fn text(&self, handle: u32) -> Option<String> {
        self.texts.borrow().get(handle as usize).cloned()
    }

    pub(super) fn id_text(&self, id: Option<SessionId>) -> Option<String> {
        self.text(id?.0)
    }

    pub(super) fn begin(&self, attempt: Rc<Attempt>) {
        self.attempts.borrow_mut().push(attempt);
    }

    pub(super) fn attempt(&self, operation: OperationId) -> Option<Rc<Attempt>> {
        let attempts = self.attempts.borrow();
        attempts.iter().find(|attempt| attempt.operation == operation).cloned()
    }

    pub(super) fn end(&self, operation: OperationId) {
        let mut attempts = self.attempts.borrow_mut();
        if let Some(at) = attempts.iter().position(|attempt| attempt.operation == operation) {
            attempts.remove(at);
        }
    }
}
