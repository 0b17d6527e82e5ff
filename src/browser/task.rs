//! Calls that wait for promises. The package's scripts drive them: a call hands out the promise that it waits for, and
//! is resumed with what became of it. An executor in here, with queue, wakers and closures, would be kilobytes.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// What became of a promise.
type Settled = Result<JsValue, JsValue>;

/// A call to JavaScript's own end: what its promise settles to.
pub type Call = Pin<Box<dyn Future<Output = Settled>>>;

/// A call under way; `None` once it has ended.
#[wasm_bindgen]
pub struct Task(RefCell<Option<Call>>);

thread_local! {
    /// What passes between [`Task::step`] and the [`Wait`] that it comes to: out goes a promise, in comes what became
    /// of it. Each is taken before anything else runs, so that tasks can't take each other's.
    static BATON: Cell<Option<Settled>> = const { Cell::new(None) };
}

impl Task {
    /// A call that has not begun.
    #[must_use]
    pub fn new(call: Call) -> Self {
        Self(RefCell::new(Some(call)))
    }
}

#[wasm_bindgen]
impl Task {
    /// Goes on with what became of the promise that was waited for: its value, or why it `failed`. Answers with the
    /// next promise to wait for; once there is none, with the value that the call ends with.
    ///
    /// # Errors
    /// What the call fails with.
    pub fn step(&self, settled: JsValue, failed: bool) -> Result<JsValue, JsValue> {
        let Some(mut call) = self.0.take() else {
            return Ok(JsValue::UNDEFINED);
        };
        BATON.set(Some(if failed { Err(settled) } else { Ok(settled) }));
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(end) => end,
            Poll::Pending => {
                self.0.replace(Some(call));
                BATON.take().unwrap_or(Ok(JsValue::UNDEFINED))
            }
        }
    }
}

/// Waits for a promise. Only one is waited for at a time, and its failure is nobody's until then: see [`no_orphan`].
pub fn wait(promise: impl Into<JsValue>) -> impl Future<Output = Settled> {
    Wait(Some(promise.into()))
}

struct Wait(Option<JsValue>);

impl Future for Wait {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Settled> {
        match self.0.take() {
            Some(promise) => {
                BATON.set(Some(Ok(promise)));
                Poll::Pending
            }
            None => BATON.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}

/// A promise that tells of another's end and never fails itself (`Promise.allSettled`), so that the platform reports
/// no unhandled rejection before somebody waits for it, or ever.
pub fn no_orphan(promise: &JsValue) -> Promise {
    Promise::all_settled(&Array::of1(promise))
}
