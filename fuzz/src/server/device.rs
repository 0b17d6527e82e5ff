//! A device's proof: its header, its claims, then the signature as text.

use classlink_gateway::device::{DeviceProof, Purpose};
use classlink_spa::protocol::encoding::{base64url, from_base64url};

use super::{NOW, SESSIONS, client};
use crate::reading::{line, object};

/// Takes the proof apart, and looks for what it proves.
pub fn run(mut data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = DeviceProof::parse(text);
        assert!(!SESSIONS.is_open(Purpose::Proof, client("c1"), "s", text, NOW), "not sealed");
    }
    let (header, claims) = (line(&mut data), line(&mut data));
    let signature = String::from_utf8_lossy(data);
    let jwt = format!("{}.{}.{signature}", base64url(header), base64url(claims));
    let Some(proof) = DeviceProof::parse(&jwt) else { return };
    let (header, claims) = (object(header).unwrap(), object(claims).unwrap());
    assert_eq!((&header["alg"], &header["typ"]), (&"ES256".into(), &"dbsc+jwt".into()));
    assert!(!header.contains_key("crit"));
    assert_eq!(claims["jti"], *proof.challenge);
    let is_open =
        |at| SESSIONS.is_open(Purpose::Challenge, client("c1"), "s", &proof.challenge, at);
    assert!(!is_open(NOW), "a challenge that was not sealed");
    let Some(key) = proof.key() else { return };
    let jwk = &header["jwk"];
    let [x, y] = ["x", "y"].map(|name| from_base64url(jwk[name].as_str().unwrap()).unwrap());
    assert_eq!(from_base64url(&key), Some([x, y].concat()));
    assert!(!proof.is_signed_by(&key), "a signature without the private key");
}
