//! Futures that await promises, driven by the package's scripts: [`Task::step`] returns the promise to await, and is
//! called again with its result.
//!
//! Saves 1.5 KB (brotli) against an executor in the module (`wasm-bindgen-futures`: a queue, wakers, closures).

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The result of a promise: its value, or the reason of its rejection.
type PromiseResult = Result<JsValue, JsValue>;

/// An asynchronous call from JavaScript; its output settles the promise that JavaScript holds.
pub type BoxedCall = Pin<Box<dyn Future<Output = PromiseResult>>>;

/// A call in progress; `None` once it has ended.
#[wasm_bindgen]
pub struct Task(RefCell<Option<BoxedCall>>);

thread_local! {
    /// Passes a promise from the [`PromiseFuture`] that is polled to [`Task::step`], and its result back. Each is taken
    /// before anything else runs, so that tasks cannot mix them up.
    static HANDOFF: Cell<Option<PromiseResult>> = const { Cell::new(None) };
}

impl Task {
    /// Wraps a call that has not begun.
    #[must_use]
    pub fn new(call: BoxedCall) -> Self {
        Self(RefCell::new(Some(call)))
    }
}

#[wasm_bindgen]
impl Task {
    /// Resumes the call with the result of the promise that it awaited: its value or, if it `failed`, the reason. Returns
    /// the next promise to await or, at the end, the call's value.
    ///
    /// # Errors
    /// The call's error.
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

/// Awaits a promise. Tasks await one at a time; for a promise that is awaited later or never see
/// [`ignore_unhandled_rejection`].
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

/// Wraps a promise in one that never rejects (`Promise.allSettled`), so that the platform reports no unhandled rejection
/// if it is awaited later or never.
pub fn ignore_unhandled_rejection(promise: &JsValue) -> Promise {
    Promise::all_settled(&Array::of1(promise))
}
