//! ID token validation: each check with its reason and its boundaries, on signed tokens.

mod keys;
mod signatures;
mod vectors;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use serde_json::{Value, json};

use self::keys::{AwsLc, SigningKey};
use super::*;
use crate::protocol::json::tests::to_serde;

const ISSUER: &str = "https://op.example";
const NOW: f64 = 1_700_000_000.0;

/// Every algorithm that is supported.
const ALL: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

fn advertised(names: &[&str]) -> String {
    names.join(" ")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Polls until the future is ready. The futures of these tests wait for nothing.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Valid claims.
fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "8708718",
        "aud": "c1",
        "nonce": "n1",
        "iat": 1_699_999_990,
        "exp": 1_700_086_390,
    })
}

fn expected(access_token: &Secret) -> ExpectedClaims<'_> {
    ExpectedClaims {
        issuer: ISSUER,
        client_id: "c1",
        issued_for: IssuedFor::Login("n1"),
        access_token,
    }
}

fn clock(now: f64, max_age: Option<u32>) -> TimeContext {
    TimeContext { now, tolerance: 60.0, max_age }
}

fn good_clock() -> TimeContext {
    clock(NOW, None)
}

/// Verifies the signature.
fn authentic(claims: &Value) -> SignatureVerifiedIdToken {
    let key = SigningKey::ed25519();
    let token = key.sign(&json!({ "alg": "EdDSA" }), claims);
    let jws = Jws::parse(&token, &advertised(&["EdDSA"])).unwrap();
    block_on(SignatureVerifiedIdToken::verify(jws, &key.key_set(), &AwsLc)).ok().unwrap()
}

/// Validates all but the times.
fn check(claims: &Value) -> Result<ClaimsValidatedIdToken, Reason> {
    let access_token = secret("opaque");
    block_on(authentic(claims).validate_claims(&expected(&access_token), &AwsLc))
}

/// Validates everything.
fn validate(claims: &Value, clock: TimeContext) -> Result<VerifiedIdToken, Reason> {
    check(claims)?.validate_times(clock).map_err(|untimely| untimely.reason)
}

/// A verified ID token with these claims, for other modules' tests. `iss` is `https://op.example`, `sub` `8708718` and
/// the other required claims are what they must be, unless they are given.
pub(crate) fn verified(given: Value) -> VerifiedIdToken {
    let mut claims = claims();
    for (name, value) in given.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    let access_token = secret("opaque");
    let expected = ExpectedClaims {
        issuer: &text("iss"),
        client_id: &text("aud"),
        issued_for: IssuedFor::Login(&text("nonce")),
        access_token: &access_token,
    };
    let checked = block_on(authentic(&claims).validate_claims(&expected, &AwsLc)).unwrap();
    let now = claims["iat"].as_f64().unwrap();
    checked.validate_times(clock(now, None)).ok().unwrap()
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Values of every JSON type.
fn of_every_type() -> [Value; 7] {
    [
        json!(null),
        json!(true),
        json!(5),
        json!("text"),
        json!(""),
        json!(["text"]),
        json!({ "a": 1 }),
    ]
}

#[test]
fn id_token_like_classlinks_is_accepted() {
    let claims = json!({
        "iss": ISSUER,
        "sub": "8708718",
        "aud": "c1",
        "nonce": "n1",
        "iat": 1_699_999_990,
        "exp": 1_700_086_390,
        "auth_time": 1_699_999_900,
        "profile": "Teacher",
        "address": { "locality": "Springfield Public Schools", "region": "IL" },
    });
    let token = validate(&claims, good_clock()).ok().unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), "8708718");
    assert_eq!(to_serde(token.claims()), claims);
    assert_eq!(token.claims_text(), claims.to_string());
    assert_eq!(token.auth_time(), Some(1_699_999_900.0));
    assert_eq!(
        json!([token.issued_at(), token.expires_at()]),
        json!([1_699_999_990.0, 1_700_086_390.0])
    );
    let token = validate(&super::tests::claims(), good_clock()).ok().unwrap();
    assert_eq!(token.auth_time(), None);
}

