//! Outcomes of restores and renewals: each is applied only if it was not superseded.

use super::calls::Waiting;
use super::expiry::ExpiryNotice;
use super::identity::{Cookie, Identity, NoSession, Session};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{
    LeavePage, Operation, OperationId, Purpose, SupersededBy, SupersededSignIn,
};
use super::operations::Renewed;
use super::step::{Answer, Failure, Outcome, Refusal, Report, Request, Source};

impl Machine {
    pub(super) fn on_finished(&mut self, id: OperationId, outcome: Outcome, now: f64) {
        let Some(at) = self.operations.iter().position(|found| found.id == id) else {
            return;
        };
        if let Outcome::Left = outcome {
            return self.on_left(at);
        }
        let operation = self.operations.remove(at);
        match operation.purpose {
            Purpose::Restore { leave_page } => {
                self.on_restore_finished(&operation, leave_page, outcome, now);
            }
            Purpose::Renew { payload, tolerates_missing_cookie } => {
                self.on_renewal_finished(
                    &operation,
                    payload,
                    tolerates_missing_cookie,
                    outcome,
                    now,
                );
            }
            _ => self.on_call_finished(operation, outcome, now),
        }
    }

    /// The page is being left: the operation lasts until it has gone, or is found to have stayed.
    fn on_left(&mut self, at: usize) {
        let mut operation = self.operations.remove(at);
        if let Some(call) = operation.call.take() {
            self.settle(call, Ok(Answer::Operation));
        }
        if operation.is_leaving() {
            operation.purpose = Purpose::Leave;
            self.operations.push(operation);
        }
    }

    fn on_restore_finished(
        &mut self,
        operation: &Operation,
        leave_page: LeavePage,
        outcome: Outcome,
        now: f64,
    ) {
        let found_id = match &outcome {
            Outcome::Session(session) => session.id,
            _ => None,
        };
        match (&operation.superseded_by, outcome) {
            (Some(SupersededBy::SignIn), _) => {
                // The outcome is older than that sign-in.
                return self.start_restore(leave_page);
            }
            // It was aborted by a sign-out: nothing to report.
            (Some(SupersededBy::SignOut(None)), Outcome::Failed(_))
                if !matches!(self.identity, Identity::Unknown) => {}
            (superseded_by, Outcome::Session(session)) => {
                let is_signed_out = matches!(superseded_by, Some(SupersededBy::SignOut(id)) if session.is_named_by(*id));
                if is_signed_out || self.has_ended(&session) {
                    self.end_at_gateway(session.registration, session.id);
                    self.no_session_found();
                } else if self.session().is_none() {
                    self.session_found(operation.id, session, now);
                }
                // If a sign-in was faster, its session stays.
            }
            (_, Outcome::Failed(failure)) => self.restore_failed(operation.id, failure),
            _ => self.no_session_found(),
        }
        if let Some(SupersededSignIn { call, id, registration }) = self.undecided.take() {
            let holds = found_id == Some(id) && self.session().is_some();
            if let Some(SupersededBy::SignOut(_)) = &operation.superseded_by
                && !holds
            {
                self.end_at_gateway(registration, Some(id));
            }
            let result = if holds { Ok(Answer::Operation) } else { Err(Refusal::Superseded) };
            self.settle(call, result);
        }
    }

    fn session_found(&mut self, id: OperationId, session: Box<Session>, now: f64) {
        let registration = Some(session.registration);
        let announced =
            session.id.map(|id| TabMessage::SignedIn { session: Some(id), user: session.user });
        self.start_session(session, now);
        self.publish();
        // The page that signed in may have been closed before it could tell the others.
        if let Some(message) = announced {
            self.post(registration, message);
        }
        self.report(Report::Restored(id));
    }

    /// No session was found. An error of something else still shows.
    fn no_session_found(&mut self) {
        self.has_failed_restore = false;
        if matches!(self.identity, Identity::Unknown) {
            self.identity = Identity::NoSession(NoSession::NeverSignedIn);
        }
        if matches!(self.last_error, Some((Source::Restore, _))) {
            self.set_error(None);
        }
    }

    fn restore_failed(&mut self, id: OperationId, failure: Failure) {
        let error = Refusal::Error(failure.error);
        self.has_failed_restore = failure.is_retryable;
        if self.session().is_none() {
            self.set_error(Some((Source::Restore, error)));
        }
        // Monitoring has one event for both (docs/monitoring.md).
        self.report(Report::RenewalFailed(id, error));
        self.reject(|waiting| waiting.has_restored || waiting.request == Request::Restore, error);
    }

    fn reject(&mut self, waits: fn(&Waiting) -> bool, refusal: Refusal) {
        for waiting in std::mem::take(&mut self.waiting) {
            if waits(&waiting) {
                self.settle(waiting.call, Err(refusal));
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    fn on_renewal_finished(
        &mut self,
        operation: &Operation,
        payload: u32,
        tolerates_missing_cookie: bool,
        outcome: Outcome,
        now: f64,
    ) {
        let next_has_ended = matches!(&outcome, Outcome::Session(next) if self.has_ended(next));
        let current = match &mut self.identity {
            Identity::Session(session) if session.payload == payload => session,
            // The renewed session has ended: the response may have set its cookie again.
            _ => return self.end_renewed(outcome),
        };
        let began_before_other_sign_in =
            operation.superseded_by.is_some() && current.registration.has_gateway;
        if began_before_other_sign_in && !matches!(outcome, Outcome::Failed(_)) {
            // Another tab's sign-in replaced it while its renewal was under way.
            return self.start_renewal(Renewed::AnySession, now);
        }
        match outcome {
            Outcome::Renewed { expires_in } => {
                current.lifetime = current.lifetime.renewed(expires_in, now);
                current.cookie = Cookie::Kept;
                current.is_replaced = false;
                current.tokens = current.tokens.wrapping_add(1);
                self.report(Report::Renewed(operation.id));
            }
            Outcome::Session(_) if next_has_ended => {
                // A restore ends that one first, and finds out which there is.
                self.clear_session(NoSession::Expired);
                self.restore_from_unknown();
            }
            Outcome::Session(next) => {
                self.start_session(next, now);
                self.publish();
                self.report(Report::Renewed(operation.id));
            }
            Outcome::Failed(failure) if failure.is_untrusted => {
                // The response is not about this user's session.
                self.clear_session(NoSession::SignedOut);
                let error = Refusal::Error(failure.error);
                self.set_error(Some((Source::Session, error)));
                self.report(Report::RenewalFailed(operation.id, error));
                self.reject(|waiting| waiting.has_renewed, error);
            }
            Outcome::Failed(failure) => {
                current.lifetime.record_failure(now);
                let error = Refusal::Error(failure.error);
                self.report(Report::RenewalFailed(operation.id, error));
                let refusal = Refusal::RenewalFailed(failure.error);
                self.reject(|waiting| waiting.has_renewed, refusal);
            }
            Outcome::NoSession if tolerates_missing_cookie => {
                // The browser kept no cookie: the grant goes on for as long as the tokens allow.
                current.lifetime.is_renewable = false;
                self.report(Report::RenewalFailed(operation.id, Refusal::SessionExpired));
            }
            _ => {
                self.report(Report::RenewalFailed(operation.id, Refusal::SessionExpired));
                self.expire(ExpiryNotice::Tabs, now);
            }
        }
    }

    fn end_renewed(&mut self, outcome: Outcome) {
        if let Outcome::Session(session) = outcome
            && self.has_ended(&session)
        {
            self.end_at_gateway(session.registration, session.id);
        }
    }
}
