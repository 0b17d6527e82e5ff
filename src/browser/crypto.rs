//! Signatures, by Web Crypto: RSA inside the module would weigh more than all the rest.

use js_sys::{JSON, Object, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::CryptoKey;

use super::window;
use crate::protocol::id_token::{CannotVerify, SignatureVerifier};
use crate::protocol::jwks::{Jwk, KeyMaterial};
use crate::protocol::jws::Algorithm;

/// The platform's `crypto.subtle`.
pub struct WebCrypto;

impl SignatureVerifier for WebCrypto {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, CannotVerify> {
        let subtle = window().crypto().map_err(|_| CannotVerify::Algorithm)?.subtle();
        let parameters = parameters(algorithm).ok_or(CannotVerify::Algorithm)?;
        let jwk = public_jwk(&key.material).ok_or(CannotVerify::Key)?;
        let usages = js_sys::Array::of1(&"verify".into());
        let imported = subtle
            .import_key_with_object("jwk", &jwk, &parameters, false, &usages)
            .map_err(|cause| why(&cause))?;
        let imported = JsFuture::from(imported).await.map_err(|cause| why(&cause))?;
        let imported: CryptoKey = imported.dyn_into().map_err(|_| CannotVerify::Key)?;
        let verified = subtle
            .verify_with_object_and_js_u8_array_and_js_u8_array(
                &parameters,
                &imported,
                &Uint8Array::from(signature),
                &Uint8Array::from(input),
            )
            .map_err(|cause| why(&cause))?;
        let verified = JsFuture::from(verified).await.map_err(|cause| why(&cause))?;
        Ok(verified.as_bool() == Some(true))
    }
}

/// A platform that does not know an algorithm says `NotSupportedError`; anything else is the key's fault.
fn why(cause: &JsValue) -> CannotVerify {
    match Reflect::get(cause, &"name".into()) {
        Ok(name) if name == "NotSupportedError" => CannotVerify::Algorithm,
        _ => CannotVerify::Key,
    }
}

/// What Web Crypto calls an algorithm, for importing a key and for verifying alike. The salt of RSA-PSS is as long as
/// the hash (RFC 7518, 3.5).
fn parameters(algorithm: Algorithm) -> Option<Object> {
    let json = match algorithm {
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
    };
    JSON::parse(json).ok()?.dyn_into().ok()
}

/// A JWK of the public members alone; the others have been judged already.
fn public_jwk(material: &KeyMaterial) -> Option<Object> {
    #[derive(Default, Serialize)]
    struct Members<'a> {
        kty: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        e: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        crv: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        x: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        y: Option<&'a str>,
    }
    let members = match material {
        KeyMaterial::Rsa { n, e } => {
            Members { kty: "RSA", n: Some(n), e: Some(e), ..Members::default() }
        }
        KeyMaterial::Ec { crv, x, y } => {
            Members { kty: "EC", crv: Some(crv), x: Some(x), y: Some(y), ..Members::default() }
        }
        KeyMaterial::Ed25519 { x } => {
            Members { kty: "OKP", crv: Some("Ed25519"), x: Some(x), ..Members::default() }
        }
    };
    serde_wasm_bindgen::to_value(&members).ok()?.dyn_into().ok()
}
