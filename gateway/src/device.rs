//! Device-bound sessions (W3C, Device Bound Session Credentials): a browser that offers them makes a key that does not leave
//! the device, and proves every few minutes that it has it. A copied cookie is useless once the last proof is over.
//!
//! The sealed session holds the public key. Beside it the browser has a proof cookie for [`PROOF_SECS`]: a session with a key
//! counts only with it, and only a proof by the key brings a new one. Nothing is remembered here: challenges and proof
//! cookies are sealed with the session's id and their end. `pkg-template/src/gateway/device-binding.ts` does the same.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use classlink_spa::protocol::encoding::{base64url, from_base64url};
use classlink_spa::protocol::json::{self, Object};

/// How long a proof counts, in seconds. Chromium refuses to sign more often than about every 90.
pub const PROOF_SECS: i64 = 300;

/// How much longer the server takes a proof than the browser keeps it, in seconds: a request may be under way.
const GRACE_SECS: i64 = 30;

/// How long a challenge may be answered, in seconds: some security modules take long to make a key.
const CHALLENGE_SECS: i64 = 120;

/// The purpose of a text that is sealed for a session and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The device has proved that it has the key.
    Proof,
    /// The device is to prove that it has the key.
    Challenge,
}

impl Purpose {
    /// Returns the name that it is sealed under.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proof => "classlink-spa device proof",
            Self::Challenge => "classlink-spa device challenge",
        }
    }

    /// Returns how long it counts, in seconds.
    #[must_use]
    pub fn lifetime_secs(self) -> i64 {
        match self {
            Self::Proof => PROOF_SECS + GRACE_SECS,
            Self::Challenge => CHALLENGE_SECS,
        }
    }
}

/// A JWT by which a device proves that it has its key.
#[derive(Debug)]
pub struct DeviceProof<'a> {
    /// The challenge that it repeats.
    pub challenge: String,
    header: Object,
    input: &'a str,
    signature: Vec<u8>,
}

impl<'a> DeviceProof<'a> {
    /// Takes a JWT apart; `None` if it is not a proof of a device.
    #[must_use]
    pub fn parse(jwt: &'a str) -> Option<Self> {
        let (input, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let read = |part: &str| json::parse_object(&from_base64url(part)?);
        let (header, claims) = (read(header)?, read(claims)?);
        let is_proof = header.get_str("alg") == Some("ES256")
            && header.get_str("typ") == Some("dbsc+jwt")
            && !header.contains_key("crit");
        if !is_proof {
            return None;
        }
        let challenge = claims.get_str("jti")?.to_owned();
        Some(Self { challenge, header, input, signature: from_base64url(signature)? })
    }

    /// Returns the key in the header, which is there at the registration: both coordinates on P-256, in base64url.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let jwk = self.header.get("jwk")?.as_object()?;
        if jwk.get_str("kty") != Some("EC") || jwk.get_str("crv") != Some("P-256") {
            return None;
        }
        let coordinate = |name| {
            jwk.get_str(name).and_then(from_base64url).filter(|bytes: &Vec<u8>| bytes.len() == 32)
        };
        Some(base64url([coordinate("x")?, coordinate("y")?].concat()))
    }

    /// Returns whether a key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &str) -> bool {
        let Some(point) = from_base64url(key).filter(|point| point.len() == 64) else {
            return false;
        };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4][..], &point].concat())
            .verify(self.input.as_bytes(), &self.signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    fn key_pair() -> (EcdsaKeyPair, Value) {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        (pair, json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }))
    }

    fn sign(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let input = [header.to_string(), claims.to_string()].map(base64url).join(".");
        let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        [&input, ".", &base64url(signature)].concat()
    }

    #[test]
    fn proof_names_its_key_and_challenge_and_is_signed_by_that_key_alone() {
        let (pair, jwk) = key_pair();
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk });
        let jwt = sign(&pair, &header, &json!({ "jti": "challenge" }));
        let proof = DeviceProof::parse(&jwt).unwrap();
        assert_eq!(proof.challenge, "challenge");
        assert!(proof.is_signed_by(&proof.key().unwrap()));
        let (_, other) = key_pair();
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": other });
        let foreign = sign(&pair, &header, &json!({ "jti": "challenge" }));
        let foreign = DeviceProof::parse(&foreign).unwrap();
        assert!(!foreign.is_signed_by(&foreign.key().unwrap()));
        assert!(!proof.is_signed_by("") && !proof.is_signed_by(&base64url([0; 64])));
    }

    #[test]
    fn jwt_of_another_kind_is_not_a_proof() {
        let (pair, _) = key_pair();
        let claims = json!({ "jti": "challenge" });
        for (header, claims) in [
            (json!({ "alg": "none", "typ": "dbsc+jwt" }), &claims),
            (json!({ "alg": "ES256", "typ": "JWT" }), &claims),
            (json!({ "alg": "ES256", "typ": "dbsc+jwt", "crit": [] }), &claims),
            (json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": 5 })),
        ] {
            assert!(DeviceProof::parse(&sign(&pair, &header, claims)).is_none(), "{header}");
        }
        for text in ["", "..", "e30.e30.", "a.b.c.d"] {
            assert!(DeviceProof::parse(text).is_none(), "{text}");
        }
    }
}
