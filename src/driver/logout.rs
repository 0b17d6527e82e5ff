//! `logout`: here at once, then in the other tabs, at the gateway and at the provider.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::restore::GATEWAY_SESSION;
use super::stores::Payload;
use crate::browser::http::RequestKind;
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{random, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::encoding::base64url;
use crate::protocol::gateway::session_url;
use crate::protocol::pkce::RANDOM_BYTES;
use crate::protocol::token::revocation_request;
use crate::protocol::url::append_query;
use crate::session::{Outcome, SessionId};

impl Driver {
    /// Signs out at the gateway and the provider. In the page and its other tabs it is done already.
    pub(super) async fn sign_out(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        session: Option<Rc<Payload>>,
        id: Option<SessionId>,
    ) -> Result<Outcome, Error> {
        let config = match &session {
            Some(session) => session.config.clone(),
            None => self.config(None).await?,
        };
        attempt.emit(&self, "logout");
        let has_ended = self.end_gateway_session(&attempt, &config, id).await.is_ok();
        let mut may_remain = true;
        if let Some(session) = &session {
            revoke(&attempt, session).await;
            may_remain = !self.end_provider_session(&attempt, session).await?;
        }
        if let Some(call) = attempt.call {
            self.host.prepare_sign_out(call.0, has_ended, may_remain);
        }
        Ok(Outcome::Done)
    }

    /// Ends a session at the gateway of a registration; without one, at that of the page.
    pub(super) async fn end_session(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        config: Option<Config>,
        id: Option<SessionId>,
    ) -> Result<Outcome, Error> {
        let config = match config {
            Some(config) => config,
            None => self.config(None).await?,
        };
        self.end_gateway_session(&attempt, &config, id).await?;
        Ok(Outcome::Done)
    }

    /// Ends the gateway's session, if there is a gateway. The mark is set first, so that the sign-out holds whatever
    /// becomes of the request.
    async fn end_gateway_session(
        &self,
        attempt: &Attempt,
        config: &Config,
        id: Option<SessionId>,
    ) -> Result<(), Error> {
        if config.gateway().is_none() {
            return Ok(());
        }
        let id = self.stores.id_text(id);
        let mark = UndeliveredSignOut::set(&config.channel(), &attempt.support_code(), id);
        self.deliver_sign_out(attempt, config, &mark).await
    }

    /// Tells the gateway of a sign-out, and removes its mark.
    pub(super) async fn deliver_sign_out(
        &self,
        attempt: &Attempt,
        config: &Config,
        mark: &UndeliveredSignOut,
    ) -> Result<(), Error> {
        let _lock = self.host.locked(&config.channel()).await;
        let gateway = config.gateway().unwrap_or_default();
        let url = session_url(gateway, config.client_id(), mark.session_id.as_deref());
        let sent = attempt.request(config, GATEWAY_SESSION, &url, RequestKind::Delete, "no-store");
        let answer = sent.response().await?;
        // What has a body is somebody else's: a page of a network that wants its own sign-in first, say.
        if !(200..300).contains(&answer.status) || !answer.body.is_empty() {
            let message = "the gateway did not end the session";
            return Err(Error::new(ErrorCode::GatewayError, message).with_status(answer.status));
        }
        UndeliveredSignOut::clear(&mark.key);
        Ok(())
    }

    /// Leaves for the provider's end-session endpoint (RP-Initiated Logout 1.0, section 2). Answers with whether there is
    /// one.
    async fn end_provider_session(
        &self,
        attempt: &Attempt,
        session: &Payload,
    ) -> Result<bool, Error> {
        let Some(endpoint) = session.provider.end_session_endpoint() else {
            return Ok(false);
        };
        let mut parameters = vec![
            ("id_token_hint", session.id_token.expose()),
            ("client_id", session.config.client_id()),
        ];
        let return_to = self.argument(attempt);
        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        if !return_to.is_empty() {
            parameters.push(("post_logout_redirect_uri", &return_to));
            parameters.push(("state", &state));
            storage::save_logout_state(&session.config.channel(), &state);
        }
        self.host.navigate(&append_query(endpoint, &parameters)).await?;
        Ok(true)
    }
}

/// Revokes a public client's token, where the provider has a way (RFC 7009). Its answer changes nothing.
async fn revoke(attempt: &Attempt, session: &Payload) {
    if let Some(url) = session.provider.revocation_endpoint() {
        let body = {
            let tokens = session.tokens.borrow();
            let token = tokens.refresh.as_ref().unwrap_or(&tokens.access);
            revocation_request(session.config.client_id(), token)
        };
        let to = "the revocation endpoint";
        let sent =
            attempt.request(&session.config, to, url, RequestKind::PostForm(&body), "no-store");
        let _ = sent.response().await;
    }
}
