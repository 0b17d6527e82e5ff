//! The pending login: what `sessionStorage` holds between the authorization request and its response.

use super::json::{self, Object};
use super::metadata::ProviderMetadata;
use super::pkce::CodeVerifier;
use super::{ascii, url};

/// How long a login may take: the user may have to find a password.
const MAX_AGE_SECS: f64 = 3600.0;

/// How long after a restarted launch another code without a state counts as a loop.
const LAUNCH_MARKER_MAX_AGE_SECS: f64 = 60.0;

/// How long after a restore by redirect signed the user in the next one would be a loop.
const RESTORE_PAUSE_SECS: f64 = 10.0;

/// A login whose authorization response has not arrived. Its stored form is removed before its code is sent, so that the
/// code is sent once.
pub struct PendingLogin {
    /// The PKCE code verifier.
    pub verifier: CodeVerifier,
    members: Object,
}

/// The members that every pending login has.
const REQUIRED: [&str; 9] = [
    "client_id",
    "redirect_uri",
    "issuer",
    "token_endpoint",
    "jwks_uri",
    "algorithms",
    "scope",
    "return_to",
    "support_code",
];

impl PendingLogin {
    /// Makes the pending login of a verifier and a provider. `members` are the required ones and, if they apply,
    /// `max_age`, `app_state`, `district` and `restores`.
    #[must_use]
    pub fn new(
        verifier: CodeVerifier,
        created_at: u32,
        provider: &ProviderMetadata,
        members: &[(&str, Option<&str>)],
    ) -> Self {
        let mut login = provider.members();
        for (name, value) in members {
            if let Some(value) = value {
                login.insert_str(name, value);
            }
        }
        login.insert_str("created_at", &ascii::format_u64(created_at.into()));
        login.insert_str("verifier", verifier.expose());
        Self { verifier, members: login }
    }

    /// Parses a stored login; `None` if a member is missing, or if an endpoint is not one that a secret may be sent to.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let members = json::parse_object(text.as_bytes())?;
        let verifier = CodeVerifier::from_stored(members.get_str("verifier")?);
        let login = Self { verifier, members };
        for name in REQUIRED {
            login.get(name)?;
        }
        for (name, value) in login.members.strings() {
            let is_endpoint = name.ends_with("_endpoint") || name == "jwks_uri";
            if is_endpoint && !url::is_potentially_trustworthy(value) {
                return None;
            }
        }
        Some(login)
    }

    /// Serializes the login for storage.
    #[must_use]
    pub fn to_stored(&self) -> String {
        json::write_object(&self.members)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.members.get_str(name)
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Returns `client_id`, so that two clients on a page do not take each other's logins.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("client_id")
    }

    /// Returns the request's redirect URI, which the token request must repeat (RFC 6749, 4.1.3).
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.text("redirect_uri")
    }

    /// Returns the issuer that the user was sent to.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// Returns the provider's metadata from the start of the login, so that nothing is discovered twice. A session keeps
    /// it, so it does not contain the verifier.
    #[must_use]
    pub fn provider(&self) -> ProviderMetadata {
        ProviderMetadata::from_pending_login(&self.members)
    }

    /// Returns the requested scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.text("scope")
    }

    /// Returns the requested `max_age`, in seconds.
    #[must_use]
    pub fn max_age(&self) -> Option<u32> {
        // 0, the strictest, if it was tampered with.
        self.get("max_age").map(|seconds| ascii::parse_u32(seconds.as_bytes()).unwrap_or_default())
    }

    /// Returns the path of this origin to open after sign-in.
    #[must_use]
    pub fn return_to(&self) -> &str {
        self.text("return_to")
    }

    /// Returns the application's state, as JSON text.
    #[must_use]
    pub fn app_state(&self) -> Option<&str> {
        self.get("app_state")
    }

    /// Returns the district whose registration was used.
    #[must_use]
    pub fn district(&self) -> Option<&str> {
        self.get("district")
    }

    /// Returns whether the client started it to restore a session (`prompt=none`).
    #[must_use]
    pub fn is_silent_restore(&self) -> bool {
        self.get("restores").is_some()
    }

    /// Returns when it started by the device's clock, in seconds since 1970.
    #[must_use]
    pub fn created_at(&self) -> f64 {
        seconds(&self.members, "created_at")
    }

    /// Returns the support code of this attempt in errors, events and the gateway's log.
    #[must_use]
    pub fn support_code(&self) -> &str {
        self.text("support_code")
    }

    /// Returns whether a response may still arrive. A negative age counts as unexpired: the clock was set back.
    #[must_use]
    pub fn is_unexpired(&self, now: f64) -> bool {
        now - self.created_at() <= MAX_AGE_SECS
    }
}

