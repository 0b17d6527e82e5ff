//! Calls that wait for promises. The package's scripts drive them: a call hands out the promise that it waits for, and
//! is resumed with what became of it. An executor in here, with queue, wakers and closures, would be kilobytes.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// What became of a promise.
type PromiseResult = Result<JsValue, JsValue>;

/// A call to JavaScript's own end: what its promise settles to.
pub type BoxedCall = Pin<Box<dyn Future<Output = PromiseResult>>>;

/// A call under way; `None` once it has ended.
#[wasm_bindgen]
pub struct Task(RefCell<Option<BoxedCall>>);

thread_local! {
    /// What passes between [`Task::step`] and the [`PromiseFuture`] that it comes to: out goes a promise, in comes what became
    /// of it. Each is taken before anything else runs, so that tasks can't take each other's.
    static HANDOFF: Cell<Option<PromiseResult>> = const { Cell::new(None) };
}

impl Task {
    /// A call that has not begun.
    #[must_use]
    pub fn new(call: BoxedCall) -> Self {
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
        HANDOFF.set(Some(if failed { Err(settled) } else { Ok(settled) }));
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(end) => end,
            Poll::Pending => {
                self.0.replace(Some(call));
                HANDOFF.take().unwrap_or(Ok(JsValue::UNDEFINED))
            }
        }
    }
}

/// Waits for a promise. Only one is waited for at a time, and its failure is nobody's until then: see [`ignore_unhandled_rejection`].
pub fn await_promise(promise: impl Into<JsValue>) -> impl Future<Output = PromiseResult> {
    PromiseFuture(Some(promise.into()))
}

struct PromiseFuture(Option<JsValue>);

impl Future for PromiseFuture {
    type Output = PromiseResult;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<PromiseResult> {
        match self.0.take() {
            Some(promise) => {
                HANDOFF.set(Some(Ok(promise)));
                Poll::Pending
            }
            None => HANDOFF.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}

/// A promise that tells of another's end and never fails itself (`Promise.allSettled`), so that the platform reports
/// no unhandled rejection before somebody waits for it, or ever.
pub fn ignore_unhandled_rejection(promise: &JsValue) -> Promise {
    Promise::all_settled(&Array::of1(promise))
}
