//! A logout token: its header, then its claims.

use classlink_gateway::routes::backchannel::{check, has_usual_type};
use classlink_spa::protocol::encoding::base64url;
use classlink_spa::protocol::json;

use super::{NOW, SETTINGS};
use crate::reading::{line, object, text};

/// Checks the claims as if the provider had signed them.
pub fn run(mut data: &[u8]) {
    let header = line(&mut data);
    let token = format!("{}.e30.", base64url(header));
    if has_usual_type(&token)
        && let Some(members) = object(header)
    {
        let kind = members.get("typ").map(|kind| kind.as_str().unwrap_or("-").to_ascii_lowercase());
        let kind = kind.as_deref().map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
        assert!(matches!(kind, None | Some("jwt" | "logout+jwt")));
    }
    let Some(claims) = json::parse_object(data) else { return };
    let Some(logout) = check(&claims, &SETTINGS, NOW) else { return };
    let members = object(data).unwrap();
    assert_eq!(text(&members, "iss"), Some("https://op.example"));
    assert_eq!(text(&members, "jti"), Some(logout.jti));
    assert_eq!(text(&members, "sub"), logout.subject);
    assert_eq!(text(&members, "sid"), logout.session);
    assert!(
        logout.subject.is_some() || logout.session.is_some(),
        "it names neither user nor session"
    );
    assert!(!members.contains_key("nonce"), "an ID token");
    let audience = &members["aud"];
    let audiences = audience.as_array().map_or(std::slice::from_ref(audience), Vec::as_slice);
    assert!(audiences.iter().any(|one| one == "c1" || one == "c2"), "another's");
    assert!(members["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert!(members["iat"].as_f64().unwrap() <= 60.0 + 1_700_000_000.0);
    assert!(logout.remaining_secs <= 86_400);
}
