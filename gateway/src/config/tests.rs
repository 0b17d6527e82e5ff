//! The configuration as a specification: what is taken, from where, and how mistakes are told.

use serde_json::{Value, json};

use super::*;

/// A key that looks random.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn options() -> Value {
    json!({
        "issuer": "https://op.example",
        "clients": [{
            "clientId": "client-1",
            "clientSecret": "s3cret+/:%",
            "redirectUris": ["https://app.example/callback"],
        }],
        "sealingKeys": [KEY],
    })
}

/// Settings with these options over the usual ones.
pub(crate) fn settings_with(changes: &Value) -> Settings {
    let mut options = options();
    for (name, value) in changes.as_object().unwrap() {
        options[name] = value.clone();
    }
    read(&options).unwrap_or_else(|error| panic!("{error}"))
}

/// The usual settings.
pub(crate) fn settings() -> Settings {
    settings_with(&json!({}))
}

/// The problems of the usual options with these changes, each made at a JSON pointer.
fn problems(changes: &[(&str, Value)]) -> Vec<String> {
    let mut options = options();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        options.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    match read(&options) {
        Ok(_) => Vec::new(),
        Err(ConfigError(problems)) => {
            problems.into_iter().map(|one| format!("{} {}", one.field, one.problem)).collect()
        }
    }
}

#[test]
fn defaults_are_those_of_the_handler() {
    let settings = settings();
    assert_eq!(settings.base_path, "/auth");
    assert_eq!((settings.idle_timeout_secs, settings.max_age_secs), (Some(1800), Some(28_800)));
    assert_eq!(settings.timeout_ms, 10_000);
    assert_eq!((settings.per_address, settings.concurrent), (Some(600.0), Some(64)));
    assert_eq!(settings.listen.to_string(), DEFAULT_LISTEN);
    assert!(settings.application_origins.contains("https://app.example"));
    assert!(settings.client("client-1").is_some() && settings.client("client-2").is_none());
    let unset = settings_with(&json!({ "issuer": "" }));
    assert_eq!(unset.issuer, CLASSLINK_ISSUER);
}

#[test]
fn false_is_no_limit() {
    let settings = settings_with(&json!({
        "session": { "idleTimeout": false, "maxAge": false },
        "limits": { "perAddress": false, "concurrent": false },
    }));
    assert_eq!((settings.idle_timeout_secs, settings.max_age_secs), (None, None));
    assert_eq!((settings.per_address, settings.concurrent), (None, None));
}

#[test]
fn every_mistake_is_told_at_once() {
    let found = problems(&[
        ("/issuer", json!("http://op.example")),
        ("/clients/0/clientId", json!(" client-1")),
        ("/clients/0/clientSecret", json!("\n")),
        ("/sealingKeys", json!([])),
        ("/unknown", json!(1)),
    ]);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found.iter().all(|text| !text.contains("client-1")), "no value is shown");
}

#[test]
fn what_cannot_work_is_refused_by_its_name() {
    for (pointer, value, field) in [
        ("/issuer", json!("https://op.example?x"), "issuer"),
        ("/issuer", json!(5), "issuer"),
        ("/clients", json!([]), "clients"),
        ("/clients/0/redirectUris", json!([]), "clients[0].redirectUris"),
        ("/clients/0/redirectUris", json!(["/callback"]), "clients[0].redirectUris[0]"),
        (
            "/clients/0/redirectUris",
            json!(["https://app.example//callback"]),
            "clients[0].redirectUris[0]",
        ),
        ("/clients/0/allowedTenants", json!([" 1"]), "clients[0].allowedTenants[0]"),
        ("/clients/0/allowedTenants", json!([1.5]), "clients[0].allowedTenants[0]"),
        ("/clients/0/district", json!(""), "clients[0].district"),
        ("/clients/0/secret", json!("x"), "clients[0]"),
        ("/sealingKeys", json!(["short"]), "sealingKeys[0]"),
        ("/sealingKeys", json!(["a b"]), "sealingKeys[0]"),
        ("/sealingKeys", json!(["A".repeat(43)]), "sealingKeys[0]"),
        ("/sealingKeys", json!([KEY, format!("{KEY}=")]), "sealingKeys[1]"),
        ("/allowedOrigins", json!(["https://app.example/"]), "allowedOrigins[0]"),
        ("/allowedOrigins", json!(["*"]), "allowedOrigins[0]"),
        ("/basePath", json!("/auth/"), "basePath"),
        ("/basePath", json!("auth"), "basePath"),
        ("/session", json!({ "idleTimeout": 1_800_000 }), "session.idleTimeout"),
        ("/session", json!({ "idleTimeout": 600, "maxAge": 60 }), "session.idleTimeout"),
        ("/session", json!({ "maxAge": 28_800_000 }), "session.maxAge"),
        ("/session", json!({ "idle": 60 }), "session"),
        ("/timeout", json!(10), "timeout"),
        ("/timeout", json!(false), "timeout"),
        ("/limits", json!({ "perAddress": 0 }), "limits.perAddress"),
        ("/metadata", json!({ "token_endpoint": "http://op.example" }), "metadata.token_endpoint"),
        (
            "/metadata",
            json!({ "token_endpoint_auth_methods_supported": ["none"] }),
            "metadata.token_endpoint_auth_methods_supported",
        ),
        (
            "/assertions",
            json!({ "issuer": "i", "audience": "a", "keys": ["x"] }),
            "assertions.keys[0]",
        ),
        ("/assertions", json!({ "issuer": "i", "keys": [] }), "assertions.audience"),
        ("/metrics", json!({ "token": "" }), "metrics.token"),
        ("/store", json!({ "redis": "http://r" }), "store.redis"),
        ("/remoteAddressHeader", json!("a b"), "remoteAddressHeader"),
        ("/origin", json!("app.example"), "origin"),
        ("/listen", json!("3000"), "listen"),
    ] {
        let found = problems(&[(pointer, value.clone())]);
        assert!(
            found.iter().any(|text| text.starts_with(&format!("{field} "))),
            "{pointer} {value}: {found:?}"
        );
    }
}

