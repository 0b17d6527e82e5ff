//! `logout`: here at once, then in the other tabs, at the gateway and at the provider.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::session::Session;
use super::{Client, State};
use crate::browser::http::{Request, RequestKind};
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{object, random, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::encoding::base64url;
use crate::protocol::gateway::session_url;
use crate::protocol::pkce::RANDOM_BYTES;
use crate::protocol::token::revocation_request;
use crate::protocol::url::append_query;

impl Client {
    /// Signs out.
    ///
    /// # Errors
    /// The application's error, after the person has been signed out of every tab all the same.
    pub async fn logout(self: &Rc<Self>, return_to: Option<&str>) -> Result<JsValue, JsValue> {
        let attempt = Attempt::new(self);
        let session = self.session();
        self.count_sign_out();
        self.enter(State::SignedOut);
        let done = async {
            let config = match &session {
                Some(session) => session.config.clone(),
                None => self.config(None).await?,
            };
            self.host.post("signed-out", None);
            attempt.emit(self, "logout");
            let ended = match config.gateway() {
                Some(_) => self.end_gateway_session(&config, &attempt.support_code).await.is_ok(),
                None => true,
            };
            let mut remains = true;
            if let Some(session) = &session {
                revoke(session).await;
                remains = !self.end_provider_session(session, return_to).await?;
            }
            Ok(object(&[
                ("sessionEnded", ended.into()),
                ("providerSessionMayRemain", remains.into()),
            ]))
        };
        done.await.map_err(|error: Error| self.host.error(&error, &attempt.support_code))
    }

    /// Ends the gateway's session. The mark is set first, so that the sign-out holds whatever becomes of the request.
    pub(super) async fn end_gateway_session(
        &self,
        config: &Config,
        support_code: &str,
    ) -> Result<(), Error> {
        let mark = UndeliveredSignOut::of(config.client_id());
        mark.set();
        let request = Request {
            endpoint_name: "the gateway's session",
            url: &session_url(config.gateway().unwrap_or_default(), config.client_id()),
            kind: RequestKind::Delete,
            cache: "no-store",
            timeout_ms: config.timeout_ms,
            support_code: Some(support_code),
        };
        let answer = request.send().await?;
        // What has a body is somebody else's: a page of a network that wants its own sign-in first, say.
        if !(200..300).contains(&answer.status) || !answer.body.is_empty() {
            let message = "the gateway did not end the session";
            return Err(Error::new(ErrorCode::GatewayError, message).with_status(answer.status));
        }
        mark.clear();
        Ok(())
    }

    /// The same, for nobody to wait for.
    pub(super) fn end_gateway_session_later(
        self: &Rc<Self>,
        config: &Config,
        support_code: String,
    ) {
        if config.gateway().is_some() {
            let (client, config) = (self.clone(), config.clone());
            let _ = self.run(Box::pin(async move {
                // The mark remains where it fails.
                let _ = client.end_gateway_session(&config, &support_code).await;
                Ok(JsValue::UNDEFINED)
            }));
        }
    }

    /// Leaves for the provider's end-session endpoint (RP-Initiated Logout 1.0, section 2). Answers with whether there is
    /// one.
    async fn end_provider_session(
        &self,
        session: &Session,
        return_to: Option<&str>,
    ) -> Result<bool, Error> {
        let Some(endpoint) = session.provider.end_session_endpoint() else {
            return Ok(false);
        };
        let mut parameters = vec![
            ("id_token_hint", session.id_token.expose()),
            ("client_id", session.config.client_id()),
        ];
        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        if let Some(return_to) = return_to {
            parameters.push(("post_logout_redirect_uri", return_to));
            parameters.push(("state", &state));
            storage::save_logout_state(&state);
        }
        let url = append_query(endpoint, &parameters);
        self.host.navigate(&url).await?;
        Ok(true)
    }
}

/// Revokes a public client's token, where the provider has a way (RFC 7009). Its answer changes nothing.
async fn revoke(session: &Session) {
    if let Some(url) = session.provider.revocation_endpoint() {
        let body = {
            let tokens = session.tokens.borrow();
            let token = tokens.refresh.as_ref().unwrap_or(&tokens.access);
            revocation_request(session.config.client_id(), token)
        };
        let request = Request {
            endpoint_name: "the revocation endpoint",
            url,
            kind: RequestKind::PostForm(&body),
            cache: "no-store",
            timeout_ms: session.config.timeout_ms,
            support_code: None,
        };
        let _ = request.send().await;
    }
}
