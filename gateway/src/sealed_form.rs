//! A session as bytes: each token as the bytes that its base64url stands for, the ID token's JSON deflated (RFC 1951) if
//! that makes it shorter. `pkg-template/src/gateway/sealed-form.ts` writes and reads the same.
//!
//! Nothing secret is compressed together with anything that a caller chooses: only the ID token's header and claims are.

use std::io::{Read, Write};

use classlink_spa::protocol::encoding::{base64url, from_base64url};
use classlink_spa::protocol::json::{self, Object};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::{Session, Tenant};

/// The first byte: the form that follows.
const FORM: u8 = 2;

/// How a token is written.
const TEXT: u8 = 0;
const BYTES: u8 = 1;
const DEFLATED: u8 = 2;

/// More than any ID token that is taken; sealed content is trusted, but not that much.
const INFLATED_LIMIT: u64 = 64 * 1024;

/// The members that are neither a token nor a hash. JavaScript may write a number with an exponent.
#[derive(Deserialize)]
struct ReadRest(
    f64,
    f64,
    f64,
    f64,
    Option<f64>,
    String,
    Option<String>,
    Option<Tenant>,
    u8,
    // Servers before the store did not write it.
    #[serde(default)] Option<String>,
    // Absent unless the session is bound to a device.
    #[serde(default)] Option<String>,
);

/// These members as they are written: whole numbers in digits.
#[derive(Serialize)]
struct WrittenRest<'a>(
    u64,
    i64,
    i64,
    i64,
    Option<i64>,
    &'a str,
    Option<&'a str>,
    Option<&'a Tenant>,
    u8,
    // The mark; `null` if it is absent and a member follows.
    #[serde(skip_serializing_if = "Option::is_none")] Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")] Option<&'a str>,
);

/// Writes a session; `None` if a part of it is larger than any that fits into cookies.
#[must_use]
pub fn pack(session: &Session) -> Option<Vec<u8>> {
    let has_more = session.user_mark.is_some() || session.device_key.is_some();
    let rest = WrittenRest(
        session.order,
        session.created_at,
        session.last_used_at,
        session.obtained_at,
        session.expires_at,
        &session.token_type,
        session.scope.as_deref(),
        session.tenant.as_ref(),
        u8::from(session.is_provisional),
        has_more.then(|| session.user_mark.clone().into()),
        session.device_key.as_deref(),
    );
    let mut bytes = vec![FORM];
    put(&mut bytes, &from_base64url(&session.id)?)?;
    put(&mut bytes, &from_base64url(&session.nonce)?)?;
    put(&mut bytes, &serde_json::to_vec(&rest).ok()?)?;
    put(&mut bytes, &pack_token(&session.access_token)?)?;
    let refresh_token = session.refresh_token.as_deref().map(pack_token);
    put(&mut bytes, &refresh_token.unwrap_or(Some(Vec::new()))?)?;
    put(&mut bytes, &deflate_token(pack_token(&session.id_token)?)?)?;
    Some(bytes)
}

/// Reads a session, and the claims of its ID token; `None` if the bytes are not one.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Option<(Session, Object)> {
    let (form, rest) = bytes.split_first()?;
    if *form != FORM {
        return None;
    }
    let (id, rest) = take(rest)?;
    let (nonce, rest) = take(rest)?;
    let (members, rest) = take(rest)?;
    let (access_token, rest) = take(rest)?;
    let (refresh_token, rest) = take(rest)?;
    let (id_token, _) = take(rest)?;
    let ReadRest(
        order,
        created_at,
        last_used_at,
        obtained_at,
        expires_at,
        token_type,
        scope,
        tenant,
        provisional,
        user_mark,
        device_key,
    ) = serde_json::from_slice(members).ok()?;
    let id_token = inflate_token(id_token)?;
    let (id_token, claims) = read_token(&id_token)?;
    let session = Session {
        id: base64url(id),
        nonce: base64url(nonce),
        order: whole(order).unsigned_abs(),
        created_at: whole(created_at),
        last_used_at: whole(last_used_at),
        obtained_at: whole(obtained_at),
        expires_at: expires_at.map(whole),
        token_type,
        scope,
        tenant,
        user_mark,
        device_key,
        is_provisional: provisional == 1,
        access_token: read_token(access_token)?.0,
        refresh_token: if refresh_token.is_empty() {
            None
        } else {
            Some(read_token(refresh_token)?.0)
        },
        id_token,
    };
    Some((session, json::parse_object(&claims)?))
}

/// Returns the whole number of a time.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// Appends a part with its length before it, in two bytes.
fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    let length = u16::try_from(part.len()).ok()?;
    bytes.extend(length.to_be_bytes());
    bytes.extend(part);
    Some(())
}

