//! The token endpoint's requests (RFC 6749, 4.1.3 and 6; RFC 7009) and responses (RFC 6749, 5.1 and 5.2; `OpenID` Connect
//! Core 1.0, 3.1.3.3).

use super::form;
use super::json::{self, Object, Value};
use super::pending::PendingLogin;
use super::secret::Secret;
use crate::error::{Error, ErrorCode, ProviderError};

/// Builds a public client's token request for an authorization code.
#[must_use]
pub fn authorization_code_grant(pending: &PendingLogin, code: &Secret) -> Secret {
    Secret::new(form::encode(&[
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", pending.redirect_uri()),
        ("client_id", pending.client_id()),
        ("code_verifier", pending.verifier.expose()),
    ]))
}

/// Builds a public client's token request for a refresh token (RFC 6749, 6).
#[must_use]
pub fn refresh_token_grant(client_id: &str, refresh_token: &Secret) -> Secret {
    Secret::new(form::encode(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose()),
        ("client_id", client_id),
    ]))
}

/// Builds a public client's request to revoke a token (RFC 7009, 2.1).
#[must_use]
pub fn revocation_request(client_id: &str, token: &Secret) -> Secret {
    Secret::new(form::encode(&[("token", token.expose()), ("client_id", client_id)]))
}

/// A successful token response.
#[derive(Debug)]
pub struct TokenResponse {
    /// `access_token`: opaque.
    pub access_token: Secret,
    /// `id_token`, not yet verified. Only the response to a renewal may lack it (Core 12.2).
    pub id_token: Option<Secret>,
    /// `refresh_token`, if the provider issues one.
    pub refresh_token: Option<Secret>,
    /// `expires_in`: the lifetime of the access token in seconds, if the response has it.
    pub expires_in: Option<f64>,
    /// `scope`: the granted scope; `None` if it is the requested one (RFC 6749, 5.1).
    pub scope: Option<String>,
    /// `session_id`: the session that a gateway's answer is about, if the gateway knows session ids.
    pub session_id: Option<String>,
    /// `token_type`, as the provider writes it.
    #[cfg(feature = "gateway")]
    pub token_type: String,
    /// `response_type`: `ClassLink`'s extra member.
    #[cfg(feature = "gateway")]
    pub response_type: Option<String>,
}

impl TokenResponse {
    /// Parses a token response. `expires_in` and `refresh_token` may be missing: `ClassLink` sends neither.
    ///
    /// # Errors
    /// `token_rejected` for an OAuth error at any status, `provider_response_invalid` for anything else that is not a
    /// successful token response.
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, Error> {
        let members = json::parse_document(body);
        if let Some(members) = &members
            && let Some(error) = members.get_non_empty_str("error")
        {
            let message = "the token endpoint refused";
            return Err(Error::new(ErrorCode::TokenRejected, message)
                .with_status(status)
                .with_provider(provider_error(error, members)));
        }
        Self::of_success(status, members).map_err(|what| {
            let subject = "the token endpoint's answer can't be used: ";
            Error::with_subject(subject, ErrorCode::ProviderResponseInvalid, what)
                .with_status(status)
        })
    }

    fn of_success(status: u16, members: Option<Object>) -> Result<Self, &'static str> {
        let members = members.ok_or("it is not a JSON object")?;
        if !(200..300).contains(&status) {
            return Err("it has an error status and no OAuth error");
        }
        let secret =
            |name| members.get_non_empty_str(name).map(|text| Secret::new(text.to_owned()));
        let token_type = members.get_str("token_type");
        let tokens = Self {
            access_token: secret("access_token")
                .ok_or("`access_token` is missing or not a string")?,
            id_token: secret("id_token"),
            refresh_token: secret("refresh_token"),
            expires_in: seconds(&members),
            scope: Some(scope(&members).ok_or("`scope` is not a string")?)
                .filter(|scope| !scope.is_empty()),
            session_id: members.get_non_empty_str("session_id").map(str::to_owned),
            #[cfg(feature = "gateway")]
            token_type: token_type.unwrap_or_default().to_owned(),
            #[cfg(feature = "gateway")]
            response_type: members.get_non_empty_str("response_type").map(str::to_owned),
        };
        if tokens.id_token.is_none() && members.contains_key("id_token") {
            return Err("`id_token` is not a string");
        }
        if !token_type.is_some_and(|is| is.eq_ignore_ascii_case("Bearer")) {
            return Err("`token_type` is not Bearer");
        }
        Ok(tokens)
    }
}

/// Reads `scope`: empty if it is missing, `null` or empty; an array of strings is joined. `None` for anything else.
fn scope(members: &Object) -> Option<String> {
    match members.get("scope") {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(scope)) => Some(scope.clone()),
        _ => members.get_joined_strings("scope"),
    }
}

/// Reads `expires_in`, which some providers write as a string. Anything that is not a duration counts as missing.
fn seconds(members: &Object) -> Option<f64> {
    let seconds = match members.get("expires_in")? {
        Value::String(numeral) => json::parse_number(numeral)?,
        Value::Number(seconds, _) => *seconds,
        _ => return None,
    };
    (seconds >= 0.0).then_some(seconds)
}

