//! The vectors that the crate's tests and the handler's read, too (`tests/vectors`): this server judges alike.

use crate::failure::{Code, Refused};
use crate::id_token::{Expectations, NotVerified, UnverifiedIdToken};
use crate::renewal::read_token_response;
use crate::upstream::Answer;
use classlink_spa::error::Reason;
use classlink_spa::protocol::json::{self, Object};
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::secret::Secret;
use classlink_spa::protocol::user::User;
use serde_json::Value;

macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../tests/vectors/", $name))).unwrap()
    };
}

fn object(value: &Value) -> Object {
    json::parse_object(value.to_string().as_bytes()).unwrap()
}

fn key_set(keys: &Value) -> KeySet {
    KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// The claims of a token, of which nothing is checked.
fn claims_of(token: &str) -> Object {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = classlink_spa::protocol::encoding::from_base64url(payload).unwrap();
    json::parse_object(&bytes).unwrap()
}

fn outcome_of(refused: &Refused) -> &'static str {
    match refused {
        Refused::Gateway(failure) => failure.reason.unwrap_or(failure.code.as_str()),
        Refused::Provider(_) => panic!("no provider was asked"),
    }
}

/// Judges a token by these keys, and by those that a fetch brings if the first do not verify it. Returns how often keys
/// were fetched, too.
fn judge(vectors: &Value, case: &Value) -> (Result<(), Refused>, u64) {
    let text = |name: &str| vectors[name].as_str().unwrap();
    let advertised = case["advertised"].as_array().map_or(&[][..], Vec::as_slice);
    let advertised: Vec<_> = advertised.iter().map(|name| name.as_str().unwrap()).collect();
    let token =
        match UnverifiedIdToken::parse(case["token"].as_str().unwrap(), &advertised.join(" ")) {
            Ok(token) => token,
            Err(refused) => return (Err(refused), 0),
        };
    let mut fetches = 0;
    let authentic = match token.authenticate(&key_set(&case["keys"])).unwrap() {
        Err(NotVerified { token, reason: Reason::KeyNotFound | Reason::Signature }) => {
            fetches = 1;
            let later = key_set(case.get("keysAfterFetch").unwrap_or(&case["keys"]));
            token.authenticate(&later).unwrap()
        }
        judged => judged,
    };
    let authentic = match authentic {
        Ok(authentic) => authentic,
        Err(NotVerified { reason, .. }) => {
            return (Err(Refused::id_token(reason.as_str())), fetches);
        }
    };
    let renews = case["renews"].as_str().map(claims_of);
    let access_token = Secret::new(text("accessToken").to_owned());
    let expected = Expectations {
        issuer: text("issuer"),
        client_id: text("clientId"),
        access_token: &access_token,
        nonce: text("nonce"),
        renews: renews.as_ref(),
    };
    let now = vectors["now"].as_i64().unwrap();
    (authentic.check(&expected, now).map(drop), fetches)
}

#[test]
fn id_tokens_are_judged_as_the_handler_judges_them() {
    let vectors = vectors!("id-tokens.json");
    let mut tried = 0;
    for case in vectors["cases"].as_array().unwrap() {
        // Row 12 is the browser's alone.
        if case.get("maxAge").is_some() {
            continue;
        }
        let (judged, fetches) = judge(&vectors, case);
        let outcome = judged.as_ref().map_or_else(outcome_of, |()| "valid");
        assert_eq!(outcome, case["outcome"], "{}", case["name"]);
        if let Some(expected) = case["fetches"].as_u64() {
            assert_eq!(fetches, expected, "{}", case["name"]);
        }
        tried += 1;
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn token_responses_are_read_as_the_handler_reads_them() {
    for case in vectors!("token-responses.json").as_array().unwrap() {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = case["body"].as_str().unwrap().to_owned().into();
        let (name, outcome) = (&case["name"], &case["outcome"]);
        match read_token_response(&Answer { status, body }) {
            Ok(tokens) => {
                let text = |member: &str| outcome[member].as_str().map(str::to_owned);
                let shown =
                    |secret: &Option<Secret>| secret.as_ref().map(|one| one.expose().to_owned());
                assert_eq!(
                    Some(tokens.access_token.expose()),
                    outcome["access_token"].as_str(),
                    "{name}"
                );
                assert_eq!(shown(&tokens.id_token), text("id_token"), "{name}");
                assert_eq!(shown(&tokens.refresh_token), text("refresh_token"), "{name}");
                assert_eq!(tokens.scope, text("scope"), "{name}");
                assert_eq!(tokens.expires_in, outcome["expires_in"].as_f64(), "{name}");
            }
            Err(Refused::Provider(_)) => assert_eq!(outcome, "token_rejected", "{name}"),
            Err(refused) => {
                assert!(matches!(
                    refused.code(),
                    Some(Code::UpstreamInvalid | Code::UpstreamError)
                ));
                assert_eq!(outcome, "provider_response_invalid", "{name}");
            }
        }
    }
}

#[test]
fn users_of_sealed_sessions_have_the_handlers_fields() {
    for mut vector in vectors!("users.json").as_array().unwrap().clone() {
        let mut claims = vector["claims"].take();
        claims["iss"] = vector["issuer"].take();
        claims["sub"] = vector["expected"]["sub"].clone();
        let profile = [vector["userInfo"].take(), vector["myInfo"].take()];
        let profile = profile.iter().find(|members| members.is_object()).map(object);
        let user = User::from_sealed(&object(&claims), profile.as_ref());
        let expected = &vector["expected"];
        for name in ["id", "role", "rosterId", "sourcedId", "userId"] {
            assert_eq!(user.text(name), expected[name].as_str(), "{}: {name}", vector["name"]);
        }
        assert_eq!(user.tenant_id(), expected["tenant"]["id"].as_str(), "{}", vector["name"]);
        assert_eq!(user.tenant_name(), expected["tenant"]["name"].as_str(), "{}", vector["name"]);
    }
}