impl std::fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingLogin(…)")
    }
}

/// Reads a stored time; 0 if it is missing or malformed.
fn seconds(members: &Object, name: &str) -> f64 {
    let digits = members.get_str(name).unwrap_or_default();
    ascii::parse_u32(digits.as_bytes()).unwrap_or_default().into()
}

/// Serializes the marker of a restarted LaunchPad launch: its state, and when it was by the device's clock, in seconds
/// since 1970. Another launch within a minute is a loop.
#[must_use]
pub fn launch_marker(state: &str, created_at: u32) -> String {
    let mut marker = Object::default();
    marker.insert_str("state", state);
    marker.insert_str("created_at", &ascii::format_u64(created_at.into()));
    json::write_object(&marker)
}

/// Returns the state in a launch marker.
#[must_use]
pub fn launch_marker_state(launch_marker: &str) -> Option<String> {
    json::parse_object(launch_marker.as_bytes())?.get_str("state").map(str::to_owned)
}

/// Returns whether a launch at this time is the marked restart that came back without its state.
#[must_use]
pub fn is_launch_loop(launch_marker: &str, now: f64) -> bool {
    json::parse_object(launch_marker.as_bytes())
        .is_some_and(|mark| now - seconds(&mark, "created_at") <= LAUNCH_MARKER_MAX_AGE_SECS)
}

