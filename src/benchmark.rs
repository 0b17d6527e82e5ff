//! The validation of an ID token by itself, for `npm run bench`. The package's builds do not have it.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::clock;
use crate::browser::crypto::WebCrypto;
use crate::browser::task::Task;
use crate::error::Reason;
use crate::protocol::id_token::{ExpectedClaims, IssuedFor, SignatureVerifiedIdToken, TimeContext};
use crate::protocol::jwks::KeySet;
use crate::protocol::jws::Jws;
use crate::protocol::secret::Secret;

/// Validates an ID token as a sign-in does, from the bodies of the token response and the key set on: the task resolves
/// with whether it is valid.
#[wasm_bindgen(js_name = validateIdToken)]
pub fn validate_id_token(
    id_token: String,
    key_set: String,
    access_token: String,
    issuer: String,
    client_id: String,
    nonce: String,
) -> Task {
    Task::new(Box::pin(async move {
        let expected = ExpectedClaims {
            issuer: &issuer,
            client_id: &client_id,
            issued_for: IssuedFor::Login(&nonce),
            access_token: &Secret::new(access_token),
        };
        Ok(is_valid(&id_token, &key_set, &expected).await.into())
    }))
}

async fn is_valid(id_token: &str, key_set: &str, expected: &ExpectedClaims<'_>) -> bool {
    let validated: Result<(), Reason> = async {
        let keys = KeySet::parse(key_set.as_bytes()).map_err(|_| Reason::KeyNotFound)?;
        let jws = Jws::parse(id_token, "RS256")?;
        let verified = SignatureVerifiedIdToken::verify(jws, &keys, &WebCrypto).await;
        let token = verified.map_err(|(reason, _)| reason)?;
        let token = token.validate_claims(expected, &WebCrypto).await?;
        let time = TimeContext { now: clock::now_secs(), tolerance: 60.0, max_age: None };
        token.validate_times(time).map(drop).map_err(|error| error.reason)
    }
    .await;
    validated.is_ok()
}