#[test]
fn claim_that_is_missing_or_of_the_wrong_type_fails_with_its_own_reason() {
    for (name, reason, right_type) in [
        ("iss", Reason::Issuer, "text"),
        ("aud", Reason::Audience, "text"),
        ("sub", Reason::Subject, "text"),
        ("nonce", Reason::Nonce, "text"),
        ("exp", Reason::Expired, "number"),
        ("iat", Reason::IssuedInFuture, "number"),
    ] {
        let refused = validate(&without(name), good_clock()).err();
        assert_eq!(refused, Some(reason), "{name} missing");
        for value in of_every_type() {
            if right_type == "number" && value.is_number() || name == "sub" && value == "text" {
                continue;
            }
            let refused = validate(&with(name, value.clone()), good_clock()).err();
            assert_eq!(refused, Some(reason), "{name}: {value}");
        }
    }
    for (name, reason) in [("azp", Reason::AuthorizedParty), ("at_hash", Reason::AtHash)] {
        for value in of_every_type() {
            let refused = validate(&with(name, value.clone()), good_clock()).err();
            assert_eq!(refused, Some(reason), "{name}: {value}");
        }
    }
    for value in of_every_type().into_iter().filter(|value| !value.is_number()) {
        let refused = validate(&with("nbf", value.clone()), good_clock()).err();
        assert_eq!(refused, Some(Reason::NotYetValid), "nbf: {value}");
        let asked = clock(NOW, Some(3600));
        let refused = validate(&with("auth_time", value.clone()), asked).err();
        assert_eq!(refused, Some(Reason::AuthTime), "auth_time: {value}");
        assert!(
            validate(&with("auth_time", value), good_clock()).is_ok(),
            "`max_age` was not requested"
        );
    }
}

#[test]
fn iss_is_compared_exactly() {
    for issuer in [
        "https://op.example/",
        "https://OP.example",
        "http://op.example",
        "https://op.example.evil",
    ] {
        assert_eq!(check(&with("iss", issuer)).err(), Some(Reason::Issuer), "{issuer}");
    }
}

#[test]
fn aud_must_be_or_contain_the_client_id() {
    for audience in [
        json!("c2"),
        json!("C1"),
        json!("c1 "),
        json!([]),
        json!(["c2"]),
        json!(["c2", "c3"]),
        json!(["c1", 5]),
        json!([["c1"]]),
        json!({ "c1": "c1" }),
    ] {
        let refused = check(&with("aud", audience.clone())).err();
        assert_eq!(refused, Some(Reason::Audience), "{audience}");
    }
    for audience in [json!("c1"), json!(["c1"])] {
        let mut claims = with("aud", audience);
        assert!(check(&claims).is_ok());
        claims["azp"] = json!("c1");
        assert!(check(&claims).is_ok());
        claims["azp"] = json!("c2");
        assert_eq!(check(&claims).err(), Some(Reason::AuthorizedParty));
    }
}

#[test]
fn azp_is_required_with_several_audiences_and_must_be_the_client_id() {
    for audience in [json!(["c1", "c2"]), json!(["c2", "c1"]), json!(["c1", "c1"])] {
        let mut claims = with("aud", audience.clone());
        assert_eq!(check(&claims).err(), Some(Reason::AuthorizedParty), "{audience}");
        claims["azp"] = json!("c2");
        assert_eq!(check(&claims).err(), Some(Reason::AuthorizedParty), "{audience}");
        claims["azp"] = json!("c1");
        assert!(check(&claims).is_ok(), "{audience}");
    }
    let mut claims = with("aud", json!(["c2", "c3"]));
    claims["azp"] = json!("c1");
    assert_eq!(check(&claims).err(), Some(Reason::Audience), "`azp` alone is not an audience");
}

