//! One application's sign-in, from start to end. Each file is one verb.

mod attempt;
mod callback;
mod exchange;
mod launch;
mod login;
mod provider;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::browser::host::Host;
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use provider::Providers;

/// One client: what `createClient` gives.
pub struct Client {
    host: Host,
    providers: Providers,
    state: RefCell<State>,
    /// The sign-in under way, which `getUser` waits for.
    under_way: RefCell<Option<Promise>>,
    callback_retryable: Cell<bool>,
    closed: Cell<bool>,
}

/// Where the client stands: `Status` in `types.ts`, with what belongs to each.
enum State {
    Loading,
    SignedOut,
    Redirecting,
    SigningIn,
    SignedIn(Session),
    Error(JsValue),
}

/// Somebody is signed in.
#[derive(Clone)]
struct Session {
    /// The person, as the application sees them.
    user: JsValue,
    scope: Array,
}

impl Client {
    /// A client that has done nothing yet.
    #[must_use]
    pub fn new(host: Host) -> Rc<Self> {
        Rc::new(Self {
            host,
            providers: Providers::default(),
            state: RefCell::new(State::Loading),
            under_way: RefCell::new(None),
            callback_retryable: Cell::new(false),
            closed: Cell::new(false),
        })
    }

    /// The person signed in, or `null`, once a sign-in that is under way has ended.
    ///
    /// # Errors
    /// None yet: every failure is `handleCallback`'s to tell.
    pub async fn user(&self) -> Result<JsValue, JsValue> {
        loop {
            let Some(sign_in) = self.under_way.borrow().clone() else {
                break;
            };
            // Its own caller hears how it ended.
            let _ = JsFuture::from(sign_in.clone()).await;
            self.under_way.borrow_mut().take_if(|current| Object::is(current, &sign_in));
        }
        if matches!(*self.state.borrow(), State::Loading) {
            self.enter(State::SignedOut);
        }
        Ok(match &*self.state.borrow() {
            State::SignedIn(session) => session.user.clone(),
            _ => JsValue::NULL,
        })
    }

    /// Makes `getUser` wait for a sign-in.
    pub fn wait_for(&self, sign_in: &Promise) {
        self.under_way.replace(Some(sign_in.clone()));
    }

    /// Whether the last callback failed before anything was consumed.
    #[must_use]
    pub fn callback_retryable(&self) -> bool {
        self.callback_retryable.get()
    }

    /// Forgets everything.
    pub fn close(&self) {
        self.closed.set(true);
        self.under_way.replace(None);
        self.state.replace(State::SignedOut);
    }

    /// The registration for a district.
    async fn config(&self, district: Option<&str>) -> Result<Config, Error> {
        let json = self.host.config(district).await?;
        self.require_open()?;
        Config::read(&json)
    }

    /// A closed client does nothing more, whatever it was waiting for.
    fn require_open(&self) -> Result<(), Error> {
        if self.closed.get() {
            return Err(Error::new(ErrorCode::ClientClosed, "the client was closed"));
        }
        Ok(())
    }

    /// The page comes back from the back/forward cache: nobody is on the way to the provider any more.
    pub fn come_back(&self) {
        if matches!(*self.state.borrow(), State::Redirecting) {
            self.enter(State::SignedOut);
        }
    }

    fn session(&self) -> Option<Session> {
        match &*self.state.borrow() {
            State::SignedIn(session) => Some(session.clone()),
            _ => None,
        }
    }

    /// Takes a state and tells the application.
    fn enter(&self, state: State) {
        if self.closed.get() {
            return;
        }
        self.state.replace(state);
        let null = JsValue::NULL;
        // Copied out, so that nothing is borrowed while the application's listeners run.
        let (status, user, scope, error) = match &*self.state.borrow() {
            State::Loading => ("loading", null.clone(), Array::new(), null),
            State::SignedOut => ("signed-out", null.clone(), Array::new(), null),
            State::Redirecting => ("redirecting", null.clone(), Array::new(), null),
            State::SigningIn => ("signing-in", null.clone(), Array::new(), null),
            State::SignedIn(session) => {
                ("signed-in", session.user.clone(), session.scope.clone(), null)
            }
            State::Error(error) => ("error", null, Array::new(), error.clone()),
        };
        self.host.publish(status, user, scope.into(), error);
    }
}
