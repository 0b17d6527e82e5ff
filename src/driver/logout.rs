//! `logout`: first in the page and its other tabs, then at the gateway and the provider.

use std::rc::Rc;

use super::operation::Context;
use super::stores::Payload;
use super::tokens::GATEWAY_SESSION;
use crate::browser::http::RequestKind;
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{random, storage};
use crate::error::{Error, ErrorCode};
use crate::protocol::encoding::base64url;
use crate::protocol::gateway::session_url;
use crate::protocol::pkce::RANDOM_BYTES;
use crate::protocol::secret::Secret;
use crate::protocol::token::revocation_request;
use crate::protocol::url::append_query;
use crate::session::{Outcome, SessionId};

impl Context {
    /// Ends a session at the gateway and, for a call, at the provider. In the page and its other tabs it has ended already.
    pub(super) async fn sign_out(
        self,
        session: Option<Rc<Payload>>,
        id: Option<SessionId>,
    ) -> Result<Outcome, Error> {
        let call = self.attempt.call;
        if call.is_some() {
            self.emit("logout");
        }
        let has_ended = self.end_gateway_session(id).await.is_ok();
        let mut may_remain = true;
        if let Some(session) = &session {
            if let Some(url) = session.provider.revocation_endpoint() {
                // Revokes a public client's token (RFC 7009). The response changes nothing.
                let kind = RequestKind::PostForm(&revocation_form(session));
                let _ = self.respond("the revocation endpoint", url, kind).await;
            }
            // A login that began since is newer: the page stays for it.
            let is_newest = !self.driver.machine.borrow().has_session_or_login();
            if is_newest && let Some(url) = self.end_session_url(session)? {
                self.driver.host.navigate(&url).await?;
                may_remain = false;
            }
        }
        if let Some(call) = call {
            self.driver.host.prepare_sign_out(call.0, has_ended, may_remain);
        }
        Ok(Outcome::Done)
    }

    /// Ends the gateway's session, if there is a gateway. The marker is set first, so that the sign-out holds even if the
    /// request fails.
    async fn end_gateway_session(&self, id: Option<SessionId>) -> Result<(), Error> {
        if self.config.gateway().is_none() {
            return Ok(());
        }
        let id = self.driver.stores.id_text(id);
        let support_code = self.attempt.support_code();
        let mark = UndeliveredSignOut::set(self.config.channel(), &support_code, id);
        self.deliver_sign_out(&mark).await
    }

    /// Reports a sign-out to the gateway, and removes its marker.
    pub(super) async fn deliver_sign_out(&self, mark: &UndeliveredSignOut) -> Result<(), Error> {
        let gateway = self.config.gateway().unwrap_or_default();
        let url = session_url(gateway, self.config.client_id(), mark.session_id.as_deref());
        self.acquire_lock().await;
        let response = self.respond(GATEWAY_SESSION, &url, RequestKind::Delete).await;
        self.lock.take();
        let response = response?;
        // A response with a body is not the gateway's: a network that requires its own sign-in first, for example.
        if !(200..300).contains(&response.status) || !response.body.is_empty() {
            let message = "the gateway did not end the session";
            return Err(Error::new(ErrorCode::GatewayError, message).with_status(response.status));
        }
        mark.clear();
        Ok(())
    }

    /// Returns the URL of the provider's end-session endpoint for a session (RP-Initiated Logout 1.0, section 2), if it has
    /// one.
    #[inline(never)]
    fn end_session_url(&self, session: &Payload) -> Result<Option<String>, Error> {
        let Some(endpoint) = session.provider.end_session_endpoint() else {
            return Ok(None);
        };
        let mut parameters = vec![
            ("id_token_hint", session.id_token.expose()),
            ("client_id", session.config.client_id()),
        ];
        let return_to = self.driver.argument(&self.attempt);
        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        if !return_to.is_empty() {
            parameters.push(("post_logout_redirect_uri", &return_to));
            parameters.push(("state", &state));
            storage::save_logout_state(session.config.channel(), &state);
        }
        Ok(Some(append_query(endpoint, &parameters)))
    }
}

fn revocation_form(session: &Payload) -> Secret {
    let tokens = session.tokens.borrow();
    let token = tokens.refresh.as_ref().unwrap_or(&tokens.access);
    revocation_request(session.config.client_id(), token)
}
