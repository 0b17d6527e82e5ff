//! Keys that sign in tests, and the verification of their signatures by `aws-lc-rs`, in place of Web Crypto.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

use crate::protocol::encoding::{base64url, from_base64url};
use crate::protocol::id_token::{CryptoProvider, VerifyError};
use crate::protocol::jwks::{Jwk, KeySet};
use crate::protocol::jws::{Algorithm, Hash};

/// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` as PKCS #8, in base64url: to make an RSA key
/// takes longer than most tests. It has signed nothing but tests.
const RSA_KEY: &str = "\
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDRYt7SyjiLcoE60aP3Zpskp5o45WCnyy0WK8_jnhdtI-Q1\
    dYjtYpxwsgeYYWdrGPS-3sBT3HRrf7Ihl4oOnGNhUXPIpfxT2Jujr6t4DGS42iVS7SvfGWzq9hgQXHMqsED3VIGFxdOh1tXA\
    nXWF4Idarwmce7r1qT-Hn6CHvzb6Hdw1sPj-NX3rR0pzmDxGrwdY9YUDcY6UUE9p3QBuEWOcRqTk2J-TIgZlsU0U2qySdQfO\
    _NZLDPgol14cn4Zu3FwMD-qViJHQOsf60qky8iwPwaH2EHFgbDu2Joh1MtVVxpWf0PSOsvfxYcuXlNBj1yzp8aVlmQqi9eET\
    4XdPI5hbAgMBAAECggEAAwVTpKPhO_XLcn9Kx8t1qoo2eeKpSdJvFJZOOgDyYpM1fCX1c0NMcX3ICUVCejOSeFx7Vtpj3Zcq\
    iTyH890CvAkyS-9FHCqQWES1CxbWryoKhs9AJkhWH2-sejPzP2bqkQbplXX8ryWL0OsUonlSSpci4tyQHnIyJfFCHiM-lk4o\
    S8NjagzsMDJEJTHAKGge7MGi0euT310YDiWlyWcubqDNB2tGKgacYvGYEOWmRLnCZbfp4UX9KuZRGS8HCc03EhppARBEdCYC\
    hISrWdSHGju8igkZ2O7zjtjtdQEgcdi4MZdSV-su48bvzFYJCmp_JyqfJ6m0yWIJOYWb_bs_hQKBgQDuO-F8IAa_Lirw4PB_\
    RU1DkhZ0UPHDGXRoUW9MEw6B2SzSXpcvJkbkB4pTIA2zmPJQlvPYv3iaFbukFJiZw1IDCFUIRNmEjLOf0v6muZ96yC_286Ld\
    u-vRSrXhveAJ4v8j_8vo1alf77J48sFm4jbR5CfqUMnvFon46TdHNmvfDwKBgQDhAEI9hwsTdATWREyrOm-echuxpYfWmMlg\
    vC5dkH6G1vA3_5uUFXZvyg3LHisD-V4hXIDF_VUpcRXwlq52ZViQKaQciO102c66FehaEE1uVQPadBuRvOyVy4_5_ffVm-O6\
    GohhWiFWOTyjHrYRhhVwXkA8J6oHFRDnVrUmZHbx9QKBgQCs8K1MZRdgu4wSlsgfK9jd33QLdiM65QSbIdqwl_jlDBm8kUwg\
    vyGhMVQZ6d_oa3QkSqCzzLMo7_PqNcVdgevMJcVMnmZlEZrnv8x6ja-W-zHOjKjDXELhCOImAKddpfpfULbezBQLf77IjDkX\
    jcoL7huHvqQIuwzns60cNgZywwKBgGS4Me7K-dlOcS_dSRjJQtgBqoX-XG1i3ZqRAoxdt1Xy93uJz4IdjXQDVeNb8NOJmGqE\
    txxqB-pSNgkJ2rUjLt7x1QX1AZ7yNUk1r1pJu--s3Nm4afL2SE3R3vSAjKWxb-KKKAy0RQINAyjeAZCcnhI8DrMe6kzbUELO\
    nK7AAELVAoGAExlsswXWGGq8tTNtmFH3me_n-0suVFH4ScRhKoCjPwv8g6rK38NjrDYPxQDxWA2csIgdaPr0lE2G6MT4cJ5r\
    COHl1AAZMGBS4M8xLYuh6UcGPubzgzTMmg9rGoQfiictikBRjOefpirIOe4NfrKQx_mNk19t15lUehQdBNE1eys";

