//! The authorization request (RFC 6749, 4.1.1; `OpenID` Connect Core 1.0, 3.1.2.1).

use form_urlencoded::Serializer;

use super::pkce::CodeVerifier;

/// An authorization request for a code.
pub struct AuthorizationRequest<'a> {
    /// Where it goes.
    pub endpoint: &'a str,
    /// `client_id`.
    pub client_id: &'a str,
    /// `redirect_uri`.
    pub redirect_uri: &'a str,
    /// `scope`, values separated by spaces.
    pub scope: &'a str,
    /// `state`.
    pub state: &'a str,
    /// Gives `code_challenge` and `nonce`.
    pub verifier: &'a CodeVerifier,
    /// What the application may ask beyond that.
    pub wishes: &'a Wishes,
}

/// What an application may ask of one login.
#[derive(Clone, Default)]
pub struct Wishes {
    /// `prompt`.
    pub prompt: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// `max_age`, in seconds.
    pub max_age: Option<u32>,
    /// `ui_locales`, separated by spaces.
    pub ui_locales: Option<String>,
    /// `acr_values`, separated by spaces.
    pub acr_values: Option<String>,
    /// Parameters of the provider's own.
    pub extra_params: Vec<(String, String)>,
}

impl AuthorizationRequest<'_> {
    /// The URL to leave for. The endpoint's own query is kept (RFC 6749, 3.1).
    #[must_use]
    pub fn url(&self) -> String {
        let endpoint = self.endpoint.split('#').next().unwrap_or_default();
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", self.scope)
            .append_pair("state", self.state)
            .append_pair("nonce", &self.verifier.nonce())
            .append_pair("code_challenge", &self.verifier.challenge())
            .append_pair("code_challenge_method", "S256");
        let wishes = self.wishes;
        let max_age = wishes.max_age.map(|seconds| seconds.to_string());
        for (name, value) in [
            ("prompt", &wishes.prompt),
            ("login_hint", &wishes.login_hint),
            ("max_age", &max_age),
            ("ui_locales", &wishes.ui_locales),
            ("acr_values", &wishes.acr_values),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        for (name, value) in &wishes.extra_params {
            query.append_pair(name, value);
        }
        let joint = if endpoint.contains('?') { "&" } else { "?" };
        [endpoint, joint, &query.finish()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, wishes: &Wishes) -> String {
        let request = AuthorizationRequest {
            endpoint,
            client_id: "c1 & co",
            redirect_uri: "https://app.example/callback",
            scope: "openid profile",
            state: "st",
            verifier: &CodeVerifier::from_random(&[7; 32]),
            wishes,
        };
        request.url()
    }

    fn pairs(url: &str) -> Vec<(String, String)> {
        let (_, query) = url.split_once('?').unwrap();
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn it_carries_every_parameter_of_the_code_flow_with_pkce() {
        let verifier = CodeVerifier::from_random(&[7; 32]);
        let url = url("https://op.example/auth", &Wishes::default());
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
    fn it_carries_what_the_application_asked_for_and_no_more() {
        let wishes = Wishes {
            prompt: Some("login".into()),
            login_hint: Some("ana".into()),
            max_age: Some(0),
            ui_locales: Some("es en".into()),
            acr_values: Some("mfa".into()),
            extra_params: vec![("theme".into(), "a=b&c".into())],
        };
        let pairs = pairs(&url("https://op.example/auth", &wishes));
        let last: Vec<_> = pairs.iter().skip(8).map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            last,
            [
                ("prompt", "login"),
                ("login_hint", "ana"),
                ("max_age", "0"),
                ("ui_locales", "es en"),
                ("acr_values", "mfa"),
                ("theme", "a=b&c"),
            ]
        );
    }

    #[test]
    fn the_endpoints_own_query_is_kept_and_its_fragment_is_not() {
        let url = url("https://op.example/auth?tenant=5#x", &Wishes::default());
        assert!(url.starts_with("https://op.example/auth?tenant=5&response_type=code&"));
        assert!(!url.contains('#'));
    }
}
