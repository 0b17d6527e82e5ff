//! The provider's key set (RFC 7517) and the choice of a key: row 4 of the table in [`super::id_token`].

use super::encoding::from_base64url;
use super::json::{self, Object};
use super::jws::{Algorithm, Jws};
use crate::error::{Error, ErrorCode, Reason};

/// RFC 7518, 3.3 and 3.5: RSA keys of 2048 bits or more.
const MIN_RSA_BYTES: usize = 256;

/// A public key for signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key_id: Option<String>,
    /// What the key is.
    pub material: KeyMaterial,
    algorithm: Option<String>,
    for_signatures: bool,
}

/// The public part of a key, as the JWK writes it: base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    /// RFC 7518, 6.3.1.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// RFC 7518, 6.2.1.
    Ec {
        /// `P-256`, `P-384` or `P-521`.
        crv: String,
        /// The x coordinate.
        x: String,
        /// The y coordinate.
        y: String,
    },
    /// RFC 8037, section 2, with the curve Ed25519.
    Ed25519 {
        /// The public key.
        x: String,
    },
}

impl Jwk {
    /// Reads a key; `None` for one of a kind that no supported algorithm uses, symmetric ones among them.
    fn read(key: &Object) -> Option<Self> {
        let text = |name| json::text(key, name).map(str::to_owned);
        let material = match (json::string(key, "kty")?, json::string(key, "crv")) {
            ("RSA", _) => KeyMaterial::Rsa { n: text("n")?, e: text("e")? },
            ("EC", Some(crv)) => {
                KeyMaterial::Ec { crv: crv.to_owned(), x: text("x")?, y: text("y")? }
            }
            ("OKP", Some("Ed25519")) => KeyMaterial::Ed25519 { x: text("x")? },
            _ => return None,
        };
        // RFC 7517, 4.2 and 4.3: both are optional; what is there must allow verification.
        let use_allows = key.get("use").is_none_or(|is| is == "sig");
        let operations_allow = key.get("key_ops").is_none_or(|_| {
            json::strings(key, "key_ops").is_some_and(|ops| ops.iter().any(|op| op == "verify"))
        });
        Some(Self {
            key_id: text("kid"),
            material,
            algorithm: text("alg"),
            for_signatures: use_allows && operations_allow,
        })
    }

    /// Whether a signature by this algorithm may be checked with this key.
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        let kind_fits = match (&self.material, algorithm) {
            (
                KeyMaterial::Rsa { n, .. },
                A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512,
            ) => from_base64url(n).is_some_and(|bytes| bytes.len() >= MIN_RSA_BYTES),
            // RFC 7518, 3.4: each algorithm has its curve.
            (KeyMaterial::Ec { crv, .. }, A::Es256) => crv == "P-256",
            (KeyMaterial::Ec { crv, .. }, A::Es384) => crv == "P-384",
            (KeyMaterial::Ec { crv, .. }, A::Es512) => crv == "P-521",
            (KeyMaterial::Ed25519 { .. }, A::EdDsa) => true,
            _ => false,
        };
        let named = self.algorithm.as_deref().map(Algorithm::from_name);
        kind_fits && self.for_signatures && named.is_none_or(|named| named == Some(algorithm))
    }
}

/// A provider's key set.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Jwk>);

