//! What becomes of sign-ins: each is applied only if nothing overtook it, and otherwise what it began is ended.

use super::identity::{Identity, Registration, Session};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{Contested, Operation, OvertakenBy, Phase, Purpose, Task};
use super::step::{Answer, Effect, Failure, Outcome, Refusal, Report, Source};

impl Machine {
    /// A login, a callback, a sign-out or the end of a session at the gateway finished.
    pub(super) fn signed_in(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let result = match outcome {
            Outcome::Session(session) => return self.begun(operation, session, now),
            Outcome::Failed(failure) => Err(self.login_failed(&operation, failure, now)),
            _ => Ok(Answer::Operation),
        };
        if let Some(call) = operation.call {
            self.emit(Effect::Settle { call, result });
        }
    }

    fn begun(&mut self, operation: Operation, session: Box<Session>, now: f64) {
        let Operation { id, call, overtaken, .. } = operation;
        let Some(call) = call else { return };
        let (registration, name) = (session.registration, session.id);
        let refused = match &overtaken {
            Some(OvertakenBy::SignOut(_) | OvertakenBy::Popup) => true,
            Some(OvertakenBy::SignIn) if registration.has_gateway => {
                // Only the gateway knows which of the two is the newer one.
                let decision = name.filter(|_| !self.is_deciding());
                match decision {
                    Some(id) => return self.decide(Contested { call, id, registration }),
                    None => true,
                }
            }
            _ => false,
        };
        if refused {
            self.end_at_gateway(registration, name);
            if overtaken != Some(OvertakenBy::Popup) {
                self.publish();
                self.emit(Effect::Report(Report::LoginFailed(id, Refusal::Overtaken)));
            }
            self.emit(Effect::Settle { call, result: Err(Refusal::Overtaken) });
            return self.ask_after_sign_out(overtaken, registration);
        }
        let user = session.user;
        // What was asked before it is older.
        self.overtake(OvertakenBy::End, Operation::brings_session);
        self.begin(session, now);
        self.publish();
        let message = TabMessage::SignedIn { session: name, user };
        self.emit(Effect::ForgetSignOuts(id));
        self.emit(Effect::Post { registration: Some(registration), message });
        self.emit(Effect::Report(Report::LoginSucceeded(id)));
        self.emit(Effect::Settle { call, result: Ok(Answer::Operation) });
    }

    /// A sign-in ended because a session was signed out, which need not be the only one there was.
    fn ask_after_sign_out(&mut self, overtaken: Option<OvertakenBy>, registration: Registration) {
        if matches!(overtaken, Some(OvertakenBy::SignOut(Some(_))))
            && registration.has_gateway
            && self.session().is_none()
        {
            self.identity = Identity::Unknown;
            self.start_restore(false, None);
        }
    }

    fn is_deciding(&self) -> bool {
        let decides =
            |purpose: &Purpose| matches!(purpose, Purpose::Restore { decides: Some(_), .. });
        self.operations.iter().any(|found| decides(&found.purpose))
    }

    /// Asks the gateway whether the sign-in of a call holds, or the one in another tab.
    fn decide(&mut self, contested: Contested) {
        self.identity = Identity::Unknown;
        let mut running = self.operations.iter_mut();
        let restore = running.find(|found| matches!(found.purpose, Purpose::Restore { .. }));
        match restore {
            Some(restore) => {
                // What it finds is older than this sign-in: it is repeated.
                restore.overtaken = Some(OvertakenBy::SignIn);
                let decides = Some(contested);
                restore.purpose = Purpose::Restore { may_leave: false, decides };
            }
            None => self.start_restore(false, Some(contested)),
        }
    }

    /// A login or a callback failed. Returns the error that its call rejects with.
    fn login_failed(&mut self, operation: &Operation, failure: Failure, now: f64) -> Refusal {
        let error = match operation.overtaken {
            Some(OvertakenBy::SignOut(_) | OvertakenBy::Popup) => Refusal::Overtaken,
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
            // The gateway may have begun a session whose answer did not arrive whole, or was refused here.
            self.remember_ended(id);
            self.end_at_gateway(registration, Some(id));
            if registration.has_gateway && self.session().is_some() {
                // And may have ended the one before.
                self.start_renewal(true, now);
            } else if operation.overtaken == Some(OvertakenBy::SignIn) {
                self.start_restore(false, None);
            } else {
                self.ask_after_sign_out(operation.overtaken, registration);
            }
        }
        if failure.is_launch {
            self.end_for_launch();
        }
        if operation.overtaken == Some(OvertakenBy::Popup) {
            return error;
        }
        if self.session().is_none() && error != Refusal::Overtaken {
            self.set_error(Some((Source::Login, error)));
        }
        self.publish();
        self.emit(Effect::Report(Report::LoginFailed(operation.id, error)));
        error
    }

    /// Whoever started the launch is not signed in, and must not be taken for the user before.
    fn end_for_launch(&mut self) {
        let session = self.session().copied();
        let registration = session.map(|session| session.registration);
        let id = session.and_then(|session| session.id);
        self.signed_out(id);
        let message = TabMessage::SignedOut { session: id };
        self.emit(Effect::Post { registration, message });
        match registration {
            Some(registration) => self.end_at_gateway(registration, id),
            None => self.start(Purpose::EndSession, None, Task::EndUnknownSession),
        }
    }
}
