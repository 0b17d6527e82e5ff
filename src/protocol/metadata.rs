//! The provider's metadata (`OpenID` Connect Discovery 1.0, sections 3 and 4): known, configured or discovered.

use serde::Serialize;

use super::json::{self, Object};
use super::{CLASSLINK_ISSUER, url};
use crate::error::{Error, ErrorCode};

/// Where the user's fields come from beyond the ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// From nowhere.
    IdToken,
    /// From the `UserInfo` endpoint (`OpenID` Connect Core 1.0, 5.3).
    Userinfo,
    /// From `ClassLink`'s `/v2/my/info`.
    MyInfo,
}

impl Profile {
    /// The profile of the configuration's word for it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "id-token" => Self::IdToken,
            "userinfo" => Self::Userinfo,
            "my-info" => Self::MyInfo,
            _ => return None,
        })
    }
}

/// The endpoints that a callback needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoints {
    /// The token endpoint.
    pub token: String,
    /// The key set.
    pub jwks: String,
    /// `UserInfo` or my-info, where the profile comes from there.
    pub profile: Option<String>,
}

impl Endpoints {
    /// Reads stored endpoints; `None` where a secret must not be sent to one of them.
    #[must_use]
    pub fn from_stored(members: &Object) -> Option<Self> {
        let text = |name| json::text(members, name).map(str::to_owned);
        let endpoints =
            Self { token: text("token")?, jwks: text("jwks")?, profile: text("profile") };
        endpoints.are_secure().then_some(endpoints)
    }

    /// Whether a secret may be sent to each of them.
    #[must_use]
    pub fn are_secure(&self) -> bool {
        let profile = self.profile.as_deref();
        [self.token.as_str(), &self.jwks].into_iter().chain(profile).all(url::is_secure)
    }

    /// The endpoints of a gateway, which stands in for the provider's.
    fn of_gateway(gateway: &str, profile: Profile) -> Self {
        let at = |path| [gateway, path].concat();
        Self {
            token: at("/token"),
            jwks: at("/jwks"),
            profile: match profile {
                Profile::IdToken => None,
                Profile::Userinfo => Some(at("/userinfo")),
                Profile::MyInfo => Some(at("/my-info")),
            },
        }
    }
}

/// All that a login needs to know of its provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The authorization endpoint.
    pub authorization_endpoint: String,
    /// The others.
    pub endpoints: Endpoints,
    /// The advertised signing algorithms of ID tokens.
    pub algorithms: Vec<String>,
    /// Whether the callback will carry `iss` (RFC 9207, section 3).
    pub issuer_promised: bool,
}

/// Metadata as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    authorization: Option<String>,
    token: Option<String>,
    jwks: Option<String>,
    userinfo: Option<String>,
    my_info: Option<String>,
    algorithms: Option<Vec<String>>,
    issuer_promised: Option<bool>,
}

impl Metadata {
    /// What is known without asking: `ClassLink`'s own endpoints, for its own issuer.
    #[must_use]
    pub fn known(issuer: &str) -> Self {
        if issuer != CLASSLINK_ISSUER {
            return Self::default();
        }
        let at = |path| Some([CLASSLINK_ISSUER, path].concat());
        Self {
            authorization: at("/oauth2/v2/auth"),
            token: at("/oauth2/v2/token"),
            jwks: at("/oauth2/v2/jwks"),
            userinfo: Some("https://nodeapi.classlink.com/v2/my/profileinfo".to_owned()),
            my_info: Some("https://nodeapi.classlink.com/v2/my/info".to_owned()),
            algorithms: None,
            issuer_promised: None,
        }
    }

