//! The vectors that the gateway's tests read, too: tokens, keys, token responses and URLs (`tests/vectors`).

use super::keys::AwsLc;
use super::*;
use crate::error::ErrorCode;
use crate::protocol::token::TokenResponse;
use crate::protocol::url;

/// One of the files.
macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../../tests/vectors/", $name)))
            .unwrap()
    };
}

fn cases(vectors: &Value) -> &[Value] {
    vectors.as_array().unwrap()
}

/// The expectations of every token.
struct World<'a> {
    issuer: &'a str,
    client_id: &'a str,
    nonce: &'a str,
    access_token: Secret,
    clock: TimeContext,
}

impl World<'_> {
    /// Judges a token by these keys, and by those that a fetch brings if the first do not verify it. Returns how often
    /// keys were fetched, too.
    fn validate(
        &self,
        token: &str,
        case: &Value,
        issued_for: IssuedFor<'_>,
    ) -> (Result<VerifiedIdToken, Reason>, u64) {
        let key_set = |keys: &Value| {
            KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap()
        };
        let advertised = case["advertised"].as_array().map_or(&[][..], Vec::as_slice);
        let advertised: Vec<_> = advertised.iter().map(|name| name.as_str().unwrap()).collect();
        let jws = match Jws::parse(token, &advertised.join(" ")) {
            Ok(jws) => jws,
            Err(reason) => return (Err(reason), 0),
        };
        let mut fetches = 0;
        let keys = key_set(&case["keys"]);
        let mut verified = block_on(SignatureVerifiedIdToken::verify(jws, &keys, &AwsLc));
        if let Err((Reason::KeyNotFound | Reason::Signature, jws)) = verified {
            fetches = 1;
            let later = key_set(case.get("keysAfterFetch").unwrap_or(&case["keys"]));
            verified = block_on(SignatureVerifiedIdToken::verify(jws, &later, &AwsLc));
        }
        let authentic = match verified {
            Ok(authentic) => authentic,
            Err((reason, _)) => return (Err(reason), fetches),
        };
        let expected = ExpectedClaims {
            issuer: self.issuer,
            client_id: self.client_id,
            issued_for,
            access_token: &self.access_token,
        };
        let max_age = case["maxAge"].as_u64().map(|seconds| u32::try_from(seconds).unwrap());
        let clock = TimeContext { max_age, ..self.clock };
        let judged = block_on(authentic.validate_claims(&expected, &AwsLc))
            .and_then(|checked| checked.validate_times(clock).map_err(|untimely| untimely.reason));
        (judged, fetches)
    }
}

#[test]
fn id_tokens_are_validated_as_by_the_gateway() {
    let vectors = vectors!("id-tokens.json");
    let text = |name: &str| vectors[name].as_str().unwrap();
    let world = World {
        issuer: text("issuer"),
        client_id: text("clientId"),
        nonce: text("nonce"),
        access_token: Secret::new(text("accessToken").to_owned()),
        clock: TimeContext {
            now: vectors["now"].as_f64().unwrap(),
            tolerance: vectors["tolerance"].as_f64().unwrap(),
            max_age: None,
        },
    };
    let mut tried = 0;
    for case in cases(&vectors["cases"]) {
        let name = case["name"].as_str().unwrap();
        let before = case["renews"]
            .as_str()
            .map(|token| world.validate(token, case, IssuedFor::Session).0.ok().unwrap());
        let issued_for = before.as_ref().map_or(IssuedFor::Login(world.nonce), IssuedFor::Renewal);
        let (judged, fetches) = world.validate(case["token"].as_str().unwrap(), case, issued_for);
        let outcome = match judged {
            Ok(_) => "valid",
            Err(Reason::Subject) if before.is_some() => "user_mismatch",
            Err(reason) => reason.as_str(),
        };
        assert_eq!(outcome, case["outcome"], "{name}");
        if let Some(expected) = case["fetches"].as_u64() {
            assert_eq!(fetches, expected, "{name}");
        }
        tried += 1;
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn token_responses_are_parsed_as_by_the_gateway() {
    for case in cases(&vectors!("token-responses.json")) {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = case["body"].as_str().unwrap();
        let name = &case["name"];
        let outcome = &case["outcome"];
        match TokenResponse::parse(status, body.as_bytes()) {
            Ok(tokens) => {
                let secret = |secret: &Option<Secret>| {
                    secret.as_ref().map(|secret| secret.expose().to_owned())
                };
                let text = |member: &str| outcome[member].as_str().map(str::to_owned);
                assert!(outcome.is_object(), "{name}");
                assert_eq!(Some(tokens.access_token.expose()), outcome["access_token"].as_str());
                assert_eq!(secret(&tokens.id_token), text("id_token"), "{name}");
                assert_eq!(secret(&tokens.refresh_token), text("refresh_token"), "{name}");
                assert_eq!(tokens.scope, text("scope"), "{name}");
                assert_eq!(tokens.expires_in, outcome["expires_in"].as_f64(), "{name}");
            }
            Err(error) => assert_eq!(error.code.as_str(), outcome, "{name}"),
        }
    }
}

#[test]
fn urls_are_potentially_trustworthy_as_by_the_gateway() {
    for case in cases(&vectors!("urls.json")) {
        let address = case["url"].as_str().unwrap();
        assert_eq!(url::is_potentially_trustworthy(address), case["isSecure"], "{address:?}");
    }
}

#[test]
fn key_sets_are_parsed_as_by_the_gateway() {
    for case in cases(&vectors!("jwks.json")) {
        let set = KeySet::parse(case["body"].as_str().unwrap().as_bytes());
        assert_eq!(set.is_ok(), case["isReadable"], "{}", case["name"]);
        if let Err(error) = set {
            assert_eq!(error.code, ErrorCode::KeysUnavailable);
        }
    }
}
