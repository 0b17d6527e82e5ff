//! The provider's metadata as the gateway uses it (`OpenID` Connect Discovery 1.0, section 3).

use classlink_spa::protocol::CLASSLINK_ISSUER;
use classlink_spa::protocol::json::Object;

use crate::secure_url::is_secure_url;

/// The endpoints that may be configured.
pub const ENDPOINTS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "my_info_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
];

/// The member that lists the signature algorithms of ID tokens.
pub const ALGORITHMS: &str = "id_token_signing_alg_values_supported";

/// The member that lists how the token endpoint takes the client secret.
pub const AUTH_METHODS: &str = "token_endpoint_auth_methods_supported";

/// Endpoints and capabilities of a provider, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the members of the metadata")]
pub struct Metadata {
    pub token: Option<String>,
    pub jwks: Option<String>,
    pub userinfo: Option<String>,
    pub my_info: Option<String>,
    pub revocation: Option<String>,
    pub algorithms: Option<Vec<String>>,
    pub auth_methods: Option<Vec<String>>,
}

impl Metadata {
    /// Returns what is known of `ClassLink`, for its own issuer. Its documentation shows the secret in the form.
    #[must_use]
    pub fn known(issuer: &str) -> Self {
        if issuer != CLASSLINK_ISSUER {
            return Self::default();
        }
        let members = classlink_spa::protocol::metadata::builtin_metadata(issuer);
        let endpoint = |name| members.get_str(name).map(str::to_owned);
        Self {
            token: endpoint("token_endpoint"),
            jwks: endpoint("jwks_uri"),
            userinfo: endpoint("userinfo_endpoint"),
            my_info: endpoint("my_info_endpoint"),
            revocation: None,
            algorithms: Some(vec!["RS256".to_owned()]),
            auth_methods: Some(vec!["client_secret_post".to_owned()]),
        }
    }

    /// Returns this metadata, with what it lacks from another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            token: self.token.or(other.token),
            jwks: self.jwks.or(other.jwks),
            userinfo: self.userinfo.or(other.userinfo),
            my_info: self.my_info.or(other.my_info),
            revocation: self.revocation.or(other.revocation),
            algorithms: self.algorithms.or(other.algorithms),
            auth_methods: self.auth_methods.or(other.auth_methods),
        }
    }

    /// Returns whether it names what every sign-in needs.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.token.is_some() && self.jwks.is_some()
    }

    /// Reads a discovery document (Discovery 1.0, 4.2 and 4.3); `None` if it is another issuer's, or one of its endpoints
    /// is neither https nor on a loopback host.
    #[must_use]
    pub fn from_discovery(members: &Object, issuer: &str) -> Option<Self> {
        if members.get_str("issuer") != Some(issuer) {
            return None;
        }
        let endpoint = |name| match members.get(name) {
            None => Some(None),
            Some(endpoint) => {
                let endpoint = endpoint.as_str().filter(|endpoint| is_secure_url(endpoint))?;
                Some(Some(endpoint.to_owned()))
            }
        };
        let texts = |name| {
            let values = members.get(name)?.as_array()?;
            Some(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
        };
        Some(Self {
            token: endpoint("token_endpoint")?,
            jwks: endpoint("jwks_uri")?,
            userinfo: endpoint("userinfo_endpoint")?,
            my_info: endpoint("my_info_endpoint")?,
            revocation: endpoint("revocation_endpoint")?,
            algorithms: texts(ALGORITHMS),
            auth_methods: texts(AUTH_METHODS),
        })
    }

    /// Returns the advertised signature algorithms of ID tokens, separated by spaces; empty if none is.
    #[must_use]
    pub fn advertised_algorithms(&self) -> String {
        self.algorithms.as_deref().unwrap_or_default().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use classlink_spa::protocol::json;

    fn read(document: &str) -> Option<Metadata> {
        let members = json::parse_document(document.as_bytes()).unwrap();
        Metadata::from_discovery(&members, "https://op.example")
    }

    #[test]
    fn discovery_document_gives_endpoints_and_algorithms() {
        let found = read(
            r#"{"issuer":"https://op.example","token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/k",
                "id_token_signing_alg_values_supported":["RS256",5,"ES256"],"other":null}"#,
        )
        .unwrap();
        assert!(found.is_usable());
        assert_eq!(found.advertised_algorithms(), "RS256 ES256");
        assert_eq!(found.userinfo, None);
    }

    #[test]
    fn another_issuers_document_and_an_insecure_endpoint_are_refused() {
        assert_eq!(read(r#"{"issuer":"https://op.example/"}"#), None);
        assert_eq!(read(r"{}"), None);
        for value in ["\"http://op.example/t\"", "5", "null"] {
            let document = format!(r#"{{"issuer":"https://op.example","token_endpoint":{value}}}"#);
            assert_eq!(read(&document), None, "{value}");
        }
    }

    #[test]
    fn configured_endpoint_wins_over_a_known_one() {
        let configured =
            Metadata { token: Some("https://t.example".to_owned()), ..Metadata::default() };
        let all = configured.or(Metadata::known(CLASSLINK_ISSUER));
        assert_eq!(all.token.as_deref(), Some("https://t.example"));
        assert!(all.is_usable());
        assert!(!Metadata::known("https://op.example").is_usable());
    }
}
