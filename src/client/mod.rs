//! One application's sign-in, from start to end. Each file is one verb.

mod aside;
mod attempt;
mod callback;
mod exchange;
mod launch;
mod login;
mod logout;
mod provider;
mod renewal;
mod restore;
mod session;
mod tabs;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object, Promise};
use wasm_bindgen::JsValue;

use crate::browser::clock;
use crate::browser::task::{BoxedCall, Task, await_promise};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::host::Host;
use crate::session::lifetime::ElapsedClock;
use provider::Providers;
use session::Session;

/// One client: what `createClient` gives.
pub struct Client {
    host: Host,
    providers: Providers,
    state: RefCell<State>,
    /// The sign-in or restore under way, which `getUser` waits for.
    under_way: RefCell<Option<UnderWay>>,
    /// Whether the last restore failed: who is signed in is not known.
    restore_failed: Cell<bool>,
    /// The renewal under way, which all who need a fresh token wait for.
    renewal: RefCell<Option<Promise>>,
    elapsed: Cell<ElapsedClock>,
    /// Counts the sign-outs: what was begun before one must sign nobody in after it.
    sign_outs: Cell<u32>,
    /// Counts the sign-ins in other tabs: what the gateway answered before one is out of date.
    sign_ins_elsewhere: Cell<u32>,
    callback_retryable: Cell<bool>,
    closed: Cell<bool>,
}

/// Where the client stands: `Status` in `types.ts`, with what belongs to each.
enum State {
    Loading,
    SignedOut,
    Redirecting,
    SigningIn,
    SignedIn(Rc<Session>),
    Error(JsValue),
}

/// A sign-in or a restore.
#[derive(Clone)]
struct UnderWay {
    promise: Promise,
    restores: bool,
}

/// Where the client stood before something that may fail.
struct Before {
    session: Option<Rc<Session>>,
    sign_outs: u32,
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
            restore_failed: Cell::new(false),
            renewal: RefCell::new(None),
            elapsed: Cell::default(),
            sign_outs: Cell::new(0),
            sign_ins_elsewhere: Cell::new(0),
            callback_retryable: Cell::new(false),
            closed: Cell::new(false),
        })
    }

    /// Has a call driven to its end.
    pub fn run(&self, call: BoxedCall) -> Promise {
        self.host.run(Task::new(call))
    }

    /// Waits until a sign-in or restore that is under way has ended.
    ///
    /// # Errors
    /// A restore's. How a sign-in ended its own caller hears.
    pub async fn settle(&self) -> Result<(), JsValue> {
        loop {
            let Some(UnderWay { promise, restores }) = self.under_way.borrow().clone() else {
                return Ok(());
            };
            let ended = await_promise(promise.clone()).await;
            let is_it = |current: &mut UnderWay| Object::is(&current.promise, &promise);
            self.under_way.borrow_mut().take_if(is_it);
            if restores {
                ended?;
            }
        }
    }

    /// The person signed in, or `null`.
    #[must_use]
    pub fn user(self: &Rc<Self>) -> JsValue {
        self.live_session().map_or(JsValue::NULL, |session| session.user.clone())
    }

    /// Makes `getUser` wait for a sign-in or a restore.
    pub fn wait_for(&self, promise: &Promise, restores: bool) {
        self.under_way.replace(Some(UnderWay { promise: promise.clone(), restores }));
    }

    /// Whether it is not known who is signed in, and nothing is under way that will tell.
    #[must_use]
    pub fn needs_restore(&self) -> bool {
        let unknown = self.restore_failed.get() || matches!(*self.state.borrow(), State::Loading);
        unknown && self.under_way.borrow().is_none()
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
        self.renewal.replace(None);
        self.state.replace(State::SignedOut);
    }

    /// The registration for a district.
    async fn config(&self, district: Option<&str>) -> Result<Config, Error> {
        let json = self.host.config(district).await?;
        self.require_open()?;
        let config = Config::read(&json)?;
        self.host.join(&config.channel());
        Ok(config)
    }

    /// A closed client does nothing more, whatever it was waiting for.
    fn require_open(&self) -> Result<(), Error> {
        if self.closed.get() {
            return Err(Error::new(ErrorCode::ClientClosed, "the client was closed"));
        }
        Ok(())
    }

    /// Seconds that have passed, by whichever of the device's clocks advanced more.
    fn elapsed(&self) -> f64 {
        let mut elapsed = self.elapsed.get();
        let now = elapsed.tick(clock::monotonic_secs(), clock::now_secs());
        self.elapsed.set(elapsed);
        now
    }

    fn session(&self) -> Option<Rc<Session>> {
        match &*self.state.borrow() {
            State::SignedIn(session) => Some(session.clone()),
            _ => None,
        }
    }

    /// Nobody is signed in from now on, and that is known.
    fn count_sign_out(&self) {
        self.sign_outs.set(self.sign_outs.get().wrapping_add(1));
        self.restore_failed.set(false);
    }

    fn before(&self) -> Before {
        Before { session: self.session(), sign_outs: self.sign_outs.get() }
    }

    /// Where the client stands when that has failed: as before, unless somebody signed out meanwhile.
    fn as_before(&self, before: Before) -> State {
        let session = before.session.filter(|_| before.sign_outs == self.sign_outs.get());
        session.map_or(State::SignedOut, State::SignedIn)
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
