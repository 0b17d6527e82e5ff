//! The provider's metadata, and the authorization request that it makes: a line with the profile and, if there is
//! one, `gateway`, then the discovery document.

use classlink_spa::protocol::authorization::AuthorizationRequest;
use classlink_spa::protocol::metadata::{ProfileSource, ProviderMetadata, from_discovery};
use classlink_spa::protocol::pending::PendingLogin;
use serde_json::Value;
use url::Url;

use crate::login::{CLIENT_ID, CREATED_AT, ISSUER, STATE, verifier};
use crate::reading::{object, text, text_line};
use crate::url::endpoint;

const GATEWAY: &str = "https://app.example/auth";

/// Reads the document, and holds what is taken to Discovery 1.0, 4.2 and 4.3.
pub fn run(mut data: &[u8]) {
    let mut words = text_line(&mut data).split_ascii_whitespace();
    let profile = words.next().and_then(ProfileSource::from_name).unwrap_or(ProfileSource::IdToken);
    let gateway = words.next().filter(|word| *word == "gateway").map(|_| GATEWAY);
    let Ok(discovered) = from_discovery(data, ISSUER) else { return };
    let members = object(data).expect("it is no JSON object");
    assert_eq!(text(&members, "issuer"), Some(ISSUER));
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        endpoint(text(&members, name).expect("an endpoint is missing"));
    }
    for name in ["userinfo_endpoint", "my_info_endpoint"] {
        assert_eq!(text(&members, name).is_some(), members.contains_key(name));
        text(&members, name).into_iter().for_each(endpoint);
    }

    let provider = ProviderMetadata::merge(&[&discovered], profile, gateway);
    let wanted = match profile {
        ProfileSource::IdToken => None,
        ProfileSource::Userinfo => Some("userinfo_endpoint"),
        ProfileSource::MyInfo => Some("my_info_endpoint"),
    };
    let is_whole = gateway.is_some() || wanted.is_none_or(|name| members.contains_key(name));
    assert_eq!(provider.is_some(), is_whole);
    let Some(provider) = provider else { return };
    assert_eq!(text(&members, "authorization_endpoint"), Some(provider.authorization_endpoint()));
    if gateway.is_none() {
        assert_eq!(text(&members, "token_endpoint"), Some(provider.token_endpoint()));
        assert_eq!(text(&members, "jwks_uri"), Some(provider.jwks_uri()));
        assert_eq!(wanted.and_then(|name| text(&members, name)), provider.profile_endpoint());
    } else {
        assert_eq!(provider.token_endpoint(), [GATEWAY, "/token"].concat());
        assert_eq!(provider.jwks_uri(), [GATEWAY, "/jwks"].concat());
        assert!(provider.profile_endpoint().is_none_or(|url| url.starts_with(GATEWAY)));
        assert_eq!(provider.revocation_endpoint(), None);
    }
    provider.end_session_endpoint().into_iter().for_each(endpoint);
    provider.revocation_endpoint().into_iter().for_each(endpoint);
    let promised = members.get("authorization_response_iss_parameter_supported");
    assert_eq!(provider.iss_parameter_supported(), promised.and_then(Value::as_bool) == Some(true));
    let advertised = members.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
    let advertised =
        advertised.map(|names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    let advertised = advertised.map_or_else(|| "RS256".to_owned(), |names| names.join(" "));
    assert!(
        provider.algorithms().split_ascii_whitespace().eq(advertised.split_ascii_whitespace()),
        "other algorithms than the provider's"
    );
    leave(&provider);
}

/// The request goes to the endpoint and says all that it must, whatever the endpoint's own query says before; and what
/// is kept of the provider meanwhile is the same.
fn leave(provider: &ProviderMetadata) {
    let verifier = verifier();
    let request = AuthorizationRequest {
        endpoint: provider.authorization_endpoint(),
        client_id: CLIENT_ID,
        redirect_uri: "https://app.example/cb",
        scope: "openid profile",
        state: STATE,
        verifier: &verifier,
        extra_params: &[("login_hint", "ana & co")],
    };
    if let Ok(endpoint) = Url::parse(provider.authorization_endpoint()) {
        let url = Url::parse(&request.url()).expect("the request's URL is none");
        assert_eq!((url.origin(), url.path()), (endpoint.origin(), endpoint.path()));
        assert_eq!(url.fragment(), None);
        let asked: Vec<_> = url.query_pairs().into_owned().collect();
        let own = asked.len() - 9;
        assert_eq!(endpoint.query_pairs().into_owned().collect::<Vec<_>>(), asked[..own]);
        let (nonce, challenge) = (verifier.nonce(), verifier.challenge());
        let expected = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", "https://app.example/cb"),
            ("scope", "openid profile"),
            ("state", STATE),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", "ana & co"),
        ];
        assert_eq!(asked[own..], expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let members = ["client_id", "redirect_uri", "issuer", "scope", "return_to", "support_code"];
    let login =
        PendingLogin::new(verifier, CREATED_AT, provider, &members.map(|name| (name, Some("x"))));
    let kept = PendingLogin::from_stored(&login.to_stored()).expect("it can't be read again");
    let kept = kept.provider();
    assert_eq!(kept.token_endpoint(), provider.token_endpoint());
    assert_eq!(kept.jwks_uri(), provider.jwks_uri());
    assert_eq!(kept.algorithms(), provider.algorithms());
    assert_eq!(kept.profile_endpoint(), provider.profile_endpoint());
    assert_eq!(kept.iss_parameter_supported(), provider.iss_parameter_supported());
}
