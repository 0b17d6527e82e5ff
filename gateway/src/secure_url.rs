//! Which URLs a secret may be sent to.

use classlink_spa::protocol::url::is_potentially_trustworthy;
use url::{Host, Url};

/// Returns whether a URL is https, or http on a loopback host, and its host is written as URL parsers read it: they take
/// other numbers for an IPv4 address, such as `1234` for 0.0.4.210 (URL Standard, 3.5).
#[must_use]
pub fn is_secure_url(url: &str) -> bool {
    is_potentially_trustworthy(url)
        && Url::parse(url).is_ok_and(|parsed| match parsed.host() {
            Some(Host::Ipv4(address)) => host(url) == Some(&address.to_string()),
            Some(_) => true,
            None => false,
        })
}

/// Returns the host of a potentially trustworthy URL as it is written.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split([':', '/', '?']).next()
}
