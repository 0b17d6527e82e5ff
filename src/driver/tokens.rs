//! Judges token responses: those of a sign-in, a renewal and a restored session. Only what passes becomes a session.

use std::cell::RefCell;

use js_sys::{Array, JSON};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::Driver;
use super::attempt::Attempt;
use super::provider::{read_keys, request_keys};
use super::stores::{Payload, Tokens};
use crate::browser::crypto::WebCrypto;
use crate::browser::http::{Bearer, HttpResponse, InFlightRequest, RequestKind};
use crate::browser::{clock, navigation, set};
use crate::config::Config;
use crate::error::{Error, ErrorCode, Reason};
use crate::protocol::id_token::{
    ClaimsValidatedIdToken, ExpectedClaims, IssuedFor, SignatureVerifiedIdToken, TimeContext,
    VerifiedIdToken,
};
use crate::protocol::jwks::KeySet;
use crate::protocol::jws::Jws;
use crate::protocol::metadata::{ProfileSource, ProviderMetadata};
use crate::protocol::secret::Secret;
use crate::protocol::token::TokenResponse;
use crate::protocol::user::user_digest;
use crate::protocol::user::{ProfileResponse, User};
use crate::session::lifetime::{Lifetime, RenewalBudget};
use crate::session::{Cookie, Session, SessionId, UserDigest};

/// What was asked for, against which the answer is judged.
pub(super) struct Asked<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) config: &'a Config,
    pub(super) provider: &'a ProviderMetadata,
    pub(super) issued_for: IssuedFor<'a>,
    /// `max_age`, where it was asked for.
    pub(super) max_age: Option<u32>,
    /// The scope asked for: what was granted, unless the answer says otherwise (RFC 6749, 5.1).
    pub(super) scope: &'a str,
}

/// What was answered.
pub(super) struct Answered {
    status: u16,
    pub(super) tokens: TokenResponse,
    /// When the server sent it, in seconds since 1970, where the page may see that.
    pub(super) time: Option<f64>,
}

impl Answered {
    /// Reads a token answer. What is none is the gateway's failure, where there is one: nobody else speaks to the page.
    pub(super) fn read(answer: &HttpResponse, config: &Config) -> Result<Box<Self>, Error> {
        let tokens = TokenResponse::parse(answer.status, &answer.body).map_err(|error| {
            match (error.code, config.gateway()) {
                (ErrorCode::ProviderResponseInvalid, Some(_)) => {
                    error.with_code(ErrorCode::GatewayError)
                }
                _ => error,
            }
        })?;
        Ok(Box::new(Self { status: answer.status, tokens, time: answer.time }))
    }
}

impl Driver {
    /// Judges an answer. Nothing of it is used before its ID token is verified.
    pub(super) async fn judge(
        &self,
        asked: &Asked<'_>,
        answered: Box<Answered>,
        keys: InFlightRequest,
    ) -> Result<Box<Session>, Error> {
        let Asked { config, provider, .. } = *asked;
        let Answered { status, tokens, time } = *answered;
        let id_token = tokens.id_token.ok_or_else(|| {
            let message = "the token endpoint's answer can't be used: `id_token` is missing";
            Error::new(ErrorCode::ProviderResponseInvalid, message).with_status(status)
        })?;
        let keys = read_keys(keys).await.ok();
        let jws = Jws::parse(id_token.expose(), provider.algorithms()).map_err(Error::id_token)?;
        let authentic = authenticate(asked, jws, keys).await?;
        let expected = ExpectedClaims {
            issuer: config.issuer(),
            client_id: config.client_id(),
            issued_for: asked.issued_for,
            access_token: &tokens.access_token,
        };
        let checked = authentic.validate_claims(&expected, &WebCrypto).await;
        let checked = checked.map_err(|reason| match (asked.issued_for, reason) {
            (IssuedFor::Renewal(_), Reason::Subject) => {
                let message = "the renewed ID token speaks of another subject";
                Error::new(ErrorCode::UserMismatch, message)
            }
            _ => Error::id_token(reason),
        })?;
        let (token, now) = self.judge_times(asked, checked, time).await?;
        let profile = request_profile(asked, &token, &tokens.access_token).await?;
        let user = User::new(&token, profile.as_ref());
        user.check_tenant(config.allowed_tenants())?;

        let elapsed = self.elapsed();
        // Of a session that was found again, the ID token tells how old it is.
        let age = match asked.issued_for {
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
            last_failure_at: 0.0,
            has_warned: false,
            idle_since: None,
            budget: RenewalBudget::full(elapsed),
        };
        let scope = Array::new();
        for value in tokens.scope.as_deref().unwrap_or(asked.scope).split_ascii_whitespace() {
            scope.push(&value.into());
        }
        // A browser may keep no cookie in a frame, as long as nothing shows that it does.
        let is_kept = !(config.gateway().is_some() && navigation::is_framed());
        let session = Box::new(Session {
            payload: self.stores.handle(),
            id: tokens.session_id.map(|id| SessionId(self.stores.intern(&id))),
            user: self.user_digest(&token),
            registration: self.stores.registration(config),
            cookie: if is_kept { Cookie::Kept } else { Cookie::Unconfirmed },
            is_replaced: false,
            tokens: 0,
            lifetime,
        });
        self.stores.keep_payload(Payload {
            handle: session.payload,
            user: user_value(&user, &token),
            scope,
            config: config.clone(),
            provider: provider.clone(),
            token,
            id_token,
            tokens: RefCell::new(Tokens {
                access: tokens.access_token,
                refresh: tokens.refresh_token,
            }),
        });
        Ok(session)
    }

