//! Endpoints that a secret is sent to, and `returnTo`: a URL, or what should be one.

use classlink_spa::protocol::url::{is_potentially_trustworthy, same_origin_path};
use url::{Host, Url};

/// Pages that the path may be followed from.
const PAGES: [&str; 3] = [
    "https://app.example/classes/?page=2#top",
    "http://localhost:3000/",
    "https://app.example:8443/",
];

/// Holds what is accepted to what the URL Standard makes of it.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if is_potentially_trustworthy(text) {
        endpoint(text);
    }
    for page in PAGES {
        return_to(text, &Url::parse(page).unwrap());
    }
}

/// An endpoint that was accepted is a safe one, or no URL at all.
pub(crate) fn endpoint(text: &str) {
    assert!(is_potentially_trustworthy(text), "insecure: {text}");
    let Ok(url) = Url::parse(text) else { return };
    assert!(url.username().is_empty() && url.password().is_none(), "user information: {text}");
    let is_loopback = match url.host().unwrap() {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    assert!(url.scheme() == "https" || url.scheme() == "http" && is_loopback, "insecure: {text}");
    let (_, rest) = text.split_once("://").unwrap();
    let written = rest.split(['/', '?', '#']).next().unwrap().to_ascii_lowercase();
    if let Host::Domain(name) = url.host().unwrap() {
        assert!(
            written == name || written.starts_with(&[name, ":"].concat()),
            "another host: {text}"
        );
    }
}

/// Checks that an accepted path leads to this page's origin, from any page.
fn return_to(text: &str, page: &Url) {
    let origin = page.origin();
    let Ok(target) = page.join(text) else { return };
    let Some(path) = same_origin_path(target.as_str(), &origin.ascii_serialization()) else {
        let is_ours = target.origin() == origin && target.scheme() == page.scheme();
        let is_odd = !target.username().is_empty()
            || target.password().is_some()
            || target.path().starts_with("//");
        return assert!(!is_ours || is_odd, "{text} was refused");
    };
    assert_eq!(target.origin(), origin, "{text} leads away");
    assert!(
        !path.starts_with("//") && !path.starts_with("/\\"),
        "a router may take {path} elsewhere"
    );
    let followed = page.join("/else/where?x=1").unwrap().join(path).unwrap();
    assert_eq!(followed, target, "{path} leads elsewhere than {text}");
    assert_eq!(same_origin_path(followed.as_str(), &origin.ascii_serialization()), Some(path));
}