/// Returns a part that has its length before it, and what follows.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// Returns a token's bytes: those of a JWS (header, claims, signature), or its text if it is not a JWS or is written
/// otherwise.
fn pack_token(token: &str) -> Option<Vec<u8>> {
    let mut parts = token.split('.').map(from_base64url);
    let (Some(Some(header)), Some(Some(claims)), Some(Some(signature)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Some([&[TEXT], token.as_bytes()].concat());
    };
    let mut body = Vec::new();
    put(&mut body, &header)?;
    body.extend(claims);
    let mut packed = vec![BYTES];
    put(&mut packed, &body)?;
    packed.extend(signature);
    Some(packed)
}

/// Returns a token's text, and its claims if it is a JWS.
fn read_token(packed: &[u8]) -> Option<(String, Vec<u8>)> {
    let (kind, content) = packed.split_first()?;
    if *kind == TEXT {
        return Some((String::from_utf8(content.to_vec()).ok()?, Vec::new()));
    }
    let (body, signature) = take(content)?;
    let (header, claims) = take(body)?;
    let parts = [header, claims, signature].map(base64url);
    Some((parts.join("."), claims.to_vec()))
}

fn deflate_token(packed: Vec<u8>) -> Option<Vec<u8>> {
    let [BYTES, content @ ..] = packed.as_slice() else {
        return Some(packed);
    };
    let (body, signature) = take(content)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).ok()?;
    let deflated = encoder.finish().ok()?;
    if deflated.len() >= body.len() {
        return Some(packed);
    }
    let mut shorter = vec![DEFLATED];
    put(&mut shorter, &deflated)?;
    shorter.extend(signature);
    Some(shorter)
}

fn inflate_token(packed: &[u8]) -> Option<Vec<u8>> {
    let [DEFLATED, content @ ..] = packed else {
        return Some(packed.to_vec());
    };
    let (deflated, signature) = take(content)?;
    let mut body = Vec::new();
    DeflateDecoder::new(deflated).take(INFLATED_LIMIT + 1).read_to_end(&mut body).ok()?;
    let mut longer = vec![BYTES];
    // A body of more than 64 KiB has no length in two bytes.
    put(&mut longer, &body)?;
    longer.extend(signature);
    Some(longer)
}

/// The tenant as sealed sessions write it.
impl<'de> Deserialize<'de> for Tenant {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            id: String,
            name: Option<String>,
        }
        Members::deserialize(from).map(|Members { id, name }| Self { id, name })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn jwt(claims: &str) -> String {
        [r#"{"alg":"RS256"}"#, claims, "signature"].map(base64url).join(".")
    }

    pub(crate) fn session(claims: &str) -> Session {
        Session {
            id: base64url([7; 32]),
            nonce: base64url([8; 32]),
            order: 1_700_000_000_123,
            is_provisional: false,
            id_token: jwt(claims),
            access_token: "opaque".to_owned(),
            token_type: "Bearer".to_owned(),
            refresh_token: None,
            scope: None,
            created_at: 1_700_000_000,
            last_used_at: 1_700_000_060,
            obtained_at: 1_700_000_000,
            expires_at: None,
            tenant: None,
            user_mark: None,
            device_key: None,
        }
    }

    #[test]
    fn session_comes_back_as_it_was() {
        let mut session = session(&format!(r#"{{"sub":"1","long":"{}"}}"#, "again ".repeat(100)));
        let (read, claims) = unpack(&pack(&session).unwrap()).unwrap();
        assert_eq!(read, session);
        assert_eq!(claims.get_str("sub"), Some("1"));
        session.refresh_token = Some(jwt("{}"));
        session.access_token = "a.b=.c".to_owned();
        session.scope = Some("openid profile".to_owned());
        session.expires_at = Some(1_700_003_600);
        session.tenant =
            Some(Tenant { id: "2284".to_owned(), name: Some("Springfield".to_owned()) });
        session.is_provisional = true;
        assert_eq!(unpack(&pack(&session).unwrap()).unwrap().0, session);
        session.device_key = Some(base64url([9; 64]));
        assert_eq!(unpack(&pack(&session).unwrap()).unwrap().0, session);
    }

    #[test]
    fn id_token_is_deflated_where_that_is_shorter() {
        let long = session(&format!(r#"{{"long":"{}"}}"#, "again ".repeat(300)));
        assert!(pack(&long).unwrap().len() < 300);
        let short = session("{}");
        assert_eq!(unpack(&pack(&short).unwrap()).unwrap().0, short);
    }

    #[test]
    fn token_that_inflates_without_end_is_no_session() {
        let bomb = session(&format!(r#"{{"long":"{}"}}"#, "0".repeat(65_000)));
        assert!(pack(&bomb).is_some());
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let mut packed = vec![DEFLATED];
        put(&mut packed, &encoder.finish().unwrap()).unwrap();
        assert_eq!(inflate_token(&packed), None);
    }

    #[test]
    fn session_too_large_for_its_form_is_not_written() {
        let mut large = session("{}");
        large.access_token = "x".repeat(70_000);
        assert_eq!(pack(&large), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = unpack(&bytes);
            let _ = unpack(&[&[FORM][..], &bytes].concat());
        }

        #[test]
        fn every_token_comes_back_as_it_was(token in "[A-Za-z0-9_=.-]{0,60}|\\PC{0,20}") {
            let packed = deflate_token(pack_token(&token).unwrap()).unwrap();
            prop_assert_eq!(read_token(&inflate_token(&packed).unwrap()).unwrap().0, token);
        }
    }
}
