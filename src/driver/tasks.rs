//! Starts the operations: each is one `async` function with one outcome.

use std::pin::Pin;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::Driver;
use super::attempt::Attempt;
use crate::browser::task::Task as Run;
use crate::error::Error;
use crate::session::{CallId, Event, OperationId, Outcome, Task};

/// An operation under way.
type Work = Pin<Box<dyn Future<Output = Result<Outcome, Error>>>>;

impl Driver {
    /// Starts an operation. It begins after what is running now.
    pub(super) fn start(self: &Rc<Self>, operation: OperationId, call: Option<CallId>, task: Task) {
        let attempt = Rc::new(Attempt::new(self, operation, call));
        self.stores.begin(attempt.clone());
        let (driver, run) = (self.clone(), attempt.clone());
        let work: Work = match task {
            Task::Restore { may_leave } => Box::pin(driver.restore(run, may_leave)),
            Task::Renew { payload, id } => match self.stores.payload(payload) {
                Some(payload) => Box::pin(driver.renew(run, payload, id)),
                None => Box::pin(std::future::ready(Ok(Outcome::NoSession))),
            },
            Task::Leave { is_launch } => Box::pin(driver.start_login(run, is_launch)),
            Task::Popup => Box::pin(driver.start_popup_login(run)),
            Task::Callback => Box::pin(driver.handle_callback(run)),
            Task::SignOut { payload, id } => {
                let payload = payload.and_then(|payload| self.stores.payload(payload));
                Box::pin(driver.sign_out(run, payload, id))
            }
            Task::EndSession { registration, id } => {
                let config = self.stores.config(registration);
                Box::pin(driver.end_session(run, config, id))
            }
            Task::EndUnknownSession => Box::pin(driver.end_session(run, None, None)),
        };
        let _ = self.host.run(Run::new(Box::pin(self.clone().finish(attempt, work))));
    }

    async fn finish(self: Rc<Self>, attempt: Rc<Attempt>, work: Work) -> Result<JsValue, JsValue> {
        let outcome = match work.await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(self.fail(&attempt, &error)),
        };
        let operation = attempt.operation;
        self.dispatch(Event::Finished { operation, outcome });
        self.stores.end(operation);
        Ok(JsValue::UNDEFINED)
    }
}
