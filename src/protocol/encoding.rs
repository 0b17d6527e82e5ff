//! base64url without padding (RFC 7515, section 2; RFC 4648, section 5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes bytes.
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes text; `None` if it has padding, white space, another alphabet or non-zero trailing bits.
///
/// Saves 0.9 KB (brotli) against the decoder of the crate `base64`.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // The bits that were read and not yet written: `count` of them.
    let (mut bits, mut count) = (0, 0);
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xfff;
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., byte] = u32::to_be_bytes(bits >> count);
            bytes.push(byte);
        }
    }
    // Six remaining bits are a superfluous digit; fewer pad the last byte and must be zero.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_base64url_refuses_other_spellings_of_the_same_bytes() {
        assert_eq!(from_base64url("_-8"), Some(vec![0xff, 0xef]));
        for text in ["_-8=", "/+8", "_-9", " _-8", "_-8\n", "_", "A", "AAAAA"] {
            assert_eq!(from_base64url(text), None, "{text:?}");
        }
    }
}
