//! A request as the routes see it, and a response before it is sent. Nothing here does I/O.

use std::borrow::Cow;
use std::sync::Arc;

use classlink_spa::protocol::encoding::base64url;
use classlink_spa::protocol::form;
use hyper::header::{self, AsHeaderName, HeaderMap};
use hyper::{Method, Uri};

use crate::config::{Client, Settings};
use crate::crypto;
use crate::failure::{Code, Refused};

/// The header that the SDK sends with every request. No form and no image can, and a script of another site may not.
pub const SDK_HEADER: &str = classlink_spa::protocol::gateway::SUPPORT_CODE_HEADER;

/// Names the gateway's own refusals and failures in a response; absent if the provider refused.
pub const ERROR_HEADER: &str = classlink_spa::protocol::gateway::ERROR_HEADER;

/// A request's line and headers, and where it came from.
#[derive(Debug)]
pub struct GatewayRequest {
    /// The method.
    pub method: Method,
    /// The path of the request line, as it was sent.
    pub path: String,
    /// The query of the request line, as it was sent.
    pub query: String,
    /// The client's address, if it is known.
    pub address: Option<String>,
    /// The authority of an HTTP/2 request or an absolute target.
    authority: Option<String>,
    headers: HeaderMap,
}

impl GatewayRequest {
    /// Takes a request apart. `peer` is the address at the other end of the connection.
    #[must_use]
    pub fn new(
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        peer: Option<String>,
        settings: &Settings,
    ) -> Self {
        let mut request = Self {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            address: peer,
            authority: uri.authority().map(ToString::to_string),
            headers,
        };
        if let Some(name) = &settings.remote_address_header {
            request.address = request.header(name).map(Cow::into_owned);
        }
        request
    }

    /// Returns a header; several of one name are joined as lists are (RFC 9110, 5.3). Its bytes are characters of Latin-1.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
        self.joined(name, ", ")
    }

    /// Returns the `Cookie` header (RFC 6265, 4.2.2 and RFC 9113, 8.2.3: several are one list).
    #[must_use]
    pub fn cookies(&self) -> Cow<'_, str> {
        self.joined(header::COOKIE, "; ").unwrap_or_default()
    }

    fn joined(&self, name: impl AsHeaderName, separator: &str) -> Option<Cow<'_, str>> {
        let mut values = self.headers.get_all(name).iter();
        let first = latin1(values.next()?.as_bytes());
        let mut joined = first;
        for value in values {
            let joined = joined.to_mut();
            joined.push_str(separator);
            joined.push_str(&latin1(value.as_bytes()));
        }
        Some(joined)
    }

    /// Returns the support code: eight characters of Crockford's base 32.
    #[must_use]
    pub fn support_code(&self) -> Option<String> {
        let code = self.header(SDK_HEADER)?;
        let is_digit = |byte: u8| {
            byte.is_ascii_alphanumeric() && !matches!(byte | 0x20, b'i' | b'l' | b'o' | b'u')
        };
        (code.len() == 8 && code.bytes().all(is_digit)).then(|| code.into_owned())
    }

    /// Returns the id of the request: the caller's if it is 16 to 64 hexadecimal digits and hyphens, else a new one.
    #[must_use]
    pub fn request_id(&self) -> String {
        let is_id = |id: &str| {
            (16..=64).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        self.header("x-request-id").filter(|id| is_id(id)).map_or_else(
            || hexadecimal(&crypto::random::<16>().unwrap_or_default()),
            Cow::into_owned,
        )
    }

    /// Returns the trace id of a valid `traceparent` (W3C Trace Context, 3.2).
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let header = self.header("traceparent")?;
        let is_lower_hex =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
        let mut parts = header.split('-');
        let (version, trace, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lengths = [version.len(), trace.len(), parent.len(), flags.len()];
        let is_valid = lengths == [2, 32, 16, 2]
            && [version, trace, parent, flags].into_iter().all(is_lower_hex)
            && version != "ff"
            && !is_zero(trace)
            && !is_zero(parent)
            && (version != "00" || parts.next().is_none());
        is_valid.then(|| trace.to_owned())
    }

    /// Returns the host and port that the request was sent to.
    ///
    /// # Errors
    /// `request_invalid` if it is not a host and a port (RFC 9110, 7.2), or comes twice (RFC 9112, 3.2).
    pub fn host(&self) -> Result<Cow<'_, str>, Refused> {
        let host = match (&self.authority, self.header(header::HOST)) {
            (_, Some(host)) => host,
            (Some(authority), None) => Cow::Borrowed(authority.as_str()),
            (None, None) => Cow::Borrowed("localhost"),
        };
        if is_host(&host) { Ok(host) } else { Err(Code::RequestInvalid.into()) }
    }

    /// Returns the parameters of the query.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters(form::decode(&self.query))
    }
}

/// Reads bytes as characters of Latin-1, which are UTF-8 if they are ASCII.
fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_holds = port.is_none_or(|port| {
        (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit())
    });
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_address = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty()
            && bytes.all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
    };
    let is_name = |text: &str| {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        !text.is_empty() && text.bytes().all(is_plain)
    };
    port_holds && address.map_or_else(|| is_name(name), is_address)
}

