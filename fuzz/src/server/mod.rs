//! The parsers of the native server, a target a file, and here the server that hostile input meets.

pub mod assertion;
pub mod configuration;
pub mod cookies;
pub mod device;
pub mod form;
pub mod logout;
pub mod provider;
pub mod request;
pub mod session;

use std::sync::{Arc, LazyLock};

use classlink_gateway::config::{self, Client, Settings};
use classlink_gateway::session::{Session, Sessions};
use classlink_spa::protocol::encoding::base64url;
use serde_json::json;

/// Seconds since 1970.
pub const NOW: i64 = 1_700_000_000;

/// An origin whose pages may call the server, beside its own.
pub const OTHER_ORIGIN: &str = "https://other.example";

/// The settings.
pub static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let client = |id: &str| {
        json!({
            "clientId": id, "clientSecret": "s3cret", "redirectUris": ["https://app.example/cb"],
        })
    };
    let options = json!({
        "issuer": "https://op.example",
        "clients": [client("c1"), client("c2")],
        "sealingKeys": ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"],
        "allowedOrigins": [OTHER_ORIGIN],
        "remoteAddressHeader": "X-Real-IP",
    });
    config::read(&options).unwrap_or_else(|error| panic!("{error}"))
});

/// Seals and opens sessions.
pub static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| Sessions::new(&SETTINGS).unwrap());

/// A registration.
pub fn client(id: &str) -> &'static Arc<Client> {
    SETTINGS.client(id).unwrap()
}

/// A session that is valid for some time. `first` is the first byte of its id.
pub fn session(first: u8, order: u64) -> Session {
    let claims = json!({ "iss": "https://op.example", "sub": "1", "exp": NOW + 3600 }).to_string();
    let mut id = [7; 32];
    id[0] = first;
    Session {
        id: base64url(id),
        nonce: base64url([8; 32]),
        order,
        is_provisional: false,
        id_token: [r#"{"alg":"RS256"}"#, &claims, "signature"].map(base64url).join("."),
        access_token: "opaque".to_owned(),
        token_type: "Bearer".to_owned(),
        refresh_token: None,
        scope: None,
        created_at: NOW - 60,
        last_used_at: NOW - 60,
        obtained_at: NOW - 60,
        expires_at: None,
        tenant: None,
        user_mark: None,
        device_key: None,
    }
}
