//! The authorization request (RFC 6749, 4.1.1; `OpenID` Connect Core 1.0, 3.1.2.1).

use super::ascii;
use super::pkce::CodeVerifier;
use super::url::append_query;

/// An authorization request for a code.
pub struct AuthorizationRequest<'a> {
    /// The authorization endpoint.
    pub endpoint: &'a str,
    /// `client_id`.
    pub client_id: &'a str,
    /// `redirect_uri`.
    pub redirect_uri: &'a str,
    /// `scope`, values separated by spaces.
    pub scope: &'a str,
    /// `state`.
    pub state: &'a str,
    /// The source of `code_challenge` and `nonce`.
    pub verifier: &'a CodeVerifier,
    /// Further parameters of the application: names and values.
    pub extra_params: &'a [(&'a str, &'a str)],
}

impl AuthorizationRequest<'_> {
    /// Builds the request's URL. The endpoint's own query is kept (RFC 6749, 3.1).
    #[must_use]
    pub fn url(&self) -> String {
        let endpoint = ascii::until(self.endpoint, b'#');
        let nonce = self.verifier.nonce();
        let challenge = self.verifier.challenge();
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scope),
            ("state", self.state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend_from_slice(self.extra_params);
        append_query(endpoint, &parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, extra_params: &[(&str, &str)]) -> String {
        let request = AuthorizationRequest {
            endpoint,
            client_id: "c1 & co",
            redirect_uri: "https://app.example/callback",
            scope: "openid profile",
            state: "st",
            verifier: &CodeVerifier::from_random(&[7; 32]),
            extra_params,
        };
        request.url()
    }

    fn pairs(url: &str) -> Vec<(String, String)> {
        let (_, query) = url.split_once('?').unwrap();
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn authorization_request_has_every_parameter_of_the_code_flow_with_pkce() {
        let verifier = CodeVerifier::from_random(&[7; 32]);
        let url = url("https://op.example/auth", &[]);
        let expected = [
            ("response_type", "code"),
            ("client_id", "c1 & co"),
            ("redirect_uri", "https://app.example/callback"),
            ("scope", "openid profile"),
            ("state", "st"),
            ("nonce", &verifier.nonce()),
            ("code_challenge", &verifier.challenge()),
            ("code_challenge_method", "S256"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs(&url), expected);
        assert!(!url.contains(verifier.expose()));
    }

    #[test]
    fn authorization_request_adds_the_applications_parameters() {
        let extra_params = [
            ("prompt", "login"),
            ("login_hint", "ana"),
            ("ui_locales", "es en"),
            ("acr_values", "mfa"),
            ("theme", "a=b&c"),
            ("max_age", "0"),
        ];
        let pairs = pairs(&url("https://op.example/auth", &extra_params));
        let last: Vec<_> = pairs.iter().skip(8).map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(last, extra_params);
    }

    #[test]
    fn authorization_request_keeps_the_endpoints_query_and_drops_its_fragment() {
        let url = url("https://op.example/auth?tenant=5#x", &[]);
        assert!(url.starts_with("https://op.example/auth?tenant=5&response_type=code&"));
        assert!(!url.contains('#'));
    }
}
