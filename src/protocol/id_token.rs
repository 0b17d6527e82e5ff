//! ID token validation (`OpenID` Connect Core 1.0, 3.1.3.7). It is the only source of a [`VerifiedIdToken`].
//!
//! Each stage is a type that only the stage before it makes:
//!
//! | stage | checks | result |
//! |---|---|---|
//! | [`Jws::parse`] | the form, `crit`, `alg` | [`Jws`] |
//! | [`KeySet::select_verification_keys`] | `kid`, `kty`, `crv`, `use`, `key_ops`, `alg`, the key's size | candidates |
//! | [`SignatureVerifiedIdToken::verify`] | the signature | [`SignatureVerifiedIdToken`] |
//! | [`SignatureVerifiedIdToken::validate_claims`] | `iss`, `aud`, `azp`, `sub`, `nonce`, `at_hash` | [`ClaimsValidatedIdToken`] |
//! | [`ClaimsValidatedIdToken::validate_times`] | `exp`, `iat`, `nbf`, `auth_time`: last, since only these depend on a clock | [`VerifiedIdToken`] |

use super::encoding::base64url;
use super::json::{Object, Value};
use super::jwks::{Jwk, KeySet};
use super::jws::{Algorithm, Hash, Jws};
use super::secret::Secret;
use crate::error::Reason;

/// The cryptography that validation needs: Web Crypto in a browser.
pub trait CryptoProvider {
    /// Verifies `signature` over `input` with `key` and `algorithm`.
    ///
    /// # Errors
    /// [`VerifyError`].
    fn verify(
        &self,
        key: Jwk<'_>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, VerifyError>>;

    /// Computes a digest; `None` if the platform cannot.
    fn digest(&self, hash: Hash, input: &[u8]) -> impl Future<Output = Option<Vec<u8>>>;
}

/// Why the platform cannot verify a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It does not support the algorithm.
    Algorithm,
    /// It does not accept the key.
    Key,
}

/// An ID token with a valid signature of the provider's.
pub struct SignatureVerifiedIdToken(Box<Jws>);

/// The expected claims of an ID token.
pub struct ExpectedClaims<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// A member of `aud`, and `azp` if there is one.
    pub client_id: &'a str,
    /// Decides the expected `nonce`.
    pub issued_for: IssuedFor<'a>,
    /// The access token of the same response, whose digest `at_hash` is.
    pub access_token: &'a Secret,
}

