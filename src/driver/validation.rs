//! Validates token responses: those of a sign-in, a renewal and a restored session. Only what passes becomes a session.

use std::cell::RefCell;

use js_sys::{Array, JSON};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::Driver;
use super::operation::Context;
use super::provider::read_keys;
use super::stores::{Payload, Tokens};
use super::tokens::{ReceivedTokens, TokenRequestContext};
use crate::browser::crypto::WebCrypto;
use crate::browser::http::{Bearer, InFlightRequest, RequestKind};
use crate::browser::{clock, navigation, set};
use crate::error::{Error, ErrorCode, Reason};
use crate::protocol::id_token::{
    ClaimsValidatedIdToken, ExpectedClaims, IssuedFor, SignatureVerifiedIdToken, TimeContext,
    VerifiedIdToken,
};
use crate::protocol::jws::Jws;
use crate::protocol::metadata::ProfileSource;
use crate::protocol::secret::Secret;
use crate::protocol::token::TokenResponse;
use crate::protocol::user::user_digest;
use crate::protocol::user::{ProfileResponse, User};
use crate::session::lifetime::{Lifetime, RenewalBudget};
use crate::session::{Cookie, Session, SessionId, UserDigest};

impl Context {
    /// Validates a token response. No part of it is used before its ID token is verified.
    pub(super) async fn validate_token_response(
        &self,
        requested: &TokenRequestContext<'_>,
        mut received: Box<ReceivedTokens>,
        keys: InFlightRequest,
    ) -> Result<Box<Session>, Error> {
        let id_token = received.tokens.id_token.take().ok_or_else(|| {
            let message = "the token endpoint's answer can't be used: `id_token` is missing";
            Error::new(ErrorCode::ProviderResponseInvalid, message).with_status(received.status)
        })?;
        let jws = Jws::parse(id_token.expose(), requested.provider.algorithms());
        let token = self.verify_signature(requested, jws.map_err(Error::id_token)?, keys).await?;
        let expected = ExpectedClaims {
            issuer: self.config.issuer(),
            client_id: self.config.client_id(),
            issued_for: requested.issued_for,
            access_token: &received.tokens.access_token,
        };
        let validated = token.validate_claims(&expected, &WebCrypto).await;
        let token = validated.map_err(|reason| claim_error(requested, reason))?;
        let (token, now) = self.validate_times(requested, token, received.time).await?;
        let profile =
            self.request_profile(requested, &token, &received.tokens.access_token).await?;
        let user = User::new(&token, profile.as_ref());
        user.check_tenant(self.config.allowed_tenants())?;
        Ok(self.build_session(requested, received.tokens, id_token, token, &user, now))
    }

    /// Verifies the signature, with keys that are fetched again, once, if those at hand cannot be read, lack the token's
    /// `kid`, or were rotated.
    async fn verify_signature(
        &self,
        requested: &TokenRequestContext<'_>,
        mut jws: Box<Jws>,
        mut keys: InFlightRequest,
    ) -> Result<SignatureVerifiedIdToken, Error> {
        let mut is_last = false;
        loop {
            let (error, may_repeat) = match read_keys(keys).await {
                Ok(keys) => match SignatureVerifiedIdToken::verify(jws, &keys, &WebCrypto).await {
                    Ok(token) => return Ok(token),
                    Err((reason, refused)) => {
                        jws = refused;
                        let is_of_key = matches!(reason, Reason::KeyNotFound | Reason::Signature);
                        (Error::id_token(reason), is_of_key && self.driver.begin_key_refetch())
                    }
                },
                // Without the limit: a cache that keeps something else would refuse each sign-in until it ends.
                Err(error) => (error, true),
            };
            if is_last || !may_repeat {
                return Err(error);
            }
            keys = self.request_keys(requested.provider, true);
            is_last = true;
        }
    }

    /// Validates the token's times by the device's clock and, if that fails, by the gateway's or the application's own
    /// origin's: school devices run minutes or hours wrong. Returns the time that held, too, or better the gateway's.
    async fn validate_times(
        &self,
        requested: &TokenRequestContext<'_>,
        token: ClaimsValidatedIdToken,
        responded_at: Option<f64>,
    ) -> Result<(VerifiedIdToken, f64), Error> {
        let tolerance = self.config.clock_tolerance_secs;
        let by = |now| TimeContext { now, tolerance, max_age: requested.max_age };
        let device = clock::now_secs();
        let gateway_time = self.config.gateway().and(responded_at);
        let untimely = match token.validate_times(by(device)) {
            Ok(token) => return Ok((token, gateway_time.unwrap_or(device))),
            Err(untimely) => untimely,
        };
        let now = match gateway_time {
            None => self.fetch_origin_time().await,
            known => known,
        };
        let Some(now) = now else {
            return Err(Error::id_token(untimely.reason));
        };
        let offset = (clock::now_secs() - now).round();
        match untimely.token.validate_times(by(now)) {
            Ok(token) => {
                self.emit("clock.corrected");
                Ok((token, now))
            }
            Err(untimely) => {
                let offset = (offset.abs() > tolerance).then_some(offset);
                Err(Error::id_token(untimely.reason).with_clock_offset(offset))
            }
        }
    }

