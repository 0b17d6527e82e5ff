//! The application's calls: what each begins, and when it is settled.

use super::identity::{Identity, NoSession, UserDigest};
use super::machine::Machine;
use super::operation::{OvertakenBy, Purpose, Task};
use super::step::{Answer, CallId, Effect, Refusal, Request};

/// A call that is not settled yet.
#[derive(Clone, Debug)]
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

impl Machine {
    pub(super) fn called(&mut self, call: CallId, request: Request) {
        let waiting = |request| Waiting {
            call,
            request,
            user: None,
            has_renewed: false,
            has_restored: false,
        };
        if matches!(request, Request::Callback | Request::SignOut | Request::Popup) {
            // An application in one page calls these where the page did not leave.
            self.end_leaving();
        }
        match request {
            Request::User | Request::IdToken | Request::AccessToken { .. } => {
                self.waiting.push(waiting(request));
            }
            Request::Restore { may_leave } => {
                self.waiting.push(waiting(request));
                if self.session().is_none() && !self.is_signing_in() {
                    self.start_restore(may_leave, None);
                }
            }
            Request::Login => {
                self.effects.push(Effect::MarkSignedOut(false));
                self.start(Purpose::Leave, Some(call), Task::Leave(call));
            }
            Request::Popup => {
                self.effects.push(Effect::MarkSignedOut(false));
                // One popup at a time: the later press takes the place of the earlier one.
                self.overtake(&OvertakenBy::Popup, |found| found.purpose == Purpose::Popup);
                let popups = self.operations.iter().filter(|found| found.purpose == Purpose::Popup);
                let cancelled: Vec<_> = popups.map(|found| Effect::Cancel(found.id)).collect();
                self.effects.extend(cancelled);
                self.start(Purpose::Popup, Some(call), Task::Popup(call));
            }
            Request::Callback => self.start(Purpose::Callback, Some(call), Task::Callback(call)),
            Request::SignOut => self.sign_out(call),
        }
    }

    fn sign_out(&mut self, call: CallId) {
        let session = self.session().cloned();
        // If another took its place and it is not known yet which, whichever there is is meant.
        let named = session.as_ref().filter(|session| !session.is_replaced);
        let id = named.and_then(|session| session.id.clone());
        let registration = session.as_ref().map(|session| session.registration);
        let payload = session.map(|session| session.payload);
        self.signed_out(id.clone());
        self.effects.push(Effect::MarkSignedOut(true));
        self.publish();
        let message = super::TabMessage::SignedOut { session: id.clone() };
        self.effects.push(Effect::Post { registration, message });
        let task = Task::SignOut { call, payload, id };
        self.start(Purpose::SignOut, Some(call), task);
    }

    /// The user signed out, here or in another tab: nothing that was under way signs anybody in.
    pub(super) fn signed_out(&mut self, id: Option<super::SessionId>) {
        // Of another session than the one asked for, it says nothing.
        let is_unknown = id.is_some() && matches!(self.identity, Identity::Unknown);
        if !is_unknown {
            self.set_nobody(NoSession::SignedOut);
        }
        self.set_error(None);
        if let Some(id) = id.clone() {
            self.remember_ended(id);
        }
        let by = OvertakenBy::SignOut(id);
        self.overtake(&by, super::Operation::brings_session);
        let overtaken = self.operations.iter().filter(|found| {
            let is_asking = is_unknown && matches!(found.purpose, Purpose::Restore { .. });
            found.overtaken.is_some() && found.brings_session() && !is_asking
        });
        let cancelled: Vec<_> = overtaken.map(|found| Effect::Cancel(found.id)).collect();
        self.effects.extend(cancelled);
    }

    /// Settles the calls that can be, and begins what the others wait for.
    pub(super) fn settle_calls(&mut self, now: f64) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            match self.look(&mut waiting, now) {
                Some(result) => self.effects.push(Effect::Settle { call: waiting.call, result }),
                None => self.waiting.push(waiting),
            }
        }
    }

    fn look(&mut self, waiting: &mut Waiting, now: f64) -> Option<Result<Answer, Refusal>> {
        if self.is_signing_in() {
            return None;
        }
        let is_restore = matches!(waiting.request, Request::Restore { .. });
        let may_leave = waiting.request != Request::Restore { may_leave: false };
        match &self.identity {
            // The page is being left. Should it stay, the call goes on.
            Identity::Unknown if self.is_leaving() => return None,
            _ if self.is_leaving() => {}
            Identity::Unknown => {
                if self.restore().is_none() {
                    self.start_restore(may_leave, None);
                }
                waiting.has_restored = true;
                return None;
            }
            Identity::Nobody(_) if is_restore && !waiting.has_restored => {
                self.start_restore(may_leave, None);
                waiting.has_restored = true;
                return None;
            }
            // Whoever asked for a restore waits for it.
            Identity::Nobody(_) if is_restore && self.restore().is_some() => return None,
            _ => {}
        }
        let payload = match (&self.identity, self.is_leaving()) {
            (Identity::Session(session), false) => Some(session.payload),
            _ => None,
        };
        match waiting.request {
            Request::IdToken => Some(payload.map(Answer::IdToken).ok_or_else(|| self.no_session())),
            Request::AccessToken { min_validity_secs, refused } => {
                match self.access_token(waiting, min_validity_secs, refused, now) {
                    Look::Settled(result) => Some(result),
                    Look::Renews => {
                        waiting.has_renewed = true;
                        self.start_renewal(false, now);
                        None
                    }
                }
            }
            _ => Some(Ok(Answer::User(payload))),
        }
    }

    fn no_session(&self) -> Refusal {
        match self.identity {
            Identity::Nobody(NoSession::Expired) => Refusal::SessionExpired,
            _ => Refusal::NotSignedIn,
        }
    }

    fn access_token(
        &self,
        waiting: &mut Waiting,
        min_validity_secs: f64,
        refused: Option<(u32, u32)>,
        now: f64,
    ) -> Look {
        let Identity::Session(session) = &self.identity else {
            return Look::Settled(Err(self.no_session()));
        };
        if waiting.user.get_or_insert_with(|| session.user.clone()) != &session.user {
            // What was asked for one user must not be done as another.
            return Look::Settled(Err(Refusal::UserChanged));
        }
        let is_good = session.lifetime.has_token_for(min_validity_secs, now);
        if is_good && refused != Some((session.payload, session.tokens)) {
            return Look::Settled(Ok(Answer::AccessToken(session.payload)));
        }
        if !waiting.has_renewed && self.is_renewing() {
            return Look::Renews;
        }
        if waiting.has_renewed || !session.lifetime.can_renew(now) {
            return Look::Settled(Err(Refusal::RenewalUnavailable(None)));
        }
        Look::Renews
    }
}

enum Look {
    Settled(Result<Answer, Refusal>),
    Renews,
}
