//! What the tabs of an application tell each other: that somebody signed in or out, that a session is over, that somebody
//! is active. Nothing of it is a token, and a person is named by a hash.

use std::rc::Rc;

use super::session::Session;
use super::{Client, State};
use crate::browser::clock;
use crate::protocol::ascii;
use crate::protocol::user::user_digest;

impl Client {
    /// Tells the other tabs who has signed in.
    pub(super) fn tell_of_sign_in(&self, session: &Session) {
        let person = user_digest(session.token.issuer(), session.token.subject());
        self.host.post("signed-in", Some(&person));
    }

    /// Hears from another tab; `about` is who has signed in, or when somebody was active. Answers with whether the session
    /// is to be looked for anew.
    pub fn hear(self: &Rc<Self>, kind: &str, about: Option<&str>) -> bool {
        let session = self.session();
        if kind == "signed-in" {
            self.sign_ins_elsewhere.set(self.sign_ins_elsewhere.get().wrapping_add(1));
        }
        match (kind, session) {
            ("active", Some(session)) => self.hear_of_activity(&session, about),
            // That tab may have missed what this one knows.
            ("idle", Some(_)) => self.wake(),
            ("expired", Some(session)) => self.expire(&session, false),
            ("signed-out", session) => {
                self.count_sign_out();
                if session.is_some() || matches!(*self.state.borrow(), State::Loading) {
                    self.enter(State::SignedOut);
                }
            }
            ("signed-in", Some(session)) => {
                let ours = user_digest(session.token.issuer(), session.token.subject());
                let behind_gateway = session.config.gateway().is_some();
                if about != Some(&ours) {
                    // Nothing of this person may show for another.
                    self.enter(if behind_gateway { State::Loading } else { State::SignedOut });
                    return behind_gateway;
                }
                if behind_gateway {
                    // The gateway's session is the new one, with limits of its own.
                    session.replaced.set(true);
                    drop(self.renewal());
                }
            }
            ("signed-in", None) => {
                return matches!(*self.state.borrow(), State::SignedOut | State::Error(_));
            }
            _ => {}
        }
        false
    }

    /// Somebody was active in another tab, at a time in seconds since 1970 by the device's clock. This tab may have slept
    /// since.
    fn hear_of_activity(self: &Rc<Self>, session: &Session, at: Option<&str>) {
        if let Some(at) = at.and_then(|at| ascii::parse_u32(at.as_bytes())) {
            let ago = (clock::now_secs() - f64::from(at)).max(0.0);
            let mut lifetime = session.lifetime.get();
            lifetime.record_activity(self.elapsed() - ago);
            session.lifetime.set(lifetime);
            self.wake();
        }
    }

    /// The page may be kept in the back/forward cache: whoever comes back to it must see nothing of this person until it
    /// is known that they are still there.
    pub fn freeze(&self) {
        if self.session().is_some() {
            self.enter(State::Loading);
        }
    }

    /// The page comes back from that cache. Answers with whether the session is to be looked for anew.
    pub fn come_back(&self) -> bool {
        let left = matches!(*self.state.borrow(), State::Redirecting | State::Loading);
        if left {
            // Nobody is on the way to the provider any more.
            self.under_way.replace(None);
            self.enter(State::Loading);
        }
        left
    }
}
