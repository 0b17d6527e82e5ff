//! The body of a token request.

use bytes::Bytes;
use classlink_gateway::routes::parse_form;
use classlink_gateway::routes::token::TokenRequest;
use url::form_urlencoded;

use super::{SETTINGS, client};

/// Reads the body as the token route does.
pub fn run(data: &[u8]) {
    let form = parse_form(&Bytes::copy_from_slice(data));
    let body = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let body = body.strip_prefix(b"?").unwrap_or(body);
    let body = if std::str::from_utf8(body).is_ok() { body } else { b"" };
    let pairs: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    assert_eq!(form.count(), pairs.len());
    let named = |name: &str| {
        let mut values =
            pairs.iter().filter(|(one, _)| one == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    };
    if let Ok(found) = form.client(&SETTINGS) {
        assert_eq!(Some(found.id.as_str()), named("client_id"));
    }
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_taken = pairs.len() == 5
        && named("grant_type") == Some("authorization_code")
        && named("redirect_uri") == Some("https://app.example/cb")
        && ["code", "client_id"]
            .iter()
            .all(|name| named(name).is_some_and(|text| !text.is_empty()))
        && named("code_verifier").is_some_and(|verifier| {
            (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved)
        });
    assert_eq!(TokenRequest::check(&form, client("c1")).is_ok(), is_taken);
}
