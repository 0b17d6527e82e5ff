//! Messages of other tabs, user activity, and the back/forward cache.

use super::expiry::ExpiryNotice;
use super::identity::{Identity, NoSession, SessionId, UserDigest};
use super::machine::Machine;
use super::messages::TabMessage;
use super::operation::{LeavePage, Operation, SupersededBy};
use super::operations::Renewed;
use super::step::Source;

impl Machine {
    /// Another tab posted a message, at this time.
    pub(super) fn on_message(&mut self, message: TabMessage, at: f64, now: f64) {
        match message {
            TabMessage::SignedIn { session, user } => self.on_sign_in_elsewhere(session, user, now),
            TabMessage::SignedOut { session } => self.on_sign_out_elsewhere(session),
            TabMessage::Expired { session: id } => {
                if self.session().is_some_and(|session| session.is_named_by(id)) {
                    self.expire(ExpiryNotice::None, now);
                } else if let Some(id) = id {
                    self.remember_ended(id);
                }
            }
            // This tab may know of activity that the other one does not: due tasks run after each event.
            TabMessage::Idle { .. } => {}
            TabMessage::Active { user, .. } => {
                if let Identity::Session(session) = &mut self.identity
                    && session.user == user
                {
                    session.lifetime.record_activity(at);
                }
            }
        }
    }

    fn on_sign_in_elsewhere(&mut self, id: Option<SessionId>, user: UserDigest, now: f64) {
        if let Identity::Session(session) = &mut self.identity
            && id.is_some()
            && session.id == id
        {
            // Another tab restored it, which counts as activity.
            return session.lifetime.record_activity(now);
        }
        self.supersede(SupersededBy::SignIn, Operation::brings_session);
        match &mut self.identity {
            Identity::Session(session) if session.user == user => {
                if session.registration.has_gateway {
                    // The gateway's session is the new one, with limits of its own.
                    session.is_replaced = true;
                    self.start_renewal(Renewed::AnySession, now);
                }
            }
            Identity::Session(session) => {
                // Nothing of this user may show for another.
                let has_gateway = session.registration.has_gateway;
                self.clear_session(NoSession::SignedOut);
                if has_gateway {
                    self.identity = Identity::Unknown;
                    self.set_error(None);
                    self.publish();
                    if !self.is_signing_in() {
                        self.start_restore(LeavePage::Forbidden);
                    }
                }
            }
            Identity::Unknown | Identity::NoSession(_) => {
                // A sign-in under way restores by itself when it has finished.
                if !self.is_signing_in() {
                    self.start_restore(LeavePage::Forbidden);
                }
            }
        }
    }

    fn on_sign_out_elsewhere(&mut self, id: Option<SessionId>) {
        let is_other = match &self.identity {
            // Without a gateway each tab has a session of its own, and a sign-out means all of them.
            Identity::Session(session) => {
                session.registration.has_gateway && !session.is_named_by(id)
            }
            _ => false,
        };
        if is_other {
            // But a renewal under way may be about to bring that one.
            if let Some(id) = id {
                self.remember_ended(id);
            }
            return;
        }
        let shown = self.last_error.filter(|(source, _)| *source != Source::Restore);
        let had_session = self.session().is_some();
        self.apply_sign_out(id);
        if !had_session && shown.is_some() {
            self.set_error(shown);
        }
    }

    /// The user was active in this tab.
    pub(super) fn on_activity(&mut self, at_secs: f64, now: f64) {
        if let Identity::Session(session) = &mut self.identity
            && !session.lifetime.is_expired(now)
        {
            session.lifetime.record_activity(now);
            let registration = Some(session.registration);
            let message = TabMessage::Active { user: session.user, at_secs };
            self.post(registration, message);
        }
    }

    /// Forgets who is signed in: a page from the back/forward cache must show no user until it is known again.
    pub(super) fn forget_user(&mut self) {
        if let Identity::Session(_) = &self.identity {
            self.supersede_renewal();
            self.identity = Identity::Unknown;
        }
    }

    /// The page is restored from the back/forward cache.
    pub(super) fn on_page_show(&mut self) {
        self.end_leaving();
        // It missed the other tabs' messages, and what it was told before is older.
        self.forget_user();
        self.supersede(SupersededBy::SignIn, Operation::is_restore);
        self.start_restore(LeavePage::Forbidden);
    }
}
