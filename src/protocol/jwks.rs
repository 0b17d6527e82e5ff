//! The provider's JWK Set (RFC 7517), and which of its keys may verify a token.

use super::encoding::from_base64url;
use super::json::{self, Object, Value};
use super::jws::{Algorithm, Jws};
use crate::error::{Error, ErrorCode, Reason};

/// RFC 7518, 3.3 and 3.5: RSA keys have 2048 bits or more.
const MIN_RSA_BYTES: usize = 256;

/// How many keys with the same `kid` are tried.
const MAX_CANDIDATES: usize = 4;

/// A JWK with a public key for signatures.
#[derive(Clone, Copy, Debug)]
pub struct Jwk<'a>(&'a Object);

impl<'a> Jwk<'a> {
    /// Returns a member that is a string and not empty.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.0.get_non_empty_str(name)
    }

    /// Returns a member; one that is `null` or an empty array counts as absent.
    fn member(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| **value != Value::Null && value.as_array() != Some(&[]))
    }

    /// Returns whether this key may verify a signature of this algorithm.
    fn is_usable_for(self, algorithm: Algorithm) -> bool {
        // RFC 7518, 3.4: each ECDSA algorithm has its own curve.
        let (kind, curve) = algorithm.key();
        // RFC 7517, 4.2 to 4.4: all three are optional; those present must allow verification by this algorithm.
        let named_allows = self
            .member("alg")
            .is_none_or(|named| named.as_str().and_then(Algorithm::from_name) == Some(algorithm));
        let use_allows = self.member("use").is_none_or(|is| is.as_str() == Some("sig"));
        let operations_allow = self.member("key_ops").is_none_or(|operations| {
            let operations = operations.as_array().unwrap_or_default();
            operations.iter().any(|operation| operation.as_str() == Some("verify"))
        });
        self.0.get_str("kty") == Some(kind)
            && (curve.is_empty() || self.text("crv") == Some(curve))
            && self.has_required_members(kind)
            && use_allows
            && operations_allow
            && named_allows
    }

    /// Returns whether the public members of this key type are present (RFC 7518, 6.2.1 and 6.3.1; RFC 8037, section 2).
    fn has_required_members(self, kind: &str) -> bool {
        match kind {
            "RSA" => {
                let modulus = self.text("n").and_then(from_base64url).unwrap_or_default();
                modulus.len() >= MIN_RSA_BYTES && self.text("e").is_some()
            }
            "EC" => self.text("x").is_some() && self.text("y").is_some(),
            _ => self.text("x").is_some(),
        }
    }
}

/// A provider's JWK Set.
#[derive(Debug)]
pub struct KeySet(Object);

