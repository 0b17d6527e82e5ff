//! Errors: the codes of the public interface, with messages for developers.
//!
//! Messages for users are in the package's `messages.ts`, since some errors occur before the WebAssembly is loaded.

#[cfg(feature = "browser")]
use wasm_bindgen::JsValue;

use crate::protocol::ascii;

/// The code of an error. The names are a contract: `ClassLinkErrorCode` in the package's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The configuration or an argument is wrong.
    ConfigInvalid,
    /// No browser, no secure context or no Web Crypto.
    EnvironmentUnsupported,
    /// `sessionStorage` is blocked or full.
    StorageUnavailable,
    /// The client was closed.
    ClientClosed,
    /// The URL has neither a code nor an error.
    NotACallback,
    /// No pending login for this state.
    StateUnknown,
    /// A LaunchPad launch that may not be restarted here.
    LaunchRejected,
    /// A restarted launch came back without a state again.
    LaunchLoop,
    /// A callback that breaks RFC 6749.
    CallbackMalformed,
    /// The authorization response is from another issuer than the login's (RFC 9207).
    IssuerMismatch,
    /// The provider's error at the callback, under the provider's name for it.
    Provider(ProviderCode),
    /// Unreachable, or refused by CORS.
    Network,
    /// No complete response in time.
    Timeout,
    /// A response that the norm does not allow.
    ProviderResponseInvalid,
    /// The discovery document cannot be used.
    DiscoveryInvalid,
    /// The key set cannot be fetched or read.
    KeysUnavailable,
    /// The token endpoint returned an error.
    TokenRejected,
    /// The application's gateway failed, or refused the request.
    GatewayError,
    /// The ID token failed a check; the [`Reason`] says which.
    IdTokenInvalid,
    /// `UserInfo` or my-info returned an error.
    UserinfoRejected,
    /// `UserInfo` or my-info is about another user than the ID token.
    UserMismatch,
    /// A tenant that this application does not serve.
    TenantNotAllowed,
    /// There is no session.
    NotSignedIn,
    /// The session is over.
    SessionExpired,
    /// The session is not over, but its tokens cannot be renewed.
    RenewalUnavailable,
    /// An origin that the access token must not go to, or a launch's target of another origin.
    OriginNotAllowed,
}

/// The error codes of an authorization response that have a code of their own
/// (RFC 6749, 4.1.2.1; `OpenID` Connect Core 1.0, 3.1.2.6), and `provider_error` for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the norms")]
pub enum ProviderCode {
    AccessDenied,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    AccountSelectionRequired,
    UnauthorizedClient,
    UnsupportedResponseType,
    InvalidScope,
    InvalidRequest,
    InvalidRedirectUri,
    ServerError,
    TemporarilyUnavailable,
    ProviderError,
}

impl ProviderCode {
    const ALL: [Self; 13] = [
        Self::AccessDenied,
        Self::LoginRequired,
        Self::InteractionRequired,
        Self::ConsentRequired,
        Self::AccountSelectionRequired,
        Self::UnauthorizedClient,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::InvalidRequest,
        Self::InvalidRedirectUri,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::ProviderError,
    ];

    /// Returns the code for a provider's `error`; `provider_error` for one that the norms do not define.
    #[must_use]
    pub fn from_error(error: &str) -> Self {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == error);
        known.unwrap_or(Self::ProviderError)
    }

    /// Returns whether a request with `prompt=none` failed since the user must interact (`OpenID` Connect Core 1.0,
    /// 3.1.2.6).
    #[must_use]
    pub fn requires_interaction(self) -> bool {
        matches!(
            self,
            Self::LoginRequired
                | Self::InteractionRequired
                | Self::ConsentRequired
                | Self::AccountSelectionRequired
        )
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ProviderError => "provider_error",
        }
    }
}

impl ErrorCode {
    /// Returns the code as the application sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigInvalid => "config_invalid",
            Self::EnvironmentUnsupported => "environment_unsupported",
            Self::StorageUnavailable => "storage_unavailable",
            Self::ClientClosed => "client_closed",
            Self::NotACallback => "not_a_callback",
            Self::StateUnknown => "state_unknown",
            Self::LaunchRejected => "launch_rejected",
            Self::LaunchLoop => "launch_loop",
            Self::CallbackMalformed => "callback_malformed",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Provider(code) => code.as_str(),
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::ProviderResponseInvalid => "provider_response_invalid",
            Self::DiscoveryInvalid => "discovery_invalid",
            Self::KeysUnavailable => "keys_unavailable",
            Self::TokenRejected => "token_rejected",
            Self::GatewayError => "gateway_error",
            Self::IdTokenInvalid => "id_token_invalid",
            Self::UserinfoRejected => "userinfo_rejected",
            Self::UserMismatch => "user_mismatch",
            Self::TenantNotAllowed => "tenant_not_allowed",
            Self::NotSignedIn => "not_signed_in",
            Self::SessionExpired => "session_expired",
            Self::RenewalUnavailable => "renewal_unavailable",
            Self::OriginNotAllowed => "origin_not_allowed",
        }
    }

    /// Returns whether the same call may succeed later with nothing changed.
    fn retryable(self) -> bool {
        match self {
            Self::Network | Self::Timeout | Self::KeysUnavailable => true,
            Self::Provider(code) => {
                matches!(code, ProviderCode::ServerError | ProviderCode::TemporarilyUnavailable)
            }
            _ => false,
        }
    }
}

