//! The pending login: what waits in `sessionStorage` while the person is with the provider.

use serde::Serialize;

use super::json::{self, Object};
use super::metadata::Endpoints;
use super::pkce::CodeVerifier;

/// How long people may look for their password, in seconds.
const MAX_AGE: f64 = 3600.0;

/// How soon a restarted launch must come back for its answer to tell of a loop, in seconds.
const LAUNCH_MAX_AGE: f64 = 60.0;

/// One login that was begun and not yet answered. It is consumed by value, so its code is sent once.
#[derive(Debug, Serialize)]
pub struct PendingLogin {
    /// The PKCE code verifier.
    pub verifier: CodeVerifier,
    /// Who asked, so that two clients on a page don't answer for each other.
    pub client_id: String,
    /// The redirect URI of the request, which the exchange must repeat (RFC 6749, 4.1.3).
    pub redirect_uri: String,
    /// The issuer that the person was sent to.
    pub issuer: String,
    /// Whether its metadata promises an `iss` in the callback (RFC 9207, section 3).
    pub issuer_promised: bool,
    /// What the callback will need, so that nothing is discovered twice.
    pub endpoints: Endpoints,
    /// The signing algorithms that the provider advertises.
    pub algorithms: Vec<String>,
    /// The scope that was asked for.
    pub scope: String,
    /// `max_age`, where it was asked for.
    pub max_age: Option<u32>,
    /// Where the person wanted to go: a path on this origin.
    pub return_to: String,
    /// The application's own JSON text.
    pub app_state: Option<String>,
    /// The district that chose the registration.
    pub district: Option<String>,
    /// When it was begun, by the device's clock, in seconds since 1970.
    pub created_at: u32,
    /// What names this attempt in errors, events and the gateway's log.
    pub support_code: String,
}

impl PendingLogin {
    /// Reads a stored login; `None` where it can't be one.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::from_members(&json::object(text.as_bytes())?)
    }

    fn from_members(members: &Object) -> Option<Self> {
        let text = |name| json::string(members, name).map(str::to_owned);
        Some(Self {
            verifier: CodeVerifier::from_stored(json::string(members, "verifier")?),
            client_id: text("client_id")?,
            redirect_uri: text("redirect_uri")?,
            issuer: text("issuer")?,
            issuer_promised: members.get("issuer_promised")?.as_bool()?,
            endpoints: Endpoints::from_stored(members.get("endpoints")?.as_object()?)?,
            algorithms: json::strings(members, "algorithms")?,
            scope: text("scope")?,
            max_age: json::whole(members, "max_age"),
            return_to: text("return_to")?,
            app_state: text("app_state"),
            district: text("district"),
            created_at: json::whole(members, "created_at")?,
            support_code: text("support_code")?,
        })
    }

    /// The text to store.
    #[must_use]
    pub fn to_stored(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Whether it may still be answered. An age below nothing is fresh: the clock was set back.
    #[must_use]
    pub fn is_fresh(&self, now: f64) -> bool {
        now - f64::from(self.created_at) <= MAX_AGE
    }
}

/// The mark of a LaunchPad launch that was restarted: a second launch within a minute is a loop.
#[derive(Serialize)]
pub struct LaunchMark {
    /// The state of the restart.
    pub state: String,
    /// When, by the device's clock, in seconds since 1970.
    pub created_at: u32,
}

impl LaunchMark {
    /// Reads a stored mark; `None` where it can't be one.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let members = json::object(text.as_bytes())?;
        let state = json::string(&members, "state")?.to_owned();
        Some(Self { state, created_at: json::whole(&members, "created_at")? })
    }

    /// Whether a launch that comes now is the restart coming back.
    #[must_use]
    pub fn tells_of_loop(&self, now: f64) -> bool {
        now - f64::from(self.created_at) <= LAUNCH_MAX_AGE
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn pending(created_at: u32) -> PendingLogin {
        PendingLogin {
            verifier: CodeVerifier::from_random(&[1; 32]),
            client_id: "c1".into(),
            redirect_uri: "https://app.example/cb".into(),
            issuer: "https://op.example".into(),
            issuer_promised: false,
            endpoints: Endpoints {
                token: "https://op.example/token".into(),
                jwks: "https://op.example/jwks".into(),
                profile: None,
            },
            algorithms: vec!["RS256".into()],
            scope: "openid".into(),
            max_age: None,
            return_to: "/".into(),
            app_state: None,
            district: None,
            created_at,
            support_code: "ABCD1234".into(),
        }
    }

    #[test]
    fn what_is_stored_comes_back() {
        let login = pending(5);
        let back = PendingLogin::from_stored(&login.to_stored().unwrap()).unwrap();
        assert_eq!(back.verifier.expose(), login.verifier.expose());
        assert_eq!(back.endpoints, login.endpoints);
    }

    #[test]
    fn a_stored_login_with_an_insecure_endpoint_is_none() {
        let mut login = pending(5);
        login.endpoints.token = "http://evil.example/token".into();
        assert!(PendingLogin::from_stored(&login.to_stored().unwrap()).is_none());
    }

    #[test]
    fn every_member_comes_back() {
        let mut login = pending(5);
        login.issuer_promised = true;
        login.endpoints.profile = Some("https://op.example/me".into());
        login.max_age = Some(3600);
        login.app_state = Some("{\"a\":1}".into());
        login.district = Some("springfield".into());
        for login in [login, pending(5)] {
            let stored = login.to_stored().unwrap();
            let back = PendingLogin::from_stored(&stored).unwrap();
            assert_eq!(back.to_stored(), Some(stored));
        }
    }

    #[test]
    fn a_launch_mark_comes_back() {
        let mark = LaunchMark { state: "s".into(), created_at: 100 };
        let back = LaunchMark::from_stored(&serde_json::to_string(&mark).unwrap()).unwrap();
        assert_eq!((back.state.as_str(), back.created_at), ("s", 100));
        for text in ["", "[]", "{}", r#"{"state":"s"}"#, r#"{"state":5,"created_at":100}"#] {
            assert!(LaunchMark::from_stored(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_launch_mark_tells_of_a_loop_for_a_minute() {
        let mark = LaunchMark { state: "s".into(), created_at: 100 };
        assert!(mark.tells_of_loop(160.0));
        assert!(!mark.tells_of_loop(161.0));
    }

    #[test]
    fn debug_shows_nothing_of_the_verifier() {
        let login = pending(0);
        assert!(!format!("{login:?}").contains(login.verifier.expose()));
    }

    proptest! {
        #[test]
        fn no_stored_text_makes_it_panic(text in ".*") {
            let _ = PendingLogin::from_stored(&text);
        }
    }
}
