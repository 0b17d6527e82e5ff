//! The validation of the options, which the handler's `pkg-template/src/gateway/options.ts` does alike.

use std::collections::{BTreeSet, HashMap, HashSet};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::header::HeaderName;
use serde_json::{Map, Value};
use url::Url;

use super::{
    Client, ConfigError, DEFAULT_LISTEN, Metrics, Problem, Settings, StoreSettings, cookie_key,
    issuer_or_default,
};
use crate::assertion::{Assertions, SigningKey};
use crate::metadata::{self, Metadata};
use crate::secure_url::is_secure_url;

const OPTIONS: &[&str] = &[
    "issuer",
    "metadata",
    "clients",
    "sealingKeys",
    "allowedOrigins",
    "basePath",
    "session",
    "deviceBound",
    "timeout",
    "limits",
    "assertions",
    "metrics",
    "store",
    "remoteAddressHeader",
    "origin",
    "listen",
];
const CLIENT_OPTIONS: &[&str] =
    &["clientId", "clientSecret", "redirectUris", "allowedTenants", "district"];

/// Seconds that a session limit may have at most: beyond these it was meant in milliseconds.
const LONGEST_IDLE: f64 = 2.0 * 86_400.0;
const LONGEST_SESSION: f64 = 31.0 * 86_400.0;

/// Milliseconds between which `timeout` must be: outside of these it was meant in seconds, or in another unit.
const SHORTEST_TIMEOUT: f64 = 50.0;
const LONGEST_TIMEOUT: f64 = 300_000.0;

/// The largest integer that JavaScript writes exactly.
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// Validates the options.
///
/// # Errors
/// [`ConfigError`], with every option that is wrong.
pub fn read(options: &Value) -> Result<Settings, ConfigError> {
    let mut reader = Reader(Vec::new());
    let settings = reader.settings(options);
    if reader.0.is_empty() { Ok(settings) } else { Err(ConfigError(reader.0)) }
}

/// Reads options one by one, and collects what is wrong with them.
struct Reader(Vec<Problem>);

impl Reader {
    /// Adds a problem, one for each field.
    fn refuse(&mut self, field: &str, problem: impl Into<String>) {
        if self.0.iter().all(|known| known.field != field) {
            self.0.push(Problem { field: field.to_owned(), problem: problem.into() });
        }
    }

