//! How the gateway refuses and fails: the codes of the contract, with the texts that go with them. Nothing that a provider,
//! a caller or the configuration sent is part of one. `pkg-template/src/gateway/failure.ts` has the same table.

use serde_json::{Map, Value};

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $error:literal $description:literal)*) => {
        /// A refusal or failure of the gateway's own, in the header `X-ClassLink-Gateway-Error`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each has its description in the table")]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the code as the header has it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the HTTP status, the OAuth error code (RFC 6749, 5.2) and the text for developers.
            #[must_use]
            pub fn response(self) -> (u16, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($status, $error, $description),)*
                }
            }
        }
    };
}

codes! {
    NotFound "not_found" 404 "invalid_request" "The gateway has no such path."
    MethodNotAllowed "method_not_allowed" 405 "invalid_request" "This path does not take this method."
    UnsupportedMediaType "unsupported_media_type" 415 "invalid_request" "The token request must be application/x-www-form-urlencoded."
    BodyTooLarge "body_too_large" 413 "invalid_request" "The request body is over 8 KiB."
    RequestInvalid "request_invalid" 400 "invalid_request" "A parameter is missing, repeated, malformed or unknown."
    UnsupportedGrantType "unsupported_grant_type" 400 "unsupported_grant_type" "Only grant_type=authorization_code is taken."
    UnknownClient "unknown_client" 400 "invalid_client" "The client id is not one of this gateway's."
    UnknownRedirectUri "unknown_redirect_uri" 400 "invalid_grant" "The redirect URI is not exactly one that is registered for this client."
    ForbiddenOrigin "forbidden_origin" 403 "access_denied" "The request comes from another site. Behind a proxy that changes scheme or host, name the application's origin in allowedOrigins."
    MissingHeader "missing_header" 403 "access_denied" "The X-ClassLink-SPA header is missing or malformed."
    MissingToken "missing_token" 401 "invalid_token" "A bearer token is required."
    RateLimited "rate_limited" 429 "temporarily_unavailable" "Too many requests."
    Overloaded "overloaded" 503 "temporarily_unavailable" "Too many requests to the provider are under way."
    EndpointUnknown "endpoint_unknown" 404 "invalid_request" "The provider's metadata names no such endpoint."
    UpstreamUnreachable "upstream_unreachable" 502 "temporarily_unavailable" "The provider can't be reached."
    UpstreamTimeout "upstream_timeout" 504 "temporarily_unavailable" "The provider did not answer in time."
    UpstreamError "upstream_error" 502 "server_error" "The provider failed."
    UpstreamInvalid "upstream_invalid" 502 "server_error" "The provider's answer is not what the standard asks for."
    DiscoveryInvalid "discovery_invalid" 502 "server_error" "The provider's metadata is not usable."
    KeysUnavailable "keys_unavailable" 502 "temporarily_unavailable" "The provider's key set cannot be fetched or read."
    IdTokenInvalid "id_token_invalid" 400 "invalid_grant" "The ID token was refused; see the reason."
    UserMismatch "user_mismatch" 502 "server_error" "The provider's answer is about another subject."
    TenantNotAllowed "tenant_not_allowed" 403 "access_denied" "This tenant is not served; see the reason."
    SessionTooLarge "session_too_large" 500 "server_error" "The session does not fit into cookies."
    NotSignedIn "not_signed_in" 401 "login_required" "There is no session."
    DeviceProofRequired "device_proof_required" 403 "access_denied" "The device must prove that it has its key."
    DeviceProofInvalid "device_proof_invalid" 400 "invalid_request" "The device's proof was refused."
    DeviceUnproved "device_unproved" 503 "temporarily_unavailable" "The browser could not prove that it has the device's key."
    NotReady "not_ready" 503 "temporarily_unavailable" "The gateway cannot serve sign-ins yet."
    LogoutTokenInvalid "logout_token_invalid" 400 "invalid_request" "The logout token was refused."
    StoreUnavailable "store_unavailable" 503 "temporarily_unavailable" "The store cannot be reached."
    Internal "internal" 500 "server_error" "The gateway failed."
}

/// A refusal or failure of the gateway's own.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub code: Code,
    /// The check that failed.
    pub reason: Option<&'static str>,
    /// In place of the code's usual text.
    pub description: Option<String>,
    /// The status of the provider's response, for the log.
    pub upstream_status: Option<u16>,
    /// Further response headers.
    pub headers: Vec<(&'static str, String)>,
    /// `Set-Cookie` values that go out with the refusal.
    pub cookies: Vec<String>,
}

impl Failure {
    /// Returns the body of the response: RFC 6749, 5.2, and the reason if there is one.
    #[must_use]
    pub fn body(&self) -> String {
        let (_, error, description) = self.code.response();
        let description = self.description.as_deref().unwrap_or(description);
        let mut body = Map::new();
        body.insert("error".to_owned(), error.into());
        body.insert("error_description".to_owned(), description.into());
        if let Some(reason) = self.reason {
            body.insert("reason".to_owned(), reason.into());
        }
        Value::Object(body).to_string()
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self {
            code,
            reason: None,
            description: None,
            upstream_status: None,
            headers: Vec::new(),
            cookies: Vec::new(),
        }
    }
}