impl KeySet {
    /// Reads a JWK set (RFC 7517, section 5). Keys that can't be used are passed over, as that section asks.
    ///
    /// # Errors
    /// `keys_unavailable` where it is no JWK set at all.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let set = json::object(body);
        let keys = set.as_ref().and_then(|set| set.get("keys")?.as_array());
        let keys = keys.ok_or_else(|| {
            Error::new(
                ErrorCode::KeysUnavailable,
                "the key set's answer is no JWK set (RFC 7517, 5)",
            )
        })?;
        Ok(Self(keys.iter().filter_map(|key| Jwk::read(key.as_object()?)).collect()))
    }

    /// The keys that a token may be signed with: those under its `kid` that fit its algorithm, or, where it names
    /// none, the only one that fits (`OpenID` Connect Core 1.0, 10.1).
    ///
    /// # Errors
    /// `key_not_found`.
    pub fn candidates(&self, jws: &Jws) -> Result<Vec<&Jwk>, Reason> {
        let fitting = self.0.iter().filter(|key| key.fits(jws.algorithm));
        let candidates: Vec<&Jwk> = match &jws.key_id {
            Some(wanted) => fitting.filter(|key| key.key_id.as_ref() == Some(wanted)).collect(),
            None => fitting.collect(),
        };
        match (candidates.len(), &jws.key_id) {
            (0, _) | (2.., None) => Err(Reason::KeyNotFound),
            _ => Ok(candidates),
        }
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
            claims: Object::new(),
            claims_text: String::new(),
            signing_input: String::new(),
            signature: Vec::new(),
        };
        set.candidates(&jws).map(|keys| keys.len())
    }

    #[test]
    fn a_key_is_found_by_its_id() {
        let keys = [with(rsa(256), "kid", "a"), with(rsa(256), "kid", "b")];
        assert_eq!(count(&keys, Algorithm::Rs256, Some("b")), Ok(1));
        assert_eq!(count(&keys, Algorithm::Rs256, Some("c")), Err(Reason::KeyNotFound));
        assert_eq!(count(&[rsa(256)], Algorithm::Rs256, Some("a")), Err(Reason::KeyNotFound));
        assert_eq!(count(&[], Algorithm::Rs256, Some("a")), Err(Reason::KeyNotFound));
    }

    #[test]
    fn without_an_id_the_only_key_that_fits_is_taken() {
        let encryption = with(rsa(256), "use", "enc");
        assert_eq!(count(&[encryption, rsa(256), ec("P-256")], Algorithm::Rs256, None), Ok(1));
        assert_eq!(count(&[rsa(256), rsa(512)], Algorithm::Rs256, None), Err(Reason::KeyNotFound));
        assert_eq!(count(&[ec("P-256")], Algorithm::Rs256, None), Err(Reason::KeyNotFound));
    }

    #[test]
    fn two_keys_under_one_id_are_both_candidates() {
        let keys = [with(rsa(256), "kid", "a"), with(rsa(512), "kid", "a")];
        assert_eq!(count(&keys, Algorithm::Rs256, Some("a")), Ok(2));
    }

    #[test]
    fn a_key_that_may_not_be_used_is_not_found() {
        for key in [
            with(rsa(256), "use", "enc"),
            with(rsa(256), "use", 1),
            with(rsa(256), "key_ops", json!(["encrypt"])),
            with(rsa(256), "key_ops", "verify"),
            with(rsa(256), "alg", "RS512"),
            with(rsa(256), "alg", "RSA-OAEP"),
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
    fn a_key_that_says_what_it_is_for_is_used_for_that() {
        for key in [
            with(rsa(256), "use", "sig"),
            with(rsa(256), "key_ops", json!(["sign", "verify"])),
            with(rsa(256), "alg", "RS256"),
        ] {
            assert_eq!(count(&[key], Algorithm::Rs256, None), Ok(1));
        }
    }

    #[test]
    fn each_algorithm_takes_its_own_kind_of_key() {
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
    fn what_is_no_key_set_is_told_from_one_without_keys() {
        for body in [&b"<html>"[..], b"[]", b"{}", b"{\"keys\":{}}", b"{\"keys\":[", b""] {
            assert_eq!(KeySet::parse(body).unwrap_err().code, ErrorCode::KeysUnavailable);
        }
        let odd = br#"{"keys":[null,5,"x",{},{"kty":"RSA"},{"kty":5},{"kty":"EC"}]}"#;
        assert!(KeySet::parse(odd).unwrap().0.is_empty());
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = KeySet::parse(&bytes);
        }
    }
}
