//! The gateway's cookies: their names, and how a sealed session is spread over several of them.
//!
//! Answers arrive in any order, and each cookie that one sets replaces the cookie of the same name. So no two answers that
//! disagree write the same name:
//!
//! | name, after `__Host-classlink-<registration>` | value | set by |
//! |---|---|---|
//! | `.<tag>.<index>` | a part of the sealed session with this tag | sign-in, session request, registration of a device |
//! | `.since-<order>` | sessions of an earlier order are over. The largest counts, so a late response takes nothing back | sign-in, sign-out |
//! | `.ended-<tag>` | the session is over, though its cookie has not come yet | sign-out of a session that the request has no cookie of |
//! | `.proof-<tag>` | the device of a bound session proved that it has the key | registration of a device, refresh |
//! | `.<index>` | a session in the format before session ids, which is cleared | – |
//!
//! A tag is a part of the session id: another one once the session is bound to a device, so that the late response of a request
//! from before does not replace the bound session by one that is not.

use std::collections::HashMap;

use classlink_spa::protocol::encoding::base64url;

use crate::crypto;

/// How much of a sealed session goes into one cookie: browsers and proxies stop at 4096 bytes with name and attributes.
const CHUNK_SIZE: usize = 3800;

/// The bytes that the `Cookie` header of a browser may take: many servers stop at 8 KB of request headers.
pub const COOKIE_BUDGET: usize = 7 * 1024;

/// How long sign-outs and replacements are remembered, in seconds: longer than any answer is under way.
const SINCE_MAX_AGE_SECS: u32 = 86_400;
const ENDED_MAX_AGE_SECS: u32 = 3600;

const PREFIX: &str = "__Host-classlink-";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// Characters of a hash of the client id that the registration's cookie names begin with.
const KEY_LENGTH: usize = 12;

/// Characters of the session id that a session's cookie names have: 48 bits.
const TAG_LENGTH: usize = 8;

/// Returns the part of a registration's cookie names that is its own.
#[must_use]
pub fn registration_key(client_id: &str) -> String {
    let mut key = base64url(crypto::sha256(client_id.as_bytes()));
    key.truncate(KEY_LENGTH);
    key
}

/// Returns the part of a session's cookie names that is its own.
#[must_use]
pub fn session_tag(session_id: &str) -> &str {
    session_id.get(..TAG_LENGTH).unwrap_or(session_id)
}

/// Returns the part of the cookie names of a session that is bound to a device.
#[must_use]
pub fn bound_tag(session_id: &str) -> &str {
    session_id.get(TAG_LENGTH..2 * TAG_LENGTH).unwrap_or_default()
}

/// Returns the `Set-Cookie` value that clears a cookie.
#[must_use]
pub fn clear(name: &str) -> String {
    format!("{name}=; Path=/; Secure; Max-Age=0")
}