    fn settings(&mut self, given: &Value) -> Settings {
        let options = self.object("options", Some(given), OPTIONS);
        let issuer = self.optional_text("issuer", options.get("issuer"));
        let issuer = issuer_or_default(issuer.as_deref()).to_owned();
        if !is_secure_url(&issuer) || issuer.contains('?') {
            self.refuse("issuer", "must be an https URL without query and fragment");
        }
        let clients = self.clients(options.get("clients"));
        let (idle_timeout, max_age) = self.session(options.get("session"));
        let timeout = self.positive("timeout", options.get("timeout"), 10_000.0, false);
        let timeout = timeout.unwrap_or(10_000.0);
        if !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&timeout) {
            self.refuse(
                "timeout",
                format!("must be milliseconds, between {SHORTEST_TIMEOUT} and {LONGEST_TIMEOUT}"),
            );
        }
        let limits = self.object("limits", options.get("limits"), &["perAddress", "concurrent"]);
        let per_address = self.positive("limits.perAddress", limits.get("perAddress"), 600.0, true);
        let concurrent = self.positive("limits.concurrent", limits.get("concurrent"), 64.0, true);
        let listen = self.optional_text("listen", options.get("listen"));
        let listen = listen.as_deref().unwrap_or(DEFAULT_LISTEN).parse().unwrap_or_else(|_| {
            self.refuse("listen", "must be an IP address and a port, such as 0.0.0.0:3000");
            ([127, 0, 0, 1], 0).into()
        });
        let origin = self.optional_text("origin", options.get("origin"));
        if origin.as_deref().is_some_and(|origin| !is_origin(origin)) {
            self.refuse("origin", ORIGIN_PROBLEM);
        }
        let header = self.optional_text("remoteAddressHeader", options.get("remoteAddressHeader"));
        let remote_address_header = header.and_then(|name| {
            let parsed = name.parse::<HeaderName>().ok();
            if parsed.is_none() {
                self.refuse("remoteAddressHeader", "must be a header's name, such as X-Real-IP");
            }
            parsed
        });
        let application_origins = clients
            .iter()
            .flat_map(|client| &client.redirect_uris)
            .filter_map(|uri| Url::parse(uri).ok())
            .map(|uri| uri.origin().ascii_serialization())
            .collect();
        let settings = Settings {
            issuer,
            metadata: self.metadata(options.get("metadata")),
            clients: Vec::new(),
            by_id: HashMap::new(),
            by_cookie_key: HashMap::new(),
            sealing_keys: self.sealing_keys(options.get("sealingKeys")),
            allowed_origins: self
                .list("allowedOrigins", options.get("allowedOrigins"), |origin| {
                    origin.as_str().is_some_and(is_origin).then_some(()).ok_or(ORIGIN_PROBLEM)
                })
                .into_iter()
                .collect(),
            application_origins,
            base_path: self.base_path(options.get("basePath")),
            idle_timeout_secs: idle_timeout.map(whole),
            max_age_secs: max_age.map(whole),
            device_bound: self.flag("deviceBound", options.get("deviceBound"), true),
            timeout_ms: whole(timeout).unsigned_abs(),
            per_address,
            concurrent: concurrent
                .map(|most| usize::try_from(whole(most.ceil())).unwrap_or(usize::MAX)),
            listen,
            origin,
            remote_address_header,
            assertions: self.assertions(options.get("assertions")),
            metrics: self.metrics(options.get("metrics")),
            store: self.store(options.get("store")),
        };
        settings.with_clients(clients)
    }

    /// The idle and the absolute limit, in seconds.
    fn session(&mut self, given: Option<&Value>) -> (Option<f64>, Option<f64>) {
        let session = self.object("session", given, &["idleTimeout", "maxAge"]);
        let max_age = self.positive("session.maxAge", session.get("maxAge"), 28_800.0, true);
        let default = max_age.map_or(1800.0, |most| most.min(1800.0));
        let idle = self.positive("session.idleTimeout", session.get("idleTimeout"), default, true);
        if let Some(idle) = idle {
            if idle > LONGEST_IDLE {
                let problem = format!("must be seconds, {LONGEST_IDLE} at most, or false");
                self.refuse("session.idleTimeout", problem);
            } else if max_age.is_some_and(|most| idle > most) {
                self.refuse("session.idleTimeout", "must not be longer than session.maxAge");
            }
        }
        if max_age.is_some_and(|most| most > LONGEST_SESSION) {
            let problem = format!("must be seconds, {LONGEST_SESSION} at most, or false");
            self.refuse("session.maxAge", problem);
        }
        (idle, max_age)
    }

    /// An object's members, of which none may be unknown.
    fn object(&mut self, field: &str, given: Option<&Value>, known: &[&str]) -> Map<String, Value> {
        match given {
            None => Map::new(),
            Some(Value::Object(members)) => {
                if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
                    let shown: String = name.chars().take(40).collect();
                    self.refuse(field, format!("has no member \"{shown}\""));
                }
                members.clone()
            }
            Some(_) => {
                self.refuse(field, "must be an object");
                Map::new()
            }
        }
    }

    fn clients(&mut self, given: Option<&Value>) -> Vec<Client> {
        let mut clients: Vec<Client> = Vec::new();
        let given = given.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if given.is_empty() {
            self.refuse("clients", "must list at least one registration");
        }
        for (index, registration) in given.iter().enumerate() {
            let field = format!("clients[{index}]");
            let client = self.object(&field, Some(registration), CLIENT_OPTIONS);
            let id = self.identifier(&format!("{field}.clientId"), client.get("clientId"));
            if clients.iter().any(|known| known.id == id) {
                self.refuse(&format!("{field}.clientId"), "is the id of an earlier registration");
            }
            let uris = format!("{field}.redirectUris");
            let redirect_uris: BTreeSet<_> = self
                .list(&uris, client.get("redirectUris"), check_redirect_uri)
                .into_iter()
                .collect();
            if redirect_uris.is_empty() {
                self.refuse(&uris, "must list at least one URI");
            }
            let allowed_tenants = client.get("allowedTenants").map(|tenants| {
                let field = format!("{field}.allowedTenants");
                self.list(&field, Some(tenants), check_tenant).into_iter().collect()
            });
            let secret = self.secret(&format!("{field}.clientSecret"), client.get("clientSecret"));
            let district = client.get("district");
            let district = district
                .map(|district| self.identifier(&format!("{field}.district"), Some(district)));
            clients.push(Client {
                cookie_key: cookie_key(&id),
                id,
                secret,
                redirect_uris,
                allowed_tenants,
                district,
            });
        }
        clients
    }

    fn metadata(&mut self, given: Option<&Value>) -> Metadata {
        let members = match given {
            None => Map::new(),
            Some(Value::Object(members)) => members.clone(),
            Some(_) => {
                self.refuse("metadata", "must be an object");
                Map::new()
            }
        };
        for name in metadata::ENDPOINTS {
            if members.get(name).is_some_and(|url| !url.as_str().is_some_and(is_secure_url)) {
                self.refuse(&format!("metadata.{name}"), "must be an https or loopback URL");
            }
        }
        let texts = |reader: &mut Self, name: &str| {
            members.get(name).map(|values| {
                reader.list(&format!("metadata.{name}"), Some(values), |value| {
                    value.as_str().map(|_| ()).ok_or("must be a string")
                })
            })
        };
        let algorithms = texts(self, metadata::ALGORITHMS);
        let methods = texts(self, metadata::AUTH_METHODS);
        let usable = ["client_secret_basic", "client_secret_post"];
        if methods
            .as_ref()
            .is_some_and(|methods| !methods.iter().any(|one| usable.contains(&one.as_str())))
        {
            self.refuse(
                &format!("metadata.{}", metadata::AUTH_METHODS),
                "must contain client_secret_basic or client_secret_post",
            );
        }
        let endpoint = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        Metadata {
            token: endpoint("token_endpoint"),
            jwks: endpoint("jwks_uri"),
            userinfo: endpoint("userinfo_endpoint"),
            my_info: endpoint("my_info_endpoint"),
            revocation: endpoint("revocation_endpoint"),
            algorithms,
            auth_methods: methods,
        }
    }

    fn sealing_keys(&mut self, given: Option<&Value>) -> Vec<Vec<u8>> {
        let keys = given.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if keys.is_empty() {
            self.refuse("sealingKeys", "must list at least one key");
        }
        let mut read: Vec<Vec<u8>> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let field = format!("sealingKeys[{index}]");
            // A key from a file ends with a newline.
            match key.as_str().and_then(|key| decode_key(key.trim())) {
                None => self.refuse(&field, "must be a base64url string"),
                Some(key) if key.len() < 32 => {
                    self.refuse(&field, "must hold at least 32 random bytes");
                }
                // 32 random bytes have fewer than 16 different values once in 10^12 keys or rarer; a placeholder has few.
                Some(key) if key.iter().collect::<HashSet<_>>().len() < 16 => {
                    self.refuse(&field, "is not random");
                }
                Some(key) if read.contains(&key) => {
                    self.refuse(&field, "is the same as an earlier key");
                }
                Some(key) => read.push(key),
            }
        }
        read
    }

    fn base_path(&mut self, given: Option<&Value>) -> String {
        let path = self.optional_text("basePath", given).unwrap_or_else(|| "/auth".to_owned());
        let bare = if path == "/" { "" } else { &path };
        let is_segment = |segment: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
            !segment.is_empty() && segment.bytes().all(is_plain)
        };
        let mut segments = bare.split('/');
        let begins = segments.next() == Some("");
        if !begins || !segments.all(is_segment) {
            self.refuse("basePath", "must be a path such as /auth, without a final slash");
        }
        bare.to_owned()
    }

    fn assertions(&mut self, given: Option<&Value>) -> Option<Assertions> {
        let given = given?;
        let members = self.object("assertions", Some(given), &["issuer", "audience", "keys"]);
        let issuer = self.identifier("assertions.issuer", members.get("issuer"));
        let audience = self.identifier("assertions.audience", members.get("audience"));
        let keys = members.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if keys.is_empty() {
            self.refuse("assertions.keys", "must list at least one key");
        }
        let mut read: Vec<SigningKey> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let field = format!("assertions.keys[{index}]");
            match SigningKey::read(key) {
                None => self.refuse(&field, "must be a private P-256 key, as PEM (PKCS #8) or JWK"),
                Some(key) if read.iter().any(|known| known.id() == key.id()) => {
                    self.refuse(&field, "is the same as an earlier key");
                }
                Some(key) => read.push(key),
            }
        }
        Some(Assertions::new(issuer, audience, read))
    }

    fn metrics(&mut self, given: Option<&Value>) -> Metrics {
        match given {
            None | Some(Value::Bool(false)) => Metrics::Off,
            Some(Value::Bool(true)) => Metrics::Open,
            Some(_) => {
                let members = self.object("metrics", given, &["token"]);
                Metrics::Token(self.secret("metrics.token", members.get("token")))
            }
        }
    }

    fn store(&mut self, given: Option<&Value>) -> StoreSettings {
        let Some(given) = given else {
            return StoreSettings::None;
        };
        let members = self.object("store", Some(given), &["redis", "memory", "prefix"]);
        let prefix = self.optional_text("store.prefix", members.get("prefix"));
        let prefix = prefix.unwrap_or_else(|| "classlink-spa:".to_owned());
        if members.get("memory") == Some(&Value::Bool(true)) && !members.contains_key("redis") {
            return StoreSettings::Memory;
        }
        let url = self.secret("store.redis", members.get("redis"));
        if !url.is_empty() && !["redis://", "rediss://"].iter().any(|start| url.starts_with(start))
        {
            self.refuse("store.redis", "must be a redis: or rediss: URL");
        }
        if cfg!(not(feature = "redis")) {
            self.refuse("store.redis", "is not available: this server was built without Redis");
        }
        StoreSettings::Redis { url, prefix }
    }

    /// Reads a positive number, or returns the default if the option is absent; `false`, if the option allows it, is `None`.
    fn positive(
        &mut self,
        field: &str,
        given: Option<&Value>,
        default: f64,
        may_be_false: bool,
    ) -> Option<f64> {
        match given {
            None => Some(default),
            Some(Value::Bool(false)) if may_be_false => None,
            Some(number) => number.as_f64().filter(|number| *number > 0.0).or_else(|| {
                let or_false = if may_be_false { " or false" } else { "" };
                self.refuse(field, format!("must be a positive number{or_false}"));
                Some(default)
            }),
        }
    }

    /// `true` or `false`.
    fn flag(&mut self, field: &str, given: Option<&Value>, default: bool) -> bool {
        match given {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.refuse(field, "must be true or false");
                default
            }
        }
    }

    /// An id, compared byte for byte: blanks around it are a mistake.
    fn identifier(&mut self, field: &str, given: Option<&Value>) -> String {
        let id = given.and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() {
            self.refuse(field, "must be a string and not empty");
        } else if id != id.trim() {
            self.refuse(field, "must not begin or end with blanks or newlines");
        }
        id.to_owned()
    }

    /// A secret, without the newline that a file ends with.
    fn secret(&mut self, field: &str, given: Option<&Value>) -> String {
        let secret = given.and_then(Value::as_str).unwrap_or_default().trim();
        if secret.is_empty() {
            self.refuse(field, "must be a string and not empty");
        }
        secret.to_owned()
    }

    fn optional_text(&mut self, field: &str, given: Option<&Value>) -> Option<String> {
        match given {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.refuse(field, "must be a string");
                None
            }
        }
    }

    /// An array of strings; numbers if `check` takes them become strings.
    fn list(
        &mut self,
        field: &str,
        given: Option<&Value>,
        check: impl Fn(&Value) -> Result<(), &'static str>,
    ) -> Vec<String> {
        let Some(given) = given else {
            return Vec::new();
        };
        let Some(values) = given.as_array() else {
            self.refuse(field, "must be an array");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match check(value) {
                Ok(()) => {
                    texts.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                }
                Err(problem) => self.refuse(&format!("{field}[{index}]"), problem),
            }
        }
        texts
    }
}