    /// Reads the members that are there.
    ///
    /// # Errors
    /// The name of a member that has the wrong type or an endpoint that is neither https nor on a loopback host.
    pub fn read(members: &Object) -> Result<Self, &'static str> {
        let endpoint = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(value) => {
                let endpoint = value.as_str().filter(|endpoint| url::is_secure(endpoint));
                endpoint.map(|endpoint| Some(endpoint.to_owned())).ok_or(name)
            }
        };
        let algorithms = "id_token_signing_alg_values_supported";
        let promised = "authorization_response_iss_parameter_supported";
        Ok(Self {
            authorization: endpoint("authorization_endpoint")?,
            token: endpoint("token_endpoint")?,
            jwks: endpoint("jwks_uri")?,
            userinfo: endpoint("userinfo_endpoint")?,
            my_info: endpoint("my_info_endpoint")?,
            algorithms: match members.get(algorithms) {
                None => None,
                Some(_) => Some(json::strings(members, algorithms).ok_or(algorithms)?),
            },
            issuer_promised: match members.get(promised) {
                None => None,
                Some(value) => Some(value.as_bool().ok_or(promised)?),
            },
        })
    }

    /// Reads a discovery document (Discovery 1.0, 4.2 and 4.3).
    ///
    /// # Errors
    /// `discovery_invalid` where it is not JSON, another issuer's, or an endpoint is missing or not https.
    pub fn from_discovery(document: &[u8], issuer: &str) -> Result<Self, Error> {
        let code = ErrorCode::DiscoveryInvalid;
        let members = json::object(document)
            .ok_or_else(|| Error::new(code, "the discovery document is not a JSON object"))?;
        if json::string(&members, "issuer") != Some(issuer) {
            let message =
                "the discovery document's `issuer` is not the configured one, to the letter";
            return Err(Error::new(code, message));
        }
        for required in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            if !members.contains_key(required) {
                return Err(Error::about(required, code, " is missing in the discovery document"));
            }
        }
        Self::read(&members).map_err(|name| {
            Error::about(name, code, " in the discovery document is of the wrong type or not https")
        })
    }

    /// These members, and `other`'s where these are missing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            authorization: self.authorization.or(other.authorization),
            token: self.token.or(other.token),
            jwks: self.jwks.or(other.jwks),
            userinfo: self.userinfo.or(other.userinfo),
            my_info: self.my_info.or(other.my_info),
            algorithms: self.algorithms.or(other.algorithms),
            issuer_promised: self.issuer_promised.or(other.issuer_promised),
        }
    }

    /// The provider, where every endpoint is known that this profile needs; behind a gateway that is the
    /// authorization endpoint alone.
    #[must_use]
    pub fn complete(&self, profile: Profile, gateway: Option<&str>) -> Option<Provider> {
        let endpoints = match gateway {
            Some(gateway) => Endpoints::of_gateway(gateway, profile),
            None => Endpoints {
                token: self.token.clone()?,
                jwks: self.jwks.clone()?,
                profile: match profile {
                    Profile::IdToken => None,
                    Profile::Userinfo => Some(self.userinfo.clone()?),
                    Profile::MyInfo => Some(self.my_info.clone()?),
                },
            },
        };
        Some(Provider {
            authorization_endpoint: self.authorization.clone()?,
            endpoints,
            // Discovery 1.0, section 3: RS256 is the algorithm that every provider supports.
            algorithms: self.algorithms.clone().unwrap_or_else(|| vec!["RS256".to_owned()]),
            issuer_promised: self.issuer_promised.unwrap_or(false),
        })
    }
}

