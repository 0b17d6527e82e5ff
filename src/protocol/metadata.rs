//! The provider's metadata (`OpenID` Connect Discovery 1.0, sections 3 and 4): built in, configured or discovered.

use std::rc::Rc;

use super::json::{self, Object, Value};
use super::{CLASSLINK_ISSUER, url};
use crate::error::{Error, ErrorCode};

const AUTHORIZATION: &str = "authorization_endpoint";
const ENDPOINTS: [&str; 5] =
    [AUTHORIZATION, "token_endpoint", "jwks_uri", "userinfo_endpoint", "my_info_endpoint"];
const END_SESSION: &str = "end_session_endpoint";
const REVOCATION: &str = "revocation_endpoint";
const ALGORITHMS: &str = "id_token_signing_alg_values_supported";
/// The endpoint of `UserInfo` or my-info, as the configuration's `profile` chooses.
const PROFILE: &str = "profile_endpoint";
const ISSUER_PROMISED: &str = "authorization_response_iss_parameter_supported";

/// The source of the user's fields beyond the ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileSource {
    /// The ID token alone.
    IdToken,
    /// The `UserInfo` endpoint (`OpenID` Connect Core 1.0, 5.3).
    Userinfo,
    /// `ClassLink`'s `/v2/my/info`.
    MyInfo,
}

impl ProfileSource {
    /// Parses the configuration's `profile`.
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

/// Copies the members that are needed after the authorization request: not its endpoint, and not the verifier.
fn without_login_secrets(members: &Object) -> Object {
    let mut needed = Object::default();
    for (name, value) in members.strings() {
        if name != AUTHORIZATION && name != "verifier" {
            needed.insert_str(name, value);
        }
    }
    needed
}

/// The metadata of a provider that a login and its session need. Members are strings, so that a pending login can store
/// them beside its own.
#[derive(Clone)]
pub struct ProviderMetadata(Rc<Object>);

impl ProviderMetadata {
    /// Reads the metadata in a pending login.
    pub(super) fn from_pending_login(members: &Object) -> Self {
        Self(Rc::new(without_login_secrets(members)))
    }

    /// Returns the members that a pending login stores, under the names that it uses.
    pub(super) fn members(&self) -> Object {
        without_login_secrets(&self.0)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get_str(name).unwrap_or_default()
    }

    /// Returns the authorization endpoint.
    #[must_use]
    pub fn authorization_endpoint(&self) -> &str {
        self.text(AUTHORIZATION)
    }

    /// Returns the token endpoint, or the gateway's.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        self.text("token_endpoint")
    }

    /// Returns the URL of the JWK Set, or of the gateway's copy.
    #[must_use]
    pub fn jwks_uri(&self) -> &str {
        self.text("jwks_uri")
    }

    /// Returns the endpoint of `UserInfo` or my-info, if the user's profile comes from there.
    #[must_use]
    pub fn profile_endpoint(&self) -> Option<&str> {
        self.0.get_str(PROFILE)
    }

    /// Returns the supported signature algorithms of ID tokens, separated by spaces.
    #[must_use]
    pub fn algorithms(&self) -> &str {
        self.text("algorithms")
    }

    /// Returns whether authorization responses have `iss` (RFC 9207, section 3).
    #[must_use]
    pub fn iss_parameter_supported(&self) -> bool {
        self.0.contains_key("issuer_promised")
    }

    /// Returns the endpoint that signs the user out at the provider (RP-Initiated Logout 1.0, section 2).
    #[must_use]
    pub fn end_session_endpoint(&self) -> Option<&str> {
        self.0.get_str(END_SESSION)
    }

    /// Returns the endpoint that revokes tokens (RFC 7009).
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.0.get_str(REVOCATION)
    }
}

/// Checks the members that are present.
///
/// # Errors
/// The name of a member that has the wrong type, or of an endpoint that is neither https nor on a loopback host.
pub fn check(members: &Object) -> Result<(), &'static str> {
    for name in ENDPOINTS {
        if let Some(endpoint) = members.get(name)
            && !endpoint.as_str().is_some_and(url::is_potentially_trustworthy)
        {
            return Err(name);
        }
    }
    if members.contains_key(ALGORITHMS) && members.get_joined_strings(ALGORITHMS).is_none() {
        return Err(ALGORITHMS);
    }
    if members.get(ISSUER_PROMISED).is_some_and(|promised| promised.as_bool().is_none()) {
        return Err(ISSUER_PROMISED);
    }
    Ok(())
}

