//! The form of an ID token: a line with the advertised algorithms, one with the header, one with the signature, then the
//! claims. The whole is read as a token, too.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use classlink_spa::error::Reason;
use classlink_spa::protocol::jws::{Algorithm, Jws};

use crate::reading::{line, object, text_line};

/// The algorithms that a browser can verify.
const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

/// Takes tokens apart, and holds them to RFC 7515, 5.2.
pub fn run(mut data: &[u8]) {
    if let Ok(token) = std::str::from_utf8(data) {
        parse(token, "RS256 EdDSA");
    }
    let advertised = text_line(&mut data);
    let [header, signature] = [line(&mut data), line(&mut data)];
    let parts = [header, data, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
    parse(&parts.join("."), advertised);
}

fn parse(token: &str, advertised: &str) {
    let jws = match (Jws::parse(token, advertised), judge(token, advertised)) {
        (Ok(jws), Ok(())) => jws,
        (ours, theirs) => return assert_eq!(ours.err(), theirs.err(), "{token}"),
    };
    let signature = URL_SAFE_NO_PAD.encode(&jws.signature);
    assert_eq!([jws.signing_input.as_str(), ".", &signature].concat(), token);
    let claims = jws.signing_input.split('.').nth(1).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(&jws.claims_text), claims);
    let claims = object(jws.claims_text.as_bytes()).unwrap();
    assert!(jws.claims.members().all(|(name, _)| claims.contains_key(name)));
}

/// Parses a token with other libraries.
fn judge(token: &str, advertised: &str) -> Result<(), Reason> {
    let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).collect();
    let [Ok(header), Ok(claims), Ok(_)] = &parts[..] else { return Err(Reason::Malformed) };
    let (Some(header), Some(_)) = (object(header), object(claims)) else {
        return Err(Reason::Malformed);
    };
    if token.len() > 6144 {
        return Err(Reason::Malformed);
    }
    if header.contains_key("crit") {
        return Err(Reason::CriticalHeader);
    }
    let algorithm = header.get("alg").and_then(|name| name.as_str()).unwrap_or_default();
    let advertised = if advertised.is_empty() { "RS256" } else { advertised };
    let mut advertised = advertised.split([' ', '\t', '\x0c', '\r', '\n']);
    if !ALGORITHMS.contains(&algorithm) || !advertised.any(|known| known == algorithm) {
        return Err(Reason::Algorithm);
    }
    assert!(Algorithm::from_name(algorithm).is_some());
    match header.get("kid") {
        Some(key_id) if !key_id.is_string() => Err(Reason::KeyNotFound),
        _ => Ok(()),
    }
}
