//! Outcomes: what an operation brought, and whether the world that it was asked in still stands.

use super::calls::Waiting;
use super::identity::{Cookie, Identity, NoSession, Registration, Session};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{Contested, Operation, OperationId, OvertakenBy, Phase, Purpose, Task};
use super::step::{Answer, Effect, Failure, Outcome, Refusal, Report, Request, Source};

impl Machine {
    pub(super) fn finished(&mut self, id: OperationId, outcome: Outcome, now: f64) {
        let Some(at) = self.operations.iter().position(|found| found.id == id) else {
            return;
        };
        if let Outcome::Left = outcome {
            return self.left(at);
        }
        let operation = self.operations.remove(at);
        match operation.purpose {
            Purpose::Restore { .. } => self.restored(operation, outcome, now),
            Purpose::Renew { .. } => self.renewed(operation, outcome, now),
            _ => self.signed_in(operation, outcome, now),
        }
    }

    /// The page is being left: the operation lasts until it has gone, or is found to have stayed.
    fn left(&mut self, at: usize) {
        let mut operation = self.operations.remove(at);
        if let Some(call) = operation.call.take() {
            self.effects.push(Effect::Settle { call, result: Ok(Answer::Operation) });
        }
        if let Phase::Leaving { .. } = operation.phase {
            operation.purpose = Purpose::Leave;
            self.operations.push(operation);
        }
    }

    fn restored(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let Purpose::Restore { may_leave, decides } = operation.purpose else { return };
        let found_id = match &outcome {
            Outcome::Session(session) => session.id.clone(),
            _ => None,
        };
        match (&operation.overtaken, outcome) {
            (Some(OvertakenBy::SignIn), _) => {
                // Whatever was found is older than that sign-in.
                return self.start_restore(may_leave, decides);
            }
            (Some(OvertakenBy::SignOut(id)), Outcome::Session(session)) => {
                if session.is_named_by(id.as_ref()) || self.has_ended(&session) {
                    self.end_at_gateway(session.registration, session.id.clone());
                    self.nobody_found();
                } else if self.session().is_none() {
                    self.found(operation.id, session, now);
                }
            }
            (Some(OvertakenBy::SignOut(_)), Outcome::Failed(_))
                if !matches!(self.identity, Identity::Unknown) => {}
            (_, Outcome::Session(session)) => {
                if self.has_ended(&session) {
                    self.end_at_gateway(session.registration, session.id.clone());
                    self.nobody_found();
                } else if self.session().is_none() {
                    self.found(operation.id, session, now);
                }
            }
            (_, Outcome::Failed(failure)) => self.restore_failed(operation.id, failure),
            _ => self.nobody_found(),
        }
        if let Some(Contested { call, id, registration }) = decides {
            let holds = found_id.as_ref() == Some(&id) && self.session().is_some();
            if let Some(OvertakenBy::SignOut(_)) = &operation.overtaken
                && !holds
            {
                self.end_at_gateway(registration, Some(id));
            }
            let result = if holds { Ok(Answer::Operation) } else { Err(Refusal::Overtaken) };
            self.effects.push(Effect::Settle { call, result });
        }
    }

    fn found(&mut self, id: OperationId, session: Box<Session>, now: f64) {
        let registration = Some(session.registration);
        let announced = session
            .id
            .clone()
            .map(|id| TabMessage::SignedIn { session: Some(id), user: session.user.clone() });
        self.begin(session, now);
        self.publish();
        // The page that signed in may have been closed before it could tell the others.
        let post = announced.map(|message| Effect::Post { registration, message });
        self.effects.extend(post);
        self.effects.push(Effect::Report(Report::Restored(id)));
    }

    /// No session was found. An error of something else still shows.
    fn nobody_found(&mut self) {
        self.is_restore_owed = false;
        if matches!(self.identity, Identity::Unknown) {
            self.identity = Identity::Nobody(NoSession::NeverSignedIn);
        }
        if self.error_source == Some(Source::Restore) {
            self.set_error(None);
        }
    }