#[test]
fn sub_must_have_1_to_255_characters() {
    for subject in ["a".to_owned(), "a".repeat(255), "é".repeat(255)] {
        let checked = check(&with("sub", subject.clone())).ok().unwrap();
        assert_eq!(checked.0.claims.get_str("sub"), Some(subject.as_str()));
    }
    for subject in [String::new(), "a".repeat(256), "é".repeat(256)] {
        assert_eq!(check(&with("sub", subject)).err(), Some(Reason::Subject));
    }
}

#[test]
fn nonce_must_be_this_logins() {
    for nonce in ["n2", "N1", "n1 ", ""] {
        assert_eq!(check(&with("nonce", nonce)).err(), Some(Reason::Nonce), "{nonce}");
    }
}

#[test]
fn token_is_refused_after_exp_plus_the_tolerance() {
    let claims = with("exp", 1_700_000_000);
    for now in [NOW - 1.0, NOW, NOW + 59.0, NOW + 59.9] {
        assert!(validate(&claims, clock(now, None)).is_ok(), "{now}");
    }
    // RFC 7519, 4.1.4: not on the expiration time nor after it.
    for now in [NOW + 60.0, NOW + 61.0, NOW + 3600.0] {
        let refused = validate(&claims, clock(now, None)).err();
        assert_eq!(refused, Some(Reason::Expired), "{now}");
    }
    let strict = TimeContext { now: NOW, tolerance: 0.0, max_age: None };
    assert_eq!(validate(&claims, strict).err(), Some(Reason::Expired));
    let just_before = TimeContext { now: NOW - 0.1, ..strict };
    assert!(validate(&claims, just_before).is_ok());
}

#[test]
fn token_is_refused_before_iat_minus_the_tolerance() {
    let claims = with("iat", 1_700_000_000);
    for now in [NOW - 59.0, NOW - 60.0, NOW, NOW + 80_000.0] {
        assert!(validate(&claims, clock(now, None)).is_ok(), "{now}");
    }
    for now in [NOW - 61.0, NOW - 3600.0] {
        let refused = validate(&claims, clock(now, None)).err();
        assert_eq!(refused, Some(Reason::IssuedInFuture), "{now}");
    }
}

#[test]
fn token_is_refused_before_nbf_minus_the_tolerance() {
    assert!(!claims().as_object().unwrap().contains_key("nbf"));
    let claims = with("nbf", 1_700_000_050);
    for now in [NOW + 50.0, NOW, NOW - 10.0] {
        assert!(validate(&claims, clock(now, None)).is_ok(), "{now}");
    }
    for now in [NOW - 11.0, NOW - 60.0] {
        let refused = validate(&claims, clock(now, None)).err();
        assert_eq!(refused, Some(Reason::NotYetValid), "{now}");
    }
}

#[test]
fn times_may_have_fractions_and_any_magnitude() {
    assert!(validate(&with("exp", 1_700_000_000.5), good_clock()).is_ok());
    assert!(validate(&with("exp", 1e300), good_clock()).is_ok());
    assert!(validate(&with("iat", -1e300), good_clock()).is_ok());
    assert_eq!(validate(&with("exp", -1e300), good_clock()).err(), Some(Reason::Expired));
    assert_eq!(validate(&with("iat", u64::MAX), good_clock()).err(), Some(Reason::IssuedInFuture));
}

#[test]
fn token_is_refused_when_the_time_is_nan() {
    assert_eq!(validate(&claims(), clock(f64::NAN, None)).err(), Some(Reason::Expired));
    let clock = TimeContext { now: NOW, tolerance: f64::NAN, max_age: None };
    assert_eq!(validate(&claims(), clock).err(), Some(Reason::Expired));
}