impl KeySet {
    /// Parses a JWK Set (RFC 7517, section 5). Keys that cannot be used are ignored, as that section says.
    ///
    /// # Errors
    /// `keys_unavailable` if it is not a JWK Set.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        json::parse_document(body).map(Self).filter(|set| set.keys().is_some()).ok_or_else(|| {
            Error::new(ErrorCode::KeysUnavailable, "the response is not a JWK Set (RFC 7517, 5)")
        })
    }

    fn keys(&self) -> Option<&[Value]> {
        self.0.get("keys")?.as_array()
    }

    /// Returns the keys that may verify a token: those with its `kid` that are usable for its algorithm or, if it has no
    /// `kid`, the only usable one (`OpenID` Connect Core 1.0, 10.1).
    ///
    /// # Errors
    /// `key_not_found`.
    pub fn select_verification_keys(&self, jws: &Jws) -> Result<Vec<Jwk<'_>>, Reason> {
        let wanted = jws.key_id.as_deref();
        let mut candidates = Vec::new();
        for key in self.keys().unwrap_or_default() {
            if let Some(key) = key.as_object().map(Jwk)
                && key.is_usable_for(jws.algorithm)
                && wanted.is_none_or(|wanted| key.text("kid") == Some(wanted))
            {
                candidates.push(key);
                if candidates.len() == MAX_CANDIDATES {
                    break;
                }
            }
        }
        if candidates.is_empty() || (wanted.is_none() && candidates.len() > 1) {
            return Err(Reason::KeyNotFound);
        }
        Ok(candidates)
    }

    /// Returns whether a token with this algorithm can have a key here: a usable one with a `kid`, or the only usable one.
    #[cfg(feature = "gateway")]
    #[must_use]
    pub fn has_key(&self, algorithm: Algorithm) -> bool {
        let keys = self.keys().unwrap_or_default().iter().filter_map(Value::as_object).map(Jwk);
        let usable: Vec<_> = keys.filter(|key| key.is_usable_for(algorithm)).collect();
        usable.len() == 1 || usable.iter().any(|key| key.text("kid").is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encoding::base64url;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn rsa(bytes: usize) -> Value {
        json!({ "kty": "RSA", "n": base64url(vec![1; bytes]), "e": "AQAB" })
    }

    fn ec(curve: &str) -> Value {
        json!({ "kty": "EC", "crv": curve, "x": "AA", "y": "AA" })
    }

    fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
        key[name] = value.into();
        key
    }

    fn count(keys: &[Value], algorithm: Algorithm, key_id: Option<&str>) -> Result<usize, Reason> {
        let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        let jws = Jws {
            algorithm,
            key_id: key_id.map(str::to_owned),
            claims: Object::default(),
            claims_text: String::new(),
            signing_input: String::new(),
            signature: Vec::new(),
        };
        set.select_verification_keys(&jws).map(|keys| keys.len())
    }

    #[test]
    fn key_is_selected_by_kid() {
        let keys = [with(rsa(256), "kid", "a"), with(rsa(256), "kid", "b")];
        assert_eq!(count(&keys, Algorithm::Rs256, Some("b")), Ok(1));
        assert_eq!(count(&keys, Algorithm::Rs256, Some("c")), Err(Reason::KeyNotFound));
        assert_eq!(count(&[rsa(256)], Algorithm::Rs256, Some("a")), Err(Reason::KeyNotFound));
        assert_eq!(count(&[], Algorithm::Rs256, Some("a")), Err(Reason::KeyNotFound));
    }

    #[test]
    fn only_usable_key_is_selected_when_the_token_has_no_kid() {
        let encryption = with(rsa(256), "use", "enc");
        assert_eq!(count(&[encryption, rsa(256), ec("P-256")], Algorithm::Rs256, None), Ok(1));
        assert_eq!(count(&[rsa(256), rsa(512)], Algorithm::Rs256, None), Err(Reason::KeyNotFound));
        assert_eq!(count(&[ec("P-256")], Algorithm::Rs256, None), Err(Reason::KeyNotFound));
    }

    #[test]
    fn keys_with_the_same_kid_are_all_selected() {
        let keys = [with(rsa(256), "kid", "a"), with(rsa(512), "kid", "a")];
        assert_eq!(count(&keys, Algorithm::Rs256, Some("a")), Ok(2));
    }

    #[test]
    fn key_for_another_use_or_too_weak_is_not_selected() {
        for key in [
            with(rsa(256), "use", "enc"),
            with(rsa(256), "use", 1),
            with(rsa(256), "key_ops", json!(["encrypt"])),
            with(rsa(256), "key_ops", "verify"),
            with(rsa(256), "alg", "RS512"),
            with(rsa(256), "alg", "RSA-OAEP"),
            with(rsa(256), "alg", 5),
            with(rsa(256), "alg", ""),
            rsa(255),
            with(rsa(256), "n", "not base64url!"),
            with(rsa(256), "n", ""),
            json!({ "kty": "oct", "k": "AAAA" }),
            ec("P-256"),
        ] {
            let key = with(key, "kid", "k");
            let found = count(std::slice::from_ref(&key), Algorithm::Rs256, Some("k"));
            assert_eq!(found, Err(Reason::KeyNotFound), "{key}");
        }
    }

    #[test]
    fn key_that_lacks_a_required_member_is_not_selected() {
        for (key, algorithm, members) in [
            (rsa(256), Algorithm::Rs256, &["n", "e"][..]),
            (ec("P-256"), Algorithm::Es256, &["crv", "x", "y"]),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), Algorithm::EdDsa, &["crv", "x"]),
        ] {
            assert_eq!(count(std::slice::from_ref(&key), algorithm, None), Ok(1));
            for member in members {
                let mut lacking = key.clone();
                lacking.as_object_mut().unwrap().remove(*member);
                assert_eq!(
                    count(&[lacking], algorithm, None),
                    Err(Reason::KeyNotFound),
                    "{member}"
                );
            }
        }
    }

    #[test]
    fn key_whose_use_key_ops_or_alg_allow_verification_is_selected() {
        for key in [
            with(rsa(256), "use", "sig"),
            with(rsa(256), "key_ops", json!(["sign", "verify"])),
            with(rsa(256), "alg", "RS256"),
        ] {
            assert_eq!(count(&[key], Algorithm::Rs256, None), Ok(1));
        }
    }

    #[test]
    fn each_algorithm_selects_its_own_key_type_and_curve() {
        let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" });
        let x25519 = json!({ "kty": "OKP", "crv": "X25519", "x": "AA" });
        let keys = [rsa(256), ec("P-256"), ec("P-384"), ec("P-521"), ec("secp256k1"), okp, x25519];
        for name in [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
            "EdDSA",
        ] {
            let algorithm = Algorithm::from_name(name).unwrap();
            assert_eq!(count(&keys, algorithm, None), Ok(1), "{name}");
        }
        for (curve, name) in [("P-384", "ES256"), ("P-521", "ES384"), ("P-256", "ES512")] {
            let algorithm = Algorithm::from_name(name).unwrap();
            assert_eq!(count(&[ec(curve)], algorithm, None), Err(Reason::KeyNotFound), "{name}");
        }
    }

    #[test]
    fn body_that_is_not_a_jwk_set_is_keys_unavailable() {
        for body in [&b"<html>"[..], b"[]", b"{}", b"{\"keys\":{}}", b"{\"keys\":[", b""] {
            assert_eq!(KeySet::parse(body).unwrap_err().code, ErrorCode::KeysUnavailable);
        }
        let odd = br#"{"keys":[null,5,"x",{},{"kty":"RSA"},{"kty":5},{"kty":"EC"}]}"#;
        assert!(KeySet::parse(odd).is_ok());
        let odd = [json!(null), json!(5), json!({}), json!({ "kty": "RSA" }), json!({ "kty": 5 })];
        assert_eq!(count(&odd, Algorithm::Rs256, None), Err(Reason::KeyNotFound));
        assert_eq!(
            count(&[json!({ "kty": "EC" })], Algorithm::Es256, None),
            Err(Reason::KeyNotFound)
        );
    }

    proptest! {
        #[test]
        fn parse_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = KeySet::parse(&bytes);
        }
    }
}
