//! The token endpoint's answer: a line with its HTTP status, then its body.

use classlink_spa::error::ErrorCode;
use classlink_spa::protocol::secret::Secret;
use classlink_spa::protocol::token::TokenResponse;
use serde_json::Value;

use crate::reading::{is_close, number, object, text, text_line};

/// Reads it, and holds what is taken to RFC 6749, 5.1 and 5.2.
pub fn run(mut data: &[u8]) {
    let status = number(Some(text_line(&mut data)), 200);
    let members = object(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data));
    let read = TokenResponse::parse(status, data);
    let Some(members) = members else {
        let error = read.expect_err("no JSON object was taken");
        return assert_eq!(error.code, ErrorCode::ProviderResponseInvalid);
    };
    let string = |name: &str| members.get(name).and_then(Value::as_str);
    let scope = match members.get("scope") {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(scope)) => Some(scope.clone()),
        Some(Value::Array(values)) => join(values),
        _ => None,
    };
    if let Some(refusal) = text(&members, "error") {
        let error = read.expect_err("an error was taken for success");
        assert_eq!((error.code, error.status), (ErrorCode::TokenRejected, Some(status)));
        let words = error.provider.as_ref().unwrap();
        assert!(refusal.starts_with(&words.error) && words.error.chars().count() <= 100);
        return assert_eq!(format!("{words:?}"), "ProviderError(…)", "the refusal shows");
    }
    let is_answer = (200..300).contains(&status)
        && text(&members, "access_token").is_some()
        && string("token_type").is_some_and(|is| is.eq_ignore_ascii_case("bearer"))
        && (text(&members, "id_token").is_some() || !members.contains_key("id_token"))
        && scope.is_some();
    let tokens = match read {
        Ok(tokens) => tokens,
        Err(error) => {
            assert!(!is_answer, "an answer was refused");
            assert_eq!(error.code, ErrorCode::ProviderResponseInvalid);
            return assert_eq!(error.status, Some(status));
        }
    };
    assert!(is_answer, "what is no answer was taken");
    assert_eq!(Some(tokens.access_token.expose()), string("access_token"));
    assert_eq!(tokens.id_token.as_ref().map(Secret::expose), text(&members, "id_token"));
    let refresh_token = tokens.refresh_token.as_ref().map(Secret::expose);
    assert_eq!(refresh_token, text(&members, "refresh_token"));
    assert_eq!(tokens.scope, scope.filter(|scope| !scope.is_empty()));
    match (tokens.expires_in, members.get("expires_in")) {
        (Some(seconds), Some(Value::Number(told))) => {
            let told = told.as_f64().unwrap();
            assert!(is_close(seconds, told) && seconds >= 0.0 || seconds == 0.0 && told < 1.0);
        }
        (Some(seconds), Some(Value::String(told))) => {
            let told: f64 = serde_json::from_str(told).unwrap();
            assert!(is_close(seconds, told) && seconds >= 0.0 || seconds == 0.0 && told < 1.0);
        }
        (Some(_), _) => panic!("a duration from nowhere"),
        (None, told) => assert!(told.is_none_or(|told| told.as_u64().is_none())),
    }
}

/// Joins strings by spaces; `None` if one of the values is not a string.
fn join(values: &[Value]) -> Option<String> {
    let mut words = String::new();
    for value in values {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(value.as_str()?);
    }
    Some(words)
}
