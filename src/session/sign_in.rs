//! Outcomes of sign-ins: each is applied only if it was not superseded; otherwise the session that it began is ended.

use super::identity::{Registration, Session};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{
    LeavePage, Operation, Phase, Purpose, SupersededBy, SupersededSignIn, Task,
};
use super::operations::Renewed;
use super::step::{Answer, Effect, Failure, Outcome, Refusal, Report, Source};

impl Machine {
    /// An operation finished that a call began, or the end of a session at the gateway.
    pub(super) fn on_call_finished(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let result = match outcome {
            Outcome::Session(session) => return self.sign_in_succeeded(operation, session, now),
            Outcome::Failed(failure) => Err(if operation.is_login() {
                self.login_failed(&operation, failure, now)
            } else {
                operation.refusal(failure)
            }),
            _ => Ok(Answer::Operation),
        };
        if let Some(call) = operation.call {
            self.settle(call, result);
        }
    }

    fn sign_in_succeeded(&mut self, operation: Operation, session: Box<Session>, now: f64) {
        let Operation { id: operation_id, call, superseded_by, .. } = operation;
        let Some(call) = call else { return };
        let (registration, session_id) = (session.registration, session.id);
        let is_refused = match &superseded_by {
            Some(SupersededBy::SignOut(_) | SupersededBy::Popup) => true,
            Some(SupersededBy::SignIn) if registration.has_gateway => {
                if let Some(id) = session_id
                    && self.undecided.is_none()
                {
                    let sign_in = SupersededSignIn { call, id, registration };
                    return self.ask_which_sign_in_holds(sign_in);
                }
                true
            }
            _ => false,
        };
        if is_refused {
            self.end_at_gateway(registration, session_id);
            if superseded_by != Some(SupersededBy::Popup) {
                self.publish();
                self.report(Report::LoginFailed(operation_id, Refusal::Superseded));
            }
            self.settle(call, Err(Refusal::Superseded));
            return self.restore_after_sign_out(superseded_by, registration);
        }
        let user = session.user;
        // Operations that began before it are older.
        self.supersede(SupersededBy::End, Operation::brings_session);
        self.start_session(session, now);
        self.publish();
        let message = TabMessage::SignedIn { session: session_id, user };
        self.emit(Effect::ForgetSignOuts(operation_id));
        self.post(Some(registration), message);
        self.report(Report::LoginSucceeded(operation_id));
        self.settle(call, Ok(Answer::Operation));
    }

    /// A sign-in ended because a session was signed out, which need not be the only one there was.
    fn restore_after_sign_out(
        &mut self,
        superseded_by: Option<SupersededBy>,
        registration: Registration,
    ) {
        if matches!(superseded_by, Some(SupersededBy::SignOut(Some(_))))
            && registration.has_gateway
            && self.session().is_none()
        {
            self.restore_from_unknown();
        }
    }

    /// Restores, since the gateway alone knows which of two sign-ins is the newer one: that of a call, or another tab's.
    fn ask_which_sign_in_holds(&mut self, sign_in: SupersededSignIn) {
        self.undecided = Some(sign_in);
        // A restore under way is older than this sign-in: it is repeated, and does not leave the page.
        for operation in &mut self.operations {
            if let Purpose::Restore { leave_page } = &mut operation.purpose {
                *leave_page = LeavePage::Forbidden;
            }
        }
        self.supersede(SupersededBy::SignIn, Operation::is_restore);
        self.restore_from_unknown();
    }

    /// A login or a callback failed. Returns the error that its call rejects with.
    fn login_failed(&mut self, operation: &Operation, failure: Failure, now: f64) -> Refusal {
        let error = operation.refusal(failure);
        if let Phase::Exchanging { registration, id } = operation.phase {
            // The gateway may have begun a session whose response was incomplete or invalid.
            self.remember_ended(id);
            self.end_at_gateway(registration, Some(id));
            if registration.has_gateway && self.session().is_some() {
                // And may have ended the previous one.
                self.start_renewal(Renewed::AnySession, now);
            } else if operation.superseded_by == Some(SupersededBy::SignIn) {
                self.start_restore(LeavePage::Forbidden);
            } else {
                self.restore_after_sign_out(operation.superseded_by, registration);
            }
        }
        if failure.is_launch {
            self.end_for_launch();
        }
        if operation.superseded_by == Some(SupersededBy::Popup) {
            return error;
        }
        if self.session().is_none() && error != Refusal::Superseded {
            self.set_error(Some((Source::Login, error)));
        }
        self.publish();
        self.report(Report::LoginFailed(operation.id, error));
        error
    }

    /// Signs out the previous user, for whom the user of a launch that failed must not be taken.
    fn end_for_launch(&mut self) {
        let session = self.session().copied();
        let registration = session.map(|session| session.registration);
        let id = session.and_then(|session| session.id);
        self.apply_sign_out(id);
        let message = TabMessage::SignedOut { session: id };
        self.post(registration, message);
        if let Some(registration) = registration {
            self.end_at_gateway(registration, id);
        } else {
            let task = Task::EndSession { registration: None, id: None };
            self.start(Purpose::EndSession, None, task);
        }
    }
}

impl Operation {
    /// Returns the error that the call of a failed operation rejects with.
    fn refusal(&self, failure: Failure) -> Refusal {
        match self.superseded_by {
            Some(SupersededBy::SignOut(_) | SupersededBy::Popup) => Refusal::Superseded,
            _ if failure.is_retryable && self.purpose == Purpose::Callback => {
                Refusal::Retryable(failure.error)
            }
            _ => Refusal::Error(failure.error),
        }
    }
}
