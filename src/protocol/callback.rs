//! The authorization response in a callback URL (RFC 6749, 4.1.2 and 4.1.2.1; RFC 9207), and whether it belongs to a
//! pending login. Also launch requests: `LaunchPad` tiles and third-party-initiated login.

use super::pending::PendingLogin;
use super::secret::Secret;
use super::{ascii, form};
use crate::error::{Error, ErrorCode, ProviderCode, ProviderError};

/// A parsed callback URL.
#[derive(Debug)]
pub enum Callback {
    /// It has neither a code nor an error.
    NotACallback,
    /// It breaks RFC 6749.
    Malformed(&'static str),
    /// It has a code without a state: a LaunchPad tile, or login CSRF. The code is discarded either way.
    Launch,
    /// It is an authorization response.
    Response(Box<AuthorizationResponse>),
}

/// A response to an authorization request.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// `state`. Only an error may lack it.
    pub state: Option<String>,
    /// `iss` (RFC 9207).
    pub issuer: Option<String>,
    /// The code, or the error.
    pub outcome: AuthorizationOutcome,
}

/// The result of an authorization request.
#[derive(Debug)]
pub enum AuthorizationOutcome {
    /// The provider issued a code.
    Code(Secret),
    /// The provider returned an error.
    Error(ProviderError),
}

/// The parameters of an authorization response.
const PARAMETERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "response_type"];

impl Callback {
    /// Parses a callback URL: its query alone, since the response to a request for a code is never in the fragment.
    #[must_use]
    pub fn parse(url: &str) -> Self {
        let mut parameters = Parameters::of(url);
        let repeated = PARAMETERS.iter().any(|name| parameters.count(name) > 1);
        // RFC 6749, 3.1: a parameter without a value is treated as omitted.
        let state = parameters.take("state").filter(|state| !state.is_empty());
        let outcome = match (parameters.take("code"), parameters.take("error")) {
            (None, None) => return Self::NotACallback,
            _ if repeated => return Self::Malformed("a parameter is repeated"),
            (Some(_), Some(_)) => return Self::Malformed("a code beside an error"),
            (Some(code), None) if code.is_empty() => return Self::Malformed("an empty code"),
            (None, Some(error)) if error.is_empty() => return Self::Malformed("an empty error"),
            (Some(_), None) if state.is_none() => return Self::Launch,
            (Some(code), None) => AuthorizationOutcome::Code(Secret::new(code)),
            (None, Some(error)) => AuthorizationOutcome::Error(ProviderError::new(
                &error,
                parameters.take("error_description").as_deref(),
                parameters.take("error_uri").as_deref(),
            )),
        };
        let issuer = parameters.take("iss");
        Self::Response(Box::new(AuthorizationResponse { state, issuer, outcome }))
    }
}

/// A request to start a login (`OpenID` Connect Core 1.0, section 4). A `LaunchPad` tile may send none of its parameters.
pub struct LaunchRequest {
    /// `iss`: the issuer to sign in at.
    pub issuer: Option<String>,
    /// `login_hint`: the expected user.
    pub login_hint: Option<String>,
    /// `target_link_uri`: the page to open after sign-in.
    pub target: Option<String>,
}

impl LaunchRequest {
    /// Parses the query of a launch URL.
    #[must_use]
    pub fn parse(url: &str) -> Self {
        let mut parameters = Parameters::of(url);
        Self {
            issuer: parameters.take("iss"),
            login_hint: parameters.take("login_hint"),
            target: parameters.take("target_link_uri"),
        }
    }
}

/// The parameters of a query.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(url: &str) -> Self {
        let query = ascii::split_once(ascii::until(url, b'#'), b'?').map_or("", |(_, query)| query);
        Self(form::decode(query))
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(found, _)| found == name).count()
    }

    /// Removes and returns the value of the first parameter with this name.
    fn take(&mut self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter_mut().find(|(found, _)| found == name)?;
        Some(std::mem::take(value))
    }
}

