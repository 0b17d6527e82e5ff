//! The configuration of a deployment, checked before the gateway serves. A mistake is reported with every other one, by
//! the option's name and never with its value.

mod reader;
mod source;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use classlink_spa::protocol::CLASSLINK_ISSUER;
use hyper::header::HeaderName;

pub use self::reader::read;
pub use self::source::{Environment, load, value_of};
use crate::assertion::Assertions;
use crate::cookies;
use crate::metadata::Metadata;

/// Where the server listens by default.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// A mistake in an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option's path, such as `clients[0].redirectUris[1]`.
    pub field: String,
    /// The mistake, and what the option must be.
    pub problem: String,
}

/// Options are missing or wrong: every one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Problem { field, problem }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{field} {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One registration at the provider.
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: String,
    /// The registered redirect URIs, compared byte for byte.
    pub redirect_uris: BTreeSet<String>,
    /// The ids of the tenants that are served; `None` for all.
    pub allowed_tenants: Option<BTreeSet<String>>,
    /// A name for the log.
    pub district: Option<String>,
    /// The part of the cookie names that is the registration's.
    pub cookie_key: String,
}

/// Whether metrics are served, and to whom.
#[derive(Clone, PartialEq, Eq)]
pub enum Metrics {
    /// Not served.
    Off,
    /// To every request that reaches the server.
    Open,
    /// To those who have this bearer token.
    Token(String),
}

/// The store that several instances share.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// Nothing is shared.
    None,
    /// One instance's memory.
    Memory,
    /// A Redis server.
    Redis {
        /// Its URL, which may have a password.
        url: String,
        /// The prefix of each key.
        prefix: String,
    },
}

/// The options, validated, with every default filled in.
pub struct Settings {
    /// The issuer identifier, compared byte for byte.
    pub issuer: String,
    /// Endpoints that are configured, overriding discovery.
    pub metadata: Metadata,
    clients: Vec<Arc<Client>>,
    by_id: HashMap<String, usize>,
    by_cookie_key: HashMap<String, usize>,
    /// The secrets that sealing keys are derived from.
    pub sealing_keys: Vec<Vec<u8>>,
    /// Origins, beside the gateway's own, whose pages may call it.
    pub allowed_origins: BTreeSet<String>,
    /// The origins of all registered redirect URIs: the applications' own pages.
    pub application_origins: BTreeSet<String>,
    /// The path that the gateway's paths begin with.
    pub base_path: String,
    /// Seconds without a session request until a session is over; `None` for no limit.
    pub idle_timeout_secs: Option<i64>,
    /// Seconds from sign-in until a session is over; `None` for no limit.
    pub max_age_secs: Option<i64>,
    /// Whether sessions are bound to devices whose browsers offer it.
    pub device_bound: bool,
    /// Milliseconds for one request to the provider.
    pub timeout_ms: u64,
    /// Requests a minute of one client address to one route; `None` for no limit.
    pub per_address: Option<f64>,
    /// Requests to the provider at a time; `None` for no limit.
    pub concurrent: Option<usize>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The origin as browsers see it, if the `Host` header does not say it.
    pub origin: Option<String>,
    /// The header in which the proxy in front gives the client's address.
    pub remote_address_header: Option<HeaderName>,
    /// The signer of assertions for back ends.
    pub assertions: Option<Assertions>,
    /// Whether metrics are served.
    pub metrics: Metrics,
    /// The store that several instances share.
    pub store: StoreSettings,
}

impl Settings {
    /// The registration of a client id.
    #[must_use]
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.clients.get(*self.by_id.get(client_id)?)
    }

    /// The registration whose cookie names have this part.
    #[must_use]
    pub fn client_of_cookies(&self, key: &str) -> Option<&Arc<Client>> {
        self.clients.get(*self.by_cookie_key.get(key)?)
    }

    /// Every registration.
    #[must_use]
    pub fn clients(&self) -> &[Arc<Client>] {
        &self.clients
    }

    fn with_clients(mut self, clients: Vec<Client>) -> Self {
        for (index, client) in clients.into_iter().enumerate() {
            self.by_id.insert(client.id.clone(), index);
            self.by_cookie_key.insert(client.cookie_key.clone(), index);
            self.clients.push(Arc::new(client));
        }
        self
    }
}

/// The issuer if none is configured. An empty one is what a shell makes of an unset variable.
fn issuer_or_default(issuer: Option<&str>) -> &str {
    issuer.filter(|issuer| !issuer.is_empty()).unwrap_or(CLASSLINK_ISSUER)
}

/// The part of the cookie names that is a registration's.
fn cookie_key(client_id: &str) -> String {
    cookies::registration_key(client_id)
}

#[cfg(test)]
pub(crate) mod tests;