#[test]
fn sealing_keys_are_read_in_either_alphabet() {
    let bytes: Vec<u8> = (0..32).map(|one| 255 - one).collect();
    let url = "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA";
    let standard = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n";
    for key in [url, standard] {
        assert_eq!(
            settings_with(&json!({ "sealingKeys": [key] })).sealing_keys,
            std::slice::from_ref(&bytes)
        );
    }
}

#[test]
fn environment_alone_configures_one_registration() {
    let environment = Environment::of(&[
        ("CLASSLINK_CLIENT_ID", "client-1"),
        ("CLASSLINK_CLIENT_SECRET", "s3cret\n"),
        ("CLASSLINK_ISSUER", ""),
        ("CLASSLINK_ALLOWED_TENANTS", "2284 17"),
        ("APP_ORIGIN", "https://app.example"),
        ("SEALING_KEYS", KEY),
        ("SESSION_IDLE_TIMEOUT", "600"),
        ("LIMITS_PER_ADDRESS", "false"),
        ("METRICS", "true"),
        ("PORT", "4000"),
    ]);
    let settings =
        read(&load(None, &environment).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    let client = settings.client("client-1").unwrap();
    assert_eq!(client.secret, "s3cret");
    assert!(client.redirect_uris.contains("https://app.example/callback"));
    assert!(client.allowed_tenants.as_ref().unwrap().contains("17"));
    assert_eq!((settings.idle_timeout_secs, settings.per_address), (Some(600), None));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:4000");
    assert!(settings.metrics == Metrics::Open);
}

#[test]
fn secrets_are_read_from_files() {
    let folder = std::env::temp_dir().join(format!("classlink-gateway-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (secret, keys) = (folder.join("secret"), folder.join("keys"));
    std::fs::write(&secret, "from a file\n").unwrap();
    std::fs::write(&keys, format!("{KEY}\n")).unwrap();
    let file = folder.join("gateway.toml");
    let text = format!(
        "issuer = \"https://op.example\"\nsealingKeysFile = {keys:?}\n[[clients]]\nclientId = \"c\"\n\
         clientSecretFile = {secret:?}\nredirectUris = [\"https://app.example/callback\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let settings = read(&load(Some(&file), &Environment::of(&[])).unwrap())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(settings.client("c").unwrap().secret, "from a file");
    let missing = Environment::of(&[("SEALING_KEYS_FILE", "/nowhere/keys")]);
    let ConfigError(problems) = load(None, &missing).unwrap_err();
    assert_eq!(problems[0].field, "SEALING_KEYS_FILE");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn file_that_cannot_be_parsed_is_told_by_its_line_alone() {
    assert_eq!(value_of("a = 1\nsecret = hunter2\n", false).unwrap_err(), "is not TOML: line 2");
    assert_eq!(
        value_of("{\n\"secret\": hunter2}", true).unwrap_err(),
        "is not JSON: line 2, column 11"
    );
}
