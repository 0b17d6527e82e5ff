//! What the application asked for. The package's `config.ts` validates it, since `createClient` must refuse a mistake
//! before the WebAssembly is there; here it becomes types.

use serde_json::Value;

use crate::error::{Error, ErrorCode};
use crate::protocol::authorization::Wishes;
use crate::protocol::json::{self, Object};
use crate::protocol::metadata::Profile;

/// One registration of the application with a provider.
pub struct Config {
    /// The client id.
    pub client_id: String,
    /// The registered redirect URI.
    pub redirect_uri: String,
    /// What to ask for.
    pub scope: Vec<String>,
    /// The issuer, to the letter.
    pub issuer: String,
    /// Members that override the provider's own metadata.
    pub metadata: Object,
    /// Where the user's fields come from.
    pub profile: Profile,
    /// The tenants served; `None` for any.
    pub allowed_tenants: Option<Vec<String>>,
    /// What to do with a code without a state.
    pub launch: Launch,
    /// Seconds of tolerance when times are compared.
    pub clock_tolerance: f64,
    /// Milliseconds for one request.
    pub timeout: i32,
}

/// What to do with a `LaunchPad` launch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// Begin a login of this application's own.
    Restart,
    /// Refuse it.
    Reject,
}

/// How one login differs from the configuration.
#[derive(Default)]
pub struct LoginOptions {
    /// Where to go afterwards.
    pub return_to: Option<String>,
    /// The application's own JSON text.
    pub app_state: Option<String>,
    /// In place of the configured scope.
    pub scope: Option<Vec<String>>,
    /// Which registration to use.
    pub district: Option<String>,
    /// What to ask the provider beyond the protocol's own parameters.
    pub wishes: Wishes,
}

impl Config {
    /// Reads the configuration that the package's scripts hand over: `CoreConfig` in `core.ts`.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        json::object(json.as_bytes())
            .and_then(|members| Self::from_members(&members))
            .ok_or_else(unreadable)
    }

    fn from_members(members: &Object) -> Option<Self> {
        let text = |name| json::text(members, name).map(str::to_owned);
        Some(Self {
            client_id: text("clientId")?,
            redirect_uri: text("redirectUri")?,
            scope: json::strings(members, "scope")?,
            issuer: text("issuer")?,
            metadata: members.get("metadata")?.as_object()?.clone(),
            profile: Profile::from_name(json::string(members, "profile")?)?,
            allowed_tenants: match members.get("allowedTenants") {
                None => None,
                Some(_) => Some(json::strings(members, "allowedTenants")?),
            },
            launch: match json::string(members, "launch")? {
                "restart" => Launch::Restart,
                "reject" => Launch::Reject,
                _ => return None,
            },
            clock_tolerance: json::number(members, "clockTolerance")?,
            timeout: members.get("timeout")?.as_i64()?.try_into().ok()?,
        })
    }
}

impl LoginOptions {
    /// Reads the options that the package's scripts hand over: `CoreLoginOptions` in `core.ts`.
    ///
    /// # Errors
    /// `config_invalid`, which the scripts' own validation should have prevented.
    pub fn read(json: &str) -> Result<Self, Error> {
        let members = json::object(json.as_bytes()).ok_or_else(unreadable)?;
        let text = |name| json::string(&members, name).map(str::to_owned);
        let pair = |pair: &Value| {
            Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()))
        };
        let extra = members.get("extraParams").and_then(Value::as_array);
        Ok(Self {
            return_to: text("returnTo"),
            app_state: text("appState"),
            scope: json::strings(&members, "scope"),
            district: text("district"),
            wishes: Wishes {
                prompt: text("prompt"),
                login_hint: text("loginHint"),
                max_age: json::whole(&members, "maxAge"),
                ui_locales: text("uiLocales"),
                acr_values: text("acrValues"),
                extra_params: extra.into_iter().flatten().filter_map(pair).collect(),
            },
        })
    }
}

fn unreadable() -> Error {
    Error::new(ErrorCode::ConfigInvalid, "the configuration or the options can't be read")
}
