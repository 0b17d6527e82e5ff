//! What can go wrong: the codes of the public interface, with messages for developers.
//!
//! Messages for users are the package's `messages.ts`, since some errors come before the WebAssembly is there.

use wasm_bindgen::JsValue;

use crate::protocol::ascii;

/// What kind of error it is. The names are a contract: see `ClassLinkErrorCode` in the package's types.
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
    /// The answer comes from another issuer than the login went to (RFC 9207).
    IssuerMismatch,
    /// The provider's own answer at the callback; its name is the code.
    Provider(ProviderCode),
    /// Unreachable, or refused by CORS.
    Network,
    /// No complete answer in time.
    Timeout,
    /// An answer that is not what the norm says.
    ProviderResponseInvalid,
    /// The discovery document can't be used.
    DiscoveryInvalid,
    /// The key set can't be had or read.
    KeysUnavailable,
    /// The token endpoint answered with an error.
    TokenRejected,
    /// The application's gateway failed, or refused.
    GatewayError,
    /// The ID token failed a check; the [`Reason`] says which.
    IdTokenInvalid,
    /// `UserInfo` or my-info answered with an error.
    UserinfoRejected,
    /// `UserInfo` or my-info speaks of somebody else.
    UserMismatch,
    /// A tenant that this application does not serve.
    TenantNotAllowed,
    /// Nobody is signed in.
    NotSignedIn,
    /// The session is over.
    SessionExpired,
    /// The session is not over, but nothing fresher can be had.
    RenewalUnavailable,
    /// An origin that the access token must not go to, or a launch's target of another origin.
    OriginNotAllowed,
}

/// The error codes of an authorization response that have a code of their own
/// (RFC 6749, 4.1.2.1; `OpenID` Connect Core 1.0, 3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderCode(&'static str);

impl ProviderCode {
    const KNOWN: [&'static str; 12] = [
        "access_denied",
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "invalid_request",
        "invalid_redirect_uri",
        "server_error",
        "temporarily_unavailable",
    ];

    /// The code for what the provider sent; `provider_error` for a word that the norms don't know.
    #[must_use]
    pub fn from_error(error: &str) -> Self {
        let known = Self::KNOWN.iter().find(|known| **known == error);
        Self(known.copied().unwrap_or("provider_error"))
    }
}

impl ProviderCode {
    /// Whether the answer to `prompt=none` is that a person must be asked (`OpenID` Connect Core 1.0, 3.1.2.6).
    #[must_use]
    pub fn requires_interaction(self) -> bool {
        self.0.ends_with("_required")
    }
}

impl ErrorCode {
    /// The code as the application sees it.
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
            Self::Provider(code) => code.0,
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

