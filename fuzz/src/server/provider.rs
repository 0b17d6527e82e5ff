//! The answers of a provider: a discovery document, a key set or a token response.

use classlink_gateway::metadata::Metadata;
use classlink_gateway::provider::read_keys;
use classlink_gateway::renewal::read_token_response;
use classlink_gateway::upstream::ProviderResponse;
use classlink_spa::protocol::json;
use serde_json::Value;
use url::Url;

use crate::reading::{number, object, text, text_line};

/// Reads a response with the HTTP status of its first line as each of the three.
pub fn run(mut data: &[u8]) {
    let status = number(Some(text_line(&mut data)), 200);
    if let Some(keys) = read_keys(data) {
        let body: Value = serde_json::from_str(&keys.body).unwrap();
        assert!(body["keys"].as_array().unwrap().iter().all(Value::is_object));
        assert_eq!(body.as_object().unwrap().len(), 1);
    }
    let answer = ProviderResponse { status, body: data.to_vec().into(), date: None };
    if let Ok(grant) = read_token_response(&answer) {
        assert!((200..300).contains(&status) && !grant.access_token.expose().is_empty());
    }
    if answer.json().is_some() {
        assert_eq!(answer.text().as_bytes(), data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data));
    }
    let Some(document) = json::parse_document(data) else { return };
    let Some(metadata) = Metadata::from_discovery(&document, "https://op.example") else { return };
    let members = object(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)).unwrap();
    assert_eq!(text(&members, "issuer"), Some("https://op.example"));
    for (name, endpoint) in [
        ("token_endpoint", &metadata.token),
        ("jwks_uri", &metadata.jwks),
        ("userinfo_endpoint", &metadata.userinfo),
        ("my_info_endpoint", &metadata.my_info),
        ("revocation_endpoint", &metadata.revocation),
    ] {
        assert_eq!(endpoint.is_some(), members.contains_key(name), "{name}");
        let Some(endpoint) = endpoint else { continue };
        // A host that only looks like an IPv4 address, such as `444444444444`, is not a URL to this library.
        let Ok(url) = Url::parse(endpoint) else { continue };
        let is_loopback = matches!(url.host_str(), Some(host) if host == "localhost"
            || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]");
        assert!(url.scheme() == "https" || is_loopback, "{endpoint}");
        assert_eq!((url.username(), url.password()), ("", None), "{endpoint}");
    }
    for name in metadata.advertised_algorithms().split(' ') {
        assert!(name.is_empty() || format!("{members:?}").contains(name));
    }
}
