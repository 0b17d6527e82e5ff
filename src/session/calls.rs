//! The application's calls: what each begins, and when it is settled.

use super::identity::{Identity, NoSession, UserDigest};
use super::machine::Machine;
use super::operation::{LeavePage, Purpose, SupersededBy, Task};
use super::operations::Renewed;
use super::step::{Answer, CallId, Refusal, Request};

/// A call that is not settled yet.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub(super) call: CallId,
    pub(super) request: Request,
    /// The user whose access token it gets, fixed when the call is first advanced.
    user: Option<UserDigest>,
    /// Whether a renewal was begun for it.
    pub(super) has_renewed: bool,
    /// Whether a restore was begun for it.
    pub(super) has_restored: bool,
}

/// The progress of a call that waits.
enum CallProgress {
    Settle(Result<Answer, Refusal>),
    Wait,
    /// There is no session: the call is a login, which leaves the page.
    StartLogin,
}

impl Machine {
    pub(super) fn on_call(&mut self, call: CallId, request: Request) {
        let waiting =
            Waiting { call, request, user: None, has_renewed: false, has_restored: false };
        if matches!(request, Request::Callback | Request::SignOut | Request::Popup) {
            // A single-page application calls these if the page did not leave.
            self.end_leaving();
        }
        match request {
            Request::User | Request::IdToken | Request::AccessToken { .. } => {
                self.waiting.push(waiting);
            }
            // A user who tries again is signed in already, perhaps: only if not, the page leaves.
            Request::Login if self.has_failed_restore => self.waiting.push(waiting),
            Request::Restore => {
                self.waiting.push(waiting);
                if self.session().is_none() && !self.is_signing_in() {
                    self.start_restore(LeavePage::Allowed);
                }
            }
            Request::Login | Request::Launch => {
                let is_launch = request == Request::Launch;
                self.start(Purpose::Leave, Some(call), Task::Leave { is_launch });
            }
            Request::Popup => {
                // One popup at a time: the later press takes the place of the earlier one.
                self.supersede(SupersededBy::Popup, |found| found.purpose == Purpose::Popup);
                self.cancel(|found| found.purpose == Purpose::Popup);
                self.start(Purpose::Popup, Some(call), Task::Popup);
            }
            Request::Callback => self.start(Purpose::Callback, Some(call), Task::Callback),
            Request::SignOut => self.sign_out(call),
        }
    }

    fn sign_out(&mut self, call: CallId) {
        let session = self.session().copied();
        // A session that was replaced by an unknown one cannot be named.
        let named = session.filter(|session| !session.is_replaced);
        let id = named.and_then(|session| session.id);
        let registration = session.map(|session| session.registration);
        let payload = session.map(|session| session.payload);
        self.apply_sign_out(id);
        // Logins whose exchange has not begun are older, too: a popup closes, and the page is not left.
        self.supersede(SupersededBy::SignOut(id), super::Operation::is_login);
        self.cancel(super::Operation::is_login);
        self.publish();
        let message = super::TabMessage::SignedOut { session: id };
        self.post(registration, message);
        self.start(Purpose::SignOut, Some(call), Task::SignOut { payload, id });
    }

    /// Removes the session that the user signed out of, in this tab or another. No operation under way brings it back.
    pub(super) fn apply_sign_out(&mut self, id: Option<super::SessionId>) {
        // Then a restore goes on, for a session that is not the one that was signed out.
        let may_find_other_session = id.is_some()
            && match self.identity {
                Identity::Unknown => true,
                Identity::NoSession(_) => self.is_restoring(),
                Identity::Session(_) => false,
            };
        if !may_find_other_session {
            self.clear_session(NoSession::SignedOut);
        }
        self.set_error(None);
        if let Some(id) = id {
            self.remember_ended(id);
        }
        self.supersede(SupersededBy::SignOut(id), super::Operation::brings_session);
        let is_unwanted = super::Operation::is_superseded;
        let is_unwanted_but_no_restore =
            |found: &super::Operation| found.is_superseded() && !found.is_restore();
        self.cancel(if may_find_other_session { is_unwanted_but_no_restore } else { is_unwanted });
    }

