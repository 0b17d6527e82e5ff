//! The application's configuration and the options of its calls. The package's `config.ts` validates them, since
//! `createClient` must refuse a mistake before the WebAssembly is loaded; this module reads their members.

use std::rc::Rc;

use crate::error::{Error, ErrorCode};
use crate::protocol::ascii;
use crate::protocol::json::{self, Object, Value};
use crate::protocol::metadata::ProfileSource;

/// One registration of the application with a provider: `CoreConfig` in `core.ts`.
///
/// One pointer, since each operation passes it on.
#[derive(Clone)]
pub struct Config(Rc<Settings>);

/// Holds the members of a [`Config`].
pub struct Settings {
    members: Object,
    scope: String,
    channel: String,
    /// The source of the user's fields.
    pub profile: ProfileSource,
    /// The tolerance when times are compared.
    pub clock_tolerance_secs: f64,
    /// The timeout of one request.
    pub timeout_ms: u32,
}

impl std::ops::Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

impl Config {
    /// Parses the configuration from the package's scripts.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        json::parse_object(json.as_bytes()).and_then(Self::from_members).ok_or_else(unreadable)
    }

    fn from_members(members: Object) -> Option<Self> {
        let text = |name| members.get_non_empty_str(name);
        text("redirectUri")?;
        text("launch")?;
        members.get("metadata")?.as_object()?;
        if members.contains_key("allowedTenants") {
            members.get_joined_strings("allowedTenants")?;
        }
        Some(Self(Rc::new(Settings {
            scope: members.get_joined_strings("scope")?,
            channel: ["classlink-spa ", text("issuer")?, " ", text("clientId")?].concat(),
            profile: ProfileSource::from_name(members.get_str("profile")?)?,
            clock_tolerance_secs: members.get_f64("clockTolerance")?,
            timeout_ms: members.get_u32("timeout")?,
            members,
        })))
    }

    fn text(&self, name: &str) -> &str {
        self.members.get_str(name).unwrap_or_default()
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("clientId")
    }

    /// Returns the registered redirect URI.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    /// Returns the issuer, compared exactly.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// Returns the scope to request, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.0.scope
    }

    /// Returns the members that override the provider's metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<&Object> {
        self.members.get("metadata")?.as_object()
    }

    /// Returns the allowed tenants; `None` for any.
    #[must_use]
    pub fn allowed_tenants(&self) -> Option<&[Value]> {
        self.members.get("allowedTenants")?.as_array()
    }

    /// Returns the base URL of the application's gateway: absolute, without a slash at its end.
    #[must_use]
    pub fn gateway(&self) -> Option<&str> {
        self.members.get_str("gateway")
    }

    /// Returns how a session is restored after a reload: `gateway`, `iframe`, `redirect` or `none`.
    #[must_use]
    pub fn restore(&self) -> &str {
        self.text("restore")
    }

    /// Returns whether tokens can be renewed without a refresh token.
    #[must_use]
    pub fn can_renew(&self) -> bool {
        self.gateway().is_some() || self.restore() == "iframe"
    }

    /// Returns the path that the application is served from, with a slash at both ends.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.members.get_str("basePath").unwrap_or("/")
    }

    /// Returns the seconds without activity after which a session ends.
    #[must_use]
    pub fn idle_timeout(&self) -> Option<f64> {
        self.members.get_f64("idleTimeout")
    }

    /// Returns the seconds after which a session ends in any case.
    #[must_use]
    pub fn session_max_age(&self) -> Option<f64> {
        self.members.get_f64("maxAge")
    }

    /// Returns whether the access token may be sent to an origin.
    #[must_use]
    pub fn may_send_to(&self, origin: &str) -> bool {
        let allowed = self.members.get("apiOrigins").and_then(Value::as_array).unwrap_or_default();
        allowed.iter().any(|allowed| allowed.as_str() == Some(origin))
    }

    /// Returns the name of the `BroadcastChannel` and lock of a registration's tabs.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.0.channel
    }

    /// Returns whether a `LaunchPad` launch is restarted as a login of this application's own.
    #[must_use]
    pub fn restarts_launches(&self) -> bool {
        self.text("launch") == "restart"
    }
}

/// How one login differs from the configuration: `CoreLoginOptions` in `core.ts`.
#[derive(Default)]
pub struct LoginOptions {
    members: Object,
    restores: bool,
}

