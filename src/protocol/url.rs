//! Which URLs a secret may be sent to.

/// Whether this is an absolute https URL, or http on a loopback host (RFC 8252, 8.3; W3C Secure Contexts, 3.1), in
/// plain characters: no user information, no white space, no backslash, nothing that two parsers could read in two ways.
#[must_use]
pub fn is_secure(url: &str) -> bool {
    let (rest, https) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let Some(host) = host(authority) else {
        return false;
    };
    plain && (https || is_loopback(host))
}

/// The host of an authority: a name, an IPv4 address, or an IPv6 address in brackets.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if let Some((address, after)) =
        authority.strip_prefix('[').and_then(|rest| rest.split_once(']'))
    {
        let hex = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        (address.bytes().all(hex).then_some(address)?, after)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let (name, port) = authority.split_at_checked(end)?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (name.bytes().all(named).then_some(name)?, port)
    };
    let port_holds = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (!host.is_empty() && port_holds).then_some(host)
}

/// A host that never leaves the device: `localhost`, names beneath it, 127.0.0.0/8 and `::1`.
fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let in_127 = host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || host.ends_with(".localhost") || host == "::1" || in_127
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn https_and_loopback_are_secure() {
        for url in [
            "https://launchpad.classlink.com/oauth2/v2/token",
            "https://example.com:8443",
            "https://example.com?x=1",
            "http://localhost:4400/token",
            "http://app.localhost/",
            "http://127.0.0.1:80/",
            "http://127.8.9.1/",
            "http://[::1]:3000/",
        ] {
            assert!(is_secure(url), "{url}");
        }
    }

    #[test]
    fn everything_else_is_not() {
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
            "https://bücher.example/",
            "ftp://localhost/",
            "//example.com/",
            "javascript:alert(1)",
            "http://[::1]evil.example/",
            "http://[::1",
        ] {
            assert!(!is_secure(url), "{url:?}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(url in ".*") {
            let _ = is_secure(&url);
        }
    }
}
