//! Who may ask: the application's own pages and no other site's (OAuth 2.0 for Browser-Based Applications, the defenses of
//! the back-end patterns against CSRF; Fetch Metadata). A cookie alone is never enough.

use hyper::Method;
use url::Url;

use crate::config::Settings;
use crate::failure::{Code, Refused};
use crate::request::{ERROR_HEADER, GatewayRequest, SDK_HEADER};

/// Refuses other sites.
///
/// # Errors
/// `forbidden_origin`.
pub fn check(request: &GatewayRequest, settings: &Settings) -> Result<(), Refused> {
    let origin = request.header("origin");
    let site = request.header("sec-fetch-site");
    let is_allowed =
        origin.as_deref().is_some_and(|origin| settings.allowed_origins.contains(origin));
    let may_ask = match origin.as_deref() {
        None => request.method == Method::GET,
        Some(origin) => is_allowed || is_own(origin, site.as_deref(), request, settings),
    };
    let is_same_site = site.is_none_or(|site| site == "same-origin") || is_allowed;
    if may_ask && is_same_site { Ok(()) } else { Err(Code::ForbiddenOrigin.into()) }
}

/// Behind a proxy the request may show another host than the browser's; then the browser's own word that page and gateway
/// share an origin holds, if that origin is one that a redirect URI is registered on.
fn is_own(origin: &str, site: Option<&str>, request: &GatewayRequest, settings: &Settings) -> bool {
    let is_registered =
        site == Some("same-origin") && settings.application_origins.contains(origin);
    is_registered || own_origin(request, settings).is_some_and(|own| own == origin)
}

/// Returns the origin that the request was sent to.
fn own_origin(request: &GatewayRequest, settings: &Settings) -> Option<String> {
    if let Some(origin) = &settings.origin {
        return Some(origin.clone());
    }
    // TLS ends at the proxy in front.
    let url = Url::parse(&format!("http://{}", request.host().ok()?)).ok()?;
    Some(url.origin().ascii_serialization())
}

/// Returns the CORS headers for an allowed origin, and for every other only that the response depends on it.
#[must_use]
pub fn cors_headers(request: &GatewayRequest, settings: &Settings) -> Vec<(&'static str, String)> {
    let mut headers = vec![("Vary", "Origin".to_owned())];
    if let Some(origin) = request.header("origin")
        && settings.allowed_origins.contains(origin.as_ref())
    {
        headers.push(("Access-Control-Allow-Origin", origin.into_owned()));
        headers.push(("Access-Control-Allow-Credentials", "true".to_owned()));
        headers.push(("Access-Control-Expose-Headers", format!("Date, {ERROR_HEADER}")));
    }
    headers
}

/// Returns the headers of a preflight's response, for an allowed origin.
///
/// # Errors
/// `forbidden_origin`.
pub fn preflight_headers(
    request: &GatewayRequest,
    settings: &Settings,
    methods: &str,
) -> Result<Vec<(&'static str, String)>, Refused> {
    let origin = request.header("origin").unwrap_or_default();
    if !settings.allowed_origins.contains(origin.as_ref()) {
        return Err(Code::ForbiddenOrigin.into());
    }
    Ok(vec![
        ("Access-Control-Allow-Methods", methods.to_owned()),
        ("Access-Control-Allow-Headers", format!("Authorization, Content-Type, {SDK_HEADER}")),
        ("Access-Control-Max-Age", "600".to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings_with;
    use hyper::HeaderMap;
    use serde_json::json;

    fn is_taken(method: Method, headers: &[(&str, &str)]) -> bool {
        let settings = settings_with(&json!({ "allowedOrigins": ["https://other.example"] }));
        let mut map = HeaderMap::new();
        map.insert("host", "app.example".parse().unwrap());
        for (name, value) in headers {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let request =
            GatewayRequest::new(method, &"/auth/session".parse().unwrap(), map, None, &settings);
        check(&request, &settings).is_ok()
    }

    #[test]
    fn own_pages_are_served_and_other_sites_are_not() {
        let own = ("origin", "https://app.example");
        for (headers, is_served) in [
            (&[own, ("sec-fetch-site", "same-origin")][..], true),
            // Without Fetch Metadata only the origin that the request was sent to.
            (&[own], false),
            (&[("origin", "http://app.example")], true),
            (&[("origin", "http://APP.example")], false),
            (&[("origin", "https://other.example"), ("sec-fetch-site", "cross-site")], true),
            (&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
            (&[own, ("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("origin", "null")], false),
            (&[own, own, ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(is_taken(Method::POST, headers), is_served, "{headers:?}");
        }
        assert!(is_taken(Method::GET, &[]));
        assert!(!is_taken(Method::GET, &[("sec-fetch-site", "cross-site")]));
    }
}