/// Returns `ClassLink`'s endpoints for its own issuer, and nothing for any other.
#[must_use]
pub fn builtin_metadata(issuer: &str) -> Object {
    let mut members = Object::default();
    if issuer == CLASSLINK_ISSUER {
        for (name, endpoint) in ENDPOINTS.into_iter().zip([
            "https://launchpad.classlink.com/oauth2/v2/auth",
            "https://launchpad.classlink.com/oauth2/v2/token",
            "https://launchpad.classlink.com/oauth2/v2/jwks",
            "https://nodeapi.classlink.com/v2/my/profileinfo",
            "https://nodeapi.classlink.com/v2/my/info",
        ]) {
            members.insert_str(name, endpoint);
        }
    }
    members
}

/// Parses a discovery document (Discovery 1.0, 4.2 and 4.3).
///
/// # Errors
/// `discovery_invalid` if it is not JSON, is another issuer's, or an endpoint is missing or not https.
pub fn from_discovery(document: &[u8], issuer: &str) -> Result<Object, Error> {
    let code = ErrorCode::DiscoveryInvalid;
    let members = json::parse_object(document)
        .ok_or_else(|| Error::new(code, "the discovery document is not a JSON object"))?;
    if members.get_str("issuer") != Some(issuer) {
        let message = "the discovery document's `issuer` is not exactly the configured one";
        return Err(Error::new(code, message));
    }
    for required in ENDPOINTS.into_iter().take(3) {
        if !members.contains_key(required) {
            return Err(Error::with_subject(
                required,
                code,
                " is missing in the discovery document",
            ));
        }
    }
    check(&members).map_err(|name| {
        Error::with_subject(
            name,
            code,
            " in the discovery document is of the wrong type or not https",
        )
    })?;
    Ok(members)
}

impl ProviderMetadata {
    /// Merges layers of metadata, of which earlier ones override later ones. `None` if an endpoint that this profile needs
    /// is in none of them; behind a gateway only the authorization endpoint is needed.
    #[must_use]
    pub fn merge(
        layers: &[&Object],
        profile: ProfileSource,
        gateway: Option<&str>,
    ) -> Option<Self> {
        let find = |name: &str| layers.iter().find(|layer| layer.contains_key(name)).copied();
        let known = |name: &str| find(name)?.get_str(name);
        let mut members = Object::default();
        members.insert_str(AUTHORIZATION, known(AUTHORIZATION)?);
        let mut insert_endpoint = |name: &str, of: &str, path: &str| {
            let endpoint = match gateway {
                Some(gateway) => [gateway, path].concat(),
                None => known(of)?.to_owned(),
            };
            members.insert(name, Value::String(endpoint));
            Some(())
        };
        insert_endpoint("token_endpoint", "token_endpoint", "/token")?;
        insert_endpoint("jwks_uri", "jwks_uri", "/jwks")?;
        match profile {
            ProfileSource::IdToken => {}
            ProfileSource::Userinfo => insert_endpoint(PROFILE, "userinfo_endpoint", "/userinfo")?,
            ProfileSource::MyInfo => insert_endpoint(PROFILE, "my_info_endpoint", "/my-info")?,
        }
        // Optional endpoints are ignored if they are not secure. A gateway revokes tokens itself.
        for (name, wanted) in [(END_SESSION, true), (REVOCATION, gateway.is_none())] {
            if let Some(endpoint) =
                known(name).filter(|url| wanted && url::is_potentially_trustworthy(url))
            {
                members.insert_str(name, endpoint);
            }
        }
        // Discovery 1.0, section 3: every provider supports RS256.
        let algorithms = find(ALGORITHMS).and_then(|layer| layer.get_joined_strings(ALGORITHMS));
        members.insert_str("algorithms", algorithms.as_deref().unwrap_or("RS256"));
        if find(ISSUER_PROMISED).and_then(|layer| layer.get(ISSUER_PROMISED)?.as_bool())
            == Some(true)
        {
            members.insert_str("issuer_promised", "true");
        }
        Some(Self(Rc::new(members)))
    }
}