/// The first token and its hash are those of Core 1.0, appendix A.3; the longer ones are
/// `printf %s "$token" | openssl sha384 -binary | head -c 24 | basenc --base64url` and the like.
#[test]
fn at_hash_must_be_the_access_tokens() {
    let access_token = secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let keys = [SigningKey::rsa(), SigningKey::p256(), SigningKey::p384(), SigningKey::ed25519()];
    let [rsa, p256, p384, ed25519] = &keys;
    let (half_256, half_384, half_512) = (
        "77QmUPtjPfzWtF2AnpK9RQ",
        "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs",
        "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM",
    );
    for (key, name, half) in [
        (rsa, "RS256", half_256),
        (rsa, "RS384", half_384),
        (rsa, "RS512", half_512),
        (rsa, "PS256", half_256),
        (rsa, "PS384", half_384),
        (rsa, "PS512", half_512),
        (p256, "ES256", half_256),
        (p384, "ES384", half_384),
        (ed25519, "EdDSA", half_512),
    ] {
        let check = |hash: &str| {
            let token = key.sign(&json!({ "alg": name }), &with("at_hash", hash));
            let jws = Jws::parse(&token, &advertised(&[name])).unwrap();
            let authentic = block_on(SignatureVerifiedIdToken::verify(jws, &key.key_set(), &AwsLc));
            block_on(authentic.ok().unwrap().validate_claims(&expected(&access_token), &AwsLc))
                .err()
        };
        for hash in [half_256, half_384, half_512] {
            let outcome = (hash != half).then_some(Reason::AtHash);
            assert_eq!(check(hash), outcome, "{name} {hash}");
        }
        let (padded, longer) = ([half, "="].concat(), [half, "AA"].concat());
        for hash in [&padded, &longer, ""] {
            assert_eq!(check(hash), Some(Reason::AtHash), "{name} {hash}");
        }
    }
    let foreign = secret("another access token");
    let token = authentic(&with("at_hash", half_512));
    assert_eq!(
        block_on(token.validate_claims(&expected(&foreign), &AwsLc)).err(),
        Some(Reason::AtHash)
    );
}