/// Which check an ID token or a tenant failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is named after the claim or rule; see the table in `id_token`"
)]
pub enum Reason {
    Malformed,
    Algorithm,
    CriticalHeader,
    KeyNotFound,
    Signature,
    Issuer,
    Audience,
    AuthorizedParty,
    Subject,
    Expired,
    NotYetValid,
    IssuedInFuture,
    Nonce,
    AtHash,
    AuthTime,
    TenantOther,
    TenantUnknown,
}

impl Reason {
    const ALL: [Self; 17] = [
        Self::Malformed,
        Self::Algorithm,
        Self::CriticalHeader,
        Self::KeyNotFound,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::AuthorizedParty,
        Self::Subject,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::Nonce,
        Self::AtHash,
        Self::AuthTime,
        Self::TenantOther,
        Self::TenantUnknown,
    ];

    /// Returns the reason with this name, as a gateway writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Returns the reason as the application sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::CriticalHeader => "critical_header",
            Self::KeyNotFound => "key_not_found",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::AuthorizedParty => "authorized_party",
            Self::Subject => "subject",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::Nonce => "nonce",
            Self::AtHash => "at_hash",
            Self::AuthTime => "auth_time",
            Self::TenantOther => "tenant_other",
            Self::TenantUnknown => "tenant_unknown",
        }
    }
}

/// The provider's own text (RFC 6749, 4.1.2.1 and 5.2), truncated. It may name a user, so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// The `error` member.
    pub error: String,
    /// The `error_description` member.
    pub description: Option<String>,
    /// The `error_uri` member.
    pub uri: Option<String>,
}

impl ProviderError {
    /// Truncates the provider's text to 100 characters for `error` and 500 for the others.
    #[must_use]
    pub fn new(error: &str, description: Option<&str>, uri: Option<&str>) -> Self {
        let cut = |text| ascii::truncate_chars(text, 500).to_owned();
        Self {
            error: ascii::truncate_chars(error, 100).to_owned(),
            description: description.map(cut),
            uri: uri.map(cut),
        }
    }
}

impl std::fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderError(…)")
    }
}

/// Where a login that failed was to lead. `Debug` does not print it, since both texts are the application's.
#[derive(Clone)]
pub struct FailedLogin {
    /// Its `returnTo`.
    pub return_to: String,
    /// Its `appState`, as JSON text.
    pub app_state: Option<String>,
}

impl std::fmt::Debug for FailedLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FailedLogin(…)")
    }
}

/// An error on its way to the application: one pointer, since every step passes it on.
#[derive(Clone, Debug)]
pub struct Error(Box<ErrorData>);

/// The members of an [`Error`]. Its message is for developers and contains nothing from outside.
#[derive(Clone, Debug)]
pub struct ErrorData {
    /// Its code.
    pub code: ErrorCode,
    /// The beginning of the message: what failed.
    pub subject: &'static str,
    /// The rest of the message: the fact observed, and the remedy.
    pub message: &'static str,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Which check failed.
    pub reason: Option<Reason>,
    /// The HTTP status of the response that was refused.
    pub status: Option<u16>,
    /// Seconds that the device's clock is ahead (negative: behind), if the clock is the cause.
    pub clock_offset: Option<f64>,
    /// The provider's own text.
    pub provider: Option<ProviderError>,
    /// The login that failed.
    pub login: Option<FailedLogin>,
    /// The error that the web platform threw.
    #[cfg(feature = "browser")]
    pub cause: Option<JsValue>,
    /// The error itself, if the package's scripts made it.
    #[cfg(feature = "browser")]
    pub js_error: Option<JsValue>,
}

impl std::ops::Deref for Error {
    type Target = ErrorData;

    fn deref(&self) -> &ErrorData {
        &self.0
    }
}

impl Error {
    /// Makes an error that is retryable if errors of its code usually are.
    #[must_use]
    pub fn new(code: ErrorCode, message: &'static str) -> Self {
        Self::with_subject("", code, message)
    }

    /// Makes an error whose message begins with the given subject.
    #[must_use]
    pub fn with_subject(subject: &'static str, code: ErrorCode, message: &'static str) -> Self {
        Self(Box::new(ErrorData {
            code,
            subject,
            message,
            retryable: code.retryable(),
            reason: None,
            status: None,
            clock_offset: None,
            provider: None,
            login: None,
            #[cfg(feature = "browser")]
            cause: None,
            #[cfg(feature = "browser")]
            js_error: None,
        }))
    }

