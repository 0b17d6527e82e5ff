//! The vectors that the crate's tests and the handler's read, too (`tests/vectors`): this server judges alike.

use crate::config::tests::settings_with;
use crate::cookies::{RequestCookies, registration_key};
use crate::failure::{Code, Refused};
use crate::id_token::{Expectations, NotVerified, UnverifiedIdToken};
use crate::renewal::read_token_response;
use crate::seal::SealingKeys;
use crate::sealed_form;
use crate::secure_url::is_secure_url;
use crate::session::{Session, Sessions, Tenant};
use crate::upstream::ProviderResponse;
use classlink_spa::error::Reason;
use classlink_spa::protocol::encoding::{base64url, from_base64url};
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

/// Returns the claims of a token, of which nothing is checked.
fn claims_of(token: &str) -> Object {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = from_base64url(payload).unwrap();
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
fn urls_are_secure_as_by_the_handler() {
    for vectors in [vectors!("urls.json"), vectors!("server-urls.json")] {
        for case in vectors.as_array().unwrap() {
            let url = case["url"].as_str().unwrap();
            assert_eq!(is_secure_url(url), case["isSecure"], "{url:?}");
        }
    }
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
        match read_token_response(&ProviderResponse { status, body, date: None }) {
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

/// Returns a session as the vectors write it.
fn session(vector: &Value) -> Session {
    let text = |name: &str| vector[name].as_str().map(str::to_owned);
    let seconds = |name: &str| vector[name].as_i64();
    let tenant = |members: &Value| Tenant {
        id: members["id"].as_str().unwrap().to_owned(),
        name: members["name"].as_str().map(str::to_owned),
    };
    Session {
        id: text("id").unwrap(),
        order: vector["order"].as_u64().unwrap(),
        is_provisional: vector["isProvisional"] == true,
        id_token: text("idToken").unwrap(),
        access_token: text("accessToken").unwrap(),
        token_type: text("tokenType").unwrap(),
        refresh_token: text("refreshToken"),
        scope: text("scope"),
        nonce: text("nonce").unwrap(),
        created_at: seconds("createdAt").unwrap(),
        last_used_at: seconds("lastUsedAt").unwrap(),
        obtained_at: seconds("obtainedAt").unwrap(),
        expires_at: seconds("expiresAt"),
        tenant: vector.get("tenant").map(tenant),
        user_mark: text("userMark"),
        device_key: text("deviceKey"),
    }
}

fn sealing(vectors: &Value) -> (SealingKeys, Vec<u8>) {
    let keys = vectors["sealingKeys"].as_array().unwrap();
    let keys: Vec<_> =
        keys.iter().map(|key| from_base64url(key.as_str().unwrap()).unwrap()).collect();
    let (issuer, client_id) = (&vectors["issuer"], &vectors["clientId"]);
    let context = serde_json::json!(["classlink-spa session 2", issuer, client_id]);
    (SealingKeys::derive(&keys).unwrap(), context.to_string().into_bytes())
}

/// Opens a sealed session. Returns it with whether its key is no longer the first.
fn open(vectors: &Value, sealed: &Value) -> Option<(Session, bool)> {
    let (keys, context) = sealing(vectors);
    let (packed, is_outdated) = keys.open(sealed.as_str().unwrap(), &context)?;
    Some((sealed_form::unpack(&packed)?.0, is_outdated))
}

#[test]
fn sealed_sessions_have_the_bytes_that_the_handler_seals() {
    let vectors = vectors!("sealed-sessions.json");
    let (keys, context) = sealing(&vectors);
    for case in vectors["written"].as_array().unwrap() {
        let packed = sealed_form::pack(&session(&case["session"])).unwrap();
        assert_eq!(base64url(&packed), case["content"], "{}", case["name"]);
        let nonce = from_base64url(case["nonce"].as_str().unwrap()).unwrap();
        let sealed = keys.seal_with(nonce.try_into().unwrap(), &packed, &context).unwrap();
        assert_eq!(sealed, case["sealed"], "{}", case["name"]);
    }
}

#[test]
fn sealed_sessions_open_as_in_the_handler_and_others_do_not() {
    let vectors = vectors!("sealed-sessions.json");
    let cases = |name: &str| vectors[name].as_array().unwrap().clone();
    for case in [cases("written"), cases("read")].concat() {
        let opened = open(&vectors, &case["sealed"]);
        let expected = (session(&case["session"]), case["isOutdated"] == true);
        assert!(opened == Some(expected), "{}", case["name"]);
    }
    for case in cases("refused") {
        assert!(open(&vectors, &case["sealed"]).is_none(), "{}", case["name"]);
    }
}

#[test]
fn cookies_hold_the_session_that_the_handler_finds() {
    let vectors = vectors!("sealed-sessions.json");
    let settings = settings_with(&serde_json::json!({
        "issuer": vectors["issuer"],
        "clients": [{
            "clientId": vectors["clientId"],
            "clientSecret": "s3cret",
            "redirectUris": ["https://app.example/callback"],
        }],
        "sealingKeys": vectors["sealingKeys"],
    }));
    let sessions = Sessions::new(&settings).unwrap();
    let client = settings.client(vectors["clientId"].as_str().unwrap()).unwrap();
    let now = vectors["now"].as_i64().unwrap();
    for case in vectors["cookies"].as_array().unwrap() {
        let cookies = RequestCookies::parse(case["cookies"].as_str().unwrap());
        let found = sessions.find(client, &cookies, now);
        let id = found.newest().map(|open| open.session.id.as_str());
        assert_eq!(id, case["session"].as_str(), "{}", case["name"]);
    }
}

#[test]
fn cookies_are_written_as_the_handler_writes_them() {
    let vectors = vectors!("sealed-sessions.json");
    let lines = &vectors["lines"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = registration_key(vectors["clientId"].as_str().unwrap());
    let cookies = RequestCookies::parse("").registration(&key);
    for case in lines["sealed"].as_array().unwrap() {
        let written = cookies.write_sealed(&text(&case["tag"]), &text(&case["sealed"]));
        assert_eq!(serde_json::json!(written), case["lines"]);
    }
    for case in lines["since"].as_array().unwrap() {
        assert_eq!(cookies.write_since(case["order"].as_u64().unwrap()), [text(&case["line"])]);
    }
    let ended = &lines["ended"];
    assert_eq!(cookies.write_ended(&text(&ended["tag"])), ended["line"]);
    let proof = &lines["proof"];
    let written = cookies.write_proof(&text(&proof["tag"]), &text(&proof["proof"]), 300);
    assert_eq!(written, proof["line"]);
}