#[test]
fn token_is_refused_when_the_platform_cannot_compute_at_hash() {
    struct NoDigests;
    impl CryptoProvider for NoDigests {
        async fn verify(
            &self,
            _: Jwk<'_>,
            _: Algorithm,
            _: &[u8],
            _: &[u8],
        ) -> Result<bool, VerifyError> {
            Ok(true)
        }

        async fn digest(&self, _: Hash, _: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }
    let access_token = secret("opaque");
    let hash = at_hash(&block_on(AwsLc.digest(Hash::Sha512, b"opaque")).unwrap());
    let checked = |claims: &Value| {
        let token = authentic(claims);
        block_on(token.validate_claims(&expected(&access_token), &NoDigests)).err()
    };
    assert_eq!(checked(&with("at_hash", hash)), Some(Reason::AtHash));
    assert_eq!(checked(&claims()), None, "a token without the claim needs no digest");
}

#[test]
fn auth_time_must_be_within_the_requested_max_age() {
    let asked = |auth_time: f64, max_age| {
        validate(&with("auth_time", auth_time), clock(NOW, Some(max_age))).err()
    };
    for (age, max_age) in [(0.0, 3600), (3600.0, 3600), (3660.0, 3600), (60.0, 0), (-60.0, 0)] {
        assert_eq!(asked(NOW - age, max_age), None, "{age} of {max_age}");
    }
    for (age, max_age) in [(3661.0, 3600), (61.0, 0), (-61.0, 3600), (1e12, u32::MAX)] {
        assert_eq!(asked(NOW - age, max_age), Some(Reason::AuthTime), "{age} of {max_age}");
    }
    assert_eq!(validate(&claims(), clock(NOW, Some(3600))).err(), Some(Reason::AuthTime));
    assert!(validate(&with("auth_time", 0), good_clock()).is_ok(), "`max_age` was not requested");
}

/// All checks fail at first, and are mended in their order: each time the next one gives the reason; those that
/// depend on a clock come last, so that a better clock is asked for only if it can help.
#[test]
fn first_check_that_fails_gives_the_reason() {
    let mut claims = json!({
        "iss": "https://evil.example",
        "aud": ["c2"],
        "azp": "c2",
        "sub": "",
        "nonce": "n2",
        "at_hash": "wrong",
        "exp": 1,
        "iat": 1_800_000_000,
        "nbf": 1_800_000_000,
        "auth_time": 1,
    });
    let digest = block_on(AwsLc.digest(Hash::Sha512, b"opaque"));
    for (name, right, reason) in [
        ("iss", json!(ISSUER), Reason::Issuer),
        ("aud", json!("c1"), Reason::Audience),
        ("azp", json!("c1"), Reason::AuthorizedParty),
        ("sub", json!("8708718"), Reason::Subject),
        ("nonce", json!("n1"), Reason::Nonce),
        ("at_hash", json!(at_hash(&digest.unwrap())), Reason::AtHash),
        ("exp", json!(1_800_000_000), Reason::Expired),
        ("iat", json!(1_699_999_990), Reason::IssuedInFuture),
        ("nbf", json!(1_699_999_990), Reason::NotYetValid),
        ("auth_time", json!(1_699_999_990), Reason::AuthTime),
    ] {
        assert_eq!(validate(&claims, clock(NOW, Some(60))).err(), Some(reason), "{name}");
        claims[name] = right;
    }
    assert!(validate(&claims, clock(NOW, Some(60))).is_ok());
}

#[test]
fn token_that_fails_by_one_clock_can_be_validated_by_another() {
    for (now, reason) in
        [(NOW + 26.0 * 3600.0, Reason::Expired), (NOW - 26.0 * 3600.0, Reason::IssuedInFuture)]
    {
        let untimely =
            check(&claims()).ok().unwrap().validate_times(clock(now, None)).err().unwrap();
        assert_eq!(untimely.reason, reason);
        let again = untimely.token.validate_times(clock(now, None)).err().unwrap();
        assert_eq!(again.reason, reason);
        let token = again.token.validate_times(good_clock()).ok().unwrap();
        assert_eq!(token.subject(), "8708718");
        assert_eq!(to_serde(token.claims()), claims());
    }
}

#[test]
fn last_of_duplicate_claims_is_validated_and_returned() {
    let key = SigningKey::ed25519();
    let honest = claims().to_string();
    let twice = honest.replacen('{', r#"{"sub":"1","iss":"https://evil.example","#, 1);
    let token = key.sign_text(&json!({ "alg": "EdDSA" }), &twice);
    let jws = Jws::parse(&token, &advertised(&["EdDSA"])).unwrap();
    let authentic =
        block_on(SignatureVerifiedIdToken::verify(jws, &key.key_set(), &AwsLc)).ok().unwrap();
    let access_token = secret("opaque");
    let token = block_on(authentic.validate_claims(&expected(&access_token), &AwsLc))
        .unwrap()
        .validate_times(good_clock())
        .ok()
        .unwrap();
    assert_eq!(token.subject(), "8708718");
    assert_eq!(token.claims().get_str("sub"), Some("8708718"));
}

/// JSON of any shape, with the names and values that matter among the random ones.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!(ISSUER)),
        Just(json!("c1")),
        Just(json!(1_700_000_000)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = prop_oneof![
        proptest::sample::select(vec![
            "iss",
            "sub",
            "aud",
            "azp",
            "nonce",
            "exp",
            "iat",
            "nbf",
            "at_hash",
            "auth_time",
            "__proto__",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    proptest::collection::vec((name, any_json()), 0..6)
}

proptest! {
    #[test]
    fn validation_of_any_claims_never_panics_and_accepts_valid_ones_alone(
        changes in any_claims(),
        now in prop_oneof![Just(NOW), any::<f64>()],
        max_age: Option<u32>,
    ) {
        let mut claims = claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        if let Ok(token) = validate(&claims, clock(now, max_age)) {
            prop_assert_eq!(token.issuer(), ISSUER);
            prop_assert_eq!(&claims["iss"], ISSUER);
            prop_assert_eq!(&claims["nonce"], "n1");
            prop_assert_eq!(&claims["sub"], token.subject());
            prop_assert!(claims["aud"] == "c1" || claims["aud"][0] == "c1");
            prop_assert!(token.expires_at() + 60.0 > now && token.issued_at() - 60.0 <= now);
        }
    }
}

proptest! {
    /// The provider has signed it, and yet it is another issuer's, another client's or another login's.
    #[test]
    fn claim_with_any_character_changed_is_refused(
        name in proptest::sample::select(vec!["iss", "aud", "nonce"]),
        at: proptest::sample::Index,
        to: char,
    ) {
        let mut text: Vec<_> = claims()[name].as_str().unwrap().chars().collect();
        let at = at.index(text.len());
        prop_assume!(text[at] != to);
        text[at] = to;
        let text: String = text.into_iter().collect();
        prop_assert!(validate(&with(name, text.as_str()), good_clock()).is_err());
        prop_assert!(validate(&with(name, json!([text])), good_clock()).is_err());
    }

    #[test]
    fn other_values_of_a_claim_are_refused(
        name in proptest::sample::select(vec!["iss", "aud", "nonce", "azp", "at_hash", "exp", "iat", "nbf"]),
        value in any_json(),
    ) {
        let is_same = value == ISSUER || value == "c1" || value == json!(["c1"]);
        prop_assume!(!value.is_number() && !is_same);
        prop_assert!(validate(&with(name, value), good_clock()).is_err());
    }

    #[test]
    fn times_outside_the_tolerance_are_refused(by in 61.0..1e15) {
        for (name, time) in [("exp", NOW - by), ("iat", NOW + by), ("nbf", NOW + by)] {
            prop_assert!(validate(&with(name, time), good_clock()).is_err(), "{}", name);
        }
    }
}

fn check_from(issued_for: IssuedFor<'_>, claims: &Value) -> Option<Reason> {
    let access_token = secret("opaque");
    let expected = ExpectedClaims { issued_for, ..expected(&access_token) };
    block_on(authentic(claims).validate_claims(&expected, &AwsLc)).err()
}

#[test]
fn id_token_of_a_gateway_session_may_have_any_nonce() {
    assert_eq!(check_from(IssuedFor::Session, &claims()), None);
    assert_eq!(check_from(IssuedFor::Session, &without("nonce")), None);
    assert_eq!(check_from(IssuedFor::Session, &with("iss", "x")), Some(Reason::Issuer));
    assert_eq!(check_from(IssuedFor::Session, &with("aud", "x")), Some(Reason::Audience));
    assert_eq!(check_from(IssuedFor::Session, &with("at_hash", "x")), Some(Reason::AtHash));
}

#[test]
fn renewed_id_token_keeps_sub_aud_azp_auth_time_and_nonce() {
    let before = verified(json!({ "auth_time": 1_699_999_000, "azp": "c1" }));
    let renewed = || {
        let mut claims = claims();
        claims["auth_time"] = json!(1_699_999_000);
        claims["azp"] = json!("c1");
        claims["iat"] = json!(1_700_003_600);
        claims["exp"] = json!(1_700_090_000);
        claims
    };
    let judge = |claims: &Value| check_from(IssuedFor::Renewal(&before), claims);
    assert_eq!(judge(&renewed()), None);
    for (name, value, reason) in [
        ("iss", Some(json!("https://other.example")), Some(Reason::Issuer)),
        ("sub", Some(json!("8708719")), Some(Reason::Subject)),
        ("aud", Some(json!(["c1"])), None),
        ("aud", Some(json!(["c1", "api"])), Some(Reason::Audience)),
        ("azp", None, Some(Reason::AuthorizedParty)),
        ("auth_time", Some(json!(1_699_999_001)), Some(Reason::AuthTime)),
        ("auth_time", None, None),
        ("nonce", Some(json!("n2")), Some(Reason::Nonce)),
        ("nonce", Some(json!(null)), Some(Reason::Nonce)),
        ("nonce", None, None),
    ] {
        let mut claims = renewed();
        match &value {
            Some(value) => claims[name] = value.clone(),
            None => drop(claims.as_object_mut().unwrap().remove(name)),
        }
        assert_eq!(judge(&claims), reason, "{name} {value:?}");
    }
}
