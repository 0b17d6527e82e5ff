//! The session: what was granted, and what becomes of it while time passes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::{Client, State};
use crate::browser::get;
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::id_token::VerifiedIdToken;
use crate::protocol::metadata::ProviderMetadata;
use crate::protocol::secret::Secret;
use crate::protocol::token::TokenResponse;
use crate::session::lifetime::{Lifetime, SessionAction};

/// Somebody is signed in. A renewal with a new ID token makes a new one.
pub(super) struct Session {
    /// The person, as the application sees them.
    pub(super) user: JsValue,
    /// What was granted.
    pub(super) scope: Array,
    pub(super) config: Config,
    pub(super) provider: ProviderMetadata,
    pub(super) token: VerifiedIdToken,
    /// The same as it came.
    pub(super) id_token: Secret,
    pub(super) tokens: RefCell<Tokens>,
    /// Whether the same person has signed in anew in another tab: the gateway's session is that one.
    pub(super) replaced: Cell<bool>,
    pub(super) lifetime: Cell<Lifetime>,
}

/// What a renewal replaces.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
}

impl Session {
    /// Whether this is the session of the person whom a token names.
    pub(super) fn is_of(&self, token: &VerifiedIdToken) -> bool {
        self.token.issuer() == token.issuer() && self.token.subject() == token.subject()
    }

    /// The scope, separated by spaces.
    pub(super) fn scope_text(&self) -> String {
        self.scope.join(" ").as_string().unwrap_or_default()
    }

    /// The next session, after this one. Of the same person, what limits this one still does.
    pub(super) fn followed_by(&self, next: Rc<Self>, now: f64) -> Rc<Self> {
        if self.is_of(&next.token) && !self.replaced.get() {
            next.lifetime.set(self.lifetime.get().carry_over_to(next.lifetime.get(), now));
        }
        next
    }

    /// Keeps a refresh token at once: where the rest of its answer can't be judged now, the one before may be of no more
    /// use. One that is not replaced stays (RFC 6749, 6).
    pub(super) fn rotate(&self, fresh: &mut Option<Secret>) {
        let mut tokens = self.tokens.borrow_mut();
        match fresh {
            Some(fresh) => tokens.refresh = Some(fresh.clone()),
            None => fresh.clone_from(&tokens.refresh),
        }
    }

    /// Takes fresh tokens that came without a new ID token.
    pub(super) fn take(&self, tokens: TokenResponse, now: f64) {
        self.lifetime.set(self.lifetime.get().renewed(tokens.expires_in, now));
        self.tokens.replace(Tokens { access: tokens.access_token, refresh: tokens.refresh_token });
    }
}

impl Client {
    /// Somebody has signed in, or was found again.
    pub(super) fn begin(self: &Rc<Self>, session: Rc<Session>) {
        self.restore_failed.set(false);
        // What that promise has brought would outlive the session.
        self.under_way.replace(None);
        self.enter(State::SignedIn(session));
        self.wake();
    }

    /// The session, unless it is over by now.
    pub(super) fn live_session(self: &Rc<Self>) -> Option<Rc<Session>> {
        let session = self.session()?;
        if session.lifetime.get().is_expired(self.elapsed()) {
            self.expire(&session, true);
        }
        self.session()
    }

    /// The session, or why there is none.
    pub(super) fn require_session(self: &Rc<Self>) -> Result<Rc<Session>, Error> {
        self.require_open()?;
        self.live_session().ok_or_else(|| {
            let expired = match &*self.state.borrow() {
                State::Error(error) => get(error, "code") == "session_expired",
                _ => false,
            };
            if expired {
                Error::new(ErrorCode::SessionExpired, "the session is over: start a new login")
            } else {
                Error::new(ErrorCode::NotSignedIn, "nobody is signed in")
            }
        })
    }

    /// Does what is due, and has itself woken when the next thing is. Timers alone don't do: they stand still in sleep.
    pub fn wake(self: &Rc<Self>) {
        while let Some(session) = self.session() {
            let mut lifetime = session.lifetime.get();
            let due = lifetime.next_action(self.elapsed());
            session.lifetime.set(lifetime);
            match due {
                SessionAction::Expire => self.expire(&session, true),
                SessionAction::Warn => {
                    let remaining = lifetime.remaining(self.elapsed());
                    Attempt::new(self).expiring(self, remaining);
                }
                // It wakes this when it has ended.
                SessionAction::Renew => return drop(self.renewal()),
                SessionAction::Wait(seconds) => return self.host.schedule(seconds * 1000.0),
            }
        }
    }

    /// Somebody did something: the idle limit is put off, unless it has passed. Answers with whether anybody is signed in.
    pub fn be_active(self: &Rc<Self>) -> bool {
        let Some(session) = self.live_session() else {
            return false;
        };
        let mut lifetime = session.lifetime.get();
        lifetime.record_activity(self.elapsed());
        session.lifetime.set(lifetime);
        self.wake();
        true
    }

    /// The session is over: everything is wiped. `here` says whether this tab found out by itself, and must tell.
    pub(super) fn expire(self: &Rc<Self>, session: &Session, here: bool) {
        let attempt = Attempt::new(self);
        let error = Error::new(ErrorCode::SessionExpired, "the session is over");
        let error = self.host.error(&error, &attempt.support_code);
        self.count_sign_out();
        self.enter(State::Error(error));
        if here {
            let idle = session.lifetime.get().is_idle(self.elapsed());
            self.host.post(if idle { "idle" } else { "expired" }, None);
            self.end_gateway_session_later(&session.config, attempt.support_code.clone());
        }
        attempt.emit(self, "session.expired");
    }
}
