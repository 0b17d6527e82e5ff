//! Requests for tokens: by an authorization code, by a refresh token, and for the session in the gateway's cookie.

use super::operation::Context;
use super::stores::Payload;
use crate::browser::http::{HttpResponse, InFlightRequest, Request, RequestKind, abort_controller};
use crate::error::{Error, ErrorCode};
use crate::protocol::gateway::session_url;
use crate::protocol::id_token::IssuedFor;
use crate::protocol::metadata::ProviderMetadata;
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;
use crate::protocol::token::{TokenResponse, authorization_code_grant, refresh_token_grant};

/// The gateway's session endpoint in messages.
pub(super) const GATEWAY_SESSION: &str = "the gateway's session";

/// The grant that tokens are requested for.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    /// The code of a login, which starts the session of this id.
    Code { pending: &'a PendingLogin, code: &'a Secret, session_id: &'a str },
    /// The refresh token of a session.
    RefreshToken(&'a Payload, &'a Secret),
    /// The gateway's session of this id; without it, whichever there is.
    Session(Option<&'a str>),
}

/// The request that a token response is validated against.
pub(super) struct TokenRequestContext<'a> {
    pub(super) provider: &'a ProviderMetadata,
    pub(super) issued_for: IssuedFor<'a>,
    /// The requested `max_age`.
    pub(super) max_age: Option<u32>,
    /// The requested scope: it was granted, unless the response has another (RFC 6749, 5.1).
    pub(super) scope: &'a str,
}

/// A token response that is not validated.
pub(super) struct ReceivedTokens {
    pub(super) status: u16,
    pub(super) tokens: TokenResponse,
    /// When the server sent it, in seconds since 1970; `None` if the page may not read it.
    pub(super) time: Option<f64>,
}

impl Context {
    /// Requests tokens; `None` if the grant is over or the gateway has no such session. Requests that set or clear the
    /// gateway's cookie wait for the registration's lock, which the operation holds afterwards.
    pub(super) async fn request_tokens(
        &self,
        grant: Grant<'_>,
    ) -> Result<Option<Box<ReceivedTokens>>, Error> {
        let (endpoint_name, url, form) = self.token_request(grant);
        self.acquire_lock().await;
        let kind = form.as_ref().map_or(RequestKind::Post, RequestKind::PostForm);
        let response = self.respond(endpoint_name, &url, kind).await?;
        self.read_tokens(grant, &response)
    }

    /// Returns the name and the URL of a token request's endpoint, and its form.
    #[inline(never)]
    fn token_request(&self, grant: Grant<'_>) -> (&'static str, String, Option<Secret>) {
        let client_id = self.config.client_id();
        let gateway = self.config.gateway();
        let token_endpoint = "the token endpoint";
        match grant {
            Grant::Code { pending, code, session_id } => {
                let named = gateway.map_or(["", ""], |_| ["?session_id=", session_id]);
                let url = [pending.provider().token_endpoint(), &named.concat()].concat();
                (token_endpoint, url, Some(authorization_code_grant(pending, code)))
            }
            Grant::RefreshToken(session, refresh_token) => {
                let url = session.provider.token_endpoint().to_owned();
                (token_endpoint, url, Some(refresh_token_grant(client_id, refresh_token)))
            }
            Grant::Session(id) => {
                (GATEWAY_SESSION, session_url(gateway.unwrap_or_default(), client_id, id), None)
            }
        }
    }

    /// Reads a token response. If it is not one, a gateway failed: no other server responds to the page then.
    #[inline(never)]
    fn read_tokens(
        &self,
        grant: Grant<'_>,
        response: &HttpResponse,
    ) -> Result<Option<Box<ReceivedTokens>>, Error> {
        let HttpResponse { status, ref body, time } = *response;
        if status == 204 && matches!(grant, Grant::Session(_)) {
            return Ok(None);
        }
        match TokenResponse::parse(status, body) {
            Ok(tokens) => Ok(Some(Box::new(ReceivedTokens { status, tokens, time }))),
            Err(error) if matches!(grant, Grant::RefreshToken(..)) && error.is_invalid_grant() => {
                Ok(None)
            }
            Err(error) => Err(match (error.code, self.config.gateway()) {
                (ErrorCode::ProviderResponseInvalid, Some(_)) => {
                    error.with_code(ErrorCode::GatewayError)
                }
                _ => error,
            }),
        }
    }

    /// Waits for the lock of the registration's tabs, if it has a gateway and this operation does not hold it.
    pub(super) async fn acquire_lock(&self) {
        if self.config.gateway().is_some() && self.lock.borrow().is_none() {
            let lock = self.driver.host.locked(self.config.channel()).await;
            self.lock.replace(Some(lock));
        }
    }

    /// Sends a request past the browser's cache, and reads its response.
    pub(super) fn respond(
        &self,
        endpoint_name: &'static str,
        url: &str,
        kind: RequestKind<'_>,
    ) -> impl Future<Output = Result<Box<HttpResponse>, Error>> + use<> {
        self.request(endpoint_name, url, kind, "no-store").response()
    }

    /// Sends a request; `cache` is a `RequestCache` of the Fetch Standard.
    pub(super) fn request(
        &self,
        endpoint_name: &'static str,
        url: &str,
        kind: RequestKind<'_>,
        cache: &'static str,
    ) -> InFlightRequest {
        let support_code = self.attempt.support_code();
        // Only a gateway gets the support code, which it requires, and cookies.
        let is_at_gateway = self
            .config
            .gateway()
            .and_then(|gateway| url.strip_prefix(gateway))
            .is_some_and(|path| path.starts_with('/') && !matches!(kind, RequestKind::Head));
        let cancelled = self.attempt.cancel_signal();
        let ended = abort_controller();
        let deadline =
            self.driver.host.deadline(self.config.timeout_ms, &cancelled, &ended.signal());
        let request = Request {
            endpoint_name,
            url,
            kind,
            cache,
            support_code: is_at_gateway.then_some(&support_code),
            deadline,
            ended,
        };
        request.start()
    }

    /// Emits the event of a step.
    pub(super) fn emit(&self, name: &str) {
        self.attempt.emit(&self.driver, name);
    }
}
