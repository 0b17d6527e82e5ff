//! What the application asked for. The package's `config.ts` validates it, since `createClient` must refuse a mistake
//! before the WebAssembly is there; here it is read, member by member.

use crate::error::{Error, ErrorCode};
use crate::protocol::json::{self, Object, Value};
use crate::protocol::metadata::Profile;

/// One registration of the application with a provider: `CoreConfig` in `core.ts`.
pub struct Config {
    members: Object,
    /// Where the user's fields come from.
    pub profile: Profile,
    /// Seconds of tolerance when times are compared.
    pub clock_tolerance: f64,
    /// Milliseconds for one request.
    pub timeout: u32,
}

impl Config {
    /// Reads the configuration that the package's scripts hand over.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        json::object(json.as_bytes()).and_then(Self::from_members).ok_or_else(unreadable)
    }

    fn from_members(members: Object) -> Option<Self> {
        for required in ["clientId", "redirectUri", "issuer", "launch"] {
            json::text(&members, required)?;
        }
        members.get("metadata")?.as_object()?;
        json::words(&members, "scope")?;
        if members.contains_key("allowedTenants") {
            json::words(&members, "allowedTenants")?;
        }
        Some(Self {
            profile: Profile::from_name(json::string(&members, "profile")?)?,
            clock_tolerance: json::number(&members, "clockTolerance")?,
            timeout: json::whole(&members, "timeout")?,
            members,
        })
    }

    fn text(&self, name: &str) -> &str {
        json::string(&self.members, name).unwrap_or_default()
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("clientId")
    }

    /// The registered redirect URI.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    /// The issuer, to the letter.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// What to ask for, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> String {
        json::words(&self.members, "scope").unwrap_or_default()
    }

    /// Members that override the provider's own metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<&Object> {
        self.members.get("metadata")?.as_object()
    }

    /// The tenants served; `None` for any.
    #[must_use]
    pub fn allowed_tenants(&self) -> Option<&[Value]> {
        self.members.get("allowedTenants")?.as_array()
    }

    /// Whether a `LaunchPad` launch is to become a login of this application's own.
    #[must_use]
    pub fn restarts_launches(&self) -> bool {
        self.text("launch") == "restart"
    }
}

/// How one login differs from the configuration: `CoreLoginOptions` in `core.ts`.
#[derive(Default)]
pub struct LoginOptions(Object);

impl LoginOptions {
    /// Reads the options that the package's scripts hand over.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        json::object(json.as_bytes()).map(Self).ok_or_else(unreadable)
    }

    /// Where to go afterwards.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        json::string(&self.0, "returnTo")
    }

    /// The application's own JSON text.
    #[must_use]
    pub fn app_state(&self) -> Option<&str> {
        json::string(&self.0, "appState")
    }

    /// Which registration to use.
    #[must_use]
    pub fn district(&self) -> Option<&str> {
        json::string(&self.0, "district")
    }

    /// What to ask for in place of the configured scope, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        json::words(&self.0, "scope")
    }

    /// Seconds since the person last gave credentials, at most.
    #[must_use]
    pub fn max_age(&self) -> Option<String> {
        json::whole(&self.0, "maxAge").map(|seconds| json::decimal(seconds.into()))
    }

    /// What to ask the provider beyond what every login asks: parameters of `OpenID` Connect Core 1.0, 3.1.2.1, and the
    /// provider's own.
    #[must_use]
    pub fn wishes(&self) -> Vec<(&str, &str)> {
        let mut wishes = Vec::new();
        for (name, parameter) in [
            ("prompt", "prompt"),
            ("loginHint", "login_hint"),
            ("uiLocales", "ui_locales"),
            ("acrValues", "acr_values"),
        ] {
            if let Some(value) = json::string(&self.0, name) {
                wishes.push((parameter, value));
            }
        }
        let extra = self.0.get("extraParams").and_then(Value::as_array).unwrap_or_default();
        for pair in extra {
            if let Some([name, value]) = pair.as_array()
                && let (Some(name), Some(value)) = (name.as_str(), value.as_str())
            {
                wishes.push((name, value));
            }
        }
        wishes
    }
}

fn unreadable() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the configuration or the options can't be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_go_by_the_protocols_names_and_what_is_no_pair_of_strings_is_none() {
        let options = LoginOptions::read(
            r#"{"prompt":"login","loginHint":"ana","maxAge":0,"uiLocales":"es en","acrValues":"mfa",
            "extraParams":[["theme","a=b&c"],["one"],["three","3",3],["number",5],5]}"#,
        );
        let options = options.unwrap();
        assert_eq!(
            options.wishes(),
            [
                ("prompt", "login"),
                ("login_hint", "ana"),
                ("ui_locales", "es en"),
                ("acr_values", "mfa"),
                ("theme", "a=b&c"),
            ]
        );
        assert_eq!(options.max_age().as_deref(), Some("0"));
        assert!(LoginOptions::default().wishes().is_empty());
    }

    #[test]
    fn a_configuration_that_lacks_what_it_needs_is_refused() {
        let whole = r#"{"clientId":"c1","redirectUri":"https://app.example/cb","issuer":"https://op.example",
            "scope":["openid","profile"],"metadata":{},"profile":"id-token","launch":"restart",
            "allowedTenants":["2284"],"clockTolerance":60,"timeout":10000}"#;
        let config = Config::read(whole).unwrap();
        assert_eq!(config.client_id(), "c1");
        assert_eq!(config.scope(), "openid profile");
        assert!(config.restarts_launches());
        assert_eq!(config.allowed_tenants().map(<[Value]>::len), Some(1));
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