/// A private key.
pub(super) enum SigningKey {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub(super) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&from_base64url(RSA_KEY).unwrap()).unwrap())
    }

    pub(super) fn p256() -> Self {
        Self::ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
    }

    pub(super) fn p384() -> Self {
        Self::ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")
    }

    pub(super) fn p521() -> Self {
        Self::ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521")
    }

    fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        Self::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve)
    }

    pub(super) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The public key as a JWK, with other members beside.
    pub(super) fn jwk(&self, others: &Value) -> Value {
        let mut jwk = match self {
            Self::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": base64url(public.n), "e": base64url(public.e) })
            }
            Self::Ec(pair, curve) => {
                // SEC 1, 2.3.3: 4, then both coordinates.
                let coordinates = &pair.public_key().as_ref()[1..];
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key()) })
            }
        };
        for (name, value) in others.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    }

    /// The key set that holds this key alone, without a `kid`.
    pub(super) fn key_set(&self) -> KeySet {
        key_set(&[self.jwk(&json!({}))])
    }

    /// A signed token. `header` names the algorithm.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// A signed token of claims that may be written as `Value` never would.
    pub(super) fn sign_text(&self, header: &Value, claims: &str) -> String {
        let input = [base64url(header.to_string()), base64url(claims)].join(".");
        let algorithm = Algorithm::from_name(header["alg"].as_str().unwrap()).unwrap();
        [&input, ".", &base64url(self.signature(algorithm, input.as_bytes()))].concat()
    }

    pub(super) fn signature(&self, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let encoding: &dyn RsaEncoding = match algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    other => panic!("{other:?} is not RSA's"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, input, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair, _) => pair.sign(&random, input).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }
}

/// A key set of these JWKs.
pub(super) fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// The cryptography of `aws-lc-rs`.
pub(super) struct AwsLc;

impl CryptoProvider for AwsLc {
    fn verify(
        &self,
        key: Jwk<'_>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, VerifyError>> {
        std::future::ready(verify(key, algorithm, input, signature))
    }

    async fn digest(&self, hash: Hash, input: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        Some(digest::digest(algorithm, input).as_ref().to_vec())
    }
}

fn verify(
    key: Jwk<'_>,
    algorithm: Algorithm,
    input: &[u8],
    signature: &[u8],
) -> Result<bool, VerifyError> {
    let decode = |name: &str| key.text(name).and_then(from_base64url).ok_or(VerifyError::Key);
    let kind = key.text("kty").unwrap();
    if kind == "RSA" {
        let parameters = match algorithm {
            Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            other => panic!("{other:?} came with an RSA key"),
        };
        let key = RsaPublicKeyComponents { n: decode("n")?, e: decode("e")? };
        return Ok(key.verify(parameters, input, signature).is_ok());
    }
    let point = || Ok([vec![4], decode("x")?, decode("y")?].concat());
    let (parameters, key): (&'static dyn VerificationAlgorithm, Vec<u8>) = match algorithm {
        Algorithm::Es256 => (&signature::ECDSA_P256_SHA256_FIXED, point()?),
        Algorithm::Es384 => (&signature::ECDSA_P384_SHA384_FIXED, point()?),
        Algorithm::Es512 => (&signature::ECDSA_P521_SHA512_FIXED, point()?),
        Algorithm::EdDsa => (&signature::ED25519, decode("x")?),
        other => panic!("{other:?} came with {kind:?}"),
    };
    Ok(UnparsedPublicKey::new(parameters, key).verify(input, signature).is_ok())
}
