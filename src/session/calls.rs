//! The application's calls: what each begins, and when it is settled.

use super::identity::{Identity, NoSession, UserDigest};
use super::machine::Machine;
use super::operation::{Purpose, SupersededBy, Task};
use super::step::{Answer, CallId, Refusal, Request};

/// A call that is not settled yet.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub(super) call: CallId,
    pub(super) request: Request,
    /// Whose access token it is to be, from the first look on.
    user: Option<UserDigest>,
    /// Whether a renewal was begun for it.
    pub(super) has_renewed: bool,
    /// Whether a restore was begun for it.
    pub(super) has_restored: bool,
}

/// The state of a call that waits.
enum Look {
    Settles(Result<Answer, Refusal>),
    Waits,
    /// There is no session: its login may leave the page.
    Leaves,
}

impl Machine {
    pub(super) fn called(&mut self, call: CallId, request: Request) {
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
                    self.start_restore(true);
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
        self.signed_out(id);
        // Logins whose exchange has not begun are older, too: a popup closes, and the page is not left.
        let is_login = |found: &super::Operation| {
            matches!(found.purpose, Purpose::Callback | Purpose::Popup | Purpose::Leave)
        };
        self.supersede(SupersededBy::SignOut(id), is_login);
        self.cancel(is_login);
        self.publish();
        let message = super::TabMessage::SignedOut { session: id };
        self.post(registration, message);
        self.start(Purpose::SignOut, Some(call), Task::SignOut { payload, id });
    }

    /// The user signed out, in this tab or another: no operation under way starts a session.
    pub(super) fn signed_out(&mut self, id: Option<super::SessionId>) {
        // A restore may be about to find another session than this one.
        let is_open = id.is_some()
            && match self.identity {
                Identity::Unknown => true,
                Identity::NoSession(_) => self.is_restoring(),
                Identity::Session(_) => false,
            };
        if !is_open {
            self.clear_session(NoSession::SignedOut);
        }
        self.set_error(None);
        if let Some(id) = id {
            self.remember_ended(id);
        }
        self.supersede(SupersededBy::SignOut(id), super::Operation::brings_session);
        self.cancel(if is_open {
            // The restore goes on.
            |found| found.is_superseded() && !matches!(found.purpose, Purpose::Restore { .. })
        } else {
            super::Operation::is_superseded
        });
    }

    /// Settles the calls that can be, and begins what the others wait for.
    pub(super) fn settle_calls(&mut self, now: f64) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            let call = waiting.call;
            match self.look(&mut waiting, now) {
                Look::Settles(result) => self.settle(call, result),
                Look::Waits => self.waiting.push(waiting),
                Look::Leaves => {
                    self.start(Purpose::Leave, Some(call), Task::Leave { is_launch: false });
                }
            }
        }
    }

    fn look(&mut self, waiting: &mut Waiting, now: f64) -> Look {
        if self.is_signing_in() {
            return Look::Waits;
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
            self.start_restore(waiting.request != Request::Login);
            waiting.has_restored = true;
            return Look::Waits;
        }
        // If the page is being left but stays, the call goes on. A call for a restore waits for it.
        if must_restore || is_restore && is_restoring && self.session().is_none() {
            return Look::Waits;
        }
        if self.session().is_some_and(|session| session.lifetime.is_expired(now)) {
            // It is idle: another tab may know of activity.
            return Look::Waits;
        }
        let payload = self.session().map(|session| session.payload).filter(|_| !is_leaving);
        match (waiting.request, payload) {
            (Request::IdToken, payload) => {
                Look::Settles(payload.map(Answer::IdToken).ok_or_else(|| self.no_session()))
            }
            (Request::AccessToken { min_validity_secs, refused }, _) => {
                self.look_for_token(waiting, min_validity_secs, refused, now)
            }
            (Request::Login, None) => Look::Leaves,
            (Request::Login, Some(_)) => Look::Settles(Ok(Answer::Operation)),
            _ => Look::Settles(Ok(Answer::User(payload))),
        }
    }

    fn no_session(&self) -> Refusal {
        match self.identity {
            Identity::NoSession(NoSession::Expired) => Refusal::SessionExpired,
            _ => Refusal::NotSignedIn,
        }
    }

    fn look_for_token(
        &mut self,
        waiting: &mut Waiting,
        min_validity_secs: f64,
        refused: Option<(u32, u32)>,
        now: f64,
    ) -> Look {
        let Identity::Session(session) = &self.identity else {
            return Look::Settles(Err(self.no_session()));
        };
        if *waiting.user.get_or_insert(session.user) != session.user {
            // A request on behalf of one user must not have the token of another.
            return Look::Settles(Err(Refusal::UserChanged));
        }
        let is_good = session.lifetime.has_token_for(min_validity_secs, now);
        if is_good && refused != Some((session.payload, session.tokens)) {
            return Look::Settles(Ok(Answer::AccessToken(session.payload)));
        }
        let is_renewing = self.is_renewing();
        if !is_renewing && (waiting.has_renewed || !session.lifetime.can_renew(now)) {
            return Look::Settles(Err(Refusal::RenewalUnavailable));
        }
        waiting.has_renewed = true;
        self.start_renewal(false, now);
        Look::Waits
    }
}
