//! Assertions: short-lived JWTs (RFC 7519) that tell a back end who is asking, which it verifies with the keys at
//! `/assertion-keys`. Header and claims stand in `docs/gateway.md`, "The contract".

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use classlink_spa::protocol::encoding::{base64url, from_base64url};
use serde_json::{Map, Value, json};

use crate::crypto;
use crate::session::OpenSession;

/// Seconds that an assertion lasts at most.
const LIFETIME_SECS: i64 = 60;

/// The longest text of a user's member that goes into an assertion, in characters.
const LONGEST_TEXT: usize = 512;

/// A private P-256 key.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
    jwk: Value,
}

impl SigningKey {
    /// Reads a key: PEM (PKCS #8), or a JWK as an object or its JSON text.
    #[must_use]
    pub fn read(key: &Value) -> Option<Self> {
        match key {
            Value::String(text) if text.trim_start().starts_with('{') => {
                Self::from_jwk(&serde_json::from_str(text).ok()?)
            }
            Value::String(text) => Self::from_pem(text),
            jwk => Self::from_jwk(jwk),
        }
    }

    fn from_pem(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
        // Environment variables may have `\n` for a line's end.
        let body: String = body.replace("\\n", "").split_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        Self::new(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?)
    }

    fn from_jwk(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return None;
        }
        let bytes = |name| text(name).and_then(from_base64url).filter(|bytes| bytes.len() == 32);
        let public = [&[4][..], &bytes("x")?, &bytes("y")?].concat();
        let private = bytes("d")?;
        Self::new(
            EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &private,
                &public,
            )
            .ok()?,
        )
    }

    fn new(pair: EcdsaKeyPair) -> Option<Self> {
        let point = pair.public_key().as_ref();
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        let (x, y) = (base64url(x), base64url(y));
        // RFC 7638, 3.2: the required members in lexicographic order.
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = base64url(crypto::sha256(thumbprint.as_bytes()));
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig", "alg": "ES256",
        });
        Some(Self { pair, id, jwk })
    }

    /// Returns whether what this key signs is verified by the public key that is published.
    fn can_sign(&self) -> bool {
        let input = b"check";
        let coordinate = |name| self.jwk.get(name)?.as_str().and_then(from_base64url);
        let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else { return false };
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4][..], &x, &y].concat());
        let signature = self.pair.sign(&SystemRandom::new(), input);
        signature.is_ok_and(|signature| public.verify(input, signature.as_ref()).is_ok())
    }

    /// Returns the key's thumbprint (RFC 7638).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Generates a private key, as PEM (PKCS #8).
#[must_use]
pub fn new_key() -> Option<String> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .ok()?;
    let body = STANDARD.encode(document.as_ref());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    Some(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n")))
}

/// The signer of assertions: their issuer and audience, and the keys.
pub struct Assertions {
    issuer: String,
    audience: String,
    keys: Vec<SigningKey>,
    key_set: String,
}

impl Assertions {
    /// Creates the signer for this issuer and this audience. The first key signs, all are published.
    #[must_use]
    pub fn new(issuer: String, audience: String, keys: Vec<SigningKey>) -> Self {
        let public: Vec<_> = keys.iter().map(|key| key.jwk.clone()).collect();
        let key_set = json!({ "keys": public }).to_string();
        Self { issuer, audience, keys, key_set }
    }

    /// Returns whether every key signs what its published half verifies.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.keys.iter().all(SigningKey::can_sign)
    }

    /// Returns the JWK Set that verifies assertions.
    #[must_use]
    pub fn key_set(&self) -> &str {
        &self.key_set
    }

    /// Returns the assertion of a session; `None` if it cannot be signed.
    #[must_use]
    pub fn sign(
        &self,
        open: &OpenSession,
        client_id: &str,
        expiry: i64,
        now: i64,
    ) -> Option<String> {
        let key = self.keys.first()?;
        let header = json!({ "alg": "ES256", "kid": key.id, "typ": "JWT" });
        let claims = self.claims(open, client_id, expiry, now);
        let input = [header.to_string(), claims.to_string()].map(base64url).join(".");
        let signature = key.pair.sign(&SystemRandom::new(), input.as_bytes()).ok()?;
        Some([&input, ".", &base64url(signature)].concat())
    }

    fn claims(&self, open: &OpenSession, client_id: &str, expiry: i64, now: i64) -> Value {
        let user = user_members(open);
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": user.get("id"),
            "sid": open.session.id,
            "client_id": client_id,
            "iat": now,
            "exp": expiry.min(now + LIFETIME_SECS),
        });
        if let Some(members) = claims.as_object_mut() {
            if let Some(scope) = &open.session.scope {
                members.insert("scope".to_owned(), scope.as_str().into());
            }
            members.insert("user".to_owned(), Value::Object(user));
        }
        claims
    }
}

/// Returns the members of a user, without those whose text is long.
fn user_members(open: &OpenSession) -> Map<String, Value> {
    let mut members = match serde_json::to_value(open.user()) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    members.retain(|name, value| name == "id" || name == "sub" || !is_long(value));
    // A time in seconds is a whole number.
    if let Some(time) = members.get_mut("authTime")
        && let Some(seconds) = time.as_f64()
        && seconds.fract() == 0.0
    {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number")]
        let seconds = seconds as i64;
        *time = seconds.into();
    }
    members
}

fn is_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.encode_utf16().count() > LONGEST_TEXT,
        Value::Object(members) => members.values().any(is_long),
        _ => false,
    }
}
