//! A key that signs assertions (PEM or a JWK), then the claims of the user who is asserted, behind a line `--`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use classlink_gateway::assertion::{Assertions, SigningKey};
use classlink_gateway::session::OpenSession;
use classlink_spa::protocol::encoding::{base64url, from_base64url};
use classlink_spa::protocol::json;
use serde_json::Value;

use super::{NOW, session};

/// The key if the input has none.
const KEY: &str = r#"{"kty":"EC","crv":"P-256",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// Reads the key, and verifies an assertion by it.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (key, claims) = text.split_once("\n--\n").unwrap_or((text, ""));
    let read = SigningKey::read(&Value::String(key.to_owned()));
    let is_read = read.is_some();
    let key = read.unwrap_or_else(|| SigningKey::read(&Value::String(KEY.to_owned())).unwrap());
    let claims = json::parse_object(claims.as_bytes());
    if claims.is_none() && !is_read {
        return;
    }
    let id = key.id().to_owned();
    let assertions = Assertions::new("https://app.example".to_owned(), "app".to_owned(), vec![key]);
    let keys: Value = serde_json::from_str(assertions.key_set()).unwrap();
    let jwk = &keys["keys"][0];
    assert!(jwk.get("d").is_none(), "the private key is published");
    let [x, y] = ["x", "y"].map(|name| jwk[name].as_str().unwrap());
    let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    assert_eq!(id, base64url(digest(&SHA256, thumbprint.as_bytes())));

    let open = OpenSession {
        session: session(1, 1),
        claims: claims.unwrap_or_default(),
        is_outdated: false,
    };
    let expiry = NOW + 30;
    let assertion = assertions.sign(&open, "c1", expiry, NOW).unwrap();
    let (input, signature) = assertion.rsplit_once('.').unwrap();
    let point = [&[4][..], &from_base64url(x).unwrap(), &from_base64url(y).unwrap()].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(input.as_bytes(), &from_base64url(signature).unwrap())
        .expect("an assertion that its key does not verify");
    let (_, body) = input.split_once('.').unwrap();
    let body: Value = serde_json::from_slice(&from_base64url(body).unwrap()).unwrap();
    assert_eq!(
        (&body["aud"], &body["iat"], &body["exp"]),
        (&"app".into(), &NOW.into(), &expiry.into())
    );
    assert_eq!(body["sub"], body["user"]["id"]);
    assert!(!assertion.contains("opaque"), "the access token is in it");
}