/// Returns whether a tab with this marker may restore a session by redirect: not if the last redirect found no session, and
/// not within seconds after one that did, since an application that loads another page after every sign-in would loop.
#[must_use]
pub fn can_restore_by_redirect(restore_mark: Option<&str>, now: f64) -> bool {
    restore_mark.is_none_or(|mark| {
        let found = ascii::parse_u32(mark.as_bytes());
        found.is_some_and(|at| !(0.0..RESTORE_PAUSE_SECS).contains(&(now - f64::from(at))))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::metadata::ProfileSource;
    use proptest::prelude::*;

    pub(crate) fn pending(created_at: u32) -> PendingLogin {
        pending_with(created_at, &[])
    }

    pub(crate) fn pending_with(created_at: u32, more: &[(&str, Option<&str>)]) -> PendingLogin {
        let metadata = br#"{
            "authorization_endpoint": "https://op.example/auth",
            "token_endpoint": "https://op.example/token",
            "jwks_uri": "https://op.example/jwks"
        }"#;
        let metadata = json::parse_object(metadata).unwrap();
        let provider = ProviderMetadata::merge(&[&metadata], ProfileSource::IdToken, None).unwrap();
        let members = [
            ("client_id", Some("c1")),
            ("redirect_uri", Some("https://app.example/cb")),
            ("issuer", Some("https://op.example")),
            ("scope", Some("openid")),
            ("return_to", Some("/")),
            ("support_code", Some("ABCD1234")),
        ];
        let verifier = CodeVerifier::from_random(&[1; 32]);
        PendingLogin::new(verifier, created_at, &provider, &[&members[..], more].concat())
    }

    #[test]
    fn pending_login_survives_storage() {
        let login = pending(5);
        let back = PendingLogin::from_stored(&login.to_stored()).unwrap();
        assert_eq!(back.verifier.expose(), login.verifier.expose());
        assert_eq!(back.scope(), "openid");
        assert_eq!(back.return_to(), "/");
        assert_eq!(back.support_code(), "ABCD1234");
        assert_eq!(back.provider().token_endpoint(), "https://op.example/token");
        assert_eq!(back.provider().jwks_uri(), "https://op.example/jwks");
        assert_eq!(back.created_at().to_bits(), 5f64.to_bits());
    }

    #[test]
    fn stored_login_with_an_insecure_endpoint_is_refused() {
        for name in [
            "token_endpoint",
            "jwks_uri",
            "profile_endpoint",
            "end_session_endpoint",
            "revocation_endpoint",
        ] {
            let login = pending_with(5, &[(name, Some("http://evil.example/token"))]);
            assert!(PendingLogin::from_stored(&login.to_stored()).is_none(), "{name}");
        }
    }

    #[test]
    fn stored_login_that_lacks_a_member_is_refused() {
        let stored = pending(5).to_stored();
        for name in REQUIRED.iter().chain(&["verifier"]) {
            let quoted = format!("\"{name}\"");
            assert!(stored.contains(&quoted));
            let lacking = stored.replace(&quoted, "\"x\"");
            assert!(PendingLogin::from_stored(&lacking).is_none(), "{name}");
        }
        for text in ["", "[]", "{}"] {
            assert!(PendingLogin::from_stored(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_member_of_a_pending_login_survives_storage() {
        let more = [
            ("issuer_promised", Some("true")),
            ("profile_endpoint", Some("https://op.example/me")),
            ("max_age", Some("3600")),
            ("app_state", Some("{\"a\":1}")),
            ("district", Some("springfield")),
            ("restores", Some("true")),
        ];
        for login in [pending_with(5, &more), pending(5)] {
            let stored = login.to_stored();
            let back = PendingLogin::from_stored(&stored).unwrap();
            assert_eq!(back.to_stored(), stored);
        }
        let back = PendingLogin::from_stored(&pending_with(5, &more).to_stored()).unwrap();
        assert!(back.provider().iss_parameter_supported());
        assert_eq!(back.provider().profile_endpoint(), Some("https://op.example/me"));
        assert!(back.is_silent_restore());
        assert!(!pending(5).is_silent_restore());
        assert_eq!(back.max_age(), Some(3600));
        assert_eq!(back.app_state(), Some("{\"a\":1}"));
        assert_eq!(back.district(), Some("springfield"));
        let tampered = pending_with(5, &[("max_age", Some("x"))]);
        assert_eq!(tampered.max_age(), Some(0), "the strictest");
    }

    #[test]
    fn metadata_of_a_pending_login_does_not_contain_the_verifier() {
        let login = pending(5);
        let kept = json::write_object(&login.provider().members());
        assert!(kept.contains("https://op.example/token"));
        assert!(!kept.contains(login.verifier.expose()));
    }

    #[test]
    fn launch_is_a_loop_within_a_minute_of_its_marker() {
        let mark = launch_marker("s", 100);
        assert_eq!(launch_marker_state(&mark).as_deref(), Some("s"));
        assert_eq!(launch_marker_state("{}"), None);
        assert!(is_launch_loop(&mark, 160.0));
        assert!(!is_launch_loop(&mark, 161.0));
        for text in ["", "[]", "{}", r#"{"state":"s"}"#, r#"{"state":"s","created_at":"x"}"#] {
            assert!(!is_launch_loop(text, 160.0), "{text}");
        }
    }

    #[test]
    fn restore_by_redirect_is_refused_after_a_failure_and_shortly_after_a_success() {
        assert!(can_restore_by_redirect(None, 100.0));
        assert!(!can_restore_by_redirect(Some("asked"), 100.0));
        for (now, may) in [(100.0, false), (109.9, false), (110.0, true), (99.0, true)] {
            assert_eq!(can_restore_by_redirect(Some("100"), now), may, "{now}");
        }
    }

    #[test]
    fn debug_prints_nothing_of_a_pending_login() {
        let login = pending(0);
        assert_eq!(format!("{login:?}"), "PendingLogin(…)");
    }

    proptest! {
        #[test]
        fn from_stored_never_panics(text in ".*") {
            let _ = PendingLogin::from_stored(&text);
        }
    }
}