    /// Makes the error for an ID token that failed a check.
    #[must_use]
    pub fn id_token(reason: Reason) -> Self {
        Self::with_subject("the ID token was refused: ", ErrorCode::IdTokenInvalid, reason.as_str())
            .with_reason(reason)
    }

    /// Wraps an error that the package's scripts made, to be passed on as it is.
    #[cfg(feature = "browser")]
    #[must_use]
    pub fn js_error(error: JsValue) -> Self {
        let mut passed = Self::new(ErrorCode::ConfigInvalid, "");
        passed.0.js_error = Some(error);
        passed
    }

    /// Replaces the code.
    #[must_use]
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        self.0.code = code;
        self
    }

    /// Sets the check that failed.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Sets the HTTP status. 429 and 5xx are retryable.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self.0.retryable |= status == 429 || status >= 500;
        self
    }

    /// Sets how far the device's clock is off, in seconds.
    #[must_use]
    pub fn with_clock_offset(mut self, offset: Option<f64>) -> Self {
        self.0.clock_offset = offset;
        self
    }

    /// Adds the provider's own text, beside the message and never in it.
    #[must_use]
    pub fn with_provider(mut self, provider: ProviderError) -> Self {
        self.0.provider = Some(provider);
        self
    }

    /// Adds the login that failed.
    #[must_use]
    pub fn with_login(mut self, login: Option<FailedLogin>) -> Self {
        self.0.login = login;
        self
    }

    /// Makes the error retryable.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Returns whether a token endpoint refused the grant itself (RFC 6749, 5.2).
    #[must_use]
    pub fn is_invalid_grant(&self) -> bool {
        let words = self.provider.as_ref();
        self.code == ErrorCode::TokenRejected
            && words.is_some_and(|words| words.error == "invalid_grant")
    }

    /// Adds the error that the web platform threw.
    #[cfg(feature = "browser")]
    #[must_use]
    pub fn with_cause(mut self, cause: JsValue) -> Self {
        self.0.cause = Some(cause);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_reason_is_in_the_package_types() {
        let types = concat!(
            include_str!("../pkg-template/src/types.ts"),
            include_str!("../pkg-template/src/shared-types.ts"),
        );
        let quoted = |word: &str| types.contains(&["| \"", word, "\""].concat());
        let codes = [
            ErrorCode::ConfigInvalid,
            ErrorCode::EnvironmentUnsupported,
            ErrorCode::StorageUnavailable,
            ErrorCode::ClientClosed,
            ErrorCode::NotACallback,
            ErrorCode::StateUnknown,
            ErrorCode::LaunchRejected,
            ErrorCode::LaunchLoop,
            ErrorCode::CallbackMalformed,
            ErrorCode::IssuerMismatch,
            ErrorCode::Network,
            ErrorCode::Timeout,
            ErrorCode::ProviderResponseInvalid,
            ErrorCode::DiscoveryInvalid,
            ErrorCode::KeysUnavailable,
            ErrorCode::TokenRejected,
            ErrorCode::IdTokenInvalid,
            ErrorCode::UserinfoRejected,
            ErrorCode::UserMismatch,
            ErrorCode::GatewayError,
            ErrorCode::TenantNotAllowed,
            ErrorCode::NotSignedIn,
            ErrorCode::SessionExpired,
            ErrorCode::RenewalUnavailable,
            ErrorCode::OriginNotAllowed,
        ];
        for code in codes.map(ErrorCode::as_str) {
            assert!(quoted(code), "{code}");
        }
        for reason in Reason::ALL {
            assert!(quoted(reason.as_str()), "{reason:?}");
            assert_eq!(Reason::from_name(reason.as_str()), Some(reason));
        }
        for code in ProviderCode::ALL {
            assert!(quoted(code.as_str()), "{code:?}");
            assert_eq!(ProviderCode::from_error(code.as_str()), code);
        }
    }

    #[test]
    fn error_code_that_no_norm_defines_becomes_provider_error() {
        let code = ProviderCode::from_error("com.example.quota");
        assert_eq!(ErrorCode::Provider(code).as_str(), "provider_error");
    }

    #[test]
    fn debug_prints_nothing_of_the_providers_text() {
        let words = ProviderError::new("access_denied", Some("Ana Ruiz said no"), None);
        let error = Error::new(ErrorCode::TokenRejected, "refused").with_provider(words);
        assert!(!format!("{error:?}").contains("Ana"));
    }

    #[test]
    fn provider_text_is_truncated_to_100_and_500_characters() {
        let long = "é".repeat(2000);
        let words = ProviderError::new(&long, Some(&long), Some(&long));
        assert_eq!(words.error.chars().count(), 100);
        assert_eq!(words.description.map(|text| text.chars().count()), Some(500));
    }
}
