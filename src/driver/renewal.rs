//! Renewal: new tokens for a session, from the gateway, by a refresh token, or by a hidden iframe.

use std::rc::Rc;

use super::child_window::ChildWindowPurpose;
use super::operation::{Context, Step};
use super::stores::{Payload, Tokens};
use super::tokens::{Grant, ReceivedTokens, TokenRequestContext};
use crate::config::LoginOptions;
use crate::error::Error;
use crate::protocol::id_token::IssuedFor;
use crate::session::{Outcome, SessionId};

impl Context {
    /// Decides how a session is renewed. Without an id the gateway renews whichever session there is.
    pub(super) fn decide_renewal(&self, session: Rc<Payload>, id: Option<SessionId>) -> Step {
        if self.config.gateway().is_some() || session.tokens.borrow().refresh.is_some() {
            return Step::Renew(session, id);
        }
        let options = LoginOptions::restoring(&session.scope_text());
        Step::ChildWindow(options, ChildWindowPurpose::Renewal(session))
    }

    /// Renews a session by the gateway, one tab at a time, or by a refresh token (RFC 6749, 6).
    pub(super) async fn renew(
        self,
        session: Rc<Payload>,
        id: Option<SessionId>,
    ) -> Result<Outcome, Error> {
        let has_gateway = self.config.gateway().is_some();
        let mut id = self.driver.stores.id_text(id.filter(|_| has_gateway));
        let refresh_token = session.tokens.borrow().refresh.clone();
        let received = loop {
            let grant = match &refresh_token {
                Some(refresh_token) if !has_gateway => Grant::RefreshToken(&session, refresh_token),
                _ => Grant::Session(id.as_deref()),
            };
            let received = self.request_tokens(grant).await?;
            // If the session of this id is not there, another may have taken its place.
            if received.is_some() || id.take().is_none() {
                break received;
            }
        };
        self.lock.take();
        let Some(mut received) = received else {
            return Ok(Outcome::NoSession);
        };
        if is_same_id_token(&session, &mut received) {
            let tokens = received.tokens;
            session
                .tokens
                .replace(Tokens { access: tokens.access_token, refresh: tokens.refresh_token });
            return Ok(Outcome::Renewed { expires_in: tokens.expires_in });
        }
        let keys = self.request_keys(&session.provider, false);
        let requested = TokenRequestContext {
            provider: &session.provider,
            issued_for: if has_gateway {
                IssuedFor::Session
            } else {
                IssuedFor::Renewal(&session.token)
            },
            max_age: None,
            scope: &session.scope_text(),
        };
        self.validate_token_response(&requested, received, keys).await.map(Outcome::Session)
    }
}

/// Stores a new refresh token, and returns whether the response has the session's own ID token, which is verified already,
/// or none (`OpenID` Connect Core 1.0, 12.2).
#[inline(never)]
fn is_same_id_token(session: &Payload, received: &mut ReceivedTokens) -> bool {
    let tokens = &mut received.tokens;
    let refresh = &mut session.tokens.borrow_mut().refresh;
    // At once: if the rest of the response cannot be validated now, the previous one may be useless. One that is not
    // replaced stays (RFC 6749, 6).
    match &tokens.refresh_token {
        Some(_) => refresh.clone_from(&tokens.refresh_token),
        None => tokens.refresh_token.clone_from(refresh),
    }
    tokens.id_token.as_ref().is_none_or(|new| *new == session.id_token)
}
