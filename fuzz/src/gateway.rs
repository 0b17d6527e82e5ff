//! The gateway's own errors, and the JSON of the package's scripts: a line with the header that names a
//! refusal, one with its HTTP status, then a body.

use classlink_spa::config::{Config, LoginOptions};
use classlink_spa::error::{ErrorCode, Reason};
use classlink_spa::protocol::gateway::{gateway_error, session_url};
use serde_json::Value;
use url::Url;

use crate::reading::{number, object, text, text_line};

/// Reads the refusal, then the body as a configuration and as the options of a login.
pub fn run(mut data: &[u8]) {
    let named = text_line(&mut data);
    let status = number(Some(text_line(&mut data)), 200);
    let members = object(data).unwrap_or_default();
    let reason = text(&members, "reason").and_then(Reason::from_name);
    let error = gateway_error(named, status, data);
    assert_eq!(error.status, Some(status));
    let code = match (named, reason) {
        ("id_token_invalid", Some(_)) => ErrorCode::IdTokenInvalid,
        ("tenant_not_allowed", Some(_)) => ErrorCode::TenantNotAllowed,
        ("user_mismatch", _) => ErrorCode::UserMismatch,
        ("keys_unavailable", _) => ErrorCode::KeysUnavailable,
        _ => ErrorCode::GatewayError,
    };
    assert_eq!(error.code, code);
    let has_reason = matches!(code, ErrorCode::IdTokenInvalid | ErrorCode::TenantNotAllowed);
    assert_eq!(error.reason, reason.filter(|_| has_reason));

    let url = Url::parse(&session_url("https://app.example/auth", named, Some("id-1_"))).unwrap();
    assert_eq!((url.path(), url.fragment()), ("/auth/session", None));
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let expected = [("client_id", named), ("session_id", "id-1_")];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    if let Ok(text) = std::str::from_utf8(data) {
        configuration(text);
        options(text);
    }
}

fn configuration(json: &str) {
    let Ok(config) = Config::read(json) else { return };
    let members = object(json.as_bytes()).unwrap();
    for (name, read) in [
        ("clientId", config.client_id()),
        ("redirectUri", config.redirect_uri()),
        ("issuer", config.issuer()),
    ] {
        assert_eq!(text(&members, name), Some(read), "{name}");
    }
    let origins = members.get("apiOrigins").and_then(Value::as_array);
    let origins: Vec<_> = origins.into_iter().flatten().filter_map(Value::as_str).collect();
    for origin in origins.iter().copied().chain(["https://evil.example", ""]) {
        assert_eq!(config.may_send_to(origin), origins.contains(&origin));
        let longer = [origin, ".evil"].concat();
        assert_eq!(config.may_send_to(&longer), origins.contains(&longer.as_str()));
    }
    let tenants = members.get("allowedTenants");
    assert_eq!(config.allowed_tenants().is_some(), tenants.is_some(), "everybody is let in");
}

fn options(json: &str) {
    let Ok(options) = LoginOptions::read(json) else { return };
    let members = object(json.as_bytes()).unwrap();
    assert!(!options.is_silent_restore());
    let max_age = members.get("maxAge").and_then(Value::as_u64);
    let max_age = max_age.filter(|seconds| u32::try_from(*seconds).is_ok());
    assert_eq!(options.max_age(), max_age.map(|seconds| seconds.to_string()));
    for (name, value) in options.extra_params() {
        let asked = format!("{members:?}");
        let quoted = format!("{value:?}");
        assert!(asked.contains(&quoted), "{name}={value} was not requested");
    }
}
