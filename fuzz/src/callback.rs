//! The callback URL, and the URL of a launch: a line with the time, then the URL.

use classlink_spa::error::ErrorCode;
use classlink_spa::protocol::callback::{AuthorizationOutcome, Callback, LaunchRequest};

use crate::login::{CREATED_AT, ISSUER, STATE, pending};
use crate::reading::{number, text_line};

/// The parameters that RFC 6749 and RFC 9207 define.
const PARAMETERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "response_type"];

/// The parameters of a URL's query, as the URL Standard parses it.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(url: &str) -> Self {
        let (url, _) = url.split_once('#').unwrap_or((url, ""));
        let (_, query) = url.split_once('?').unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
}

/// Reads them, and judges an answer by the pending login.
pub fn run(mut data: &[u8]) {
    let now = number(Some(text_line(&mut data)), f64::from(CREATED_AT));
    let Ok(url) = std::str::from_utf8(data) else { return };
    let query = Query::of(url);
    launch(url, &query);

    let (code, error) = (query.first("code"), query.first("error"));
    let state = query.first("state").filter(|state| !state.is_empty());
    let is_nothing = code.is_none() && error.is_none();
    let is_malformed = !is_nothing
        && (PARAMETERS.iter().any(|name| query.all(name).len() > 1)
            || code.is_some() == error.is_some()
            || code.or(error) == Some(""));
    let answer = match Callback::parse(url) {
        Callback::NotACallback => return assert!(is_nothing, "it was passed over"),
        Callback::Malformed(_) => return assert!(is_malformed, "it was refused"),
        Callback::Launch => {
            return assert!(!is_malformed && code.is_some() && state.is_none(), "no launch");
        }
        Callback::Response(answer) => answer,
    };
    assert!(!is_nothing && !is_malformed, "it was taken");
    assert!(state.is_some() || error.is_some(), "a code without a state");
    assert_eq!(answer.state.as_deref(), state);
    assert_eq!(answer.issuer.as_deref(), query.first("iss"));
    let refusal = match &answer.outcome {
        AuthorizationOutcome::Code(answered) => {
            assert_eq!(Some(answered.expose()), code);
            assert_eq!(format!("{:?}", answer.outcome), "Code(Secret(…))", "the code shows");
            None
        }
        AuthorizationOutcome::Error(words) => {
            let cut = |text: &str, most| text.chars().take(most).collect::<String>();
            assert_eq!(Some(words.error.clone()), error.map(|text| cut(text, 100)));
            let description = query.first("error_description").map(|text| cut(text, 500));
            assert_eq!(words.description, description);
            assert_eq!(words.uri, query.first("error_uri").map(|text| cut(text, 500)));
            Some(words)
        }
    };

    let unknown = answer.validate(None, now).unwrap_err();
    assert_eq!(unknown.code == ErrorCode::StateUnknown, refusal.is_none());
    for promised in [None, Some("true")] {
        let login = pending(&[("issuer_promised", promised)]);
        // Where the client looks: under the state that it made.
        let found = (answer.state.as_deref() == Some(STATE)).then_some(&login);
        let is_fresh = now - f64::from(CREATED_AT) <= 3600.0;
        let is_its_issuers = match query.first("iss") {
            Some(issuer) => issuer == ISSUER,
            None => promised.is_none(),
        };
        let is_accepted = answer.validate(found, now).is_ok();
        assert_eq!(is_accepted, state == Some(STATE) && is_fresh && is_its_issuers);
    }
}

/// Of a parameter that comes twice the first counts, whichever it is.
fn launch(url: &str, query: &Query) {
    let launch = LaunchRequest::parse(url);
    assert_eq!(launch.issuer.as_deref(), query.first("iss"));
    assert_eq!(launch.login_hint.as_deref(), query.first("login_hint"));
    assert_eq!(launch.target.as_deref(), query.first("target_link_uri"));
}