/// Where an issuer's discovery document lies (Discovery 1.0, 4.1).
#[must_use]
pub fn discovery_url(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    [base, "/.well-known/openid-configuration"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://op.example";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://op.example/auth",
            "token_endpoint": "https://op.example/token",
            "jwks_uri": "https://op.example/jwks",
            "userinfo_endpoint": "https://api.op.example/me",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": true,
            "something_else": [1, 2],
        })
    }

    fn discover(document: &Value) -> Result<Metadata, Error> {
        Metadata::from_discovery(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn classlinks_endpoints_are_known_for_its_own_issuer_alone() {
        let provider = Metadata::known(CLASSLINK_ISSUER).complete(Profile::MyInfo, None).unwrap();
        assert_eq!(provider.endpoints.token, "https://launchpad.classlink.com/oauth2/v2/token");
        assert_eq!(
            provider.endpoints.profile.as_deref(),
            Some("https://nodeapi.classlink.com/v2/my/info")
        );
        assert_eq!(provider.algorithms, ["RS256"]);
        assert!(provider.endpoints.are_secure());
        let other = Metadata::known("https://launchpad.classlink.com/");
        assert!(other.complete(Profile::IdToken, None).is_none());
    }

    #[test]
    fn a_profile_has_the_configurations_word() {
        for (name, profile) in [
            ("id-token", Some(Profile::IdToken)),
            ("userinfo", Some(Profile::Userinfo)),
            ("my-info", Some(Profile::MyInfo)),
            ("My-Info", None),
            ("", None),
        ] {
            assert_eq!(Profile::from_name(name), profile, "{name}");
        }
    }

    #[test]
    fn a_discovery_document_gives_the_provider() {
        let provider = discover(&document()).unwrap().complete(Profile::Userinfo, None).unwrap();
        assert_eq!(provider.authorization_endpoint, "https://op.example/auth");
        assert_eq!(provider.endpoints.profile.as_deref(), Some("https://api.op.example/me"));
        assert_eq!(provider.algorithms, ["RS256", "ES256"]);
        assert!(provider.issuer_promised);
    }

    #[test]
    fn a_document_that_is_not_this_issuers_or_not_whole_is_refused() {
        let changes = [
            ("issuer", json!("https://op.example/")),
            ("issuer", json!(null)),
            ("authorization_endpoint", json!("http://op.example/auth")),
            ("token_endpoint", json!(5)),
            ("token_endpoint", json!(null)),
            ("jwks_uri", json!("https://op.example@evil.example/jwks")),
            ("userinfo_endpoint", json!("javascript:alert(1)")),
            ("id_token_signing_alg_values_supported", json!("RS256")),
            ("id_token_signing_alg_values_supported", json!([1])),
            ("authorization_response_iss_parameter_supported", json!("true")),
        ];
        for (name, value) in changes {
            let mut document = document();
            document[name] = value;
            assert_eq!(
                discover(&document).unwrap_err().code,
                ErrorCode::DiscoveryInvalid,
                "{name}"
            );
        }
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "issuer"] {
            let mut document = document();
            document.as_object_mut().unwrap().remove(name);
            assert_eq!(
                discover(&document).unwrap_err().code,
                ErrorCode::DiscoveryInvalid,
                "{name}"
            );
        }
        for bytes in [&b"<html>"[..], b"[]", b"", b"\xff{}"] {
            assert!(Metadata::from_discovery(bytes, ISSUER).is_err());
        }
    }

    #[test]
    fn configured_members_win_over_discovered_ones() {
        let configured = json!({ "token_endpoint": "https://other.example/token" });
        let configured = Metadata::read(configured.as_object().unwrap()).unwrap();
        let provider = configured.or(discover(&document()).unwrap());
        let provider = provider.complete(Profile::IdToken, None).unwrap();
        assert_eq!(provider.endpoints.token, "https://other.example/token");
        assert_eq!(provider.endpoints.jwks, "https://op.example/jwks");
    }

    #[test]
    fn behind_a_gateway_only_the_authorization_endpoint_is_the_providers() {
        let configured = json!({ "authorization_endpoint": "https://op.example/auth" });
        let metadata = Metadata::read(configured.as_object().unwrap()).unwrap();
        assert!(metadata.complete(Profile::IdToken, None).is_none());
        let provider =
            metadata.complete(Profile::MyInfo, Some("https://app.example/auth")).unwrap();
        assert_eq!(provider.endpoints.token, "https://app.example/auth/token");
        assert_eq!(provider.endpoints.jwks, "https://app.example/auth/jwks");
        assert_eq!(provider.endpoints.profile.as_deref(), Some("https://app.example/auth/my-info"));
    }

    #[test]
    fn the_document_lies_beneath_the_issuer() {
        let expected = "https://op.example/a/.well-known/openid-configuration";
        assert_eq!(discovery_url("https://op.example/a"), expected);
        assert_eq!(discovery_url("https://op.example/a/"), expected);
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Metadata::from_discovery(&bytes, ISSUER);
        }
    }
}