    fn restore_failed(&mut self, id: OperationId, failure: Failure) {
        self.is_restore_owed = failure.is_retryable;
        if self.session().is_none() {
            // Who is signed in is not known, whatever was thought before.
            if !matches!(self.identity, Identity::Nobody(_)) {
                self.identity = Identity::Unknown;
            }
            self.set_error(Some((Source::Restore, failure)));
        }
        self.effects.push(Effect::Report(Report::RenewalFailed(id, Some(failure.error))));
        let waits = |waiting: &Waiting| {
            waiting.has_restored || matches!(waiting.request, Request::Restore { .. })
        };
        self.reject(waits, Refusal::Error(failure.error));
    }

    fn reject(&mut self, waits: impl Fn(&Waiting) -> bool, refusal: Refusal) {
        let (rejected, kept) = std::mem::take(&mut self.waiting).into_iter().partition(waits);
        self.waiting = kept;
        let rejected: Vec<Waiting> = rejected;
        self.effects.extend(
            rejected
                .into_iter()
                .map(|waiting| Effect::Settle { call: waiting.call, result: Err(refusal) }),
        );
    }

    fn renewed(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let Purpose::Renew { payload, spares_missing_cookie } = operation.purpose else {
            return;
        };
        let has_ended = matches!(&outcome, Outcome::Session(next) if self.has_ended(next));
        let current = match &mut self.identity {
            Identity::Session(session) if session.payload == payload => session,
            // What was renewed has ended: the answer may have brought its cookie back.
            _ => return self.end_renewed(outcome),
        };
        let is_replaced = operation.overtaken.is_some() && current.registration.has_gateway;
        if is_replaced && !matches!(outcome, Outcome::Failed(_)) {
            // Another tab's sign-in replaced it while its renewal was under way.
            return self.start_renewal(true, now);
        }
        match outcome {
            Outcome::Renewed { expires_in } => {
                current.lifetime = current.lifetime.renewed(expires_in, now);
                current.cookie = Cookie::Kept;
                current.is_replaced = false;
                current.tokens = current.tokens.wrapping_add(1);
                self.effects.push(Effect::Report(Report::Renewed(operation.id)));
            }
            Outcome::Session(_) if has_ended => self.expire(false, now),
            Outcome::Session(next) => {
                self.begin(next, now);
                self.publish();
                self.effects.push(Effect::Report(Report::Renewed(operation.id)));
            }
            Outcome::Failed(failure) if failure.is_untrusted => {
                // Whatever came, it is not this user's session.
                self.set_nobody(NoSession::SignedOut);
                self.set_error(Some((Source::Session, failure)));
                self.effects
                    .push(Effect::Report(Report::RenewalFailed(operation.id, Some(failure.error))));
                self.reject(|waiting| waiting.has_renewed, Refusal::Error(failure.error));
            }
            Outcome::Failed(failure) => {
                current.lifetime.record_failure(now);
                self.effects
                    .push(Effect::Report(Report::RenewalFailed(operation.id, Some(failure.error))));
                let refusal = Refusal::RenewalUnavailable(Some(failure.error));
                self.reject(|waiting| waiting.has_renewed, refusal);
            }
            _ if spares_missing_cookie => {
                // The browser kept no cookie: the grant goes on for as long as the tokens allow.
                current.lifetime.is_renewable = false;
                self.effects.push(Effect::Report(Report::RenewalFailed(operation.id, None)));
            }
            _ => {
                let (registration, id) = (current.registration, current.id.clone());
                self.effects.push(Effect::Report(Report::RenewalFailed(operation.id, None)));
                self.expire(false, now);
                let message = TabMessage::Expired { session: id };
                self.effects.push(Effect::Post { registration: Some(registration), message });
            }
        }
    }

    fn end_renewed(&mut self, outcome: Outcome) {
        if let Outcome::Session(session) = outcome
            && self.has_ended(&session)
        {
            self.end_at_gateway(session.registration, session.id.clone());
        }
    }

