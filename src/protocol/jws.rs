//! An ID token's compact serialization before its signature is verified (RFC 7515, RFC 7519): its form, `crit` and `alg`.

use super::ascii;
use super::encoding::from_base64url;
use super::json::{self, Object};
use crate::error::Reason;

/// The largest ID token that is read: less than the cookies of a gateway's session can hold. `ClassLink`'s are smaller
/// than 2 KiB. `id-token.ts` has the same limit.
const MAX_TOKEN_BYTES: usize = 6 * 1024;

/// The algorithm of a provider whose metadata names none: all support it (Discovery 1.0, section 3).
pub const DEFAULT_ALGORITHM: &str = "RS256";

/// A signature algorithm that a browser can verify (RFC 7518, 3.1; RFC 8037). `none` and HMAC are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the registry")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

/// The hash function of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the standard")]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// Parses a header's `alg`. RFC 9864 gave `EdDSA` with Ed25519 a name of its own.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }

    /// Returns the hash function of its signatures and of `at_hash`.
    #[must_use]
    pub fn hash(self) -> Hash {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => Hash::Sha256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => Hash::Sha384,
            Self::Rs512 | Self::Ps512 | Self::Es512 | Self::EdDsa => Hash::Sha512,
        }
    }

    /// Returns the `kty` of its keys and their `crv`, empty for RSA (RFC 7518, 3.1; RFC 8037, section 2).
    #[must_use]
    pub fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Es256 => ("EC", "P-256"),
            Self::Es384 => ("EC", "P-384"),
            Self::Es512 => ("EC", "P-521"),
            Self::EdDsa => ("OKP", "Ed25519"),
            _ => ("RSA", ""),
        }
    }
}

