//! Verifies signatures and computes digests with Web Crypto (`crypto.subtle`): an implementation of RSA would be larger
//! than the rest of the module.

use js_sys::{Array, JSON, Object, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::task::await_promise;
use super::{get, set, window};
use crate::protocol::id_token::{CryptoProvider, VerifyError};
use crate::protocol::jwks::Jwk;
use crate::protocol::jws::{Algorithm, Hash};

/// The platform's `crypto.subtle`.
pub struct WebCrypto;

impl CryptoProvider for WebCrypto {
    async fn verify(
        &self,
        key: Jwk<'_>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, VerifyError> {
        verify(key, algorithm, input, signature).await.map_err(|cause| {
            // `NotSupportedError` means that the platform lacks the algorithm; any other error is about the key.
            if get(&cause, "name") == "NotSupportedError" {
                VerifyError::Algorithm
            } else {
                VerifyError::Key
            }
        })
    }

    async fn digest(&self, hash: Hash, input: &[u8]) -> Option<Vec<u8>> {
        let name = match hash {
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
        let subtle = window().crypto().ok()?.subtle();
        let digest = subtle.digest_with_str_and_js_u8_array(name, &Uint8Array::from(input)).ok()?;
        Some(Uint8Array::new(&await_promise(digest).await.ok()?).to_vec())
    }
}

async fn verify(
    key: Jwk<'_>,
    algorithm: Algorithm,
    input: &[u8],
    signature: &[u8],
) -> Result<bool, JsValue> {
    let subtle = window().crypto()?.subtle();
    let parameters: Object = JSON::parse(parameters(algorithm))?.unchecked_into();
    let usages = Array::of1(&"verify".into());
    let jwk = public_jwk(key, algorithm);
    let imported = subtle.import_key_with_object("jwk", &jwk, &parameters, false, &usages)?;
    let imported = await_promise(imported).await?;
    let verified = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(
        &parameters,
        imported.unchecked_ref(),
        &Uint8Array::from(signature),
        &Uint8Array::from(input),
    )?;
    Ok(await_promise(verified).await?.is_truthy())
}

/// Returns Web Crypto's parameters for an algorithm, the same to import a key and to verify. The salt of RSA-PSS is as
/// long as the hash (RFC 7518, 3.5).
fn parameters(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        Algorithm::Rs384 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-384"}"#,
        Algorithm::Rs512 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-512"}"#,
        Algorithm::Ps256 => r#"{"name":"RSA-PSS","hash":"SHA-256","saltLength":32}"#,
        Algorithm::Ps384 => r#"{"name":"RSA-PSS","hash":"SHA-384","saltLength":48}"#,
        Algorithm::Ps512 => r#"{"name":"RSA-PSS","hash":"SHA-512","saltLength":64}"#,
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
        Algorithm::Es384 => r#"{"name":"ECDSA","namedCurve":"P-384","hash":"SHA-384"}"#,
        Algorithm::Es512 => r#"{"name":"ECDSA","namedCurve":"P-521","hash":"SHA-512"}"#,
        Algorithm::EdDsa => r#"{"name":"Ed25519"}"#,
    }
}

/// Copies a key's public members. `KeySet::select_verification_keys` has checked `use`, `alg` and `key_ops`.
fn public_jwk(key: Jwk<'_>, algorithm: Algorithm) -> Object {
    let members: &[&str] = match algorithm.key() {
        ("RSA", _) => &["kty", "n", "e"],
        ("EC", _) => &["kty", "crv", "x", "y"],
        _ => &["kty", "crv", "x"],
    };
    let jwk = Object::new();
    for name in members {
        set(&jwk, name, &key.text(name).into());
    }
    jwk
}