const ORIGIN_PROBLEM: &str =
    "must be an origin such as https://app.example: https or loopback, no path, no wildcard";

fn is_origin(text: &str) -> bool {
    let origin = Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
    is_secure_url(text) && origin.as_deref() == Some(text)
}

fn check_redirect_uri(uri: &Value) -> Result<(), &'static str> {
    let parsed = uri.as_str().filter(|uri| is_secure_url(uri)).and_then(|uri| Url::parse(uri).ok());
    match parsed {
        None => Err(
            "must be absolute, https or http on a loopback host, in plain characters, without a fragment",
        ),
        Some(uri) if uri.path().contains("//") => Err("must not have // in its path"),
        Some(_) => Ok(()),
    }
}

fn check_tenant(tenant: &Value) -> Result<(), &'static str> {
    let is_id = match tenant {
        Value::String(id) => !id.is_empty() && id == id.trim(),
        Value::Number(id) => {
            let size = id.as_u64().or_else(|| id.as_i64().map(i64::unsigned_abs));
            size.is_some_and(|size| size <= MAX_SAFE_INTEGER)
        }
        _ => false,
    };
    is_id
        .then_some(())
        .ok_or("must be a tenant id: a string without blanks around it, or an integer")
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// Takes either base64 alphabet, with or without padding: `openssl` writes the one, Node the other.
fn decode_key(key: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let unified: String = key
        .chars()
        .map(|character| match character {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    GeneralPurpose::new(&URL_SAFE, config).decode(unified.trim_end_matches('=')).ok()
}
