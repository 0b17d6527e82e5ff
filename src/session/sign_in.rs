//! Outcomes of sign-ins: each is applied only if it was not superseded; otherwise the session that it began is ended.

use super::identity::{Identity, Registration, Session};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{Operation, Phase, Purpose, SupersededBy, SupersededSignIn, Task};
use super::step::{Answer, Effect, Failure, Outcome, Refusal, Report, Source};

impl Machine {
    /// A login, a callback, a sign-out or the end of a session at the gateway finished.
    pub(super) fn login_finished(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let result = match outcome {
            Outcome::Session(session) => return self.sign_in_succeeded(operation, session, now),
            Outcome::Failed(failure) => Err(self.login_failed(&operation, failure, now)),
            _ => Ok(Answer::Operation),
        };
        if let Some(call) = operation.call {
            self.settle(call, result);
        }
    }

    fn sign_in_succeeded(&mut self, operation: Operation, session: Box<Session>, now: f64) {
        let Operation { id, call, superseded_by, .. } = operation;
        let Some(call) = call else { return };
        let (registration, name) = (session.registration, session.id);
        let refused = match &superseded_by {
            Some(SupersededBy::SignOut(_) | SupersededBy::Popup) => true,
            Some(SupersededBy::SignIn) if registration.has_gateway => {
                // Only the gateway knows which of the two is the newer one.
                let decision = name.filter(|_| self.undecided.is_none());
                match decision {
                    Some(id) => return self.decide(SupersededSignIn { call, id, registration }),
                    None => true,
                }
            }
            _ => false,
        };
        if refused {
            self.end_at_gateway(registration, name);
            if superseded_by != Some(SupersededBy::Popup) {
                self.publish();
                self.report(Report::LoginFailed(id, Refusal::Superseded));
            }
            self.settle(call, Err(Refusal::Superseded));
            return self.restore_after_sign_out(superseded_by, registration);
        }
        let user = session.user;
        // Operations that began before it are older.
        self.supersede(SupersededBy::End, Operation::brings_session);
        self.start_session(session, now);
        self.publish();
        let message = TabMessage::SignedIn { session: name, user };
        self.emit(Effect::ForgetSignOuts(id));
        self.post(Some(registration), message);
        self.report(Report::LoginSucceeded(id));
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
            self.find_out();
        }
    }

    /// Restores, to find out from the gateway whether the sign-in of a call holds, or the one in another tab.
    fn decide(&mut self, sign_in: SupersededSignIn) {
        self.identity = Identity::Unknown;
        self.undecided = Some(sign_in);
        // A restore under way is older than this sign-in: it is repeated, and does not leave the page.
        for operation in &mut self.operations {
            if let Purpose::Restore { may_leave } = &mut operation.purpose {
                *may_leave = false;
                operation.superseded_by = Some(SupersededBy::SignIn);
            }
        }
        self.start_restore(false);
    }

    /// A login or a callback failed. Returns the error that its call rejects with.
    fn login_failed(&mut self, operation: &Operation, failure: Failure, now: f64) -> Refusal {
        let error = match operation.superseded_by {
            Some(SupersededBy::SignOut(_) | SupersededBy::Popup) => Refusal::Superseded,
            _ if failure.is_retryable && operation.purpose == Purpose::Callback => {
                Refusal::Retryable(failure.error)
            }
            _ => Refusal::Error(failure.error),
        };
        let is_login =
            matches!(operation.purpose, Purpose::Leave | Purpose::Popup | Purpose::Callback);
        if !is_login {
            return error;
        }
        if let Phase::Exchanging { registration, id } = operation.phase {
            // The gateway may have begun a session whose response was incomplete or invalid.
            self.remember_ended(id);
            self.end_at_gateway(registration, Some(id));
            if registration.has_gateway && self.session().is_some() {
                // And may have ended the previous one.
                self.start_renewal(true, now);
            } else if operation.superseded_by == Some(SupersededBy::SignIn) {
                self.start_restore(false);
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

    /// The user who started the launch is not signed in, and must not be taken for the previous user.
    fn end_for_launch(&mut self) {
        let session = self.session().copied();
        let registration = session.map(|session| session.registration);
        let id = session.and_then(|session| session.id);
        self.signed_out(id);
        let message = TabMessage::SignedOut { session: id };
        self.post(registration, message);
        match registration {
            Some(registration) => self.end_at_gateway(registration, id),
            None => self.start(Purpose::EndSession, None, Task::EndSession { registration, id }),
        }
    }
}
