//! Where options come from: one file (TOML or JSON), and environment variables, which win. Every secret can be read from a
//! file of its own: in the file by a member whose name ends in `File`, in the environment by a variable that ends in `_FILE`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ConfigError, Problem};

/// The environment variables that are read.
pub struct Environment(BTreeMap<String, String>);

/// How the text of a variable or a file becomes an option.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    /// `true` or `false`.
    Switch,
    /// Separated by white space.
    Words,
    /// PEM blocks, or one JWK.
    Keys,
}

/// Variables and the options that they set.
const VARIABLES: &[(&str, &[&str], Kind)] = &[
    ("CLASSLINK_ISSUER", &["issuer"], Kind::Text),
    ("SEALING_KEYS", &["sealingKeys"], Kind::Words),
    ("ALLOWED_ORIGINS", &["allowedOrigins"], Kind::Words),
    ("BASE_PATH", &["basePath"], Kind::Text),
    ("SESSION_IDLE_TIMEOUT", &["session", "idleTimeout"], Kind::Number),
    ("SESSION_MAX_AGE", &["session", "maxAge"], Kind::Number),
    ("DEVICE_BOUND", &["deviceBound"], Kind::Switch),
    ("UPSTREAM_TIMEOUT", &["timeout"], Kind::Number),
    ("LIMITS_PER_ADDRESS", &["limits", "perAddress"], Kind::Number),
    ("LIMITS_CONCURRENT", &["limits", "concurrent"], Kind::Number),
    ("ASSERTION_ISSUER", &["assertions", "issuer"], Kind::Text),
    ("ASSERTION_AUDIENCE", &["assertions", "audience"], Kind::Text),
    ("ASSERTION_KEYS", &["assertions", "keys"], Kind::Keys),
    ("METRICS", &["metrics"], Kind::Switch),
    ("METRICS_TOKEN", &["metrics", "token"], Kind::Text),
    ("REDIS_URL", &["store", "redis"], Kind::Text),
    ("STORE_PREFIX", &["store", "prefix"], Kind::Text),
    ("REMOTE_ADDRESS_HEADER", &["remoteAddressHeader"], Kind::Text),
];

/// Members of the file that name another file, by the name without `File`, and what is in that.
const FILE_MEMBERS: &[(&str, Kind)] = &[
    ("clientSecret", Kind::Text),
    ("sealingKeys", Kind::Words),
    ("keys", Kind::Keys),
    ("token", Kind::Text),
    ("redis", Kind::Text),
];

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// These variables.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// A variable; an empty one is what a shell makes of an unset one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable, or the content of the file that its `_FILE` names.
    fn read(&self, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
        let file_name = format!("{name}_FILE");
        match (self.get(name), self.get(&file_name)) {
            (Some(_), Some(_)) => {
                problems.push(problem(&file_name, &format!("is set, and {name} too; keep one")));
                None
            }
            (Some(value), None) => Some(value.to_owned()),
            (None, Some(path)) => read_file(path, &file_name, problems),
            (None, None) => None,
        }
    }
}

fn problem(field: &str, problem: &str) -> Problem {
    Problem { field: field.to_owned(), problem: problem.to_owned() }
}

fn read_file(path: &str, field: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.push(problem(
                field,
                &format!("names a file that cannot be read: {}", error.kind()),
            ));
            None
        }
    }
}

/// Reads the options: those of the file if there is one, and over them those of the environment.
///
/// # Errors
/// [`ConfigError`], if a file cannot be read.
pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Value, ConfigError> {
    let mut problems = Vec::new();
    let mut options = match path.map(read_options) {
        None => Map::new(),
        Some(Ok(Value::Object(members))) => members,
        Some(Ok(_)) => return Err(ConfigError(vec![problem("The file", "is not an object")])),
        Some(Err(error)) => return Err(error),
    };
    resolve_files(&mut options, "", &mut problems);
    for (name, place, kind) in VARIABLES {
        if let Some(text) = environment.read(name, &mut problems) {
            put(&mut options, place, value_of_kind(&text, *kind));
        }
    }
    if let Some(client) = client_of(environment, &options, &mut problems) {
        options.insert("clients".to_owned(), json!([client]));
    }
    if let Some(listen) = listen_of(environment) {
        options.insert("listen".to_owned(), listen.into());
    }
    if problems.is_empty() { Ok(Value::Object(options)) } else { Err(ConfigError(problems)) }
}