    /// Names the user of a token to the other tabs.
    pub(super) fn user_digest(&self, token: &VerifiedIdToken) -> UserDigest {
        UserDigest(self.stores.intern(&user_digest(token.issuer(), token.subject())))
    }

    /// Judges the token's times by the device's clock and, where that fails, by the gateway's or the application's own
    /// origin: school devices run minutes or hours wrong. Answers with the time that held, too, or better the gateway's.
    async fn judge_times(
        &self,
        asked: &Asked<'_>,
        token: ClaimsValidatedIdToken,
        answered_at: Option<f64>,
    ) -> Result<(VerifiedIdToken, f64), Error> {
        let Asked { attempt, config, max_age, .. } = *asked;
        let by = |now| TimeContext { now, tolerance: config.clock_tolerance_secs, max_age };
        let device = clock::now_secs();
        let gateway_time = config.gateway().and(answered_at);
        let untimely = match token.validate_times(by(device)) {
            Ok(token) => return Ok((token, gateway_time.unwrap_or(device))),
            Err(untimely) => untimely,
        };
        let now = match gateway_time {
            None => origin_time(attempt, config).await,
            known => known,
        };
        let Some(now) = now else {
            return Err(Error::id_token(untimely.reason));
        };
        let offset = (clock::now_secs() - now).round();
        match untimely.token.validate_times(by(now)) {
            Ok(token) => {
                attempt.emit(self, "clock.corrected");
                Ok((token, now))
            }
            Err(untimely) => {
                let offset = (offset.abs() > config.clock_tolerance_secs).then_some(offset);
                Err(Error::id_token(untimely.reason).with_clock_offset(offset))
            }
        }
    }
}

/// Checks the signature, with keys fetched again if those at hand are none, lack the token's `kid`, or were rotated.
async fn authenticate(
    asked: &Asked<'_>,
    jws: Box<Jws>,
    keys: Option<KeySet>,
) -> Result<SignatureVerifiedIdToken, Error> {
    let jws = match keys {
        None => jws,
        Some(keys) => match SignatureVerifiedIdToken::verify(jws, &keys, &WebCrypto).await {
            Ok(token) => return Ok(token),
            Err((Reason::KeyNotFound | Reason::Signature, jws)) => jws,
            Err((reason, _)) => return Err(Error::id_token(reason)),
        },
    };
    let afresh = request_keys(asked.attempt, asked.provider, asked.config, true);
    let keys = read_keys(afresh).await?;
    let verified = SignatureVerifiedIdToken::verify(jws, &keys, &WebCrypto).await;
    verified.map_err(|(reason, _)| Error::id_token(reason))
}

/// Asks `UserInfo` or my-info, where the profile comes from there.
async fn request_profile(
    asked: &Asked<'_>,
    token: &VerifiedIdToken,
    access_token: &Secret,
) -> Result<Option<ProfileResponse>, Error> {
    let Asked { attempt, config, provider, .. } = *asked;
    let Some(url) = provider.profile_endpoint() else {
        return Ok(None);
    };
    let kind = RequestKind::GetWithBearer(Bearer::new(access_token)?);
    let sent = attempt.request(config, "the profile endpoint", url, kind, "no-store");
    let answer = sent.response().await?;
    let read = match config.profile {
        ProfileSource::MyInfo => ProfileResponse::from_my_info,
        ProfileSource::Userinfo | ProfileSource::IdToken => ProfileResponse::from_userinfo,
    };
    read(answer.status, &answer.body, token).map(Some)
}

/// What the application's own origin says the time is.
async fn origin_time(attempt: &Attempt, config: &Config) -> Option<f64> {
    let to = "the application's own origin";
    let sent = attempt.request(config, to, config.redirect_uri(), RequestKind::Head, "no-store");
    sent.response().await.ok()?.time
}

/// The person as the application sees them: `User` in `types.ts`.
fn user_value(user: &User, token: &VerifiedIdToken) -> JsValue {
    let serializer = Serializer::new().serialize_maps_as_objects(true);
    let value = user.serialize(&serializer).unwrap_or_default();
    set(&value, "claims", &JSON::parse(token.claims_text()).unwrap_or_default());
    value
}