fn provider_error(error: &str, members: &Object) -> ProviderError {
    let text = |name| members.get_str(name);
    ProviderError::new(error, text("error_description"), text("error_uri"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pending::tests::pending;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn classlink_response() -> Value {
        json!({
            "access_token": "opaque",
            "token_type": "Bearer",
            "response_type": "code",
            "id_token": "a.b.c",
        })
    }

    fn parse(status: u16, body: &Value) -> Result<TokenResponse, Error> {
        TokenResponse::parse(status, body.to_string().as_bytes())
    }

    #[test]
    fn authorization_code_grant_is_a_public_clients() {
        let login = pending(0);
        let body = authorization_code_grant(&login, &Secret::new("c+1".into()));
        let pairs: Vec<_> = form_urlencoded::parse(body.expose().as_bytes()).collect();
        let expected = [
            ("grant_type", "authorization_code"),
            ("code", "c+1"),
            ("redirect_uri", "https://app.example/cb"),
            ("client_id", "c1"),
            ("code_verifier", login.verifier.expose()),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn token_response_may_lack_expiry_and_refresh_token_as_classlinks_does() {
        let tokens = parse(200, &classlink_response()).unwrap();
        assert_eq!(tokens.access_token.expose(), "opaque");
        assert_eq!(tokens.id_token.unwrap().expose(), "a.b.c");
        assert_eq!(tokens.scope, None);
        assert_eq!(tokens.expires_in, None);
        assert_eq!(tokens.refresh_token, None);
    }

    #[test]
    fn refresh_and_revocation_requests_are_a_public_clients() {
        let token = Secret::new("r+1".into());
        let body = refresh_token_grant("c1", &token);
        assert_eq!(body.expose(), "grant_type=refresh_token&refresh_token=r%2B1&client_id=c1");
        assert_eq!(revocation_request("c1", &token).expose(), "token=r%2B1&client_id=c1");
    }

    #[test]
    fn token_response_may_lack_an_id_token() {
        let body = json!({
            "access_token": "fresh", "token_type": "bearer", "refresh_token": "next", "expires_in": 300,
        });
        let tokens = parse(200, &body).unwrap();
        assert_eq!(tokens.id_token, None);
        assert_eq!(tokens.refresh_token.unwrap().expose(), "next");
        assert_eq!(tokens.expires_in, Some(300.0));
    }

    #[test]
    fn expires_in_is_a_number_or_its_digits_and_missing_otherwise() {
        for (value, seconds) in [
            (json!(0), Some(0.0)),
            (json!("3600"), Some(3600.0)),
            (json!(1.5), Some(1.5)),
            (json!(-1), None),
            (json!("-1"), None),
            (json!("soon"), None),
            (json!(null), None),
            (json!([5]), None),
        ] {
            let mut body = classlink_response();
            body["expires_in"] = value.clone();
            assert_eq!(parse(200, &body).unwrap().expires_in, seconds, "{value}");
        }
    }

    #[test]
    fn oauth_error_is_token_rejected_at_any_status() {
        for status in [200, 302, 400, 401, 429, 500] {
            let mut body = classlink_response();
            body["error"] = json!("invalid_grant");
            body["error_description"] = json!("expired");
            let error = parse(status, &body).unwrap_err();
            assert_eq!(error.code, ErrorCode::TokenRejected);
            assert_eq!(error.status, Some(status));
            assert_eq!(error.retryable, status == 429 || status == 500);
            assert_eq!(error.provider.as_ref().unwrap().error, "invalid_grant");
        }
    }

    #[test]
    fn token_response_with_missing_or_wrong_members_is_invalid() {
        let missing = ["access_token", "token_type"].map(|name| (name, None));
        let wrong = [
            ("access_token", Some(json!(""))),
            ("access_token", Some(json!(5))),
            ("id_token", Some(json!({}))),
            ("token_type", Some(json!("DPoP"))),
            ("scope", Some(json!(["openid", 5]))),
        ];
        for (name, value) in missing.into_iter().chain(wrong) {
            let mut body = classlink_response();
            match value {
                Some(value) => body[name] = value,
                None => drop(body.as_object_mut().unwrap().remove(name)),
            }
            let error = parse(200, &body).unwrap_err();
            assert_eq!(error.code, ErrorCode::ProviderResponseInvalid, "{name}");
        }
        for (status, body) in
            [(200, "<html>"), (200, "{\"access"), (500, "{}"), (204, ""), (200, "[]")]
        {
            let error = TokenResponse::parse(status, body.as_bytes()).unwrap_err();
            assert_eq!(error.code, ErrorCode::ProviderResponseInvalid);
            assert_eq!(error.status, Some(status));
        }
    }

    #[test]
    fn complete_token_response_with_an_error_status_is_refused() {
        assert_eq!(
            parse(500, &classlink_response()).unwrap_err().code,
            ErrorCode::ProviderResponseInvalid
        );
        assert!(parse(299, &classlink_response()).is_ok());
        assert!(parse(300, &classlink_response()).is_err());
    }

    proptest! {
        #[test]
        fn parse_never_panics(status: u16, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = TokenResponse::parse(status, &bytes);
        }
    }
}