    /// Fetches the time of the application's own origin.
    async fn fetch_origin_time(&self) -> Option<f64> {
        let url = self.config.redirect_uri();
        self.respond("the application's own origin", url, RequestKind::Head).await.ok()?.time
    }

    /// Fetches the profile, if it is not in the ID token.
    async fn request_profile(
        &self,
        requested: &TokenRequestContext<'_>,
        token: &VerifiedIdToken,
        access_token: &Secret,
    ) -> Result<Option<ProfileResponse>, Error> {
        let Some(url) = requested.provider.profile_endpoint() else {
            return Ok(None);
        };
        let kind = RequestKind::GetWithBearer(Bearer::new(access_token)?);
        let response = self.respond("the profile endpoint", url, kind).await?;
        let read = match self.config.profile {
            ProfileSource::MyInfo => ProfileResponse::from_my_info,
            ProfileSource::Userinfo | ProfileSource::IdToken => ProfileResponse::from_userinfo,
        };
        read(response.status, &response.body, token).map(Some)
    }

    /// Makes the session of a validated token response.
    #[inline(never)]
    fn build_session(
        &self,
        requested: &TokenRequestContext<'_>,
        tokens: TokenResponse,
        id_token: Secret,
        token: VerifiedIdToken,
        user: &User,
        now: f64,
    ) -> Box<Session> {
        let Self { driver, config, .. } = self;
        let elapsed = driver.elapsed();
        // The ID token of a session that was found again is as old as the session.
        let age = match requested.issued_for {
            IssuedFor::Login(_) => 0.0,
            _ => (now - token.issued_at()).max(0.0),
        };
        let limit = config.session_max_age().map_or(f64::INFINITY, |most| elapsed + most - age);
        let token_life = token.expires_at() + config.clock_tolerance_secs - now;
        let lifetime = Lifetime {
            max_age_at: limit,
            expires_at: limit.min(elapsed + token_life),
            idle_timeout_secs: config.idle_timeout(),
            last_active_at: elapsed,
            token_obtained_at: elapsed,
            token_expires_at: elapsed + tokens.expires_in.unwrap_or(token_life),
            is_renewable: config.can_renew() || tokens.refresh_token.is_some(),
            reports_activity: config.gateway().is_some(),
            failures: 0,
            last_renewal_at: 0.0,
            has_warned: false,
            found_idle_at: None,
            budget: RenewalBudget::full(elapsed),
        };
        let scope = Array::new();
        for value in tokens.scope.as_deref().unwrap_or(requested.scope).split_ascii_whitespace() {
            scope.push(&value.into());
        }
        // A browser may keep no cookie in a frame, as long as nothing shows that it does.
        let is_kept = !(config.gateway().is_some() && navigation::is_framed());
        let session = Box::new(Session {
            payload: driver.stores.handle(),
            id: tokens.session_id.map(|id| SessionId(driver.stores.intern(&id))),
            user: driver.user_digest(&token),
            registration: driver.stores.registration(config),
            cookie: if is_kept { Cookie::Kept } else { Cookie::Unconfirmed },
            is_replaced: false,
            tokens: 0,
            lifetime,
        });
        self.attempt.session.set(Some(session.payload));
        driver.stores.keep_payload(Payload {
            handle: session.payload,
            user: user_to_js(user, &token),
            scope,
            config: config.clone(),
            provider: requested.provider.clone(),
            token,
            id_token,
            tokens: RefCell::new(Tokens {
                access: tokens.access_token,
                refresh: tokens.refresh_token,
            }),
        });
        session
    }
}

impl Driver {
    /// Returns the digest that names the user of a token to the other tabs.
    pub(super) fn user_digest(&self, token: &VerifiedIdToken) -> UserDigest {
        UserDigest(self.stores.intern(&user_digest(token.issuer(), token.subject())))
    }
}

fn claim_error(requested: &TokenRequestContext<'_>, reason: Reason) -> Error {
    match (requested.issued_for, reason) {
        (IssuedFor::Renewal(_), Reason::Subject) => {
            Error::new(ErrorCode::UserMismatch, "the renewed ID token has another subject")
        }
        _ => Error::id_token(reason),
    }
}

/// Returns the user as the application sees them: `User` in `types.ts`.
fn user_to_js(user: &User, token: &VerifiedIdToken) -> JsValue {
    let serializer = Serializer::new().serialize_maps_as_objects(true);
    let value = user.serialize(&serializer).unwrap_or_default();
    set(&value, "claims", &JSON::parse(token.claims_text()).unwrap_or_default());
    value
}
