//! The configuration: `json` or `toml` in the first line and then the file, or `env` and then `NAME=value` lines.

use classlink_gateway::config::{self, ConfigError, Environment, Settings};
use serde_json::Value;
use url::Url;

use crate::reading::text_line;

/// Reads the options, and validates them.
pub fn run(mut data: &[u8]) {
    let form = text_line(&mut data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let options = match form {
        "json" | "toml" => config::value_of(text, form == "json").ok(),
        "env" => {
            // Those name files.
            let variables = text.lines().filter_map(|line| line.split_once('='));
            let variables = variables.filter(|(name, _)| !name.ends_with("_FILE"));
            config::load(None, &Environment::of(&variables.collect::<Vec<_>>())).ok()
        }
        _ => None,
    };
    let Some(options) = options else { return };
    match config::read(&options) {
        Ok(settings) => check(&settings),
        Err(error) => check_secrecy(&options, &error),
    }
}

/// Checks what no deployment may be without.
fn check(settings: &Settings) {
    let is_secure = |text: &str| {
        let url = Url::parse(text).unwrap();
        let is_local = |host: &str| {
            host == "localhost"
                || host.ends_with(".localhost")
                || host.starts_with("127.")
                || host == "[::1]"
        };
        url.scheme() == "https" || url.host_str().is_some_and(is_local)
    };
    assert!(is_secure(&settings.issuer));
    assert!(!settings.clients().is_empty() && !settings.sealing_keys.is_empty());
    assert!(settings.sealing_keys.iter().all(|key| key.len() >= 32));
    for (index, client) in settings.clients().iter().enumerate() {
        assert!(
            !client.id.is_empty() && !client.secret.is_empty() && !client.redirect_uris.is_empty()
        );
        assert!(client.redirect_uris.iter().all(|uri| is_secure(uri)));
        let earlier = &settings.clients()[..index];
        assert!(
            earlier.iter().all(|one| one.id != client.id && one.cookie_key != client.cookie_key)
        );
        assert!(std::sync::Arc::ptr_eq(settings.client(&client.id).unwrap(), client));
    }
    for origin in &settings.allowed_origins {
        assert!(is_secure(origin));
        assert_eq!(&Url::parse(origin).unwrap().origin().ascii_serialization(), origin);
    }
    if let (Some(idle), Some(most)) = (settings.idle_timeout_secs, settings.max_age_secs) {
        assert!(idle <= most);
    }
    assert!(settings.base_path.is_empty() || settings.base_path.starts_with('/'));
    assert!(!settings.base_path.ends_with('/') && !settings.base_path.contains("//"));
}

/// Checks that no secret is in what is told of a mistake.
fn check_secrecy(options: &Value, error: &ConfigError) {
    let (whole, told) = (options.to_string(), error.to_string());
    let mut secrets = Vec::new();
    find_secrets(options, &mut secrets);
    for secret in secrets {
        // One that stands elsewhere, too, is not a secret, nor is the name of an option.
        let is_once = whole.matches(secret).count() == 1
            && error.0.iter().all(|problem| problem.field != secret);
        assert!(secret.len() < 12 || !is_once || !told.contains(secret), "{told}");
    }
}

/// Finds every text beneath a member that holds secrets.
fn find_secrets<'a>(value: &'a Value, secrets: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("clientSecret" | "token" | "redis", Value::String(text)) => secrets.push(text),
                    ("sealingKeys" | "keys", Value::Array(texts)) => {
                        secrets.extend(texts.iter().filter_map(Value::as_str));
                    }
                    (_, value) => find_secrets(value, secrets),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| find_secrets(value, secrets)),
        _ => {}
    }
}
