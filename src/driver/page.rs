//! Events: the application's calls, the page's, and messages of other tabs.

use std::rc::Rc;

use super::Driver;
use crate::browser::clock;
use crate::session::messages::WireMessage;
use crate::session::{CallId, Event, Request, SessionId, TabMessage, UserDigest};

impl Driver {
    /// Makes a call, which the machine settles.
    pub fn call(self: &Rc<Self>, call: u32, request: Request) {
        self.dispatch(Event::Called { call: CallId(call), request });
    }

    /// Requests an access token for the origin that is the call's argument. `refused` is the token that this origin rejected with
    /// a 401.
    pub fn call_for_fetch(self: &Rc<Self>, call: u32, refused: Option<&str>) {
        let session = self.machine.borrow().session().map(|found| (found.payload, found.tokens));
        let refused = session.filter(|(handle, _)| {
            let payload = self.stores.payload(*handle);
            payload.is_some_and(|payload| refused == Some(payload.tokens.borrow().access.expose()))
        });
        self.call(call, Request::AccessToken { min_validity_secs: 0.0, refused });
    }

    /// Passes an event of the page to the machine. After [`Event::Closed`], requests under way are aborted.
    pub fn notify(self: &Rc<Self>, event: Event) {
        self.dispatch(event);
    }

    /// Records that the user was active.
    pub fn record_activity(self: &Rc<Self>) {
        // Rounded up: the time must not be before the activity.
        self.dispatch(Event::Active { at_secs: clock::now_secs().ceil() });
    }

    /// Receives a message of another tab.
    pub fn receive(
        self: &Rc<Self>,
        kind: &str,
        session: Option<&str>,
        user: Option<&str>,
        at_secs: f64,
    ) {
        let session = session.map(|text| SessionId(self.stores.intern(text)));
        let user = user.map(|text| UserDigest(self.stores.intern(text)));
        if let Some(message) = TabMessage::from_wire(WireMessage { kind, session, user, at_secs }) {
            // Only `active` has a time. For the others it is NaN, of which `max` makes 0.
            let ago_secs = (clock::now_secs() - at_secs).max(0.0);
            self.dispatch(Event::Message { message, ago_secs });
        }
    }
}

#[cfg(feature = "forced-panic")]
impl Driver {
    /// Panics after an await, the worst moment, if the page's `forcePanic` is true.
    pub fn panic_if_asked(&self) {
        if crate::browser::get(&js_sys::global(), "forcePanic").is_truthy() {
            let work = async {
                let now = js_sys::Promise::resolve(&wasm_bindgen::JsValue::NULL);
                let _ = crate::browser::task::await_promise(now).await;
                panic_now()
            };
            let _ = self.host.run(crate::browser::task::Task::new(Box::pin(work)));
        }
    }
}

#[cfg(feature = "forced-panic")]
#[expect(clippy::panic, reason = "the test of what happens then")]
fn panic_now() -> Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue> {
    panic!("forced")
}
