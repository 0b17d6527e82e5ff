//! Renewal: fresh tokens for a session that lasts. By the gateway, by a refresh token, or by a hidden frame.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::aside::silent;
use super::attempt::Attempt;
use super::exchange::{Answered, Asked};
use super::provider::request_keys;
use super::restore::{ask_gateway, is_nobody};
use super::session::Session;
use super::{Client, State};
use crate::browser::http::{Request, RequestKind};
use crate::browser::task::{await_promise, ignore_unhandled_rejection};
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::id_token::IssuedFor;
use crate::protocol::secret::Secret;
use crate::protocol::token::refresh_token_grant;

impl Client {
    /// The access token, valid for so many seconds at least, and another than the one that an API has refused.
    ///
    /// # Errors
    /// The application's error: see `getAccessToken` in `types.ts`.
    pub async fn access_token(
        self: &Rc<Self>,
        min_validity: f64,
        refused: Option<&str>,
    ) -> Result<JsValue, JsValue> {
        let mut before: Option<Rc<Session>> = None;
        loop {
            let session = self.require_session().map_err(|error| self.plain(&error))?;
            if before.as_ref().is_some_and(|before| !before.is_of(&session.token)) {
                // What was asked for one person must not be done as another.
                let message = "somebody else has signed in while the access token was renewed";
                return Err(self.plain(&Error::new(ErrorCode::UserMismatch, message)));
            }
            let lifetime = session.lifetime.get();
            if lifetime.has_token_for(min_validity, self.elapsed()) {
                let tokens = session.tokens.borrow();
                let token = tokens.access.expose();
                if refused != Some(token) {
                    return Ok(token.into());
                }
            }
            if before.is_some() || !lifetime.is_renewable {
                let message = "the access token can't be made to last as long as was asked for";
                return Err(self.plain(&Error::new(ErrorCode::RenewalUnavailable, message)));
            }
            before = Some(session);
            await_promise(self.renewal()).await?;
        }
    }

    /// The access token for a request to an origin, where it may go there.
    ///
    /// # Errors
    /// `origin_not_allowed`, and what [`Client::access_token`] fails with.
    pub async fn access_token_for(
        self: &Rc<Self>,
        issued_for: &str,
        refused: Option<&str>,
    ) -> Result<JsValue, JsValue> {
        let config = match self.session() {
            Some(session) => Ok(session.config.clone()),
            None => self.config(None).await,
        };
        if !config.map_err(|error| self.plain(&error))?.may_send_to(issued_for) {
            let message = "the request's issued_for is not in `apiOrigins`: the access token is not sent there";
            return Err(self.plain(&Error::new(ErrorCode::OriginNotAllowed, message)));
        }
        self.access_token(0.0, refused).await
    }

    /// The ID token as it came.
    ///
    /// # Errors
    /// `not_signed_in`, `session_expired`.
    pub fn id_token(self: &Rc<Self>) -> Result<JsValue, JsValue> {
        let session = self.require_session().map_err(|error| self.plain(&error))?;
        Ok(session.id_token.expose().into())
    }

    /// The renewal under way, or a new one: one request for all who ask.
    pub(super) fn renewal(self: &Rc<Self>) -> Promise {
        if let Some(under_way) = self.renewal.borrow().clone() {
            return under_way;
        }
        let client = self.clone();
        let renewal = self.run(Box::pin(async move {
            let renewed = client.renew().await;
            client.renewal.replace(None);
            client.wake();
            renewed.map(|()| JsValue::UNDEFINED)
        }));
        // Whoever waits hears of a failure; where nobody does, it is no unhandled rejection.
        let _ = ignore_unhandled_rejection(&renewal);
        self.renewal.replace(Some(renewal.clone()));
        renewal
    }