/// A parsed token. Nothing in it is verified.
pub struct Jws {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`.
    pub key_id: Option<String>,
    /// The claims, parsed.
    pub claims: Object,
    /// The claims as the provider wrote them.
    pub claims_text: String,
    /// The signed input: header and payload as they were received.
    pub signing_input: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Jws {
    /// Parses a compact serialization (RFC 7515, 5.2). `supported_algs` are the provider's algorithms, separated by
    /// spaces.
    ///
    /// # Errors
    /// `malformed`, `critical_header` or `algorithm`; `key_not_found` for a `kid` that is not a string.
    pub fn parse(token: &str, supported_algs: &str) -> Result<Box<Self>, Reason> {
        let parts = Parts::of(token).ok_or(Reason::Malformed)?;
        // RFC 7515, 4.1.11: an extension that is not understood must be refused, and this module understands none.
        if parts.header.contains_key("crit") {
            return Err(Reason::CriticalHeader);
        }
        let supported_algs =
            if supported_algs.is_empty() { DEFAULT_ALGORITHM } else { supported_algs };
        let algorithm = parts
            .header
            .get_str("alg")
            .filter(|name| supported_algs.split_ascii_whitespace().any(|known| known == *name))
            .and_then(Algorithm::from_name)
            .ok_or(Reason::Algorithm)?;
        let key_id = match parts.header.get("kid") {
            None => None,
            Some(key_id) => Some(key_id.as_str().ok_or(Reason::KeyNotFound)?.to_owned()),
        };
        Ok(Box::new(Self {
            algorithm,
            key_id,
            claims: parts.claims,
            claims_text: parts.claims_text,
            signing_input: parts.signing_input.to_owned(),
            signature: parts.signature,
        }))
    }
}

/// The decoded parts of a compact serialization.
struct Parts<'a> {
    header: Object,
    claims: Object,
    claims_text: String,
    signing_input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        // An encrypted token has five parts (RFC 7516, 9): its further dots are outside base64url's alphabet.
        let (header, rest) = ascii::split_once(token, b'.')?;
        let (payload, signature) = ascii::split_once(rest, b'.')?;
        let signing_input = token.get(..header.len() + 1 + payload.len())?;
        let claims_text = String::from_utf8(from_base64url(payload)?).ok()?;
        Some(Self {
            header: json::parse_object(&from_base64url(header)?)?,
            claims: json::parse_object(claims_text.as_bytes())?,
            claims_text,
            signing_input,
            signature: from_base64url(signature)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encoding::base64url;
    use proptest::prelude::*;

    fn parse(header: &str, payload: &str, signature: &str) -> Result<Box<Jws>, Reason> {
        let supported_algs = "RS256 ES384 HS256 none";
        let token = [&base64url(header), ".", &base64url(payload), ".", signature].concat();
        Jws::parse(&token, supported_algs)
    }

    #[test]
    fn parse_splits_a_compact_serialization() {
        let jws = parse(r#"{"alg":"ES384","kid":"k"}"#, r#"{"sub":"1"}"#, "AAEC").unwrap();
        assert_eq!(jws.algorithm, Algorithm::Es384);
        assert_eq!(jws.key_id.as_deref(), Some("k"));
        assert_eq!(jws.claims_text, r#"{"sub":"1"}"#);
        assert_eq!(jws.signature, [0, 1, 2]);
        let input = [base64url(r#"{"alg":"ES384","kid":"k"}"#), base64url(r#"{"sub":"1"}"#)];
        assert_eq!(jws.signing_input, input.join("."));
    }

    #[test]
    fn token_that_is_not_a_jws_of_json_objects_is_malformed() {
        let supported_algs = "RS256";
        let good = base64url(r#"{"alg":"RS256"}"#);
        for token in [
            String::new(),
            "..".to_owned(),
            good.clone(),
            format!("{good}.{good}"),
            format!("{good}.{good}.AA.AA.AA"),
            format!("{good}=.{good}.AA"),
            format!("{good}.{good}.A*"),
            format!("{good}.{}.AA", base64url("[]")),
            format!("{good}.{}.AA", base64url("not json")),
            format!("{good}.{}.AA", base64url([0xff, 0xfe])),
            format!("{good}.{}.AA", base64url(r#"{"a":"\ud800"}"#)),
            format!("{good}.{}.AA", base64url(r#"{"a":1e999}"#)),
            format!("{good}.{}.AA", base64url("[".repeat(100_000))),
            format!("{}.{good}.AA", base64url("null")),
            format!("{good}.{good}.{}", "A".repeat(MAX_TOKEN_BYTES)),
        ] {
            let reason = Jws::parse(&token, supported_algs).err();
            assert_eq!(reason, Some(Reason::Malformed), "{token:.60}");
        }
    }

    #[test]
    fn token_of_the_largest_size_is_parsed() {
        let supported_algs = "RS256";
        let good = base64url(r#"{"alg":"RS256"}"#);
        let start = format!("{good}.{good}.");
        let token = |size: usize| start.clone() + &"A".repeat(size - start.len());
        assert!(Jws::parse(&token(6144), supported_algs).is_ok());
        assert_eq!(Jws::parse(&token(6148), supported_algs).err(), Some(Reason::Malformed));
    }

    #[test]
    fn critical_header_is_refused() {
        let reason = parse(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "{}", "AA").err();
        assert_eq!(reason, Some(Reason::CriticalHeader));
        assert_eq!(parse(r#"{"crit":[]}"#, "{}", "AA").err(), Some(Reason::CriticalHeader));
    }

    #[test]
    fn only_supported_asymmetric_algorithms_are_accepted() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"RS512"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":1}"#,
            r#"{"typ":"JWT"}"#,
        ] {
            assert_eq!(parse(header, "{}", "").err(), Some(Reason::Algorithm), "{header}");
        }
    }

    #[test]
    fn empty_signature_is_parsed_and_left_to_verification() {
        assert!(parse(r#"{"alg":"RS256"}"#, "{}", "").is_ok());
    }

    #[test]
    fn kid_that_is_not_a_string_is_key_not_found() {
        let reason = parse(r#"{"alg":"RS256","kid":5}"#, "{}", "AA").err();
        assert_eq!(reason, Some(Reason::KeyNotFound));
    }

    #[test]
    fn every_algorithm_has_its_hash_and_key_type() {
        for (name, hash, key) in [
            ("RS256", Hash::Sha256, ("RSA", "")),
            ("RS384", Hash::Sha384, ("RSA", "")),
            ("RS512", Hash::Sha512, ("RSA", "")),
            ("PS256", Hash::Sha256, ("RSA", "")),
            ("PS384", Hash::Sha384, ("RSA", "")),
            ("PS512", Hash::Sha512, ("RSA", "")),
            ("ES256", Hash::Sha256, ("EC", "P-256")),
            ("ES384", Hash::Sha384, ("EC", "P-384")),
            ("ES512", Hash::Sha512, ("EC", "P-521")),
            ("EdDSA", Hash::Sha512, ("OKP", "Ed25519")),
            ("Ed25519", Hash::Sha512, ("OKP", "Ed25519")),
        ] {
            let algorithm = Algorithm::from_name(name).unwrap();
            assert_eq!((algorithm.hash(), algorithm.key()), (hash, key), "{name}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(token in "[A-Za-z0-9._=-]{0,200}") {
            let _ = Jws::parse(&token, "RS256");
        }

        #[test]
        fn parse_of_any_header_and_payload_never_panics(header in ".*", payload in ".*") {
            let _ = parse(&header, &payload, "AA");
        }
    }
}
