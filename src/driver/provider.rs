//! The provider's metadata and keys: known, discovered, fetched afresh.

use std::cell::RefCell;
use std::rc::Rc;

use super::attempt::Attempt;
use crate::browser::http::{HttpResponse, InFlightRequest, RequestKind};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::json::Object;
use crate::protocol::jwks::KeySet;
use crate::protocol::metadata::{self, ProviderMetadata, discovery_url};

/// The metadata that this page has learnt of its providers, by issuer.
#[derive(Default)]
pub(super) struct Providers(RefCell<Vec<(String, Rc<Object>)>>);

impl Providers {
    /// The provider of a registration. An issuer whose endpoints are all known is not discovered.
    pub(super) async fn get(
        &self,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<ProviderMetadata, Error> {
        let nothing = Object::default();
        let configured = config.metadata().unwrap_or(&nothing);
        metadata::check(configured).map_err(|name| {
            let message = " in `metadata` is of the wrong type or not https";
            Error::with_subject(name, ErrorCode::ConfigInvalid, message)
        })?;
        let complete = |known: &Object| {
            ProviderMetadata::merge(&[configured, known], config.profile, config.gateway())
        };
        if let Some(provider) = complete(&self.known(config.issuer())) {
            return Ok(provider);
        }
        let discovered = Rc::new(discover(attempt, config).await?);
        self.0.borrow_mut().push((config.issuer().to_owned(), discovered.clone()));
        complete(&discovered).ok_or_else(|| {
            let message = "the discovery document has no endpoint for the configured `profile`";
            Error::new(ErrorCode::DiscoveryInvalid, message)
        })
    }

    fn known(&self, issuer: &str) -> Rc<Object> {
        let learnt = self.0.borrow();
        let of_issuer = learnt.iter().find(|(of, _)| of == issuer);
        of_issuer
            .map_or_else(|| Rc::new(metadata::builtin_metadata(issuer)), |(_, known)| known.clone())
    }
}

/// Asks for the discovery document (`OpenID` Connect Discovery 1.0, 4).
async fn discover(attempt: &Attempt, config: &Config) -> Result<Object, Error> {
    let url = discovery_url(config.issuer());
    let sent = attempt.request(config, "the discovery document", &url, RequestKind::Get, "default");
    let HttpResponse { status, body, .. } = *sent.response().await?;
    if status != 200 {
        let message = "the discovery document can't be had: the issuer answered with an error";
        return Err(Error::new(ErrorCode::DiscoveryInvalid, message).with_status(status));
    }
    metadata::from_discovery(&body, config.issuer())
}

/// Asks for the key set; `afresh` past every cache.
pub(super) fn request_keys(
    attempt: &Attempt,
    provider: &ProviderMetadata,
    config: &Config,
    afresh: bool,
) -> InFlightRequest {
    let cache = if afresh { "reload" } else { "default" };
    attempt.request(config, "the key set", provider.jwks_uri(), RequestKind::Get, cache)
}

/// Reads the key set.
pub(super) async fn read_keys(sent: InFlightRequest) -> Result<KeySet, Error> {
    let unavailable = |error: Error| match error.code {
        ErrorCode::GatewayError => error,
        _ => error.with_code(ErrorCode::KeysUnavailable),
    };
    let answer = sent.response().await.map_err(unavailable)?;
    if answer.status != 200 {
        let message = "the key set can't be had: its endpoint answered with an error";
        return Err(Error::new(ErrorCode::KeysUnavailable, message).with_status(answer.status));
    }
    KeySet::parse(&answer.body)
}