impl LoginOptions {
    /// Parses the options from the package's scripts.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        let members = json::parse_object(json.as_bytes()).ok_or_else(unreadable)?;
        Ok(Self { members, restores: false })
    }

    /// Makes the options of a silent login (`prompt=none`) that restores a session.
    #[must_use]
    pub fn restoring(scope: &str) -> Self {
        let mut members = Object::default();
        members.insert_str("prompt", "none");
        members.insert("scope", Value::Array(vec![Value::String(scope.to_owned())]));
        Self { members, restores: true }
    }

    /// Makes the options of a login that a launch starts.
    #[must_use]
    pub fn launched(return_to: &str, login_hint: Option<&str>) -> Self {
        let mut members = Object::default();
        members.insert_str("returnTo", return_to);
        if let Some(login_hint) = login_hint {
            members.insert_str("loginHint", login_hint);
        }
        Self { members, restores: false }
    }

    /// Returns whether the client started the login to restore a session.
    #[must_use]
    pub fn is_silent_restore(&self) -> bool {
        self.restores
    }

    /// Returns the path to open after sign-in.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        self.members.get_str("returnTo")
    }

    /// Returns the application's state, as JSON text.
    #[must_use]
    pub fn app_state(&self) -> Option<&str> {
        self.members.get_str("appState")
    }

    /// Returns the district whose registration to use.
    #[must_use]
    pub fn district(&self) -> Option<&str> {
        self.members.get_str("district")
    }

    /// Returns the scope to request in place of the configured one, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        self.members.get_joined_strings("scope")
    }

    /// Returns `max_age`: the seconds since the user last authenticated, at most.
    #[must_use]
    pub fn max_age(&self) -> Option<String> {
        self.members.get_u32("maxAge").map(|seconds| ascii::format_u64(seconds.into()))
    }

    /// Returns the optional parameters of the authorization request: those of `OpenID` Connect Core 1.0, 3.1.2.1, and the
    /// provider's own.
    #[must_use]
    pub fn extra_params(&self) -> Vec<(&str, &str)> {
        let mut extra_params = Vec::new();
        for (name, parameter) in [
            ("prompt", "prompt"),
            ("loginHint", "login_hint"),
            ("uiLocales", "ui_locales"),
            ("acrValues", "acr_values"),
        ] {
            if let Some(value) = self.members.get_str(name) {
                extra_params.push((parameter, value));
            }
        }
        let extra = self.members.get("extraParams").and_then(Value::as_array).unwrap_or_default();
        for pair in extra {
            if let Some([name, value]) = pair.as_array()
                && let (Some(name), Some(value)) = (name.as_str(), value.as_str())
            {
                extra_params.push((name, value));
            }
        }
        extra_params
    }
}

fn unreadable() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the configuration or the options cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_params_have_the_protocols_names_and_are_pairs_of_strings() {
        let options = LoginOptions::read(
            r#"{"prompt":"login","loginHint":"ana","maxAge":0,"uiLocales":"es en","acrValues":"mfa",
            "extraParams":[["theme","a=b&c"],["one"],["three","3",3],["number",5],5]}"#,
        );
        let options = options.unwrap();
        assert_eq!(
            options.extra_params(),
            [
                ("prompt", "login"),
                ("login_hint", "ana"),
                ("ui_locales", "es en"),
                ("acr_values", "mfa"),
                ("theme", "a=b&c"),
            ]
        );
        assert_eq!(options.max_age().as_deref(), Some("0"));
        assert!(LoginOptions::default().extra_params().is_empty());
        let restoring = LoginOptions::restoring("openid email");
        assert_eq!(restoring.extra_params(), [("prompt", "none")]);
        assert_eq!(restoring.scope().as_deref(), Some("openid email"));
        assert!(restoring.is_silent_restore() && !options.is_silent_restore());
        let launched = LoginOptions::launched("/a", Some("ana"));
        assert_eq!(launched.extra_params(), [("login_hint", "ana")]);
        assert_eq!(launched.return_to(), Some("/a"));
    }

    #[test]
    fn configuration_that_lacks_a_required_member_is_refused() {
        let whole = r#"{"clientId":"c1","redirectUri":"https://app.example/cb","issuer":"https://op.example",
            "scope":["openid","profile"],"metadata":{},"profile":"id-token","launch":"restart",
            "allowedTenants":["2284"],"clockTolerance":60,"timeout":10000}"#;
        let config = Config::read(whole).unwrap();
        assert_eq!(config.client_id(), "c1");
        assert_eq!(config.scope(), "openid profile");
        assert!(config.restarts_launches());
        assert_eq!(config.gateway(), None);
        assert_eq!(config.base_path(), "/");
        assert_eq!(config.idle_timeout(), None);
        assert!(!config.may_send_to("https://api.example"));
        assert_eq!(config.allowed_tenants().map(<[Value]>::len), Some(1));
        let more = whole.replacen(
            '{',
            r#"{"apiOrigins":["https://api.example",5],"idleTimeout":1800,
            "maxAge":28800,"restore":"gateway","basePath":"/reading/","gateway":"https://app.example/auth","#,
            1,
        );
        let config = Config::read(&more).unwrap();
        assert!(config.may_send_to("https://api.example"));
        for origin in ["https://api.example.evil", "https://api.example/", "", "5"] {
            assert!(!config.may_send_to(origin), "{origin}");
        }
        assert_eq!(config.idle_timeout(), Some(1800.0));
        assert_eq!(config.session_max_age(), Some(28800.0));
        assert_eq!(config.gateway(), Some("https://app.example/auth"));
        assert_eq!(config.base_path(), "/reading/");
        for (good, bad) in [
            ("clientId", "x"),
            ("issuer", "x"),
            (r#"["openid","profile"]"#, "5"),
            (r#""metadata":{}"#, r#""metadata":[]"#),
            ("id-token", "token"),
            (r#"["2284"]"#, "[2284]"),
            (r#"["2284"]"#, "\"2284\""),
            ("10000", "-1"),
        ] {
            let broken = whole.replace(good, bad);
            assert_ne!(broken, whole);
            assert!(Config::read(&broken).is_err(), "{broken}");
        }
    }
}
