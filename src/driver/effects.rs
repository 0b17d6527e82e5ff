//! Events in, effects out: one event at a time, with all its effects before the next.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::Driver;
use crate::browser::storage::UndeliveredSignOut;
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::session::{
    Answer, CallId, Effect, Event, Refusal, Registration, Report, Snapshot, TabMessage,
};

impl Driver {
    /// Passes an event to the machine and applies the effects.
    pub(super) fn dispatch(self: &Rc<Self>, event: Event) {
        self.events.borrow_mut().push(event);
        if self.is_stepping.replace(true) {
            return;
        }
        while let Some(event) = self.next_event() {
            let now = self.elapsed();
            let effects = self.machine.borrow_mut().step(event, now);
            for effect in effects {
                self.apply(effect);
            }
        }
        self.is_stepping.set(false);
        let machine = self.machine.borrow();
        if machine.is_closed() {
            self.events.take();
            return self.stores.clear();
        }
        let error = match machine.last_error() {
            Some(Refusal::Error(handle) | Refusal::Retryable(handle)) => Some(handle),
            _ => None,
        };
        self.stores.retain(machine.session().map(|session| session.payload), error);
    }

    fn next_event(&self) -> Option<Event> {
        let mut events = self.events.borrow_mut();
        if events.is_empty() { None } else { Some(events.remove(0)) }
    }

    fn apply(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Start { operation, call, task } => self.start(operation, call, task),
            Effect::Cancel(operation) => {
                if let Some(attempt) = self.stores.attempt(operation) {
                    attempt.cancel();
                }
            }
            Effect::Settle { call, result } => self.settle(call, result),
            Effect::Post { registration, message } => self.post(registration, message),
            Effect::Schedule(seconds) => self.host.schedule(seconds * 1000.0),
            Effect::Publish(snapshot) => self.publish(snapshot),
            Effect::Report(report) => self.report(report),
            Effect::ForgetSignOuts(operation) => {
                if let Some(attempt) = self.stores.attempt(operation) {
                    attempt.older_sign_outs.take().iter().for_each(UndeliveredSignOut::clear);
                }
            }
        }
    }

    fn settle(&self, CallId(call): CallId, result: Result<Answer, Refusal>) {
        let value = match result {
            Ok(Answer::Operation) => return self.host.settle_prepared(call),
            Ok(Answer::User(handle)) => {
                let payload = handle.and_then(|handle| self.stores.payload(handle));
                payload.map_or(JsValue::NULL, |payload| payload.user.clone())
            }
            Ok(Answer::AccessToken(handle)) => match self.access_token(call, handle) {
                Ok(token) => token,
                Err(error) => {
                    let error = self.host.error(&error, &self.host.support_code());
                    return self.host.reject(call, &error, false);
                }
            },
            Ok(Answer::IdToken(handle)) => {
                let payload = self.stores.payload(handle);
                payload.map(|payload| payload.id_token.expose().into()).unwrap_or_default()
            }
            Err(refusal) => {
                let is_retryable = matches!(refusal, Refusal::Retryable(_));
                return self.host.reject(call, &self.error(refusal), is_retryable);
            }
        };
        self.host.resolve(call, &value);
    }

    /// Returns the access token of a session, unless the call is for an origin that it must not go to.
    fn access_token(&self, call: u32, handle: u32) -> Result<JsValue, Error> {
        let Some(payload) = self.stores.payload(handle) else { return Ok(JsValue::UNDEFINED) };
        if self.host.argument(call).is_some_and(|origin| !payload.config.may_send_to(&origin)) {
            let message =
                "the request's origin is not in `apiOrigins`: the access token is not sent there";
            return Err(Error::new(ErrorCode::OriginNotAllowed, message));
        }
        let token = payload.tokens.borrow().access.expose().into();
        Ok(token)
    }

    fn post(&self, registration: Option<Registration>, message: TabMessage) {
        let config = registration.and_then(|registration| self.stores.config(registration));
        let wire = message.to_wire();
        let session = self.stores.id_text(wire.session);
        let user = wire.user.and_then(|user| self.stores.text(user.0));
        let (channel, session, user) =
            (config.as_ref().map(Config::channel), session.as_deref(), user.as_deref());
        self.host.post(channel, wire.kind, session, user, wire.at_secs);
    }

    fn publish(&self, snapshot: Snapshot) {
        let payload = snapshot.payload.and_then(|handle| self.stores.payload(handle));
        let (user, scope) = match payload {
            Some(payload) => (payload.user.clone(), payload.scope.clone()),
            None => (JsValue::NULL, Array::new()),
        };
        let error = snapshot.error.map_or(JsValue::NULL, |error| self.error(error));
        self.host.publish(snapshot.status.as_str(), &user, &scope, &error);
    }

    fn report(&self, report: Report) {
        let (name, operation, is_timed, error) = match report {
            Report::LoginSucceeded(operation) => ("login.succeeded", operation, true, None),
            Report::LoginFailed(operation, error) => ("login.failed", operation, true, Some(error)),
            Report::Restored(operation) => ("session.restored", operation, false, None),
            Report::Renewed(operation) => ("token.renewed", operation, false, None),
            Report::RenewalFailed(operation, error) => {
                ("token.renewal_failed", operation, false, Some(error))
            }
            Report::Expiring(seconds) => {
                return self.emit("session.expiring", Some((seconds * 1000.0).round()));
            }
            Report::Expired => return self.emit("session.expired", None),
        };
        let error = error.map_or(JsValue::UNDEFINED, |error| self.error(error));
        if let Some(attempt) = self.stores.attempt(operation) {
            attempt.report(self, name, is_timed, &error);
        }
    }

    /// Emits an event of no operation.
    fn emit(&self, name: &str, duration: Option<f64>) {
        self.host.emit(name, &self.host.support_code(), duration, &JsValue::UNDEFINED);
    }
}
