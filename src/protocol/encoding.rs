//! base64url without padding (RFC 7515, section 2; RFC 4648, section 5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes bytes.
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes text; `None` where it has padding, white space, another alphabet or stray bits at its end.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // What has been read and not yet been written: `count` bits.
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
    // Six bits are a digit too many; the others fill up the last byte and are zero.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_the_same_bytes_are_refused() {
        assert_eq!(from_base64url("_-8"), Some(vec![0xff, 0xef]));
        for text in ["_-8=", "/+8", "_-9", " _-8", "_-8\n", "_", "A", "AAAAA"] {
            assert_eq!(from_base64url(text), None, "{text:?}");
        }
    }
}