    /// A login, a callback, a sign-out or the end of a session at the gateway finished.
    fn signed_in(&mut self, operation: Operation, outcome: Outcome, now: f64) {
        let result = match outcome {
            Outcome::Session(session) => return self.begun(operation, session, now),
            Outcome::Failed(failure) => {
                self.login_failed(&operation, failure, now);
                Err(Refusal::Error(failure.error))
            }
            _ => Ok(Answer::Operation),
        };
        if let Some(call) = operation.call {
            self.effects.push(Effect::Settle { call, result });
        }
    }

    fn begun(&mut self, operation: Operation, session: Box<Session>, now: f64) {
        let Operation { id, call, overtaken, .. } = operation;
        let Some(call) = call else { return };
        let (registration, name) = (session.registration, session.id.clone());
        let refused = match &overtaken {
            Some(OvertakenBy::SignOut(_) | OvertakenBy::Popup) => true,
            Some(OvertakenBy::SignIn) if registration.has_gateway => {
                // Only the gateway knows which of the two is the newer one.
                let decision = name.clone().filter(|_| !self.is_deciding());
                match decision {
                    Some(id) => return self.decide(Contested { call, id, registration }),
                    None => true,
                }
            }
            _ => false,
        };
        if refused {
            self.end_at_gateway(registration, name);
            self.effects.push(Effect::Settle { call, result: Err(Refusal::Overtaken) });
            return self.ask_after_sign_out(overtaken.as_ref(), registration);
        }
        let user = session.user.clone();
        // What was asked before it is older.
        self.overtake(&OvertakenBy::End, Operation::brings_session);
        self.begin(session, now);
        self.publish();
        let message = TabMessage::SignedIn { session: name, user };
        self.effects.push(Effect::MarkSignedOut(false));
        self.effects.push(Effect::Post { registration: Some(registration), message });
        self.effects.push(Effect::Report(Report::LoginSucceeded(id)));
        self.effects.push(Effect::Settle { call, result: Ok(Answer::Operation) });
    }

    /// A sign-in ended because a session was signed out, which need not be the only one there was.
    fn ask_after_sign_out(&mut self, overtaken: Option<&OvertakenBy>, registration: Registration) {
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

    fn login_failed(&mut self, operation: &Operation, failure: Failure, now: f64) {
        let is_login =
            matches!(operation.purpose, Purpose::Leave | Purpose::Popup | Purpose::Callback);
        if !is_login {
            return;
        }
        if let Phase::Exchanging { registration, id } = &operation.phase {
            // The gateway may have begun a session whose answer did not arrive whole, or was refused here.
            self.end_at_gateway(*registration, Some(id.clone()));
            if registration.has_gateway && self.session().is_some() {
                // And may have ended the one before.
                self.start_renewal(true, now);
            } else if matches!(operation.overtaken, Some(OvertakenBy::SignIn)) {
                self.start_restore(false, None);
            } else {
                self.ask_after_sign_out(operation.overtaken.as_ref(), *registration);
            }
        }
        if failure.is_launch {
            // Whoever started the launch is not signed in, and must not be taken for the user before.
            let session = self.session();
            let registration = session.map(|session| session.registration);
            let id = session.and_then(|session| session.id.clone());
            self.signed_out(id.clone());
            let message = TabMessage::SignedOut { session: id.clone() };
            self.effects.push(Effect::Post { registration, message });
            match registration {
                Some(registration) => self.end_at_gateway(registration, id),
                None => self.start(Purpose::EndSession, None, Task::EndUnknownSession),
            }
        }
        if operation.overtaken == Some(OvertakenBy::Popup) {
            return;
        }
        if self.session().is_none() {
            self.set_error(Some((Source::Login, failure)));
        }
        self.publish();
        self.effects.push(Effect::Report(Report::LoginFailed(operation.id, failure.error)));
    }
}
