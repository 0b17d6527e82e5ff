//! Cryptography, all of it by `aws-lc-rs`: hashes, the sealing of sessions, and the verification of ID tokens.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use classlink_spa::protocol::encoding::from_base64url;
use classlink_spa::protocol::id_token::{CryptoProvider, VerifyError};
use classlink_spa::protocol::jwks::Jwk;
use classlink_spa::protocol::jws::{Algorithm, Hash};

/// Hashes by SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, bytes);
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

/// Returns random bytes from the operating system; `None` if it has none.
#[must_use]
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Returns this many random bytes in base64url; `None` if the operating system has none.
#[must_use]
pub fn random_text<const N: usize>() -> Option<String> {
    random::<N>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// Verifies signatures. Nothing in it waits.
pub struct Native;

impl CryptoProvider for Native {
    async fn verify(
        &self,
        key: Jwk<'_>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, VerifyError> {
        verify(key, algorithm, input, signature).ok_or(VerifyError::Key)
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

/// `None` if the key cannot be read.
fn verify(key: Jwk<'_>, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Option<bool> {
    let bytes = |name| key.text(name).and_then(from_base64url);
    let rsa = |parameters: &signature::RsaParameters| {
        let key = RsaPublicKeyComponents { n: bytes("n")?, e: bytes("e")? };
        Some(key.verify(parameters, input, signature).is_ok())
    };
    let ec = |parameters: &'static signature::EcdsaVerificationAlgorithm, size: usize| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        // RFC 7518, 6.2.1.2: both have the full size of a coordinate.
        if x.len() != size || y.len() != size {
            return None;
        }
        let point = [&[4][..], &x, &y].concat();
        Some(UnparsedPublicKey::new(parameters, point).verify(input, signature).is_ok())
    };
    match algorithm {
        Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED, 32),
        Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED, 48),
        Algorithm::Es512 => ec(&signature::ECDSA_P521_SHA512_FIXED, 66),
        Algorithm::EdDsa => {
            let key = bytes("x").filter(|key| key.len() == 32)?;
            let key = UnparsedPublicKey::new(&signature::ED25519, key);
            Some(key.verify(input, signature).is_ok())
        }
    }
}
