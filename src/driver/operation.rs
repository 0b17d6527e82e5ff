//! Runs operations. Each does what it can without a registration, resolves that, decides what is left to do, and does it.
//! Code without an await is in functions that are not `async` and not inlined: in a state machine it would be larger.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::Driver;
use super::attempt::Attempt;
use super::callback::ReceivedResponse;
use super::child_window::ChildWindowPurpose;
use super::stores::Payload;
use crate::browser::task::Task as Run;
use crate::config::{Config, LoginOptions};
use crate::error::Error;
use crate::host::Lock;
use crate::session::{CallId, Event, LeavePage, OperationId, Outcome, SessionId, Task};

/// An operation whose registration is known.
pub(super) struct Context {
    pub(super) driver: Rc<Driver>,
    pub(super) attempt: Rc<Attempt>,
    pub(super) config: Config,
    /// The lock of the registration's tabs, while this operation holds it.
    pub(super) lock: RefCell<Option<Lock>>,
}

/// The session and the registration of an operation, if it has them when it starts.
struct Known {
    session: Option<Rc<Payload>>,
    config: Option<Config>,
}

/// An operation whose registration is not known.
pub(super) enum Work {
    Restore(LeavePage),
    Renew(Rc<Payload>, Option<SessionId>),
    Login {
        options: LoginOptions,
        is_popup: bool,
    },
    /// A launch with this URL.
    Launch(String),
    /// A launch that came as a callback without a state.
    RestartLaunch,
    Response(Box<ReceivedResponse>),
    SignOut(Option<Rc<Payload>>, Option<SessionId>),
}

/// The asynchronous rest of an operation.
pub(super) enum Step {
    Finish(Outcome),
    /// Leave the page for a login.
    Leave {
        options: LoginOptions,
        restarts_launch: bool,
    },
    /// Log in in a popup or a hidden iframe.
    ChildWindow(LoginOptions, ChildWindowPurpose),
    RestoreFromGateway,
    /// Renew a session by the gateway or a refresh token.
    Renew(Rc<Payload>, Option<SessionId>),
    SignOut(Option<Rc<Payload>>, Option<SessionId>),
}

impl Driver {
    /// Starts an operation. It begins after the code that is running now.
    pub(super) fn start(self: &Rc<Self>, operation: OperationId, call: Option<CallId>, task: Task) {
        let attempt = Rc::new(Attempt::new(self, operation, call));
        self.stores.begin(attempt.clone());
        // Now: the stores drop what the machine does not refer to any more.
        let known = match task {
            Task::Renew { payload, .. } | Task::SignOut { payload: Some(payload), .. } => {
                let session = self.stores.payload(payload);
                Known { config: session.as_ref().map(|session| session.config.clone()), session }
            }
            Task::EndSession { registration: Some(registration), .. } => {
                Known { config: self.stores.config(registration), session: None }
            }
            _ => Known { config: None, session: None },
        };
        let _ = self.host.run(Run::new(Box::pin(self.clone().run(attempt, task, known))));
    }

    async fn run(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        task: Task,
        known: Known,
    ) -> Result<JsValue, JsValue> {
        let outcome = match self.perform(&attempt, task, known).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(self.fail(&attempt, error)),
        };
        let operation = attempt.operation;
        // From here on the machine says whether its session is kept.
        attempt.session.take();
        self.dispatch(Event::Finished { operation, outcome });
        self.stores.end(operation);
        Ok(JsValue::UNDEFINED)
    }

    async fn perform(
        self: &Rc<Self>,
        attempt: &Rc<Attempt>,
        task: Task,
        Known { config, session }: Known,
    ) -> Result<Outcome, Error> {
        let work = self.begin(attempt, task, session)?;
        let config = match config {
            Some(config) => Ok(config),
            None => self.load_config(work.district()).await,
        };
        let work = match work {
            Work::Response(response) => {
                return self.handle_response(attempt, *response, config).await;
            }
            work => work,
        };
        let context = self.context(attempt, config?);
        let step: Pin<Box<dyn Future<Output = Result<Outcome, Error>>>> =
            match context.decide(work)? {
                Step::Finish(outcome) => return Ok(outcome),
                Step::Leave { options, restarts_launch } => {
                    Box::pin(context.leave(options, restarts_launch))
                }
                Step::ChildWindow(options, purpose) => {
                    Box::pin(context.login_in_child_window(options, purpose))
                }
                Step::RestoreFromGateway => Box::pin(context.restore_from_gateway()),
                Step::Renew(session, id) => Box::pin(context.renew(session, id)),
                Step::SignOut(session, id) => Box::pin(context.sign_out(session, id)),
            };
        step.await
    }

    #[inline(never)]
    fn begin(
        self: &Rc<Self>,
        attempt: &Attempt,
        task: Task,
        session: Option<Rc<Payload>>,
    ) -> Result<Work, Error> {
        if let Task::Leave { .. } | Task::Popup = task {
            attempt.emit(self, "login.started");
        }
        Ok(match task {
            Task::Restore { leave_page } => Work::Restore(leave_page),
            Task::Renew { id, .. } => Work::Renew(session.ok_or_else(super::closed_error)?, id),
            Task::Leave { is_launch: true } => {
                super::launch::ensure_no_frame()?;
                Work::Launch(self.argument(attempt))
            }
            Task::Leave { is_launch: false } | Task::Popup => Work::Login {
                options: LoginOptions::read(&self.argument(attempt))?,
                is_popup: task == Task::Popup,
            },
            Task::Callback => self.begin_callback(attempt)?,
            Task::SignOut { id, .. } => Work::SignOut(session, id),
            Task::EndSession { id, .. } => Work::SignOut(None, id),
        })
    }

    pub(super) fn context(self: &Rc<Self>, attempt: &Rc<Attempt>, config: Config) -> Context {
        let (driver, attempt) = (self.clone(), attempt.clone());
        Context { driver, attempt, config, lock: RefCell::default() }
    }

    /// Returns the text that the call of an operation was made with.
    pub(super) fn argument(&self, attempt: &Attempt) -> String {
        attempt.call.and_then(|call| self.host.argument(call.0)).unwrap_or_default()
    }

    /// Keeps the status that the call of an operation resolves with.
    pub(super) fn prepare_status(&self, attempt: &Attempt, status: &str) {
        if let Some(call) = attempt.call {
            self.host.prepare_status(call.0, status);
        }
    }
}

impl Work {
    /// Returns the district whose registration to use.
    fn district(&self) -> Option<&str> {
        match self {
            Self::Login { options, .. } => options.district(),
            Self::Response(response) => response.pending.as_ref()?.district(),
            _ => None,
        }
    }
}

impl Context {
    #[inline(never)]
    fn decide(&self, work: Work) -> Result<Step, Error> {
        let leave = |options| Step::Leave { options, restarts_launch: false };
        Ok(match work {
            Work::Restore(leave_page) => self.decide_restore(leave_page)?,
            Work::Renew(session, id) => self.decide_renewal(session, id),
            Work::Login { options, is_popup: true } => {
                Step::ChildWindow(options, ChildWindowPurpose::Popup)
            }
            Work::Login { options, is_popup: false } => leave(options),
            Work::Launch(url) => leave(self.launch_options(&url)?),
            Work::RestartLaunch => {
                Step::Leave { options: self.restarted_launch_options()?, restarts_launch: true }
            }
            Work::SignOut(session, id) => Step::SignOut(session, id),
            Work::Response(_) => Step::Finish(Outcome::Done),
        })
    }
}