/// Writes bytes in hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The parameters of a query or a form.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a form (URL Standard, section 5).
    #[must_use]
    pub fn of_form(form: &str) -> Self {
        // `URLSearchParams`, which the handler reads with, drops it.
        Self(form::decode(form.strip_prefix('?').unwrap_or(form)))
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the first of a name that is not empty.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(one, _)| one == name);
        first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns a parameter that may come once.
    ///
    /// # Errors
    /// `request_invalid` if it comes more often.
    pub fn single(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.0.iter().filter(|(one, _)| one == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() { Err(Code::RequestInvalid.into()) } else { Ok(first) }
    }

    /// Finds the registration that a request names.
    ///
    /// # Errors
    /// `request_invalid` unless there is exactly one id, `unknown_client`.
    pub fn client<'a>(&self, settings: &'a Settings) -> Result<&'a Arc<Client>, Refused> {
        let id = self.single("client_id")?.filter(|id| !id.is_empty());
        let id = id.ok_or(Code::RequestInvalid)?;
        settings.client(id).ok_or_else(|| Code::UnknownClient.into())
    }

    /// Returns the session that a request names.
    ///
    /// # Errors
    /// `request_invalid` unless it is a session id.
    pub fn session_id(&self) -> Result<Option<&str>, Refused> {
        let id = self.single("session_id")?;
        let is_id = |id: &str| {
            let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            id.len() == 43 && id.bytes().all(is_digit)
        };
        if id.is_none_or(is_id) { Ok(id) } else { Err(Code::RequestInvalid.into()) }
    }
}

/// A response before its common headers are added.
#[derive(Debug, Default)]
pub struct GatewayResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body; absent for an empty one.
    pub body: Option<String>,
    /// The body's type, if it is not JSON.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// `Set-Cookie` values.
    pub cookies: Vec<String>,
}

impl GatewayResponse {
    /// Returns a response with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: Some(body.into()), ..Self::default() }
    }

    /// Returns a response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds `Set-Cookie` values.
    #[must_use]
    pub fn with_cookies(mut self, cookies: Vec<String>) -> Self {
        self.cookies = cookies;
        self
    }

    /// Asks the browser to bind the session to the device, if there is something to ask.
    #[must_use]
    pub fn with_registration(mut self, offered: Option<String>) -> Self {
        self.headers.extend(offered.map(|value| ("Secure-Session-Registration", value)));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Returns the hash of a text in a store's key: base64url of SHA-256.
#[must_use]
pub fn hashed(text: &str) -> String {
    base64url(crypto::sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings;

    fn request(target: &str, headers: &[(&str, &str)]) -> GatewayRequest {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        GatewayRequest::new(Method::GET, &target.parse().unwrap(), map, None, &settings())
    }

    #[test]
    fn support_code_has_eight_digits_of_crockfords_base_32() {
        for (value, is_code) in [
            ("7KQ2M9ZX", true),
            ("7kq2m9zx", true),
            ("7KQ2M9Z", false),
            ("7KQ2M9ZXX", false),
            ("ILOU0000", false),
            ("7KQ2M9Z-", false),
        ] {
            let code = request("/", &[(SDK_HEADER, value)]).support_code();
            assert_eq!(code.is_some(), is_code, "{value}");
        }
    }

    #[test]
    fn path_comes_from_the_request_line_alone() {
        let request = request("/auth/zzz?a=1", &[("host", "x/auth/session?client_id=c1&")]);
        assert_eq!(request.path, "/auth/zzz");
        assert!(request.host().is_err());
    }

    #[test]
    fn two_hosts_are_refused() {
        let twice = [("host", "app.example"), ("host", "app.example")];
        assert!(request("/auth/session", &twice).host().is_err());
    }

    #[test]
    fn host_is_a_name_or_an_address_with_a_port() {
        for (host, holds) in [
            ("app.example", true),
            ("app.example:8443", true),
            ("[::1]:3000", true),
            ("[::1]", true),
            ("", false),
            ("a b", false),
            ("app.example:", false),
            ("app.example:123456", false),
            ("user@app.example", false),
            ("[::1", false),
        ] {
            assert_eq!(is_host(host), holds, "{host:?}");
        }
    }

    #[test]
    fn request_id_of_the_caller_is_kept_if_it_is_one() {
        let id = "0af7651916cd43dd-8448eb211c80319c";
        assert_eq!(request("/", &[("x-request-id", id)]).request_id(), id);
        for other in ["short", "0af7651916cd43dd\u{e9}", "Ana Ruiz, 7th grade"] {
            let made = request("/", &[("x-request-id", other)]).request_id();
            assert!(made.len() == 32 && made != other, "{other}");
        }
    }

    #[test]
    fn trace_id_comes_of_a_valid_traceparent() {
        let trace = |value: &str| request("/", &[("traceparent", value)]).trace_id();
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace(&format!("00-{id}-b7ad6b7169203331-01")).as_deref(), Some(id));
        assert_eq!(trace(&format!("cc-{id}-b7ad6b7169203331-01-new")).as_deref(), Some(id));
        for invalid in [
            format!("00-{id}-b7ad6b7169203331-01-new"),
            format!("ff-{id}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{}-b7ad6b7169203331-01", id.to_uppercase()),
            id.to_owned(),
        ] {
            assert_eq!(trace(&invalid), None, "{invalid}");
        }
    }

    #[test]
    fn parameter_that_comes_twice_is_refused() {
        let request = request("/?client_id=a&client_id=a&session_id=x", &[]);
        let parameters = request.parameters();
        assert!(parameters.single("client_id").is_err());
        assert!(parameters.session_id().is_err());
        assert_eq!(parameters.single("other").unwrap(), None);
    }
}
