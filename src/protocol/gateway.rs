//! The application's gateway, which proxies the provider's endpoints and keeps a session: its session's URL, and how it
//! marks errors as its own. `gateway.ts` in the package is the other side.

use super::{form, json};
use crate::error::{Error, ErrorCode, Reason};

/// Has the support code of a request. A gateway requires it, since a cross-site form or image cannot send it.
pub const SUPPORT_CODE_HEADER: &str = "X-ClassLink-SPA";

/// Names the gateway's own errors. If it is absent, the error is the provider's.
pub const ERROR_HEADER: &str = "X-ClassLink-Gateway-Error";

/// Returns the URL of a registration's session: the one of this id or, without it, whichever there is.
#[must_use]
pub fn session_url(gateway: &str, client_id: &str, session_id: Option<&str>) -> String {
    let named = session_id.map_or(["", ""], |id| ["&session_id=", id]);
    [gateway, "/session?", &form::encode(&[("client_id", client_id)]), &named.concat()].concat()
}

/// Makes the error for a gateway's own refusal or failure. The error of a check that the gateway did keeps its code.
#[must_use]
pub fn gateway_error(named: &str, status: u16, body: &[u8]) -> Error {
    let members = json::parse_object(body).unwrap_or_default();
    let reason = members.get_str("reason").and_then(Reason::from_name);
    let error = match (named, reason) {
        ("id_token_invalid", Some(reason)) => Error::id_token(reason),
        ("tenant_not_allowed", Some(reason)) => {
            let message = "the gateway does not allow the user's tenant (`allowedTenants`)";
            Error::new(ErrorCode::TenantNotAllowed, message).with_reason(reason)
        }
        ("user_mismatch", _) => {
            let message = "the gateway received the profile of another user than the ID token's";
            Error::new(ErrorCode::UserMismatch, message)
        }
        ("keys_unavailable", _) => {
            Error::new(ErrorCode::KeysUnavailable, "the gateway cannot fetch the key set")
        }
        _ => Error::new(
            ErrorCode::GatewayError,
            "the gateway refused or failed: its log says why, under this support code",
        ),
    };
    error.with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_url_names_the_registration() {
        let url = session_url("https://app.example/auth", "a&b", None);
        assert_eq!(url, "https://app.example/auth/session?client_id=a%26b");
        let url = session_url("https://app.example/auth", "a", Some("s"));
        assert_eq!(url, "https://app.example/auth/session?client_id=a&session_id=s");
    }

    #[test]
    fn gateway_error_keeps_codes_of_token_and_user_checks_and_is_gateway_error_otherwise() {
        for (named, status, body, code, reason, retryable) in [
            (
                "id_token_invalid",
                400,
                r#"{"reason":"nonce"}"#,
                "id_token_invalid",
                Some("nonce"),
                false,
            ),
            ("id_token_invalid", 400, r#"{"reason":"x"}"#, "gateway_error", None, false),
            (
                "tenant_not_allowed",
                403,
                r#"{"reason":"tenant_other"}"#,
                "tenant_not_allowed",
                Some("tenant_other"),
                false,
            ),
            ("user_mismatch", 502, "{}", "user_mismatch", None, true),
            ("keys_unavailable", 502, "{}", "keys_unavailable", None, true),
            ("forbidden_origin", 403, "{}", "gateway_error", None, false),
            ("rate_limited", 429, "{}", "gateway_error", None, true),
            ("upstream_timeout", 504, "<html>", "gateway_error", None, true),
        ] {
            let error = gateway_error(named, status, body.as_bytes());
            assert_eq!(error.code.as_str(), code, "{named}");
            assert_eq!(error.reason.map(Reason::as_str), reason, "{named}");
            assert_eq!(error.status, Some(status), "{named}");
            assert_eq!(error.retryable, retryable, "{named}");
        }
    }
}
