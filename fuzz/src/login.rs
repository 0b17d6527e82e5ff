//! The login that hostile input meets.

use classlink_spa::protocol::json;
use classlink_spa::protocol::metadata::{ProfileSource, ProviderMetadata};
use classlink_spa::protocol::pending::PendingLogin;
use classlink_spa::protocol::pkce::CodeVerifier;

/// The issuer of the login.
pub const ISSUER: &str = "https://op.example";

/// The client's id.
pub const CLIENT_ID: &str = "c1";

/// When it began, in seconds since 1970.
pub const CREATED_AT: u32 = 1_700_000_000;

/// Its state.
pub const STATE: &str = "s1";

/// Its code verifier.
pub fn verifier() -> CodeVerifier {
    CodeVerifier::from_random(&[7; 32])
}

/// Its provider.
pub fn provider() -> ProviderMetadata {
    let metadata = br#"{
        "authorization_endpoint": "https://op.example/auth",
        "token_endpoint": "https://op.example/token",
        "jwks_uri": "https://op.example/jwks"
    }"#;
    let metadata = json::parse_object(metadata).unwrap();
    ProviderMetadata::merge(&[&metadata], ProfileSource::IdToken, None).unwrap()
}

/// The pending login, with other members beside the required ones.
pub fn pending(more: &[(&str, Option<&str>)]) -> PendingLogin {
    let members = [
        ("client_id", Some(CLIENT_ID)),
        ("redirect_uri", Some("https://app.example/cb")),
        ("issuer", Some(ISSUER)),
        ("scope", Some("openid")),
        ("return_to", Some("/")),
        ("support_code", Some("ABCD1234")),
    ];
    PendingLogin::new(verifier(), CREATED_AT, &provider(), &[&members[..], more].concat())
}