    async fn renew(self: &Rc<Self>) -> Result<(), JsValue> {
        let Some(session) = self.session() else {
            return Ok(());
        };
        let attempt = Attempt::new(self);
        let renewed = self.renew_session(&attempt, &session).await;
        if !self.session().is_some_and(|current| Rc::ptr_eq(&current, &session)) {
            // Somebody signed in or out meanwhile, which is newer.
            return Ok(());
        }
        match renewed {
            Ok(Some(next)) => {
                if !session.is_of(&next.token) {
                    // Only a gateway's session may have changed hands: by a sign-in in another tab.
                    self.enter(State::Loading);
                }
                self.enter(State::SignedIn(next));
                attempt.emit(self, "token.renewed");
                Ok(())
            }
            Ok(None) => {
                attempt
                    .not_renewed(self, &Error::new(ErrorCode::SessionExpired, "the grant is over"));
                self.expire(&session, false);
                self.host.post("expired", None);
                Ok(())
            }
            Err(error) if is_forgery(error.code) => {
                // Whatever came, it is not this person's session.
                let error = attempt.not_renewed(self, &error);
                self.count_sign_out();
                self.enter(State::Error(error.clone()));
                Err(error)
            }
            Err(error) => {
                let mut lifetime = session.lifetime.get();
                lifetime.record_failure(self.elapsed());
                session.lifetime.set(lifetime);
                let cause = attempt.not_renewed(self, &error);
                let message =
                    "the session lasts, but its tokens can't be renewed now: see the cause";
                let error = Error::new(ErrorCode::RenewalUnavailable, message).with_cause(cause);
                Err(self.host.error(&error.retryable(), &attempt.support_code))
            }
        }
    }

    /// The session with fresh tokens, or the one that follows it; `None` where the grant is over.
    async fn renew_session(
        self: &Rc<Self>,
        attempt: &Attempt,
        session: &Rc<Session>,
    ) -> Result<Option<Rc<Session>>, Error> {
        let refresh_token = session.tokens.borrow().refresh.clone();
        let (answered, issued_for) = if session.config.gateway().is_some() {
            // One tab at a time: the second finds the session renewed.
            let _lock = self.host.locked().await;
            (ask_gateway(attempt, &session.config).await?, IssuedFor::Session)
        } else if let Some(refresh_token) = refresh_token {
            (refresh(session, &refresh_token).await?, IssuedFor::Renewal(&session.token))
        } else {
            return self.renew_in_frame(attempt, session).await;
        };
        let Some(mut answered) = answered else {
            return Ok(None);
        };
        session.rotate(&mut answered.tokens.refresh_token);
        if answered.tokens.id_token.as_ref().is_none_or(|fresh| *fresh == session.id_token) {
            // The same ID token, verified already, or none (Core 12.2).
            session.take(answered.tokens, self.elapsed());
            return Ok(Some(session.clone()));
        }
        let Session { config, provider, .. } = &**session;
        let keys = request_keys(attempt, provider, config, false);
        let scope = &session.scope_text();
        let asked = Asked { attempt, config, provider, issued_for, max_age: None, scope };
        let next = self.judge(&asked, answered, keys).await?;
        Ok(Some(session.followed_by(next, self.elapsed())))
    }

    /// The session that the provider has, asked in a hidden frame.
    async fn renew_in_frame(
        self: &Rc<Self>,
        attempt: &Attempt,
        session: &Session,
    ) -> Result<Option<Rc<Session>>, Error> {
        let options = LoginOptions::restoring(&session.scope_text());
        match self.login_aside(attempt, &options, &JsValue::UNDEFINED).await {
            Ok(None) => Err(silent()),
            Ok(Some((_, next))) if session.is_of(&next.token) => {
                Ok(Some(session.followed_by(next, self.elapsed())))
            }
            Ok(_) => {
                let message = "somebody else is signed in at the provider";
                Err(Error::new(ErrorCode::UserMismatch, message))
            }
            Err(error) if is_nobody(error.code) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An error outside any sign-in attempt.
    pub(super) fn plain(&self, error: &Error) -> JsValue {
        self.host.error(error, &Attempt::new(self).support_code)
    }
}

/// Asks for fresh tokens (RFC 6749, 6); `None` where the grant is over.
async fn refresh(session: &Session, refresh_token: &Secret) -> Result<Option<Answered>, Error> {
    let Session { config, provider, .. } = session;
    let request = Request {
        endpoint_name: "the token endpoint",
        url: provider.token_endpoint(),
        kind: RequestKind::PostForm(&refresh_token_grant(config.client_id(), refresh_token)),
        cache: "no-store",
        timeout_ms: config.timeout_ms,
        support_code: None,
    };
    let answer = request.send().await?;
    match Answered::read(&answer, config) {
        Ok(answered) => Ok(Some(answered)),
        Err(error) if error.is_invalid_grant() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a renewal failed because what came is not to be believed, rather than because nothing came.
fn is_forgery(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::IdTokenInvalid | ErrorCode::UserMismatch | ErrorCode::TenantNotAllowed
    )
}
