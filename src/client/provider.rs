//! The provider's metadata and keys: known, discovered, fetched afresh.

use std::cell::RefCell;

use web_sys::RequestCache;

use crate::browser::http::{Answer, Kind, Request};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::jwks::KeySet;
use crate::protocol::metadata::{Metadata, Provider, discovery_url};

/// What this page has learnt of its providers, by issuer.
#[derive(Default)]
pub(super) struct Providers(RefCell<Vec<(String, Metadata)>>);

impl Providers {
    /// The provider of a registration. An issuer whose endpoints are all known is not discovered.
    pub(super) async fn get(&self, config: &Config) -> Result<Provider, Error> {
        let configured = Metadata::read(&config.metadata).map_err(|name| {
            let message = " in `metadata` is of the wrong type or not https";
            Error::about(name, ErrorCode::ConfigInvalid, message)
        })?;
        let learnt = self.learnt(&config.issuer).unwrap_or_default();
        let known = configured.clone().or(learnt).or(Metadata::known(&config.issuer));
        if let Some(provider) = known.complete(config.profile, None) {
            return Ok(provider);
        }
        let discovered = discover(config).await?;
        self.0.borrow_mut().push((config.issuer.clone(), discovered.clone()));
        configured.or(discovered).complete(config.profile, None).ok_or_else(|| {
            let message = "the discovery document has no endpoint for the configured `profile`";
            Error::new(ErrorCode::DiscoveryInvalid, message)
        })
    }
}

impl Providers {
    fn learnt(&self, issuer: &str) -> Option<Metadata> {
        let learnt = self.0.borrow();
        learnt.iter().find(|(of, _)| of == issuer).map(|(_, metadata)| metadata.clone())
    }
}

/// Asks for the discovery document (`OpenID` Connect Discovery 1.0, 4).
async fn discover(config: &Config) -> Result<Metadata, Error> {
    let request = Request {
        to: "the discovery document",
        url: &discovery_url(&config.issuer),
        kind: Kind::Get,
        cache: RequestCache::Default,
        timeout: config.timeout,
    };
    let Answer { status, body, .. } = request.send().await?;
    if status != 200 {
        let message = "the discovery document can't be had: the issuer answered with an error";
        return Err(Error::new(ErrorCode::DiscoveryInvalid, message).with_status(status));
    }
    Metadata::from_discovery(&body, &config.issuer)
}

/// Fetches the key set; `afresh` past every cache.
pub(super) async fn fetch_keys(url: &str, afresh: bool, timeout: i32) -> Result<KeySet, Error> {
    let request = Request {
        to: "the key set",
        url,
        kind: Kind::Get,
        cache: if afresh { RequestCache::Reload } else { RequestCache::Default },
        timeout,
    };
    let unavailable = |error: Error| error.with_code(ErrorCode::KeysUnavailable);
    let Answer { status, body, .. } = request.send().await.map_err(unavailable)?;
    if status != 200 {
        let message = "the key set can't be had: its endpoint answered with an error";
        return Err(Error::new(ErrorCode::KeysUnavailable, message).with_status(status));
    }
    KeySet::parse(&body)
}
