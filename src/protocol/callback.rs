//! The authorization response: what a callback URL says (RFC 6749, 4.1.2 and 4.1.2.1; RFC 9207), and whether it
//! answers a login of ours.

use super::pending::PendingLogin;
use super::secret::Secret;
use crate::error::{Error, ErrorCode, ProviderCode, ProviderError};

/// What a callback URL is.
#[derive(Debug)]
pub enum Callback {
    /// Neither a code nor an error.
    NotACallback,
    /// It breaks RFC 6749.
    Malformed(&'static str),
    /// A code without a state: a LaunchPad tile, or an attacker who wants somebody signed in as himself. The code is
    /// thrown away either way.
    Launch,
    /// The answer to an authorization request.
    Answer(Answer),
}

/// The answer to an authorization request.
#[derive(Debug)]
pub struct Answer {
    /// The `state`. Only an error may come without.
    pub state: Option<String>,
    /// The `iss` (RFC 9207).
    pub issuer: Option<String>,
    /// What the provider decided.
    pub outcome: Outcome,
}

/// What the provider decided.
#[derive(Debug)]
pub enum Outcome {
    /// It granted a code.
    Code(Secret),
    /// It refused.
    Error(ProviderError),
}

impl Callback {
    /// Reads a callback URL: its query alone, since an answer in the fragment is none to a request for a code.
    #[must_use]
    pub fn parse(url: &str) -> Self {
        let before_fragment = url.split('#').next().unwrap_or_default();
        let query = before_fragment.split_once('?').map_or("", |(_, query)| query);
        let mut parameters = Parameters::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(slot) = parameters.slot(&name) else {
                continue;
            };
            if slot.replace(value.into_owned()).is_some() {
                parameters.repeated = true;
            }
        }
        parameters.into_callback()
    }
}

/// The parameters of an authorization response.
#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    error_uri: Option<String>,
    response_type: Option<String>,
    repeated: bool,
}

impl Parameters {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "code" => &mut self.code,
            "state" => &mut self.state,
            "iss" => &mut self.iss,
            "error" => &mut self.error,
            "error_description" => &mut self.error_description,
            "error_uri" => &mut self.error_uri,
            "response_type" => &mut self.response_type,
            _ => return None,
        })
    }

    fn into_callback(self) -> Callback {
        // RFC 6749, 3.1: a parameter without a value counts as omitted.
        let state = self.state.filter(|state| !state.is_empty());
        let outcome = match (self.code, self.error) {
            (None, None) => return Callback::NotACallback,
            _ if self.repeated => return Callback::Malformed("a parameter comes twice"),
            (Some(_), Some(_)) => return Callback::Malformed("a code beside an error"),
            (Some(code), None) if code.is_empty() => return Callback::Malformed("an empty code"),
            (None, Some(error)) if error.is_empty() => {
                return Callback::Malformed("an empty error");
            }
            (Some(_), None) if state.is_none() => return Callback::Launch,
            (Some(code), None) => Outcome::Code(Secret::new(code)),
            (None, Some(error)) => Outcome::Error(ProviderError::new(
                &error,
                self.error_description.as_deref(),
                self.error_uri.as_deref(),
            )),
        };
        Callback::Answer(Answer { state, issuer: self.iss, outcome })
    }
}

impl Answer {
    /// Whether this answers the pending login that its state names. Nothing is consumed here: a bad callback must
    /// not destroy a good login.
    ///
    /// # Errors
    /// `state_unknown` for a code whose login is not there, not this client's or too old, the provider's own code for
    /// an error in the same case, and `issuer_mismatch` (RFC 9207, 2.4).
    pub fn check(&self, pending: Option<&PendingLogin>, now: f64) -> Result<(), Error> {
        let Some(pending) = pending.filter(|pending| pending.is_fresh(now)) else {
            return Err(match &self.outcome {
                Outcome::Error(error) => refusal(error.clone()),
                Outcome::Code(_) => Error::new(
                    ErrorCode::StateUnknown,
                    "no pending login for this state: it was begun in another tab or browser, is over an hour old, \
                     or was answered already; start a new login",
                ),
            });
        };
        match &self.issuer {
            Some(issuer) if *issuer == pending.issuer => Ok(()),
            Some(_) => Err(Error::new(
                ErrorCode::IssuerMismatch,
                "the callback's `iss` is another issuer's than this login's (RFC 9207)",
            )),
            None if pending.issuer_promised => Err(Error::new(
                ErrorCode::IssuerMismatch,
                "the callback has no `iss`, which the provider's metadata promises (RFC 9207)",
            )),
            None => Ok(()),
        }
    }
}

