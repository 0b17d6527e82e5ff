//! A request's line and headers: `METHOD target`, then `name: value` lines.

use std::net::IpAddr;

use classlink_gateway::csrf;
use classlink_gateway::limits::address_group;
use classlink_gateway::request::GatewayRequest;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use url::{Url, form_urlencoded};

use super::{OTHER_ORIGIN, SETTINGS};
use crate::reading::{line, text_line};

/// Reads what the routes ask of a request, before any of them answers.
pub fn run(mut data: &[u8]) {
    let (method, target) = text_line(&mut data).split_once(' ').unwrap_or_default();
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else { return };
    let mut headers = HeaderMap::new();
    while !data.is_empty() {
        let header = line(&mut data);
        let Some(colon) = header.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = header.split_at(colon);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value[1..].trim_ascii()))
            && headers.len() < 100
        {
            headers.append(name, value);
        }
    }
    let request =
        GatewayRequest::new(method, &uri, headers, Some("203.0.113.7".to_owned()), &SETTINGS);
    assert_eq!(
        (request.path.as_str(), request.query.as_str()),
        (uri.path(), uri.query().unwrap_or_default())
    );

    check_host(&request);
    check_csrf(&request);
    check_names(&request);
    let pairs: Vec<_> = form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let parameters = request.parameters();
    assert_eq!(parameters.count(), pairs.len());
    let named = |name: &str| -> Vec<&str> {
        let named = pairs.iter().filter(|(one, _)| one == name);
        named.map(|(_, value)| value.as_str()).collect()
    };
    for name in ["client_id", "session_id", "activity"] {
        match parameters.single(name) {
            Ok(value) => {
                assert!(named(name).len() < 2);
                assert_eq!(value, named(name).first().copied());
            }
            Err(_) => assert!(named(name).len() > 1, "{name}"),
        }
    }
    if let Ok(client) = parameters.client(&SETTINGS) {
        assert_eq!(Some(client.id.as_str()), named("client_id").first().copied());
    }
    if let Ok(Some(id)) = parameters.session_id() {
        assert_eq!(id.len(), 43);
    }
}

fn check_host(request: &GatewayRequest) {
    let Ok(host) = request.host() else { return };
    // Some are hosts to RFC 9110 and none to the URL Standard; those that are both name nothing but a host.
    let Ok(url) = Url::parse(&format!("http://{host}")) else { return };
    assert_eq!((url.username(), url.password(), url.path()), ("", None, "/"), "{host}");
    assert_eq!((url.query(), url.fragment()), (None, None), "{host}");
}

fn check_csrf(request: &GatewayRequest) {
    if csrf::check(request, &SETTINGS).is_err() {
        return;
    }
    let site = request.header("sec-fetch-site");
    let Some(origin) = request.header("origin") else {
        assert_eq!(request.method, Method::GET);
        assert!(site.is_none_or(|site| site == "same-origin"));
        return;
    };
    if origin == OTHER_ORIGIN {
        return;
    }
    assert!(site.as_ref().is_none_or(|site| site == "same-origin"));
    let host = request.host().ok().and_then(|host| Url::parse(&format!("http://{host}")).ok());
    let is_own = host.is_some_and(|host| host.origin().ascii_serialization() == origin);
    assert!(is_own || (origin == "https://app.example" && site.is_some()), "{origin}");
    assert!(csrf::cors_headers(request, &SETTINGS).len() == 1, "{origin} may read answers");
}

/// Checks what goes into logs, metrics and the store.
fn check_names(request: &GatewayRequest) {
    let is_hexadecimal =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let id = request.request_id();
    assert!((16..=64).contains(&id.len()) && is_hexadecimal(&id), "{id}");
    if let Some(trace) = request.trace_id() {
        assert!(trace.len() == 32 && is_hexadecimal(&trace), "{trace}");
        assert!(request.header("traceparent").unwrap().contains(&trace));
    }
    if let Some(code) = request.support_code() {
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    }
    if let Some(address) = &request.address {
        let group = address_group(address);
        if let Ok(parsed) = address.parse::<IpAddr>() {
            assert_eq!(address_group(&parsed.to_string()), group, "{address}");
        }
    }
}
