//! The encodings beneath the rest, each beside an independent library's: forms, base64url, UTF-8, digits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use classlink_spa::protocol::encoding::{base64url, from_base64url};
use classlink_spa::protocol::{ascii, form};

/// Decodes and encodes the bytes in every way.
pub fn run(data: &[u8]) {
    assert_eq!(ascii::from_utf8_lossy(data), String::from_utf8_lossy(data));
    assert_eq!(from_base64url(&base64url(data)).as_deref(), Some(data));
    let digits = data.iter().all(u8::is_ascii_digit);
    let number =
        std::str::from_utf8(data).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    assert_eq!(ascii::parse_u32(data), number);

    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_eq!(from_base64url(text), URL_SAFE_NO_PAD.decode(text).ok());
    let pairs: Vec<_> = form_urlencoded::parse(data).into_owned().collect();
    assert_eq!(form::decode(text), pairs);
    let borrowed: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let encoded = form::encode(&borrowed);
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    assert_eq!(encoded, serializer.extend_pairs(&pairs).finish());
    // A pair without name and value leaves nothing between its separators.
    assert_eq!(form::decode(&encoded), pairs);
    for most in [0, 1, 100] {
        assert_eq!(ascii::truncate_chars(text, most), text.chars().take(most).collect::<String>());
    }
}