/// The provider's refusal as an error.
#[must_use]
pub fn refusal(error: ProviderError) -> Error {
    let code = ErrorCode::Provider(ProviderCode::from_error(&error.error));
    Error::new(code, "the provider answered the authorization request with an error")
        .with_provider(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pending::tests::pending;
    use proptest::prelude::*;

    fn answer(url: &str) -> Answer {
        match Callback::parse(url) {
            Callback::Answer(answer) => answer,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn a_code_with_a_state_is_an_answer() {
        let answer = answer("https://app.example/cb?a=1&code=c%2B1&state=s&response_type=code#x");
        assert_eq!(answer.state.as_deref(), Some("s"));
        assert!(matches!(answer.outcome, Outcome::Code(code) if code.expose() == "c+1"));
    }

    #[test]
    fn a_code_without_a_state_is_a_launch() {
        for url in ["/cb?code=1", "/cb?code=1&response_type=code", "/cb?code=1&state="] {
            assert!(matches!(Callback::parse(url), Callback::Launch), "{url}");
        }
    }

    #[test]
    fn neither_code_nor_error_is_no_callback() {
        for url in
            ["/cb", "/cb?", "/cb?state=1", "/cb#code=1&state=2", "/cb?#?code=1", "/cb?Code=1", ""]
        {
            assert!(matches!(Callback::parse(url), Callback::NotACallback), "{url}");
        }
    }

    #[test]
    fn what_rfc_6749_forbids_is_malformed() {
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
    fn an_error_gives_the_providers_code_whether_its_state_is_known_or_not() {
        for (url, code) in [
            ("/cb?error=access_denied&state=s", "access_denied"),
            ("/cb?error=temporarily_unavailable", "temporarily_unavailable"),
            ("/cb?error=weird", "provider_error"),
        ] {
            let error = answer(url).check(None, 0.0).unwrap_err();
            assert_eq!(error.code.as_str(), code);
        }
    }

    #[test]
    fn the_providers_words_come_with_its_error() {
        let url =
            "/cb?error=access_denied&error_description=a+b&error_uri=https%3A%2F%2Fop.example%2Fe";
        let error = answer(url).check(None, 0.0).unwrap_err();
        let words = error.provider.as_ref().unwrap();
        assert_eq!(words.error, "access_denied");
        assert_eq!(words.description.as_deref(), Some("a b"));
        assert_eq!(words.uri.as_deref(), Some("https://op.example/e"));
    }

    #[test]
    fn a_code_needs_a_fresh_login() {
        let answer = answer("/cb?code=1&state=s");
        let login = pending(1000);
        assert!(answer.check(Some(&login), 1000.0 + 3600.0).is_ok());
        assert!(answer.check(Some(&login), 0.0).is_ok(), "a clock set back makes no login old");
        for (login, now) in [(None, 1000.0), (Some(&login), 1000.0 + 3601.0)] {
            let error = answer.check(login, now).unwrap_err();
            assert_eq!(error.code, ErrorCode::StateUnknown);
        }
    }

    #[test]
    fn the_issuer_must_be_this_logins_where_it_is_sent_or_promised() {
        let plain = pending(0);
        let mut promised = pending(0);
        promised.issuer_promised = true;
        let sent = answer("/cb?code=1&state=s&iss=https://op.example");
        let missing = answer("/cb?code=1&state=s");
        assert!(sent.check(Some(&plain), 0.0).is_ok());
        assert!(sent.check(Some(&promised), 0.0).is_ok());
        assert!(missing.check(Some(&plain), 0.0).is_ok());
        for (url, login) in [
            ("/cb?code=1&state=s", &promised),
            ("/cb?code=1&state=s&iss=https://op.example/", &plain),
            ("/cb?code=1&state=s&iss=", &plain),
            ("/cb?error=access_denied&state=s&iss=https://evil.example", &plain),
        ] {
            let error = answer(url).check(Some(login), 0.0).unwrap_err();
            assert_eq!(error.code, ErrorCode::IssuerMismatch, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(url in ".*") {
            let _ = Callback::parse(&url);
        }

        #[test]
        fn a_code_is_an_answer_only_with_a_state(code in "[a-z]{1,9}", junk in "[a-z&=%0-9]{0,40}") {
            let url = format!("/cb?code={code}&{junk}");
            if let Callback::Answer(answer) = Callback::parse(&url) {
                prop_assert!(answer.state.is_some());
            }
        }
    }
}
