//! Renewal: new tokens for a session that lasts. By the gateway, by a refresh token, or by a hidden iframe.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::child_window::iframe_timeout_error;
use super::provider::request_keys;
use super::restore::{ask_gateway, is_nobody};
use super::stores::{Payload, Tokens};
use super::tokens::{Answered, Asked};
use crate::browser::http::RequestKind;
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::id_token::IssuedFor;
use crate::protocol::secret::Secret;
use crate::protocol::token::refresh_token_grant;
use crate::session::{Outcome, SessionId};

impl Driver {
    /// Renews a session. Without an id the gateway is asked for whichever there is.
    pub(super) async fn renew(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        session: Rc<Payload>,
        id: Option<SessionId>,
    ) -> Result<Outcome, Error> {
        let refresh_token = session.tokens.borrow().refresh.clone();
        let (answered, issued_for) = if session.config.gateway().is_some() {
            (self.ask_for_renewal(&attempt, &session, id).await?, IssuedFor::Session)
        } else if let Some(refresh_token) = refresh_token {
            let answered = refresh(&attempt, &session, &refresh_token).await?;
            (answered, IssuedFor::Renewal(&session.token))
        } else {
            return self.renew_by_iframe(&attempt, &session).await;
        };
        let Some(mut answered) = answered else {
            return Ok(Outcome::NoSession);
        };
        let tokens = &mut answered.tokens;
        // A refresh token at once: if the rest of the response can't be judged now, the one before may be of no more
        // use. One that is not replaced stays (RFC 6749, 6).
        match &tokens.refresh_token {
            Some(fresh) => session.tokens.borrow_mut().refresh = Some(fresh.clone()),
            None => tokens.refresh_token.clone_from(&session.tokens.borrow().refresh),
        }
        if tokens.id_token.as_ref().is_none_or(|fresh| *fresh == session.id_token) {
            // The same ID token, verified already, or none (Core 12.2).
            let tokens = answered.tokens;
            session
                .tokens
                .replace(Tokens { access: tokens.access_token, refresh: tokens.refresh_token });
            return Ok(Outcome::Renewed { expires_in: tokens.expires_in });
        }
        let Payload { config, provider, .. } = &*session;
        let keys = request_keys(&attempt, provider, config, false);
        let scope = &session.scope_text();
        let asked = Asked { attempt: &attempt, config, provider, issued_for, max_age: None, scope };
        self.judge(&asked, answered, keys).await.map(Outcome::Session)
    }

    /// Asks the gateway, one tab at a time: the second finds the session renewed.
    async fn ask_for_renewal(
        &self,
        attempt: &Attempt,
        Payload { config, .. }: &Payload,
        id: Option<SessionId>,
    ) -> Result<Option<Box<Answered>>, Error> {
        let _lock = self.host.locked(&config.channel()).await;
        if let Some(id) = self.stores.id_text(id) {
            let answered = ask_gateway(attempt, config, Some(&id)).await?;
            if answered.is_some() {
                return Ok(answered);
            }
            // It is not the one there. Another may have taken its place.
        }
        ask_gateway(attempt, config, None).await
    }

    /// Asks for the session that the provider has, in a hidden iframe.
    async fn renew_by_iframe(
        self: &Rc<Self>,
        attempt: &Attempt,
        session: &Payload,
    ) -> Result<Outcome, Error> {
        let options = LoginOptions::restoring(&session.scope_text());
        match self.login_in_child_window(attempt, &options).await {
            Ok(None) => Err(iframe_timeout_error()),
            Ok(Some((_, mut next))) if next.user == self.user_digest(&session.token) => {
                // It continues the session, whatever login it took.
                next.id = None;
                Ok(Outcome::Session(next))
            }
            Ok(_) => {
                let message = "somebody else is signed in at the provider";
                Err(Error::new(ErrorCode::UserMismatch, message))
            }
            Err(error) if is_nobody(error.code) => Ok(Outcome::NoSession),
            Err(error) => Err(error),
        }
    }
}

/// Asks for new tokens (RFC 6749, 6); `None` if the grant is over.
async fn refresh(
    attempt: &Attempt,
    Payload { config, provider, .. }: &Payload,
    refresh_token: &Secret,
) -> Result<Option<Box<Answered>>, Error> {
    let kind = RequestKind::PostForm(&refresh_token_grant(config.client_id(), refresh_token));
    let to = "the token endpoint";
    let sent = attempt.request(config, to, provider.token_endpoint(), kind, "no-store");
    match Answered::read(&*sent.response().await?, config) {
        Ok(answered) => Ok(Some(answered)),
        Err(error) if error.is_invalid_grant() => Ok(None),
        Err(error) => Err(error),
    }
}
