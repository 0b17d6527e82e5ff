//! The provider's key set: a line with an algorithm and, if the token names one, a key id, then the key set. A token
//! that our key signed is verified with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use classlink_spa::error::{ErrorCode, Reason};
use classlink_spa::protocol::id_token::SignatureVerifiedIdToken;
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::jws::{Algorithm, Jws};
use serde_json::{Map, Value, json};

use crate::id_token::with_key;
use crate::keys::AwsLc;
use crate::reading::{now, object, text, text_line};

/// Chooses a key, and holds the choice to RFC 7517, section 4, and `OpenID` Connect Core 1.0, 10.1.
pub fn run(mut data: &[u8]) {
    let mut words = text_line(&mut data).split(' ');
    let name = words.next().unwrap_or_default();
    let name = if Algorithm::from_name(name).is_some() { name } else { "EdDSA" };
    let key_id = words.next();
    let members = object(data);
    let jwks = members.as_ref().and_then(|members| members.get("keys")?.as_array());
    let (keys, jwks) = match (KeySet::parse(data), jwks) {
        (Ok(keys), Some(jwks)) => (keys, jwks),
        (Ok(_), None) => panic!("what is no key set was taken"),
        (Err(error), jwks) => {
            assert_eq!((error.code, jwks), (ErrorCode::KeysUnavailable, None));
            return;
        }
    };
    with_key(name, |key| {
        let token = key.sign(&json!({ "alg": name }), &json!({ "sub": "1" }));
        let mut signed = Jws::parse(&token, name).unwrap();
        signed.key_id = key_id.map(str::to_owned);
        let fitting: Vec<_> = jwks
            .iter()
            .filter_map(Value::as_object)
            .filter(|jwk| fits(jwk, name) && key_id.is_none_or(|id| text(jwk, "kid") == Some(id)))
            .collect();
        // Four at most are tried.
        let fitting: Vec<_> = fitting.into_iter().take(4).collect();
        let found = keys.select_verification_keys(&signed).map(|keys| keys.len());
        let is_clear = fitting.len() == 1 || key_id.is_some() && !fitting.is_empty();
        assert_eq!(found, if is_clear { Ok(fitting.len()) } else { Err(Reason::KeyNotFound) });

        let ours = key.jwk(&json!({}));
        let ours = ours.as_object().unwrap();
        let is_ours =
            |jwk: &Map<String, Value>| ours.iter().all(|(name, value)| jwk[name] == *value);
        if now(SignatureVerifiedIdToken::verify(signed, &keys, &AwsLc)).is_ok() {
            assert!(fitting.into_iter().any(is_ours), "another key verifies what ours has signed");
        } else {
            assert!(!is_clear || !fitting.into_iter().any(is_ours), "our key does not verify");
        }
    });
}

/// Whether a JWK is for this algorithm.
fn fits(jwk: &Map<String, Value>, name: &str) -> bool {
    let (kind, curve) = match name {
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "ES512" => ("EC", Some("P-521")),
        "EdDSA" | "Ed25519" => ("OKP", Some("Ed25519")),
        _ => ("RSA", None),
    };
    let is_whole = match kind {
        "RSA" => {
            let modulus = text(jwk, "n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok());
            modulus.is_some_and(|modulus| modulus.len() >= 256) && text(jwk, "e").is_some()
        }
        "EC" => text(jwk, "x").is_some() && text(jwk, "y").is_some(),
        _ => text(jwk, "x").is_some(),
    };
    let is_same = |named: &str| {
        named == name || matches!((named, name), ("EdDSA", "Ed25519") | ("Ed25519", "EdDSA"))
    };
    // `null` and an empty array count as absent.
    let member = |name| jwk.get(name).filter(|value| !value.is_null() && **value != json!([]));
    let allows_algorithm = member("alg").is_none_or(|named| named.as_str().is_some_and(is_same));
    let operations =
        member("key_ops").map(|operations| operations.as_array().cloned().unwrap_or_default());
    let allows_operation =
        operations.is_none_or(|operations| operations.contains(&"verify".into()));
    text(jwk, "kty") == Some(kind)
        && curve.is_none_or(|curve| text(jwk, "crv") == Some(curve))
        && is_whole
        && member("use").is_none_or(|purpose| purpose == "sig")
        && allows_algorithm
        && allows_operation
}