impl AuthorizationResponse {
    /// Validates this response against the pending login of its state. It consumes nothing: a bad callback must not
    /// destroy a good login.
    ///
    /// # Errors
    /// `state_unknown` for a code whose login does not exist, is another client's or is too old; for an error in the same
    /// case, that error; `issuer_mismatch` (RFC 9207, 2.4).
    pub fn validate(&self, pending: Option<&PendingLogin>, now: f64) -> Result<(), Error> {
        let Some(pending) = pending.filter(|pending| pending.is_unexpired(now)) else {
            return Err(match &self.outcome {
                AuthorizationOutcome::Error(error) => authorization_error(error.clone()),
                AuthorizationOutcome::Code(_) => unknown_state(),
            });
        };
        match &self.issuer {
            Some(issuer) if *issuer == pending.issuer() => Ok(()),
            Some(_) => Err(Error::new(
                ErrorCode::IssuerMismatch,
                "the callback's `iss` is another issuer's than this login's (RFC 9207)",
            )),
            None if pending.provider().iss_parameter_supported() => Err(Error::new(
                ErrorCode::IssuerMismatch,
                "the callback has no `iss`, which the provider's metadata promises (RFC 9207)",
            )),
            None => Ok(()),
        }
    }
}

/// Makes the error of a code whose state is of no pending login here.
#[must_use]
pub fn unknown_state() -> Error {
    Error::new(
        ErrorCode::StateUnknown,
        "no pending login for this state: it was begun in another tab or browser, is over an hour old, or was answered \
         already; start a new login",
    )
}

