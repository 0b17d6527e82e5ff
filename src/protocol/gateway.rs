//! The application's own gateway, which stands in for the provider's endpoints and keeps a session: where that lies, and
//! how it says that it was itself that refused. `gateway.ts` in the package is the other half.

use super::{form, json};
use crate::error::{Error, ErrorCode, Reason};

/// Carries the support code of a request. A gateway demands it, since no form and no image of another site can send it.
pub const SUPPORT_CODE_HEADER: &str = "X-ClassLink-SPA";

/// Names the gateway's own refusals and failures. Where it is absent, the provider refused.
pub const ERROR_HEADER: &str = "X-ClassLink-Gateway-Error";

/// Where the session of a registration lies.
#[must_use]
pub fn session_url(gateway: &str, client_id: &str) -> String {
    [gateway, "/session?", &form::encode(&[("client_id", client_id)])].concat()
}

/// The error for a refusal or failure of the gateway's own. What it has found wrong with a token or a person keeps its
/// code.
#[must_use]
pub fn gateway_error(named: &str, status: u16, body: &[u8]) -> Error {
    let members = json::parse_object(body).unwrap_or_default();
    let reason = members.get_str("reason").and_then(Reason::from_name);
    let error = match (named, reason) {
        ("id_token_invalid", Some(reason)) => Error::id_token(reason),
        ("tenant_not_allowed", Some(reason)) => {
            let message = "the gateway does not serve the person's tenant (`allowedTenants`)";
            Error::new(ErrorCode::TenantNotAllowed, message).with_reason(reason)
        }
        ("user_mismatch", _) => {
            let message = "the gateway was answered about another person than the ID token's";
            Error::new(ErrorCode::UserMismatch, message)
        }
        ("keys_unavailable", _) => {
            Error::new(ErrorCode::KeysUnavailable, "the gateway can't have the key set")
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
    fn the_session_lies_beneath_the_gateway_for_each_registration() {
        let url = session_url("https://app.example/auth", "a&b");
        assert_eq!(url, "https://app.example/auth/session?client_id=a%26b");
    }

    #[test]
    fn what_it_found_wrong_keeps_its_code_and_everything_else_is_the_gateways_error() {
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
