//! Verification of real signatures: the norms' own examples, keys of every kind, keys that are not the right one, and
//! tokens that were changed.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::keys::{AwsLc, SigningKey, key_set};
use super::{ALL, advertised, block_on, claims, expected, good_clock, secret};
use crate::error::Reason;
use crate::protocol::encoding::{base64url, from_base64url};
use crate::protocol::id_token::{CryptoProvider, SignatureVerifiedIdToken, VerifyError};
use crate::protocol::json::Object;
use crate::protocol::jwks::{Jwk, KeySet};
use crate::protocol::jws::{Algorithm, Hash, Jws};

/// Parses and verifies a token.
fn authenticate(token: &str, keys: &KeySet) -> Result<SignatureVerifiedIdToken, Reason> {
    authenticate_on(&AwsLc, token, keys)
}

fn authenticate_on(
    platform: &impl CryptoProvider,
    token: &str,
    keys: &KeySet,
) -> Result<SignatureVerifiedIdToken, Reason> {
    let jws = Jws::parse(token, &advertised(&ALL))?;
    block_on(SignatureVerifiedIdToken::verify(jws, keys, platform)).map_err(|(reason, _)| reason)
}

/// The key, the signature and the payload `{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}` of RFC
/// 7515, appendices A.2 and A.3.
const RFC_7515: [(&str, &str, &str); 2] = [
    (
        r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#,
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
    (
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
];

const RFC_7515_PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn examples_of_rfc_7515_are_verified() {
    for (keys, header, signature) in RFC_7515 {
        let token = [header, RFC_7515_PAYLOAD, signature].join(".");
        let keys = KeySet::parse(keys.as_bytes()).unwrap();
        let SignatureVerifiedIdToken(jws) = authenticate(&token, &keys).unwrap();
        assert_eq!(jws.claims.get_str("iss"), Some("joe"));
        // They are not ID tokens of this issuer.
        let access_token = secret("opaque");
        let refused = block_on(
            SignatureVerifiedIdToken(jws).validate_claims(&expected(&access_token), &AwsLc),
        )
        .err();
        assert_eq!(refused, Some(Reason::Issuer));
    }
}

#[test]
fn example_of_rfc_8037_is_verified() {
    let key = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    // Its payload is not a JSON object, so it is put together here.
    let example = |signing_input: &str| {
        Box::new(Jws {
        algorithm: Algorithm::EdDsa,
        key_id: None,
        claims: Object::default(),
        claims_text: String::new(),
        signing_input: signing_input.to_owned(),
        signature: from_base64url(
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        )
        .unwrap(),
    })
    };
    let verify = |signing_input| {
        let keys = key_set(std::slice::from_ref(&key));
        let jws = example(signing_input);
        block_on(SignatureVerifiedIdToken::verify(jws, &keys, &AwsLc))
            .err()
            .map(|(reason, _)| reason)
    };
    assert_eq!(verify("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"), None);
    let other = verify("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmf");
    assert_eq!(other, Some(Reason::Signature));
}

#[test]
fn token_signed_by_the_providers_key_is_accepted_with_every_algorithm() {
    for (key, names) in [
        (SigningKey::rsa(), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
        (SigningKey::p256(), &["ES256"]),
        (SigningKey::p384(), &["ES384"]),
        (SigningKey::p521(), &["ES512"]),
        (SigningKey::ed25519(), &["EdDSA", "Ed25519"]),
    ] {
        for name in names {
            let token = key.sign(&json!({ "alg": name, "typ": "JWT" }), &claims());
            let access_token = secret("opaque");
            let authentic = authenticate(&token, &key.key_set()).unwrap();
            let verified = block_on(authentic.validate_claims(&expected(&access_token), &AwsLc))
                .unwrap()
                .validate_times(good_clock());
            assert_eq!(verified.ok().unwrap().subject(), "8708718", "{name}");
        }
    }
}

#[test]
fn signature_of_another_key_is_refused() {
    for (ours, theirs, name) in [
        (SigningKey::ed25519(), SigningKey::ed25519(), "EdDSA"),
        (SigningKey::p256(), SigningKey::p256(), "ES256"),
        (SigningKey::p384(), SigningKey::p384(), "ES384"),
        (SigningKey::p521(), SigningKey::p521(), "ES512"),
    ] {
        for header in [json!({ "alg": name }), json!({ "alg": name, "kid": "k" })] {
            let token = theirs.sign(&header, &claims());
            let keys = key_set(&[ours.jwk(&json!({ "kid": "k" }))]);
            assert_eq!(authenticate(&token, &keys).err(), Some(Reason::Signature), "{name}");
        }
    }
}

#[test]
fn signature_of_another_algorithm_is_refused() {
    let key = SigningKey::rsa();
    let token = key.sign(&json!({ "alg": "RS256" }), &claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = input.split_once('.').unwrap();
    for name in ["RS384", "PS256"] {
        let header = base64url(json!({ "alg": name }).to_string());
        let token = [&header, payload, signature].join(".");
        assert_eq!(authenticate(&token, &key.key_set()).err(), Some(Reason::Signature), "{name}");
    }
}

#[test]
fn empty_signature_is_refused() {
    let key = SigningKey::ed25519();
    let token = key.sign(&json!({ "alg": "EdDSA" }), &claims());
    let (input, _) = token.rsplit_once('.').unwrap();
    let refused = authenticate(&[input, "."].concat(), &key.key_set()).err();
    assert_eq!(refused, Some(Reason::Signature));
}

/// An attacker may sign with HMAC and the public key, or not at all.
#[test]
fn unsigned_and_hmac_tokens_are_refused_when_the_metadata_lists_them() {
    let key = SigningKey::rsa();
    let token = key.sign(&json!({ "alg": "RS256" }), &claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = input.split_once('.').unwrap();
    for name in ["none", "None", "HS256", "HS384", "HS512"] {
        let header = base64url(json!({ "alg": name }).to_string());
        for signature in ["", signature] {
            let token = [&header, payload, signature].join(".");
            assert_eq!(
                Jws::parse(&token, &advertised(&[name, "RS256"])).err(),
                Some(Reason::Algorithm),
                "{name}"
            );
        }
    }
}

#[test]
fn keys_with_the_same_kid_are_tried_in_turn() {
    let (first, second) = (SigningKey::ed25519(), SigningKey::ed25519());
    let id = json!({ "kid": "k" });
    let keys = key_set(&[first.jwk(&id), second.jwk(&id)]);
    let header = json!({ "alg": "EdDSA", "kid": "k" });
    for key in [&first, &second] {
        assert!(authenticate(&key.sign(&header, &claims()), &keys).is_ok());
    }
    let foreign = SigningKey::ed25519().sign(&header, &claims());
    assert_eq!(authenticate(&foreign, &keys).err(), Some(Reason::Signature));
}

#[test]
fn only_the_key_that_the_token_names_is_tried() {
    let (first, second) = (SigningKey::ed25519(), SigningKey::ed25519());
    let jwks = [first.jwk(&json!({ "kid": "a" })), second.jwk(&json!({ "kid": "b" }))];
    let sign = |header: Value| second.sign(&header, &claims());
    for (header, outcome) in [
        (json!({ "alg": "EdDSA", "kid": "b" }), None),
        (json!({ "alg": "EdDSA", "kid": "a" }), Some(Reason::Signature)),
        (json!({ "alg": "EdDSA", "kid": "c" }), Some(Reason::KeyNotFound)),
        (json!({ "alg": "EdDSA" }), Some(Reason::KeyNotFound)),
    ] {
        let refused = authenticate(&sign(header.clone()), &key_set(&jwks)).err();
        assert_eq!(refused, outcome, "{header}");
    }
    let refused = authenticate(&sign(json!({ "alg": "EdDSA" })), &key_set(&[])).err();
    assert_eq!(refused, Some(Reason::KeyNotFound));
}

/// A platform that takes none of the first `refused` keys.
struct Choosy {
    refused: usize,
    asked: Cell<usize>,
}

impl CryptoProvider for Choosy {
    async fn verify(
        &self,
        key: Jwk<'_>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, VerifyError> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() <= self.refused {
            return Err(VerifyError::Key);
        }
        AwsLc.verify(key, algorithm, input, signature).await
    }

    async fn digest(&self, hash: Hash, input: &[u8]) -> Option<Vec<u8>> {
        AwsLc.digest(hash, input).await
    }
}

#[test]
fn key_that_the_platform_refuses_is_skipped() {
    let (ours, other) = (SigningKey::ed25519(), SigningKey::ed25519());
    let id = json!({ "kid": "k" });
    let token = ours.sign(&json!({ "alg": "EdDSA", "kid": "k" }), &claims());
    let outcome = |jwks: &[Value], refused| {
        let platform = Choosy { refused, asked: Cell::new(0) };
        let outcome = authenticate_on(&platform, &token, &key_set(jwks)).err();
        (outcome, platform.asked.get())
    };
    assert_eq!(outcome(&[ours.jwk(&id)], 1), (Some(Reason::KeyNotFound), 1));
    assert_eq!(outcome(&[other.jwk(&id), ours.jwk(&id)], 1), (None, 2));
    assert_eq!(outcome(&[ours.jwk(&id), other.jwk(&id)], 1), (Some(Reason::Signature), 2));
    assert_eq!(outcome(&[other.jwk(&id), ours.jwk(&id)], 2), (Some(Reason::KeyNotFound), 2));
    assert_eq!(
        outcome(&[ours.jwk(&id), other.jwk(&id)], 0),
        (None, 1),
        "the first that holds will do"
    );
}

#[test]
fn algorithm_that_the_platform_does_not_support_is_refused() {
    struct Old(Cell<usize>);
    impl CryptoProvider for Old {
        fn verify(
            &self,
            _: Jwk<'_>,
            _: Algorithm,
            _: &[u8],
            _: &[u8],
        ) -> impl Future<Output = Result<bool, VerifyError>> {
            self.0.set(self.0.get() + 1);
            std::future::ready(Err(VerifyError::Algorithm))
        }

        async fn digest(&self, _: Hash, _: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }
    let key = SigningKey::ed25519();
    let jwk = key.jwk(&json!({ "kid": "k" }));
    let token = key.sign(&json!({ "alg": "EdDSA", "kid": "k" }), &claims());
    let platform = Old(Cell::new(0));
    let refused = authenticate_on(&platform, &token, &key_set(&[jwk.clone(), jwk])).err();
    assert_eq!(refused, Some(Reason::Algorithm));
    assert_eq!(platform.0.get(), 1);
}

#[test]
fn refused_token_is_returned_to_be_verified_with_newer_keys() {
    let (old, new) = (SigningKey::ed25519(), SigningKey::ed25519());
    let token = new.sign(&json!({ "alg": "EdDSA", "kid": "new" }), &claims());
    let jws = Jws::parse(&token, &advertised(&ALL)).unwrap();
    let old_keys = key_set(&[old.jwk(&json!({ "kid": "old" }))]);
    let refused = block_on(SignatureVerifiedIdToken::verify(jws, &old_keys, &AwsLc)).err();
    let (reason, jws) = refused.unwrap();
    assert_eq!(reason, Reason::KeyNotFound);
    let new_keys = key_set(&[new.jwk(&json!({ "kid": "new" }))]);
    assert!(block_on(SignatureVerifiedIdToken::verify(jws, &new_keys, &AwsLc)).is_ok());
}

thread_local! {
    static KEY: SigningKey = SigningKey::ed25519();
}

proptest! {
    #[test]
    fn token_with_any_character_changed_is_refused(at: Index, to in "[A-Za-z0-9_.=-]") {
        KEY.with(|key| {
            let mut token = key.sign(&json!({ "alg": "EdDSA" }), &claims());
            let at = at.index(token.len());
            prop_assume!(token.get(at..=at) != Some(&to));
            token.replace_range(at..=at, &to);
            prop_assert!(authenticate(&token, &key.key_set()).is_err());
            Ok(())
        })?;
    }

    #[test]
    fn token_with_any_bit_flipped_is_refused(part in 0..3usize, at: Index, bit in 0..8u8) {
        KEY.with(|key| {
            let token = key.sign(&json!({ "alg": "EdDSA" }), &claims());
            let mut parts: Vec<_> = token.split('.').map(|part| from_base64url(part).unwrap()).collect();
            let at = at.index(parts[part].len());
            parts[part][at] ^= 1 << bit;
            let token = parts.iter().map(base64url).collect::<Vec<_>>();
            prop_assert!(authenticate(&token.join("."), &key.key_set()).is_err());
            Ok(())
        })?;
    }

    #[test]
    fn tokens_without_the_providers_signature_are_refused(
        signature in proptest::collection::vec(any::<u8>(), 0..80),
        subject in "[0-9]{1,9}",
    ) {
        KEY.with(|key| {
            let mut claims = claims();
            claims["sub"] = subject.into();
            for name in ["EdDSA", "ES256", "RS256"] {
                let (header, payload) = (json!({ "alg": name }).to_string(), claims.to_string());
                let token = [base64url(header), base64url(payload), base64url(&signature)].join(".");
                prop_assert!(authenticate(&token, &key.key_set()).is_err());
            }
            Ok(())
        })?;
    }
}