/// Makes the error of an error response.
#[must_use]
pub fn authorization_error(error: ProviderError) -> Error {
    let code = ErrorCode::Provider(ProviderCode::from_error(&error.error));
    Error::new(code, "the provider answered the authorization request with an error")
        .with_provider(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pending::tests::{pending, pending_with};
    use proptest::prelude::*;

    fn answer(url: &str) -> AuthorizationResponse {
        match Callback::parse(url) {
            Callback::Response(answer) => *answer,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn callback_with_code_and_state_is_a_response() {
        let answer = answer("https://app.example/cb?a=1&code=c%2B1&state=s&response_type=code#x");
        assert_eq!(answer.state.as_deref(), Some("s"));
        assert!(
            matches!(answer.outcome, AuthorizationOutcome::Code(code) if code.expose() == "c+1")
        );
    }

    #[test]
    fn callback_with_code_but_no_state_is_a_launch() {
        for url in ["/cb?code=1", "/cb?code=1&response_type=code", "/cb?code=1&state="] {
            assert!(matches!(Callback::parse(url), Callback::Launch), "{url}");
        }
    }

    #[test]
    fn url_without_code_and_error_is_not_a_callback() {
        for url in
            ["/cb", "/cb?", "/cb?state=1", "/cb#code=1&state=2", "/cb?#?code=1", "/cb?Code=1", ""]
        {
            assert!(matches!(Callback::parse(url), Callback::NotACallback), "{url}");
        }
    }

    #[test]
    fn callback_that_rfc_6749_forbids_is_malformed() {
        for url in [
            "/cb?code=1&code=1&state=s",
            "/cb?code=1&state=s&state=s",
            "/cb?code=1&c%6fde=2&state=s",
            "/cb?code=1&state=s&iss=a&iss=a",
            "/cb?code=1&error=access_denied&state=s",
            "/cb?code=&state=s",
            "/cb?code=",
            "/cb?error=&state=s",
            "/cb?error=a&error_description=b&error_description=b",
            "/cb?code=1&state=s&response_type=code&response_type=code",
        ] {
            assert!(matches!(Callback::parse(url), Callback::Malformed(_)), "{url}");
        }
    }

    #[test]
    fn error_response_keeps_the_providers_code_when_its_state_is_unknown() {
        for (url, code) in [
            ("/cb?error=access_denied&state=s", "access_denied"),
            ("/cb?error=temporarily_unavailable", "temporarily_unavailable"),
            ("/cb?error=weird", "provider_error"),
        ] {
            let error = answer(url).validate(None, 0.0).unwrap_err();
            assert_eq!(error.code.as_str(), code);
        }
    }

    #[test]
    fn error_response_keeps_the_providers_description_and_uri() {
        let url =
            "/cb?error=access_denied&error_description=a+b&error_uri=https%3A%2F%2Fop.example%2Fe";
        let error = answer(url).validate(None, 0.0).unwrap_err();
        let words = error.provider.as_ref().unwrap();
        assert_eq!(words.error, "access_denied");
        assert_eq!(words.description.as_deref(), Some("a b"));
        assert_eq!(words.uri.as_deref(), Some("https://op.example/e"));
    }

    #[test]
    fn code_is_refused_when_its_login_is_missing_or_over_an_hour_old() {
        let answer = answer("/cb?code=1&state=s");
        let login = pending(1000);
        assert!(answer.validate(Some(&login), 1000.0 + 3600.0).is_ok());
        assert!(
            answer.validate(Some(&login), 0.0).is_ok(),
            "a clock that was set back expires no login"
        );
        for (login, now) in [(None, 1000.0), (Some(&login), 1000.0 + 3601.0)] {
            let error = answer.validate(login, now).unwrap_err();
            assert_eq!(error.code, ErrorCode::StateUnknown);
        }
    }

    #[test]
    fn response_is_refused_when_iss_is_wrong_or_missing_though_the_metadata_promises_it() {
        let plain = pending(0);
        let promised = pending_with(0, &[("issuer_promised", Some("true"))]);
        let sent = answer("/cb?code=1&state=s&iss=https://op.example");
        let missing = answer("/cb?code=1&state=s");
        assert!(sent.validate(Some(&plain), 0.0).is_ok());
        assert!(sent.validate(Some(&promised), 0.0).is_ok());
        assert!(missing.validate(Some(&plain), 0.0).is_ok());
        for (url, login) in [
            ("/cb?code=1&state=s", &promised),
            ("/cb?code=1&state=s&iss=https://op.example/", &plain),
            ("/cb?code=1&state=s&iss=", &plain),
            ("/cb?error=access_denied&state=s&iss=https://evil.example", &plain),
        ] {
            let error = answer(url).validate(Some(login), 0.0).unwrap_err();
            assert_eq!(error.code, ErrorCode::IssuerMismatch, "{url}");
        }
    }

    #[test]
    fn launch_request_has_issuer_login_hint_and_target() {
        let launch = LaunchRequest::parse(
            "https://app.example/launch?iss=https%3A%2F%2Fop.example&login_hint=ana&target_link_uri=%2Fclasses#iss=x",
        );
        assert_eq!(launch.issuer.as_deref(), Some("https://op.example"));
        assert_eq!(launch.login_hint.as_deref(), Some("ana"));
        assert_eq!(launch.target.as_deref(), Some("/classes"));
        let twice = LaunchRequest::parse("/launch?iss=a&target_link_uri=/b&target_link_uri=/c");
        assert_eq!(twice.target.as_deref(), Some("/b"), "the first counts");
        let bare = LaunchRequest::parse("https://app.example/launch");
        assert!(bare.issuer.is_none() && bare.login_hint.is_none() && bare.target.is_none());
    }

    proptest! {
        #[test]
        fn parse_never_panics(url in ".*") {
            let _ = Callback::parse(&url);
        }

        #[test]
        fn code_is_a_response_only_with_a_state(code in "[a-z]{1,9}", junk in "[a-z&=%0-9]{0,40}") {
            let url = format!("/cb?code={code}&{junk}");
            if let Callback::Response(answer) = Callback::parse(&url) {
                prop_assert!(answer.state.is_some());
            }
        }

        /// The client looks a login up by the response's state, so it finds no other login.
        #[test]
        fn callback_with_its_state_or_issuer_changed_is_refused(
            at: proptest::sample::Index,
            to in "[ -~]",
        ) {
            let original = "state=AbCd1234&iss=https%3A%2F%2Fop.example";
            let mut changed = original.to_owned();
            let at = at.index(changed.len());
            changed.replace_range(at..=at, &to);
            let parsed = |query: &str| form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
            prop_assume!(parsed(&changed) != parsed(original) && to != "#");
            let login = pending_with(0, &[("issuer_promised", Some("true"))]);
            let is_accepted = |query: &str| {
                let callback = Callback::parse(&["/cb?code=1&", query].concat());
                matches!(callback, Callback::Response(answer) if answer.state.as_deref() == Some("AbCd1234")
                    && answer.validate(Some(&login), 0.0).is_ok())
            };
            prop_assert!(is_accepted(original));
            prop_assert!(!is_accepted(&changed), "{}", changed);
        }
    }
}
