//! The exchange: from a code to a verified ID token and the person it names.

use js_sys::JSON;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::Client;
use super::attempt::Attempt;
use super::provider::{read_keys, request_keys};
use crate::browser::crypto::WebCrypto;
use crate::browser::http::{Kind, Request};
use crate::browser::{clock, set};
use crate::config::Config;
use crate::error::{Error, Reason};
use crate::protocol::id_token::{
    AuthenticIdToken, CheckedIdToken, Clock, Expected, VerifiedIdToken,
};
use crate::protocol::jwks::KeySet;
use crate::protocol::jws::Jws;
use crate::protocol::metadata::Profile;
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;
use crate::protocol::token::{TokenResponse, request_body};
use crate::protocol::user::{ProfileAnswer, User};

/// What a login was granted.
pub(super) struct Granted {
    /// The person, as the application sees them.
    pub(super) user: JsValue,
    /// Values separated by spaces.
    pub(super) scope: String,
}

impl Client {
    /// Sends the code and judges what comes back. Nothing of an answer is used before its ID token is verified.
    pub(super) async fn exchange(
        &self,
        attempt: &Attempt,
        pending: &PendingLogin,
        config: &Config,
        code: &Secret,
    ) -> Result<Granted, Error> {
        let key_set = pending.key_set();
        // Beside the token request, not after it. A failure here is tried again when the keys are needed.
        let keys = request_keys(key_set, false, config.timeout);
        let tokens = request_tokens(pending, config, code).await?;
        let keys = read_keys(keys).await.ok();

        let jws =
            Jws::parse(tokens.id_token.expose(), pending.algorithms()).map_err(Error::id_token)?;
        let authentic = authenticate(jws, keys, key_set, config).await?;
        let checked = authentic.check(&Expected {
            issuer: pending.issuer(),
            client_id: pending.client_id(),
            nonce: &pending.verifier.nonce(),
            access_token: &tokens.access_token,
        });
        let checked = checked.map_err(Error::id_token)?;
        let token = self.judge_times(attempt, checked, pending, config).await?;
        let profile = request_profile(&token, &tokens.access_token, pending, config).await?;
        let user = User::new(&token, profile.as_ref());
        user.check_tenant(config.allowed_tenants())?;
        Ok(Granted {
            user: user_value(&user, &token),
            scope: tokens.scope.unwrap_or_else(|| pending.scope().to_owned()),
        })
    }

    /// Judges the token's times by the device's clock and, where that fails, by the application's own origin:
    /// school devices run minutes or hours wrong.
    async fn judge_times(
        &self,
        attempt: &Attempt,
        token: CheckedIdToken,
        pending: &PendingLogin,
        config: &Config,
    ) -> Result<VerifiedIdToken, Error> {
        let by = |now| Clock { now, tolerance: config.clock_tolerance, max_age: pending.max_age() };
        let untimely = match token.at(by(clock::now())) {
            Ok(token) => return Ok(token),
            Err(untimely) => untimely,
        };
        let Some(now) = origin_time(config).await else {
            return Err(Error::id_token(untimely.reason));
        };
        let offset = (clock::now() - now).round();
        match untimely.token.at(by(now)) {
            Ok(token) => {
                attempt.emit(self, "clock.corrected");
                Ok(token)
            }
            Err(untimely) => {
                let clock_offset = (offset.abs() > config.clock_tolerance).then_some(offset);
                Err(Error::id_token(untimely.reason).with_clock_offset(clock_offset))
            }
        }
    }
}

/// Sends the code to the token endpoint, once.
async fn request_tokens(
    pending: &PendingLogin,
    config: &Config,
    code: &Secret,
) -> Result<TokenResponse, Error> {
    let request = Request {
        to: "the token endpoint",
        url: pending.token_endpoint(),
        kind: Kind::PostForm(&request_body(pending, code)),
        cache: "no-store",
        timeout: config.timeout,
    };
    let answer = request.send().await?;
    TokenResponse::parse(answer.status, &answer.body)
}

/// Checks the signature, with keys fetched afresh where those at hand are none, lack the token's `kid`, or were rotated
/// under a token that names none.
async fn authenticate(
    jws: Box<Jws>,
    keys: Option<KeySet>,
    url: &str,
    config: &Config,
) -> Result<AuthenticIdToken, Error> {
    let jws = match keys {
        None => jws,
        Some(keys) => match AuthenticIdToken::verify(jws, &keys, &WebCrypto).await {
            Ok(token) => return Ok(token),
            Err((Reason::KeyNotFound, jws)) => jws,
            Err((Reason::Signature, jws)) if jws.key_id.is_none() => jws,
            Err((reason, _)) => return Err(Error::id_token(reason)),
        },
    };
    let keys = read_keys(request_keys(url, true, config.timeout)).await?;
    let verified = AuthenticIdToken::verify(jws, &keys, &WebCrypto).await;
    verified.map_err(|(reason, _)| Error::id_token(reason))
}

/// Asks `UserInfo` or my-info, where the profile comes from there.
async fn request_profile(
    token: &VerifiedIdToken,
    access_token: &Secret,
    pending: &PendingLogin,
    config: &Config,
) -> Result<Option<ProfileAnswer>, Error> {
    let Some(url) = pending.profile_endpoint() else {
        return Ok(None);
    };
    let request = Request {
        to: "the profile endpoint",
        url,
        kind: Kind::GetWithBearer(access_token),
        cache: "no-store",
        timeout: config.timeout,
    };
    let answer = request.send().await?;
    let read = match config.profile {
        Profile::MyInfo => ProfileAnswer::from_my_info,
        Profile::Userinfo | Profile::IdToken => ProfileAnswer::from_userinfo,
    };
    read(answer.status, &answer.body, token).map(Some)
}

/// What the application's own origin says the time is.
async fn origin_time(config: &Config) -> Option<f64> {
    let request = Request {
        to: "the application's own origin",
        url: config.redirect_uri(),
        kind: Kind::Head,
        cache: "no-store",
        timeout: config.timeout,
    };
    request.send().await.ok()?.time
}

/// The person as the application sees them: `User` in `types.ts`.
fn user_value(user: &User, token: &VerifiedIdToken) -> JsValue {
    let serializer = Serializer::new().serialize_maps_as_objects(true);
    let value = user.serialize(&serializer).unwrap_or_default();
    set(&value, "claims", &JSON::parse(token.claims_text()).unwrap_or_default());
    value
}