/// The occasion of an ID token, which decides what its `nonce` must be.
#[derive(Clone, Copy)]
pub enum IssuedFor<'a> {
    /// A login with this nonce.
    Login(&'a str),
    /// The gateway's session. The gateway compared the nonce before it sealed the session.
    Session,
    /// A renewal of this ID token (`OpenID` Connect Core 1.0, 12.2).
    Renewal(&'a VerifiedIdToken),
    /// A renewal by the gateway: the claims of the ID token that it sealed, and the login's nonce.
    #[cfg(feature = "gateway")]
    Sealed(&'a Object, &'a str),
}

/// The time that an ID token is validated at.
#[derive(Clone, Copy)]
pub struct TimeContext {
    /// Seconds since 1970.
    pub now: f64,
    /// Seconds of tolerance.
    pub tolerance: f64,
    /// The requested `max_age`, in seconds.
    pub max_age: Option<u32>,
}

impl SignatureVerifiedIdToken {
    /// Verifies the signature with the provider's keys, always: the exemption for tokens directly from the token endpoint
    /// (Core 3.1.3.7, 6) does not cover one that came through a gateway.
    ///
    /// # Errors
    /// `key_not_found`, `algorithm` or `signature`.
    pub async fn verify(
        jws: Box<Jws>,
        keys: &KeySet,
        platform: &impl CryptoProvider,
    ) -> Result<Self, (Reason, Box<Jws>)> {
        let candidates = match keys.select_verification_keys(&jws) {
            Ok(candidates) => candidates,
            Err(reason) => return Err((reason, jws)),
        };
        let input = jws.signing_input.as_bytes();
        let mut reason = Reason::KeyNotFound;
        for key in candidates {
            match platform.verify(key, jws.algorithm, input, &jws.signature).await {
                Ok(true) => return Ok(Self(jws)),
                Ok(false) => reason = Reason::Signature,
                Err(VerifyError::Algorithm) => return Err((Reason::Algorithm, jws)),
                Err(VerifyError::Key) => {}
            }
        }
        Err((reason, jws))
    }

    /// Returns the claims, of which nothing is validated but who signed them: for a logout token.
    #[cfg(feature = "gateway")]
    #[must_use]
    pub fn into_claims(self) -> Object {
        self.0.claims
    }

    /// Validates the claims that do not depend on a clock.
    ///
    /// # Errors
    /// The reason of the first check that fails.
    pub async fn validate_claims(
        self,
        expected: &ExpectedClaims<'_>,
        platform: &impl CryptoProvider,
    ) -> Result<ClaimsValidatedIdToken, Reason> {
        let Self(jws) = self;
        let claim = |name| jws.claims.get_str(name);
        if claim("iss") != Some(expected.issuer) {
            return Err(Reason::Issuer);
        }
        check_audience(&jws.claims, expected.client_id)?;
        let subject = claim("sub").ok_or(Reason::Subject)?;
        if subject.is_empty() || subject.chars().count() > 255 {
            return Err(Reason::Subject);
        }
        match expected.issued_for {
            IssuedFor::Login(nonce) if claim("nonce") != Some(nonce) => return Err(Reason::Nonce),
            IssuedFor::Renewal(before) => check_renewal(&jws.claims, before.claims())?,
            #[cfg(feature = "gateway")]
            IssuedFor::Sealed(before, nonce) => {
                if jws.claims.contains_key("nonce") && claim("nonce") != Some(nonce) {
                    return Err(Reason::Nonce);
                }
                // A renewed token may repeat the login's nonce also if the previous one did not.
                let mut before = before.clone();
                before.insert("nonce", Value::String(nonce.to_owned()));
                check_renewal(&jws.claims, &before)?;
            }
            _ => {}
        }
        if jws.claims.contains_key("at_hash") {
            let token = expected.access_token.expose().as_bytes();
            let digest = platform.digest(jws.algorithm.hash(), token).await;
            let at_hash = at_hash(&digest.ok_or(Reason::AtHash)?);
            if jws.claims.get_str("at_hash") != Some(&at_hash) {
                return Err(Reason::AtHash);
            }
        }
        Ok(ClaimsValidatedIdToken(jws))
    }
}

/// Validates what a renewed ID token must have in common with the previous one (Core 12.2), except `iss`.
fn check_renewal(claims: &Object, before: &Object) -> Result<(), Reason> {
    let is_same = |name| claims.get(name) == before.get(name);
    if !is_same("sub") {
        return Err(Reason::Subject);
    }
    // The same set, in any form and order.
    let (aud, aud_before) = (audiences(claims), audiences(before));
    if !(is_subset(aud, aud_before) && is_subset(aud_before, aud)) {
        return Err(Reason::Audience);
    }
    if !is_same("azp") {
        return Err(Reason::AuthorizedParty);
    }
    for (name, reason) in [("auth_time", Reason::AuthTime), ("nonce", Reason::Nonce)] {
        if claims.contains_key(name) && !is_same(name) {
            return Err(reason);
        }
    }
    Ok(())
}

fn is_subset(some: &[Value], all: &[Value]) -> bool {
    some.iter().all(|one| all.iter().any(|other| one.as_str() == other.as_str()))
}

/// Returns the members of `aud`, whether it is a string or an array.
fn audiences(claims: &Object) -> &[Value] {
    match claims.get("aud") {
        Some(Value::Array(members)) => members,
        only => only.map(std::slice::from_ref).unwrap_or_default(),
    }
}

/// Validates `aud` and `azp` (Core 3.1.3.7, 3 to 5).
fn check_audience(claims: &Object, client_id: &str) -> Result<(), Reason> {
    let (ours, several) = match claims.get("aud") {
        Some(Value::String(only)) => (only == client_id, false),
        Some(Value::Array(members)) if members.iter().all(|member| member.as_str().is_some()) => {
            (members.iter().any(|member| member.as_str() == Some(client_id)), members.len() > 1)
        }
        _ => (false, false),
    };
    if !ours {
        return Err(Reason::Audience);
    }
    match claims.get("azp") {
        Some(party) if party.as_str() == Some(client_id) => Ok(()),
        None if !several => Ok(()),
        _ => Err(Reason::AuthorizedParty),
    }
}

/// Encodes the left half of an access token's digest (Core 3.1.3.6).
fn at_hash(digest: &[u8]) -> String {
    base64url(digest.get(..digest.len() / 2).unwrap_or_default())
}

/// An ID token whose claims are valid, except those that depend on a clock.
pub struct ClaimsValidatedIdToken(Box<Jws>);

impl ClaimsValidatedIdToken {
    /// Validates `exp`, `iat`, `nbf` and `auth_time` at a given time.
    ///
    /// # Errors
    /// The reason of the first check that fails, with the token, which may be validated again by a better clock.
    pub fn validate_times(
        self,
        clock: TimeContext,
    ) -> Result<VerifiedIdToken, TimeValidationError> {
        match self.check_times(clock) {
            Ok(()) => Ok(VerifiedIdToken(self.0)),
            Err(reason) => Err(TimeValidationError { token: self, reason }),
        }
    }

    fn check_times(&self, clock: TimeContext) -> Result<(), Reason> {
        let TimeContext { now, tolerance, max_age } = clock;
        let claims = &self.0.claims;
        let expires_at = claims.get_f64("exp").ok_or(Reason::Expired)?;
        // Not `now >= …`: with a time that is NaN the token must be expired.
        let is_unexpired = now < expires_at + tolerance;
        if !is_unexpired {
            return Err(Reason::Expired);
        }
        let issued_at = claims.get_f64("iat").ok_or(Reason::IssuedInFuture)?;
        if issued_at - tolerance > now {
            return Err(Reason::IssuedInFuture);
        }
        if claims.contains_key("nbf") {
            let not_before = claims.get_f64("nbf").ok_or(Reason::NotYetValid)?;
            if not_before - tolerance > now {
                return Err(Reason::NotYetValid);
            }
        }
        if let Some(max_age) = max_age {
            let auth_time = claims.get_f64("auth_time").ok_or(Reason::AuthTime)?;
            let age = now - auth_time;
            if age > f64::from(max_age) + tolerance || age < -tolerance {
                return Err(Reason::AuthTime);
            }
        }
        Ok(())
    }
}

/// An ID token that is not valid at the given time.
pub struct TimeValidationError {
    /// The token, which may be validated again.
    pub token: ClaimsValidatedIdToken,
    /// The check that failed.
    pub reason: Reason,
}

/// An ID token that passed every check.
pub struct VerifiedIdToken(Box<Jws>);

impl VerifiedIdToken {
    /// Returns `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.claims().get_str("iss").unwrap_or_default()
    }

    /// Returns `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims().get_str("sub").unwrap_or_default()
    }

    /// Returns every claim.
    #[must_use]
    pub fn claims(&self) -> &Object {
        &self.0.claims
    }

    /// Returns the claims as the provider's JSON text.
    #[must_use]
    pub fn claims_text(&self) -> &str {
        &self.0.claims_text
    }

    /// Returns `auth_time`, in seconds since 1970.
    #[must_use]
    pub fn auth_time(&self) -> Option<f64> {
        self.claims().get_f64("auth_time")
    }

    /// Returns `iat`, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> f64 {
        self.claims().get_f64("iat").unwrap_or_default()
    }

    /// Returns `exp`, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> f64 {
        self.claims().get_f64("exp").unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests;
