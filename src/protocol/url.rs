//! Which URLs a secret may be sent to, and which are of the page's own origin.
//!
//! The platform's parser is not asked here: both this module and the gateway must judge a URL before anything parses it.

use super::{ascii, form};

/// Returns whether this is an absolute https URL, or http on a loopback host (RFC 8252, 8.3; W3C Secure Contexts, 3.1), in
/// plain characters: no user information, white space, backslash or fragment, and nothing that two parsers could read in
/// two ways.
#[must_use]
pub fn is_potentially_trustworthy(url: &str) -> bool {
    let url = url.as_bytes();
    let plain = url.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'));
    let (rest, https) = match (url.strip_prefix(b"https://"), url.strip_prefix(b"http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    let authority = rest.split(|byte| matches!(byte, b'/' | b'?')).next();
    let host = authority.and_then(host);
    plain && host.is_some_and(|host| https || is_loopback(host))
}

/// Returns path, query and fragment of a URL of this origin, both as the platform's URL parser writes them; `None` if the
/// URL is of another origin, or if a router could take its path for another origin: `//evil`.
#[must_use]
pub fn same_origin_path<'a>(href: &'a str, origin: &str) -> Option<&'a str> {
    // A URL of this origin starts with the serialized origin (URL Standard, 4.5), and one with an opaque origin has no path.
    let path = href.strip_prefix(origin)?;
    (path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

/// Appends parameters to a URL without a fragment, and keeps the query that it has (RFC 6749, 3.1).
#[must_use]
pub fn append_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if ascii::split_once(url, b'?').is_some() { "&" } else { "?" };
    [url, separator, &form::encode(parameters)].concat()
}

/// Returns the host of an authority: a name, an IPv4 address, or an IPv6 address without its brackets.
fn host(authority: &[u8]) -> Option<&[u8]> {
    let address = authority.strip_prefix(b"[");
    let (text, end) = address.map_or((authority, b':'), |address| (address, b']'));
    let length = text.iter().position(|byte| *byte == end).unwrap_or(text.len());
    let (host, after) = text.split_at_checked(length)?;
    let port = if address.is_some() { after.strip_prefix(b"]")? } else { after };
    let named = host.iter().all(|byte| match byte {
        b'.' => true,
        b':' => address.is_some(),
        b'-' | b'_' => address.is_none(),
        _ => byte.is_ascii_hexdigit() || address.is_none() && byte.is_ascii_alphanumeric(),
    });
    let port_holds = match port.strip_prefix(b":") {
        Some(digits) => is_port(digits),
        None => port.is_empty(),
    };
    (!host.is_empty() && named && port_holds).then_some(host)
}

fn is_port(digits: &[u8]) -> bool {
    ascii::parse_u32(digits).is_some_and(|port| port <= u16::MAX.into())
}

/// Returns whether a host is the device itself: `localhost`, names below it, 127.0.0.0/8 and `::1`.
fn is_loopback(host: &[u8]) -> bool {
    let mut labels = host.split(|byte| *byte == b'.');
    host == b"::1"
        || labels.clone().next_back().is_some_and(|last| last.eq_ignore_ascii_case(b"localhost"))
        || labels.next() == Some(b"127") && labels.clone().count() == 3 && labels.all(is_octet)
}

/// Returns whether this is an octet of an IPv4 address, without leading zeros, which some parsers read as octal.
fn is_octet(digits: &[u8]) -> bool {
    let leading_zero = digits.len() > 1 && digits.starts_with(b"0");
    !leading_zero && ascii::parse_u32(digits).is_some_and(|octet| octet <= u8::MAX.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn https_and_loopback_urls_are_potentially_trustworthy() {
        for url in [
            "https://launchpad.classlink.com/oauth2/v2/token",
            "https://example.com:8443",
            "https://example.com?x=1",
            "https://my-school.class_link.example/",
            "http://localhost:4400/token",
            "http://app.localhost/",
            "http://LOCALHOST/",
            "http://127.0.0.1:80/",
            "http://127.8.9.1/",
            "http://127.99.199.249/",
            "http://127.250.255.0/",
            "http://[::1]:3000/",
        ] {
            assert!(is_potentially_trustworthy(url), "{url}");
        }
    }

    #[test]
    fn other_urls_are_not_potentially_trustworthy() {
        for url in [
            "",
            "http://example.com/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://evillocalhost/",
            "https://",
            "https:///path",
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "http://localhost@evil.example/",
            "http://localhost\\@evil.example/",
            "http://localhost:80:80/",
            "http://localhost:x/",
            "https://exa mple.com/",
            "https://example.com/\n",
            "https://example.com/#x",
            "https://bücher.example/",
            "ftp://localhost/",
            "//example.com/",
            "javascript:alert(1)",
            "http://[::1]evil.example/",
            "http://[::1",
            "https://[fe80-1]/",
            "http://127.0.0.256/",
            "http://127.0.0.01/",
            "http://127.0.0.1.1/",
            "http://127.0.1/",
            "http://localhost./",
            "http://localhost.app/",
            "http://127.0.0.x/",
            "http://127.0..1/",
        ] {
            assert!(!is_potentially_trustworthy(url), "{url:?}");
        }
    }

    #[test]
    fn same_origin_path_refuses_other_origins_and_paths_that_look_like_one() {
        let origin = "https://app.example";
        for path in ["/", "/classes?of=5a#top", "/a//b", "/%2F/evil.example"] {
            assert_eq!(same_origin_path(&format!("{origin}{path}"), origin), Some(path));
        }
        for href in [
            "https://app.example",
            "https://app.example//evil.example/",
            "https://app.example.evil.example/",
            "https://app.example:444/",
            "http://app.example/",
            "javascript:alert(1)",
            "/classes",
            "",
        ] {
            assert_eq!(same_origin_path(href, origin), None, "{href:?}");
        }
    }

    proptest! {
        #[test]
        fn is_potentially_trustworthy_never_panics(url in ".*") {
            let _ = is_potentially_trustworthy(&url);
        }
    }
}
