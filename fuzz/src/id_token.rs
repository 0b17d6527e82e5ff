//! The whole validation of an ID token: a line with the time, the tolerance, `max_age`, where the token comes from, and
//! what is done to it after it was signed; a line with its header; then its claims. They are signed by a key of the
//! provider's, so that what lies behind the signature is reached.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use classlink_spa::error::Reason;
use classlink_spa::protocol::id_token::{
    ExpectedClaims, IssuedFor, SignatureVerifiedIdToken, TimeContext, VerifiedIdToken,
};
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::jws::{Algorithm, Jws};
use classlink_spa::protocol::secret::Secret;
use serde_json::{Map, Value, json};

use crate::keys::{AwsLc, SigningKey, key_set};
use crate::login::{CLIENT_ID, CREATED_AT, ISSUER};
use crate::reading::{line, now, number, object, text, text_line};

const ACCESS_TOKEN: &str = "opaque";
const NONCE: &str = "n1";
const ADVERTISED: &str = "RS256 PS384 ES256 ES384 ES512 EdDSA Ed25519 none HS256";

/// The provider's keys.
struct Provider {
    rsa: SigningKey,
    p256: SigningKey,
    p384: SigningKey,
    p521: SigningKey,
    ed25519: SigningKey,
    keys: KeySet,
}