/// Error codes that are passed on: RFC 6749, 4.1.2.1 and 5.2, RFC 6750, 3.1 and the `OpenID` Connect ones. Another code
/// could be any text, so it becomes `invalid_request`.
const PROVIDER_CODES: [&str; 14] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_token",
    "insufficient_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "login_required",
    "interaction_required",
    "consent_required",
];

/// A refusal of the provider's, in OAuth's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's error code if it is a registered one, else `invalid_request`.
    pub error: &'static str,
    /// The provider's HTTP status.
    pub upstream_status: u16,
    /// The status of the gateway's response.
    pub status: u16,
}

impl Refusal {
    /// Returns a refusal by the token endpoint. 503 keeps it visible that another try may succeed.
    #[must_use]
    pub fn of_token_endpoint(error: &str, upstream_status: u16) -> Self {
        let status = if upstream_status == 429 || upstream_status >= 500 { 503 } else { 400 };
        Self::new(error, upstream_status, status)
    }

    /// Creates a refusal whose response has this status.
    #[must_use]
    pub fn new(error: &str, upstream_status: u16, status: u16) -> Self {
        let known = PROVIDER_CODES.into_iter().find(|known| *known == error);
        Self { error: known.unwrap_or("invalid_request"), upstream_status, status }
    }
}

/// Why a request is refused.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The gateway itself refuses or fails.
    Gateway(Box<Failure>),
    /// The provider refuses.
    Provider(Refusal),
}

impl Refused {
    /// Returns the gateway's own code.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Gateway(failure) => Some(failure.code),
            Self::Provider(_) => None,
        }
    }

    /// Returns the refusal of an ID token that failed a check.
    #[must_use]
    pub fn id_token(reason: &'static str) -> Self {
        Self::from(Code::IdTokenInvalid).with_reason(reason)
    }

    /// Names the check that failed.
    #[must_use]
    pub fn with_reason(self, reason: &'static str) -> Self {
        self.change(|failure| failure.reason = Some(reason))
    }

    /// Replaces the code's usual text.
    #[must_use]
    pub fn with_description(self, description: String) -> Self {
        self.change(|failure| failure.description = Some(description))
    }

    /// Names the status of the provider's response.
    #[must_use]
    pub fn with_upstream_status(self, status: u16) -> Self {
        self.change(|failure| failure.upstream_status = Some(status))
    }

    /// Adds a response header.
    #[must_use]
    pub fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        self.change(|failure| failure.headers.push((name, value.into())))
    }

    /// Adds `Set-Cookie` values.
    #[must_use]
    pub fn with_cookies(self, cookies: Vec<String>) -> Self {
        self.change(|failure| failure.cookies = cookies)
    }

    fn change(mut self, change: impl FnOnce(&mut Failure)) -> Self {
        if let Self::Gateway(failure) = &mut self {
            change(failure);
        }
        self
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self::Gateway(Box::new(code.into()))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Provider(refusal)
    }
}

/// Returns the failure of a request to the provider that could not even begin.
#[must_use]
pub fn overloaded() -> Refused {
    Refused::from(Code::Overloaded).with_header("Retry-After", "5")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_handlers_table_has_its_status_and_text() {
        let handlers = include_str!("../../pkg-template/src/gateway/failure.ts");
        let compact: String = handlers.split_whitespace().collect();
        let mut shared = 0;
        for code in Code::ALL {
            let (status, error, description) = code.response();
            let name = format!("{}:[", code.as_str());
            if !compact.contains(&name) {
                continue;
            }
            let row: String = format!("{name}{status},\"{error}\",\"{description}\"")
                .split_whitespace()
                .collect();
            assert!(compact.contains(&row), "{}", code.as_str());
            shared += 1;
        }
        assert!(shared >= 25, "{shared}");
    }

    #[test]
    fn a_failures_body_has_its_reason_and_its_own_description() {
        let refused = Refused::id_token("nonce").with_description("words".to_owned());
        let Refused::Gateway(failure) = refused else { panic!() };
        assert_eq!(
            failure.body(),
            r#"{"error":"invalid_grant","error_description":"words","reason":"nonce"}"#
        );
    }

    #[test]
    fn an_unregistered_code_of_the_provider_becomes_invalid_request() {
        let refusal = Refusal::of_token_endpoint("Ana Ruiz is unknown", 400);
        assert_eq!((refusal.error, refusal.status), ("invalid_request", 400));
        assert_eq!(Refusal::of_token_endpoint("invalid_grant", 500).status, 503);
        assert_eq!(Refusal::of_token_endpoint("invalid_grant", 429).status, 503);
    }
}