    /// Settles the calls that can be, and begins what the others wait for.
    pub(super) fn settle_calls(&mut self, now: f64) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            let call = waiting.call;
            match self.advance_call(&mut waiting, now) {
                CallProgress::Settle(result) => self.settle(call, result),
                CallProgress::Wait => self.waiting.push(waiting),
                CallProgress::StartLogin => {
                    self.start(Purpose::Leave, Some(call), Task::Leave { is_launch: false });
                }
            }
        }
    }

    fn advance_call(&mut self, waiting: &mut Waiting, now: f64) -> CallProgress {
        if self.is_signing_in() {
            return CallProgress::Wait;
        }
        let is_restore = matches!(waiting.request, Request::Restore | Request::Login);
        let is_restoring = self.is_restoring();
        let is_leaving = self.is_leaving();
        let must_restore = match self.identity {
            Identity::Unknown => true,
            Identity::NoSession(_) => is_restore && !waiting.has_restored,
            Identity::Session(_) => false,
        };
        if must_restore && !is_leaving {
            self.start_restore(match waiting.request {
                Request::Login => LeavePage::Forbidden,
                _ => LeavePage::Allowed,
            });
            waiting.has_restored = true;
            return CallProgress::Wait;
        }
        // A restore that is needed starts when the page is found to have stayed.
        if must_restore || (is_restore && is_restoring && self.session().is_none()) {
            return CallProgress::Wait;
        }
        if self.session().is_some_and(|session| session.lifetime.is_expired(now)) {
            // It is idle: another tab may know of activity.
            return CallProgress::Wait;
        }
        // A page that is being left shows no user. Its requests may still have an access token.
        let payload = self.session().map(|session| session.payload).filter(|_| !is_leaving);
        match (waiting.request, payload) {
            (Request::IdToken, payload) => {
                CallProgress::Settle(payload.map(Answer::IdToken).ok_or_else(|| self.no_session()))
            }
            (Request::AccessToken { min_validity_secs, refused }, _) => {
                self.advance_token_call(waiting, min_validity_secs, refused, now)
            }
            (Request::Login, None) => CallProgress::StartLogin,
            (Request::Login, Some(_)) => CallProgress::Settle(Ok(Answer::Operation)),
            _ => CallProgress::Settle(Ok(Answer::User(payload))),
        }
    }

    fn no_session(&self) -> Refusal {
        match self.identity {
            Identity::NoSession(NoSession::Expired) => Refusal::SessionExpired,
            _ => Refusal::NotSignedIn,
        }
    }

    fn advance_token_call(
        &mut self,
        waiting: &mut Waiting,
        min_validity_secs: f64,
        refused: Option<(u32, u32)>,
        now: f64,
    ) -> CallProgress {
        let Identity::Session(session) = &self.identity else {
            return CallProgress::Settle(Err(self.no_session()));
        };
        if *waiting.user.get_or_insert(session.user) != session.user {
            // A request on behalf of one user must not have the token of another.
            return CallProgress::Settle(Err(Refusal::UserChanged));
        }
        let is_good = session.lifetime.has_token_for(min_validity_secs, now);
        if is_good && refused != Some((session.payload, session.tokens)) {
            return CallProgress::Settle(Ok(Answer::AccessToken(session.payload)));
        }
        let is_renewing = self.is_renewing();
        if !is_renewing && (waiting.has_renewed || !session.lifetime.can_renew(now)) {
            return CallProgress::Settle(Err(Refusal::RenewalUnavailable));
        }
        waiting.has_renewed = true;
        self.start_renewal(Renewed::ThisSession, now);
        CallProgress::Wait
    }
}
