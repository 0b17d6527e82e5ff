//! Messages of other tabs, user activity, and the back/forward cache.

use super::identity::{Identity, NoSession, SessionId, UserDigest};
use super::machine::{ExpiredBy, Machine};
use super::messages::TabMessage;
use super::operation::{Operation, Purpose, SupersededBy};
use super::step::Source;

impl Machine {
    /// Another tab posted a message, at this time.
    pub(super) fn handle_message(&mut self, message: TabMessage, at: f64, now: f64) {
        match message {
            TabMessage::SignedIn { session, user } => self.signed_in_elsewhere(session, user, now),
            TabMessage::SignedOut { session } => self.signed_out_elsewhere(session),
            TabMessage::Expired { session: id } => {
                if self.session().is_some_and(|session| session.is_named_by(id)) {
                    self.expire(ExpiredBy::OtherTab, now);
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

    fn signed_in_elsewhere(&mut self, id: Option<SessionId>, user: UserDigest, now: f64) {
        if let Identity::Session(session) = &mut self.identity
            && id.is_some()
            && session.id == id
        {
            // Another tab restored it: the user is there.
            return session.lifetime.record_activity(now);
        }
        self.supersede(SupersededBy::SignIn, Operation::brings_session);
        match &mut self.identity {
            Identity::Session(session) if session.user == user => {
                if session.registration.has_gateway {
                    // The gateway's session is the new one, with limits of its own.
                    session.is_replaced = true;
                    self.start_renewal(true, now);
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
                        self.start_restore(false);
                    }
                }
            }
            Identity::Unknown | Identity::NoSession(_) => {
                // A sign-in that is under way asks when it has finished.
                if !self.is_signing_in() {
                    self.start_restore(false);
                }
            }
        }
    }

    fn signed_out_elsewhere(&mut self, id: Option<SessionId>) {
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
        let shows_error = self.last_error.is_some() && self.session().is_none();
        let error = self.error_source.zip(self.last_error);
        self.signed_out(id);
        if shows_error && error.is_some_and(|(source, _)| source != Source::Restore) {
            self.set_error(error);
        }
    }

    /// The user was active in this tab.
    pub(super) fn record_activity(&mut self, at_secs: f64, now: f64) {
        if let Identity::Session(session) = &mut self.identity
            && !session.lifetime.is_expired(now)
        {
            session.lifetime.record_activity(now);
            let registration = Some(session.registration);
            let message = TabMessage::Active { user: session.user, at_secs };
            self.post(registration, message);
        }
    }

    /// The page goes into the back/forward cache: it must show no user until it is known who is signed in.
    pub(super) fn on_page_hide(&mut self) {
        if let Identity::Session(_) = &self.identity {
            self.supersede_renewal();
            self.identity = Identity::Unknown;
        }
    }

    /// The page is restored from the back/forward cache.
    pub(super) fn on_page_show(&mut self) {
        self.end_leaving();
        // It missed the other tabs' messages, and what it was told before is older.
        self.on_page_hide();
        self.supersede(SupersededBy::SignIn, |found| {
            matches!(found.purpose, Purpose::Restore { .. })
        });
        self.start_restore(false);
    }
}
