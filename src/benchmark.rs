//! The validation of an ID token by itself, for `npm run bench`. The package's builds do not have it.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::clock;
use crate::browser::crypto::WebCrypto;
use crate::browser::task::Task;
use crate::error::Reason;
use crate::protocol::id_token::{AuthenticIdToken, Clock, Expected, Origin};
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
        let expected = Expected {
            issuer: &issuer,
            client_id: &client_id,
            origin: Origin::Login(&nonce),
            access_token: &Secret::new(access_token),
        };
        Ok(is_valid(&id_token, &key_set, &expected).await.into())
    }))
}

async fn is_valid(id_token: &str, key_set: &str, expected: &Expected<'_>) -> bool {
    let validated: Result<(), Reason> = async {
        let keys = KeySet::parse(key_set.as_bytes()).map_err(|_| Reason::KeyNotFound)?;
        let jws = Jws::parse(id_token, "RS256")?;
        let authentic = AuthenticIdToken::verify(jws, &keys, &WebCrypto).await;
        let checked = authentic.map_err(|(reason, _)| reason)?.check(expected, &WebCrypto).await?;
        let clock = Clock { now: clock::now(), tolerance: 60.0, max_age: None };
        checked.at(clock).map(drop).map_err(|untimely| untimely.reason)
    }
    .await;
    validated.is_ok()
}