    /// Whether the same thing may go well a little later, with nothing changed.
    fn retryable(self) -> bool {
        match self {
            Self::Network | Self::Timeout | Self::KeysUnavailable => true,
            Self::Provider(code) => matches!(code.0, "server_error" | "temporarily_unavailable"),
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

    /// The reason of a name, as a gateway writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The reason as the application sees it.
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

/// The provider's own words (RFC 6749, 4.1.2.1 and 5.2), length-capped. They may name a person, so `Debug` keeps
/// them to itself.
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
    /// Takes the provider's words, cut to 100 and 500 characters.
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

/// An error on its way to the application. It is one pointer, since it is passed on at every step.
#[derive(Clone, Debug)]
pub struct Error(Box<ErrorData>);

/// What an [`Error`] says. Its words are for developers and hold nothing from outside.
#[derive(Clone, Debug)]
pub struct ErrorData {
    /// What kind.
    pub code: ErrorCode,
    /// What the message speaks of.
    pub subject: &'static str,
    /// What is wrong with it, and what to do.
    pub message: &'static str,
    /// Whether trying again makes sense.
    pub retryable: bool,
    /// Which check failed.
    pub reason: Option<Reason>,
    /// The HTTP status of the answer that was refused.
    pub status: Option<u16>,
    /// Seconds that the device's clock is ahead (behind, where negative) when it is to blame.
    pub clock_offset: Option<f64>,
    /// The provider's own words.
    pub provider: Option<ProviderError>,
    /// Where the login that failed was to lead, and the application's own state as JSON text.
    pub login: Option<(String, Option<String>)>,
    /// What the web platform threw.
    pub cause: Option<JsValue>,
    /// The error itself, where the package's scripts made it.
    pub js_error: Option<JsValue>,
}

impl std::ops::Deref for Error {
    type Target = ErrorData;

    fn deref(&self) -> &ErrorData {
        &self.0
    }
}

impl Error {
    /// An error with the code's usual answer to "try again?".
    #[must_use]
    pub fn new(code: ErrorCode, message: &'static str) -> Self {
        Self::with_subject("", code, message)
    }

    /// An error whose message begins with what it speaks of.
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
            cause: None,
            js_error: None,
        }))
    }

    /// An ID token that failed a check.
    #[must_use]
    pub fn id_token(reason: Reason) -> Self {
        Self::with_subject("the ID token was refused: ", ErrorCode::IdTokenInvalid, reason.as_str())
            .with_reason(reason)
    }

    /// An error that the package's scripts made, to be passed on as it is.
    #[must_use]
    pub fn js_error(error: JsValue) -> Self {
        let mut passed = Self::new(ErrorCode::ConfigInvalid, "");
        passed.0.js_error = Some(error);
        passed
    }

    /// The same under another code.
    #[must_use]
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        self.0.code = code;
        self
    }

    /// Names the check that failed.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Names the HTTP status. 429 and 5xx may go well later.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self.0.retryable |= status == 429 || status >= 500;
        self
    }

    /// Says how wrong the device's clock is, in seconds.
    #[must_use]
    pub fn with_clock_offset(mut self, offset: Option<f64>) -> Self {
        self.0.clock_offset = offset;
        self
    }

    /// Carries the provider's own words, beside the message and never in it.
    #[must_use]
    pub fn with_provider(mut self, provider: ProviderError) -> Self {
        self.0.provider = Some(provider);
        self
    }

    /// Carries where the login that failed was to lead, and the application's own state as JSON text.
    #[must_use]
    pub fn with_login(mut self, login: Option<(String, Option<String>)>) -> Self {
        self.0.login = login;
        self
    }

    /// Says that trying again makes sense.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Whether a token endpoint says that the grant is over (RFC 6749, 5.2).
    #[must_use]
    pub fn is_invalid_grant(&self) -> bool {
        let words = self.provider.as_ref();
        self.code == ErrorCode::TokenRejected
            && words.is_some_and(|words| words.error == "invalid_grant")
    }

    /// Carries what the web platform threw.
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
    fn every_code_and_reason_is_in_the_public_types() {
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
        for code in ProviderCode::KNOWN {
            assert_eq!(ErrorCode::Provider(ProviderCode::from_error(code)).as_str(), code);
            assert!(quoted(code), "{code}");
        }
    }

    #[test]
    fn a_word_of_the_providers_own_becomes_provider_error() {
        let code = ProviderCode::from_error("com.example.quota");
        assert_eq!(ErrorCode::Provider(code).as_str(), "provider_error");
    }

    #[test]
    fn debug_shows_none_of_the_providers_words() {
        let words = ProviderError::new("access_denied", Some("Ana Ruiz said no"), None);
        let error = Error::new(ErrorCode::TokenRejected, "refused").with_provider(words);
        assert!(!format!("{error:?}").contains("Ana"));
    }

    #[test]
    fn the_providers_words_are_cut() {
        let long = "é".repeat(2000);
        let words = ProviderError::new(&long, Some(&long), Some(&long));
        assert_eq!(words.error.chars().count(), 100);
        assert_eq!(words.description.map(|text| text.chars().count()), Some(500));
    }
}
