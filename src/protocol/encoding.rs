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
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_the_same_bytes_are_refused() {
        assert_eq!(from_base64url("_-8"), Some(vec![0xff, 0xef]));
        for text in ["_-8=", "/+8", "_-9", " _-8", "_-8\n", "_"] {
            assert_eq!(from_base64url(text), None, "{text:?}");
        }
    }
}