/// The part of a cookie's name after the registration's key.
#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Outdated,
    Chunk(&'a str, u8),
    Since(u64),
    Ended(&'a str),
    Proof(&'a str),
}

impl<'a> Name<'a> {
    /// Reads a name: the registration's key, and what follows.
    fn parse(name: &'a str) -> Option<(&'a str, Self)> {
        let rest = name.strip_prefix(PREFIX)?;
        let (key, rest) = rest.split_at_checked(KEY_LENGTH)?;
        let rest = rest.strip_prefix('.')?;
        if !key.bytes().all(is_base64url) {
            return None;
        }
        let parsed = match rest.as_bytes() {
            [digit] if digit.is_ascii_digit() => Self::Outdated,
            [tag @ .., b'.', digit]
                if tag.len() == TAG_LENGTH
                    && tag.iter().copied().all(is_base64url)
                    && digit.is_ascii_digit() =>
            {
                Self::Chunk(rest.get(..TAG_LENGTH)?, digit - b'0')
            }
            _ => {
                let is_tag = |tag: &&str| tag.len() == TAG_LENGTH && tag.bytes().all(is_base64url);
                if let Some(order) = rest.strip_prefix("since-") {
                    Self::Since(read_order(order)?)
                } else if let Some(tag) = rest.strip_prefix("ended-") {
                    Self::Ended(Some(tag).filter(is_tag)?)
                } else {
                    Self::Proof(rest.strip_prefix("proof-").filter(is_tag)?)
                }
            }
        };
        Some((key, parsed))
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Reads an order in base 36.
fn read_order(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if text.is_empty() || text.len() > 10 || !text.bytes().all(is_digit) {
        return None;
    }
    u64::from_str_radix(text, 36).ok()
}

/// Writes an order in base 36.
fn write_order(mut order: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(order % 36).unwrap_or_default();
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        order /= 36;
        if order == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// The cookies of one registration.
#[derive(Debug, Default, Clone)]
pub struct RegistrationCookies {
    /// The part of the names that is the registration's.
    pub key: String,
    /// The sealed sessions: their chunks by tag and index.
    chunks: Vec<(String, Vec<(u8, String)>)>,
    /// Tags of sessions that were ended before their cookie was there.
    ended: Vec<String>,
    /// The proofs of devices, by the tag of the bound session.
    proofs: Vec<(String, String)>,
    /// Names of cookies in the format before session ids.
    outdated: Vec<String>,
    since: Vec<(u64, String)>,
}

impl RegistrationCookies {
    fn new(key: &str) -> Self {
        Self { key: key.to_owned(), ..Self::default() }
    }

    fn add(&mut self, name: &str, parsed: &Name<'_>, value: &str) {
        match *parsed {
            Name::Outdated => self.outdated.push(name.to_owned()),
            Name::Since(order) => match self.since.iter_mut().find(|(one, _)| *one == order) {
                Some((_, known)) => name.clone_into(known),
                None => self.since.push((order, name.to_owned())),
            },
            Name::Ended(tag) => self.ended.push(tag.to_owned()),
            Name::Proof(tag) => self.proofs.push((tag.to_owned(), value.to_owned())),
            Name::Chunk(tag, index) => {
                let chunk = (index, value.to_owned());
                match self.chunks.iter_mut().find(|(one, _)| one == tag) {
                    Some((_, chunks)) => chunks.push(chunk),
                    None => self.chunks.push((tag.to_owned(), vec![chunk])),
                }
            }
        }
    }

    /// Sessions of a lower order are over.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.since.iter().map(|(order, _)| *order).max().unwrap_or(0)
    }

    /// Returns the tags of the sessions that have a cookie.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.chunks.iter().map(|(tag, _)| tag.as_str())
    }

    /// Returns whether a session was ended before its cookie was there.
    #[must_use]
    pub fn is_ended(&self, tag: &str) -> bool {
        self.ended.iter().any(|one| one == tag)
    }

    /// Returns a sealed session; `None` if a part of it is missing.
    #[must_use]
    pub fn sealed(&self, tag: &str) -> Option<String> {
        let (_, chunks) = self.chunks.iter().find(|(one, _)| one == tag)?;
        let chunk = |index| chunks.iter().find(|(one, _)| *one == index).map(|(_, text)| text);
        let (count, first) = chunk(0)?.split_at_checked(1)?;
        let mut sealed = first.strip_prefix('.')?.to_owned();
        let count = count.parse::<u8>().ok().filter(|count| *count > 0)?;
        for index in 1..count {
            sealed.push_str(chunk(index)?);
        }
        Some(sealed)
    }

    /// Returns the names of a session's cookies, from an index on.
    fn names(&self, tag: &str, from: usize) -> impl Iterator<Item = String> {
        let chunks = self.chunks.iter().filter(move |(one, _)| one == tag);
        chunks.flat_map(move |(tag, chunks)| {
            let chunks = chunks.iter().filter(move |(index, _)| usize::from(*index) >= from);
            chunks.map(move |(index, _)| format!("{PREFIX}{}.{tag}.{index}", self.key))
        })
    }

    /// Returns `Set-Cookie` values that clear a session.
    #[must_use]
    pub fn clear_session(&self, tag: &str) -> Vec<String> {
        self.names(tag, 0).map(|name| clear(&name)).collect()
    }

    /// Returns `Set-Cookie` values that clear every session but one, and what else serves no more.
    #[must_use]
    pub fn clear_all_but(&self, tag: Option<&str>) -> Vec<String> {
        let since = self.since();
        let others = self.tags().filter(|one| Some(*one) != tag);
        let superseded = self.since.iter().filter(|(order, _)| *order < since);
        others
            .flat_map(|one| self.clear_session(one))
            .chain(superseded.map(|(_, name)| clear(name)))
            .chain(self.outdated.iter().map(|name| clear(name)))
            .chain(self.clear_proofs(tag))
            .collect()
    }

    /// Returns the proof of a bound session's device.
    #[must_use]
    pub fn proof(&self, tag: &str) -> Option<&str> {
        self.proofs.iter().find(|(one, _)| one == tag).map(|(_, proof)| proof.as_str())
    }

    /// Returns name and attributes of the cookie by which a bound session counts.
    #[must_use]
    pub fn proof_cookie(&self, tag: &str) -> (String, &'static str) {
        (format!("{PREFIX}{}.proof-{tag}", self.key), ATTRIBUTES)
    }

    /// Returns the `Set-Cookie` value of a device's proof, which lasts for so many seconds.
    #[must_use]
    pub fn write_proof(&self, tag: &str, proof: &str, seconds: i64) -> String {
        let (name, attributes) = self.proof_cookie(tag);
        format!("{name}={proof}; {attributes}; Max-Age={seconds}")
    }

    /// Returns `Set-Cookie` values that clear the proofs of every session but one.
    #[must_use]
    pub fn clear_proofs(&self, tag: Option<&str>) -> Vec<String> {
        let others = self.proofs.iter().filter(|(one, _)| Some(one.as_str()) != tag);
        others.map(|(one, _)| clear(&self.proof_cookie(one).0)).collect()
    }

    /// Returns `Set-Cookie` values after which sessions of a lower order are over.
    #[must_use]
    pub fn write_since(&self, order: u64) -> Vec<String> {
        if order <= self.since() {
            return Vec::new();
        }
        let name = format!("{PREFIX}{}.since-{}", self.key, write_order(order));
        let line = format!("{name}=1; {ATTRIBUTES}; Max-Age={SINCE_MAX_AGE_SECS}");
        std::iter::once(line).chain(self.since.iter().map(|(_, name)| clear(name))).collect()
    }

    /// Returns the `Set-Cookie` value after which this session is over, whenever its cookie comes.
    #[must_use]
    pub fn write_ended(&self, tag: &str) -> String {
        format!("{PREFIX}{}.ended-{tag}=1; {ATTRIBUTES}; Max-Age={ENDED_MAX_AGE_SECS}", self.key)
    }

    /// Returns `Set-Cookie` values of a sealed session, which lasts as long as the browser's own session.
    #[must_use]
    pub fn write_sealed(&self, tag: &str, sealed: &str) -> Vec<String> {
        let count = sealed.len().div_ceil(CHUNK_SIZE);
        let chunks = sealed.as_bytes().chunks(CHUNK_SIZE).enumerate().map(|(index, part)| {
            // base64url: every byte is a character.
            let part = String::from_utf8_lossy(part);
            let name = format!("{PREFIX}{}.{tag}.{index}", self.key);
            // The first says how many there are, so that a cookie left behind is never read along.
            let count = if index == 0 { format!("{count}.") } else { String::new() };
            format!("{name}={count}{part}; {ATTRIBUTES}")
        });
        chunks.chain(self.names(tag, count).map(|name| clear(&name))).collect()
    }
}

/// The `Cookie` header of one request, parsed once.
#[derive(Debug, Default)]
pub struct RequestCookies {
    registrations: Vec<RegistrationCookies>,
    sizes: HashMap<String, usize>,
}

impl RequestCookies {
    /// Reads a header (RFC 6265, 4.2).
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let mut cookies = Self::default();
        for pair in header.split(';') {
            let pair = pair.trim();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // The first of a name is the one whose path is longest; a `__Host-` cookie has one path only.
            if pair.is_empty() || cookies.sizes.contains_key(name) {
                continue;
            }
            cookies.sizes.insert(name.to_owned(), pair.chars().count() + 2);
            if let Some((key, parsed)) = Name::parse(name) {
                let known = cookies.registrations.iter().position(|one| one.key == key);
                let place = known.unwrap_or_else(|| {
                    cookies.registrations.push(RegistrationCookies::new(key));
                    cookies.registrations.len() - 1
                });
                if let Some(registration) = cookies.registrations.get_mut(place) {
                    registration.add(name, &parsed, value);
                }
            }
        }
        cookies
    }

    /// Returns the registrations that have a cookie here.
    #[must_use]
    pub fn registrations(&self) -> &[RegistrationCookies] {
        &self.registrations
    }

    /// Returns the cookies of a registration, if only none.
    #[must_use]
    pub fn registration(&self, key: &str) -> RegistrationCookies {
        let known = self.registrations.iter().find(|one| one.key == key);
        known.cloned().unwrap_or_else(|| RegistrationCookies::new(key))
    }

    /// Returns the size that the header will have once the browser has taken these `Set-Cookie` values, in bytes.
    #[must_use]
    pub fn size_after(&self, lines: &[String]) -> usize {
        let mut sizes: HashMap<&str, usize> =
            self.sizes.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        for line in lines {
            let (pair, _) = line.split_once(';').unwrap_or((line, ""));
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            if line.ends_with("Max-Age=0") {
                sizes.remove(name);
            } else {
                sizes.insert(name, pair.len() + 2);
            }
        }
        sizes.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "abcdefghijk-";
    const TAG: &str = "tag_tag-";

    fn header(lines: &[String]) -> String {
        let pairs = lines.iter().filter(|line| !line.ends_with("Max-Age=0"));
        pairs.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn sealed_session_is_split_over_cookies_and_read_back() {
        let sealed = "x".repeat(CHUNK_SIZE * 2 + 5);
        let lines = RegistrationCookies::new(KEY).write_sealed(TAG, &sealed);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("__Host-classlink-abcdefghijk-.tag_tag-.0=3.xxx"));
        assert!(lines.iter().all(|line| line.len() < 4096));
        let cookies = RequestCookies::parse(&header(&lines)).registration(KEY);
        assert_eq!(cookies.sealed(TAG).as_deref(), Some(sealed.as_str()));
    }

    #[test]
    fn sealed_session_with_a_part_missing_is_none() {
        let sealed = "x".repeat(CHUNK_SIZE + 1);
        let lines = RegistrationCookies::new(KEY).write_sealed(TAG, &sealed);
        for kept in [&lines[..1], &lines[1..]] {
            let cookies = RequestCookies::parse(&header(kept)).registration(KEY);
            assert_eq!(cookies.sealed(TAG), None);
        }
        for first in ["", ".x", "0.x", "x.x", "2", "é.x"] {
            let header = format!("__Host-classlink-{KEY}.{TAG}.0={first}");
            let cookies = RequestCookies::parse(&header).registration(KEY);
            assert_eq!(cookies.sealed(TAG), None, "{first}");
        }
    }

    #[test]
    fn cookie_left_behind_by_a_longer_session_is_cleared() {
        let long = RegistrationCookies::new(KEY).write_sealed(TAG, &"x".repeat(CHUNK_SIZE + 1));
        let cookies = RequestCookies::parse(&header(&long)).registration(KEY);
        let lines = cookies.write_sealed(TAG, "short");
        assert_eq!(lines[1], clear(&format!("__Host-classlink-{KEY}.{TAG}.1")));
    }

    #[test]
    fn largest_since_counts_and_the_others_are_cleared() {
        let pairs = [9, 35, 36].map(|order| {
            let name = write_order(order);
            format!("__Host-classlink-{KEY}.since-{name}=1")
        });
        let cookies = RequestCookies::parse(&pairs.join("; ")).registration(KEY);
        assert_eq!(cookies.since(), 36);
        assert_eq!(cookies.clear_all_but(None).len(), 2);
        assert!(cookies.write_since(36).is_empty(), "a late response takes nothing back");
        let lines = cookies.write_since(37);
        assert!(
            lines[0].starts_with(&format!("__Host-classlink-{KEY}.since-11=1; Path=/; Secure"))
        );
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn names_of_others_are_not_read() {
        for name in [
            "__Host-classlink-abcdefghijk.0",
            "__Host-classlink-abcdefghijk-.x",
            "__Host-classlink-abcdefghijk-.tag_tag-.10",
            "__Host-classlink-abcdefghijk-.tag_tag.0",
            "__Host-classlink-abcdefghijk-.since-",
            "__Host-classlink-abcdefghijk-.since-Z",
            "__Host-classlink-abcdefghijk-.since-00000000000",
            "__Host-classlink-abcdefghijk-.ended-tag",
            "__Host-classlink-abcdefghij é.0",
            "classlink-abcdefghijk-.0",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_header_that_the_browser_will_send() {
        let cookies = RequestCookies::parse("a=1; bb=22; a=other;; c");
        assert_eq!(cookies.size_after(&[]), 5 + 7 + 3);
        let lines = [clear("bb"), "new=1; Path=/".to_owned()];
        assert_eq!(cookies.size_after(&lines), 5 + 3 + 7);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "(__Host-classlink-abcdefghijk-|\\.|tag_tag-|since-|ended-|[0-9a-z=; é]){0,40}") {
            let cookies = RequestCookies::parse(&header);
            for registration in cookies.registrations() {
                for tag in registration.tags() {
                    let _ = registration.sealed(tag);
                }
                let _ = registration.clear_all_but(None);
            }
        }

        #[test]
        fn orders_come_back_from_base_36(order in 0..3_656_158_440_062_976u64) {
            prop_assert_eq!(read_order(&write_order(order)), Some(order));
        }
    }
}