/// Reads the options of a JSON text.
///
/// # Errors
/// Describes the mistake in a text without quoting it.
pub fn value_of(text: &str, is_json: bool) -> Result<Value, String> {
    if is_json {
        return serde_json::from_str(text).map_err(|error| {
            format!("is not JSON: line {}, column {}", error.line(), error.column())
        });
    }
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        format!("is not TOML: line {line}")
    })
}

fn read_options(path: &Path) -> Result<Value, ConfigError> {
    let refuse = |text: String| ConfigError(vec![problem(&path.display().to_string(), &text)]);
    let text = std::fs::read_to_string(path)
        .map_err(|error| refuse(format!("cannot be read: {}", error.kind())))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    value_of(&text, is_json).map_err(refuse)
}

/// Replaces each member that names a file by what is in the file.
fn resolve_files(members: &mut Map<String, Value>, at: &str, problems: &mut Vec<Problem>) {
    for (name, kind) in FILE_MEMBERS {
        let file_name = format!("{name}File");
        let Some(path) = members.remove(&file_name) else {
            continue;
        };
        let field = format!("{at}{file_name}");
        if members.contains_key(*name) {
            problems.push(problem(&field, &format!("is given, and {name} too; keep one")));
        } else if let Some(path) = path.as_str() {
            if let Some(text) = read_file(path, &field, problems) {
                members.insert((*name).to_owned(), value_of_kind(&text, *kind));
            }
        } else {
            problems.push(problem(&field, "must be a path"));
        }
    }
    for (name, value) in members {
        match value {
            Value::Object(inner) => resolve_files(inner, &format!("{at}{name}."), problems),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Object(inner) = item {
                        resolve_files(inner, &format!("{at}{name}[{index}]."), problems);
                    }
                }
            }
            _ => {}
        }
    }
}

fn value_of_kind(text: &str, kind: Kind) -> Value {
    let trimmed = text.trim();
    match kind {
        Kind::Text => trimmed.into(),
        Kind::Words => words(trimmed),
        Kind::Switch => match trimmed {
            "true" => true.into(),
            "false" => false.into(),
            other => other.into(),
        },
        Kind::Number => match trimmed {
            "false" => false.into(),
            other => other.parse::<f64>().map_or_else(|_| other.into(), Value::from),
        },
        Kind::Keys if trimmed.starts_with('{') => json!([trimmed]),
        Kind::Keys => {
            const END: &str = "-----END PRIVATE KEY-----";
            let blocks = trimmed.split_inclusive(END).map(str::trim);
            blocks.filter(|block| !block.is_empty()).collect()
        }
    }
}

fn words(text: &str) -> Value {
    text.split_whitespace().collect()
}

/// Sets an option, making the objects around it.
fn put(options: &mut Map<String, Value>, place: &[&str], value: Value) {
    match place {
        [name] => {
            options.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let inner = options.entry((*name).to_owned()).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
        [] => {}
    }
}

/// The one registration of an environment; several need a file.
fn client_of(
    environment: &Environment,
    options: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<Value> {
    let id = environment.read("CLASSLINK_CLIENT_ID", problems);
    let secret = environment.read("CLASSLINK_CLIENT_SECRET", problems);
    if id.is_none() && secret.is_none() {
        return None;
    }
    if options.contains_key("clients") {
        problems
            .push(problem("CLASSLINK_CLIENT_ID", "is set, and the file has clients too; keep one"));
        return None;
    }
    let uris = environment.get("CLASSLINK_REDIRECT_URIS").map(str::to_owned);
    let uris = uris.or_else(|| Some(format!("{}/callback", environment.get("APP_ORIGIN")?)));
    let mut client = Map::new();
    client.insert("redirectUris".to_owned(), words(&uris.unwrap_or_default()));
    for (name, value) in [("clientId", id), ("clientSecret", secret)] {
        if let Some(value) = value {
            client.insert(name.to_owned(), value.trim().into());
        }
    }
    if let Some(tenants) = environment.get("CLASSLINK_ALLOWED_TENANTS") {
        client.insert("allowedTenants".to_owned(), words(tenants));
    }
    Some(Value::Object(client))
}

/// `LISTEN`, or what platforms set: `HOST` and `PORT`.
fn listen_of(environment: &Environment) -> Option<String> {
    if let Some(listen) = environment.get("LISTEN") {
        return Some(listen.to_owned());
    }
    let (host, port) = (environment.get("HOST"), environment.get("PORT"));
    if host.is_none() && port.is_none() {
        return None;
    }
    let host = host.unwrap_or("127.0.0.1");
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Some(format!("{host}:{}", port.unwrap_or("3000")))
}