thread_local! {
    static PROVIDER: Provider = Provider::new();
    static BEFORE: VerifiedIdToken = verified(br#""auth_time":1699999000"#).unwrap();
}

impl Provider {
    fn new() -> Self {
        let [rsa, p256, p384] = [SigningKey::rsa(), SigningKey::p256(), SigningKey::p384()];
        let [p521, ed25519] = [SigningKey::p521(), SigningKey::ed25519()];
        let jwks = [(&rsa, "r"), (&p256, "p"), (&p384, "q"), (&p521, "s"), (&ed25519, "e")];
        let keys = key_set(&jwks.map(|(key, id)| key.jwk(&json!({ "kid": id }))));
        Self { rsa, p256, p384, p521, ed25519, keys }
    }

    fn key(&self, algorithm: &str) -> &SigningKey {
        match algorithm.get(..2) {
            Some("RS" | "PS") => &self.rsa,
            Some("ES") if algorithm == "ES384" => &self.p384,
            Some("ES") if algorithm == "ES512" => &self.p521,
            Some("ES") => &self.p256,
            _ => &self.ed25519,
        }
    }
}

/// Does something with the provider's key for an algorithm.
pub(crate) fn with_key(algorithm: &str, act: impl FnOnce(&SigningKey)) {
    PROVIDER.with(|provider| act(provider.key(algorithm)));
}

/// A verified ID token with these members beside, or in place of, the required ones.
pub(crate) fn verified(members: &[u8]) -> Option<VerifiedIdToken> {
    let claims = format!(
        r#"{{"iss":"{ISSUER}","sub":"8708718","aud":"{CLIENT_ID}","nonce":"{NONCE}","iat":{CREATED_AT},"exp":1700086400"#
    );
    let comma: &[u8] = if members.is_empty() { b"" } else { b"," };
    let claims = [claims.as_bytes(), comma, members, b"}"].concat();
    let token = sign("EdDSA", br#"{"alg":"EdDSA"}"#, &claims);
    let asked = Asked {
        now: CREATED_AT.into(),
        tolerance: 60.0,
        max_age: None,
        issued_for: IssuedFor::Login(NONCE),
    };
    validate(&token, &asked).ok()
}

/// The conditions of the validation.
struct Asked<'a> {
    now: f64,
    tolerance: f64,
    max_age: Option<u32>,
    issued_for: IssuedFor<'a>,
}

/// Signs whatever header and claims there are, by the key of this algorithm.
fn sign(algorithm: &str, header: &[u8], claims: &[u8]) -> String {
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let (name, known) = Algorithm::from_name(algorithm)
        .map_or(("EdDSA", Algorithm::EdDsa), |known| (algorithm, known));
    PROVIDER.with(|provider| {
        let signature = provider.key(name).signature(known, input.as_bytes());
        [&input, ".", &URL_SAFE_NO_PAD.encode(signature)].concat()
    })
}

/// Rows 1 to 12, as the client goes through them.
fn validate(token: &str, asked: &Asked) -> Result<VerifiedIdToken, Reason> {
    PROVIDER.with(|provider| {
        let jws = Jws::parse(token, ADVERTISED)?;
        let authentic = now(SignatureVerifiedIdToken::verify(jws, &provider.keys, &AwsLc));
        let access_token = Secret::new(ACCESS_TOKEN.to_owned());
        let expected = ExpectedClaims {
            issuer: ISSUER,
            client_id: CLIENT_ID,
            issued_for: asked.issued_for,
            access_token: &access_token,
        };
        let authentic = authentic.map_err(|(reason, _)| reason)?;
        let checked = now(authentic.validate_claims(&expected, &AwsLc))?;
        let Asked { now, tolerance, max_age, .. } = *asked;
        checked
            .validate_times(TimeContext { now, tolerance, max_age })
            .map_err(|untimely| untimely.reason)
    })
}

/// Signs and validates, and holds the outcome to what other libraries make of the same claims.
pub fn run(mut data: &[u8]) {
    let mut words = text_line(&mut data).split(' ');
    let time = number(words.next(), f64::from(CREATED_AT));
    let tolerance = number(words.next(), 60.0);
    let max_age = words.next().and_then(|word| word.parse().ok());
    let origin = words.next().unwrap_or_default();
    let tampering = words.next().zip(words.next());
    let header = line(&mut data);
    let members = object(header);
    let algorithm = members.as_ref().and_then(|header| text(header, "alg")).unwrap_or_default();
    let token = sign(algorithm, header, data);

    BEFORE.with(|before| {
        let origin = match origin {
            "session" => IssuedFor::Session,
            "renewal" => IssuedFor::Renewal(before),
            _ => IssuedFor::Login(NONCE),
        };
        let asked = Asked { now: time, tolerance, max_age, issued_for: origin };
        if let Some((place, byte)) = tampering {
            return tampered(token, number(Some(place), 0), number(Some(byte), 1), &asked);
        }
        let outcome = validate(&token, &asked);
        let reason = outcome.as_ref().err().copied();
        let header = members.as_ref().filter(|_| object(data).is_some());
        let first = header.map_or(Some(Reason::Malformed), key_fault);
        let first = first.or_else(|| fault(&object(data).unwrap(), algorithm, &asked));
        assert_eq!(reason, first);
        if let Ok(verified) = outcome {
            let claims = object(data).unwrap();
            assert_eq!(text(&claims, "iss"), Some(verified.issuer()));
            assert_eq!(text(&claims, "sub"), Some(verified.subject()));
            assert_eq!(verified.claims_text().as_bytes(), data);
        }
    });
}

/// A token that was changed anywhere after it was signed is never taken.
fn tampered(mut token: String, place: usize, byte: u8, asked: &Asked) {
    let place = place % token.len();
    let other = char::from(byte & 0x7f).to_string();
    if token[place..=place] != other {
        token.replace_range(place..=place, &other);
        assert!(validate(&token, asked).is_err(), "a forgery was taken");
    }
}

/// Rows 2 to 5, for a token that is signed by the key of its algorithm.
fn key_fault(header: &Map<String, Value>) -> Option<Reason> {
    if header.contains_key("crit") {
        return Some(Reason::CriticalHeader);
    }
    let key_id = match text(header, "alg") {
        Some("RS256" | "PS384") => "r",
        Some("ES256") => "p",
        Some("ES384") => "q",
        Some("EdDSA" | "Ed25519") => "e",
        _ => return Some(Reason::Algorithm),
    };
    header.get("kid").is_some_and(|named| named != key_id).then_some(Reason::KeyNotFound)
}

/// Returns the first claim that fails.
fn fault(claims: &Map<String, Value>, algorithm: &str, asked: &Asked) -> Option<Reason> {
    let string = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (is_ours, several) = match claims.get("aud") {
        Some(Value::String(only)) => (only == CLIENT_ID, false),
        Some(Value::Array(members)) => {
            let all = members.iter().all(Value::is_string);
            (all && members.contains(&CLIENT_ID.into()), members.len() > 1)
        }
        _ => (false, false),
    };
    let party_holds = claims.get("azp").map_or(!several, |party| party == CLIENT_ID);
    let subject_holds = (1..=255).contains(&string("sub").unwrap_or_default().chars().count());
    let (renews, nonce_holds) = match asked.issued_for {
        IssuedFor::Login(nonce) => (false, string("nonce") == Some(nonce)),
        IssuedFor::Session => (false, true),
        // The last is the gateway's, which no input here asks for.
        IssuedFor::Renewal(_) | IssuedFor::Sealed(..) => {
            (true, claims.get("nonce").is_none_or(|nonce| nonce == NONCE))
        }
    };
    let auth_time_holds =
        claims.get("auth_time").is_none_or(|time| time.as_u64() == Some(1_699_999_000));
    // The same set, in whatever form.
    let same_audience = match claims.get("aud") {
        Some(Value::Array(members)) => members.iter().all(|member| member == CLIENT_ID),
        only => only.is_some_and(|only| only == CLIENT_ID),
    };
    let hash_holds = claims.get("at_hash").is_none_or(|hash| *hash == half_hash(algorithm));
    let lives = number("exp").is_some_and(|at| asked.now < at + asked.tolerance);
    let begun = |name: &str| number(name).is_some_and(|at| at - asked.tolerance <= asked.now);
    let recent = asked.max_age.is_none_or(|most| {
        number("auth_time").is_some_and(|at| {
            let age = asked.now - at;
            age <= f64::from(most) + asked.tolerance && age >= -asked.tolerance
        })
    });
    let rows = [
        (string("iss") == Some(ISSUER), Reason::Issuer),
        (is_ours, Reason::Audience),
        (party_holds, Reason::AuthorizedParty),
        (subject_holds, Reason::Subject),
        (!renews || string("sub") == Some("8708718"), Reason::Subject),
        (!renews || same_audience, Reason::Audience),
        (!renews || !claims.contains_key("azp"), Reason::AuthorizedParty),
        (!renews || auth_time_holds, Reason::AuthTime),
        (nonce_holds, Reason::Nonce),
        (hash_holds, Reason::AtHash),
        (lives, Reason::Expired),
        (begun("iat"), Reason::IssuedInFuture),
        (!claims.contains_key("nbf") || begun("nbf"), Reason::NotYetValid),
        (recent, Reason::AuthTime),
    ];
    rows.into_iter().find(|(holds, _)| !holds).map(|(_, reason)| reason)
}

/// The left half of the access token's digest (Core 3.1.3.6).
fn half_hash(algorithm: &str) -> String {
    let hash = match algorithm {
        "RS256" | "ES256" => &digest::SHA256,
        "PS384" | "ES384" => &digest::SHA384,
        _ => &digest::SHA512,
    };
    let digest = digest::digest(hash, ACCESS_TOKEN.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..digest.as_ref().len() / 2])
}