/// Returns the URL of an issuer's discovery document (Discovery 1.0, 4.1).
#[must_use]
pub fn discovery_url(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    [base, "/.well-known/openid-configuration"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    const ISSUER: &str = "https://op.example";

    fn read(members: &Json) -> Object {
        json::parse_object(members.to_string().as_bytes()).unwrap()
    }

    fn document() -> Json {
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

    fn discover(document: &Json) -> Result<Object, Error> {
        from_discovery(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn classlink_endpoints_are_built_in_for_its_own_issuer_alone() {
        let provider = ProviderMetadata::merge(
            &[&builtin_metadata(CLASSLINK_ISSUER)],
            ProfileSource::MyInfo,
            None,
        )
        .unwrap();
        assert_eq!(provider.token_endpoint(), "https://launchpad.classlink.com/oauth2/v2/token");
        assert_eq!(provider.profile_endpoint(), Some("https://nodeapi.classlink.com/v2/my/info"));
        assert_eq!(provider.algorithms(), "RS256");
        assert_eq!(check(&builtin_metadata(CLASSLINK_ISSUER)), Ok(()));
        let other = builtin_metadata("https://launchpad.classlink.com/");
        assert!(ProviderMetadata::merge(&[&other], ProfileSource::IdToken, None).is_none());
    }

    #[test]
    fn profile_source_is_parsed_from_its_exact_name() {
        for (name, profile) in [
            ("id-token", Some(ProfileSource::IdToken)),
            ("userinfo", Some(ProfileSource::Userinfo)),
            ("my-info", Some(ProfileSource::MyInfo)),
            ("My-Info", None),
            ("", None),
        ] {
            assert_eq!(ProfileSource::from_name(name), profile, "{name}");
        }
    }

    #[test]
    fn discovery_document_gives_the_metadata() {
        let provider = discover(&document()).unwrap();
        let provider =
            ProviderMetadata::merge(&[&provider], ProfileSource::Userinfo, None).unwrap();
        assert_eq!(provider.authorization_endpoint(), "https://op.example/auth");
        assert_eq!(provider.profile_endpoint(), Some("https://api.op.example/me"));
        assert_eq!(provider.algorithms(), "RS256 ES256");
        assert!(provider.iss_parameter_supported());
    }

    #[test]
    fn discovery_document_of_another_issuer_or_with_a_bad_member_is_refused() {
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
            assert!(from_discovery(bytes, ISSUER).is_err());
        }
    }

    #[test]
    fn configured_members_override_discovered_ones() {
        let configured = json!({ "token_endpoint": "https://other.example/token" });
        let layers = [&read(&configured), &discover(&document()).unwrap()];
        let provider = ProviderMetadata::merge(&layers, ProfileSource::IdToken, None).unwrap();
        assert_eq!(provider.token_endpoint(), "https://other.example/token");
        assert_eq!(provider.jwks_uri(), "https://op.example/jwks");
    }

    #[test]
    fn gateway_replaces_every_endpoint_but_the_authorization_endpoint() {
        let configured = json!({ "authorization_endpoint": "https://op.example/auth" });
        let layers = [&read(&configured)];
        assert!(ProviderMetadata::merge(&layers, ProfileSource::IdToken, None).is_none());
        let configured = json!({
            "authorization_endpoint": "https://op.example/auth",
            "end_session_endpoint": "https://op.example/end",
            "revocation_endpoint": "https://op.example/revoke",
        });
        let layers = [&read(&configured)];
        let gateway = Some("https://app.example/auth");
        let provider = ProviderMetadata::merge(&layers, ProfileSource::MyInfo, gateway).unwrap();
        assert_eq!(provider.token_endpoint(), "https://app.example/auth/token");
        assert_eq!(provider.jwks_uri(), "https://app.example/auth/jwks");
        assert_eq!(provider.profile_endpoint(), Some("https://app.example/auth/my-info"));
        assert_eq!(provider.end_session_endpoint(), Some("https://op.example/end"));
        assert_eq!(provider.revocation_endpoint(), None, "the gateway revokes");
        let direct = ProviderMetadata::merge(
            &[&discover(&document()).unwrap(), layers[0]],
            ProfileSource::IdToken,
            None,
        );
        assert_eq!(direct.unwrap().revocation_endpoint(), Some("https://op.example/revoke"));
    }

    #[test]
    fn insecure_end_session_and_revocation_endpoints_are_ignored() {
        for value in [json!("http://op.example/end"), json!("javascript:alert(1)"), json!(5)] {
            let mut document = document();
            document["end_session_endpoint"] = value.clone();
            document["revocation_endpoint"] = value;
            let provider = discover(&document).unwrap();
            let provider =
                ProviderMetadata::merge(&[&provider], ProfileSource::IdToken, None).unwrap();
            assert_eq!(provider.end_session_endpoint(), None);
            assert_eq!(provider.revocation_endpoint(), None);
        }
    }

    #[test]
    fn discovery_url_is_below_the_issuer() {
        let expected = "https://op.example/a/.well-known/openid-configuration";
        assert_eq!(discovery_url("https://op.example/a"), expected);
        assert_eq!(discovery_url("https://op.example/a/"), expected);
    }

    proptest! {
        #[test]
        fn from_discovery_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = from_discovery(&bytes, ISSUER);
        }
    }
}
