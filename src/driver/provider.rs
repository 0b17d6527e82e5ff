//! The provider's metadata, built in or discovered, and its keys.

use std::cell::RefCell;
use std::rc::Rc;

use super::operation::Context;
use crate::browser::http::{HttpResponse, InFlightRequest, RequestKind};
use crate::error::{Error, ErrorCode};
use crate::protocol::json::Object;
use crate::protocol::jwks::KeySet;
use crate::protocol::metadata::{self, ProviderMetadata, discovery_url};

/// The metadata that this page has discovered, by issuer.
#[derive(Default)]
pub(super) struct Providers(RefCell<Vec<(String, Rc<Object>)>>);

impl Providers {
    fn known(&self, issuer: &str) -> Rc<Object> {
        let learnt = self.0.borrow();
        let of_issuer = learnt.iter().find(|(of, _)| of == issuer);
        of_issuer
            .map_or_else(|| Rc::new(metadata::builtin_metadata(issuer)), |(_, known)| known.clone())
    }
}

impl Context {
    /// Returns the metadata of the registration's provider. An issuer whose endpoints are all known is not discovered.
    pub(super) async fn provider(&self) -> Result<ProviderMetadata, Error> {
        let config = &self.config;
        let providers = &self.driver.providers;
        let nothing = Object::default();
        let configured = config.metadata().unwrap_or(&nothing);
        metadata::check(configured).map_err(|name| {
            let message = " in `metadata` is of the wrong type or not https";
            Error::with_subject(name, ErrorCode::ConfigInvalid, message)
        })?;
        let complete = |known: &Object| {
            ProviderMetadata::merge(&[configured, known], config.profile, config.gateway())
        };
        if let Some(provider) = complete(&providers.known(config.issuer())) {
            return Ok(provider);
        }
        let discovered = Rc::new(self.discover().await?);
        providers.0.borrow_mut().push((config.issuer().to_owned(), discovered.clone()));
        complete(&discovered).ok_or_else(|| {
            let message = "the discovery document has no endpoint for the configured `profile`";
            Error::new(ErrorCode::DiscoveryInvalid, message)
        })
    }

    /// Fetches the discovery document (`OpenID` Connect Discovery 1.0, 4), and once more, past every cache, if the response
    /// is something else.
    async fn discover(&self) -> Result<Object, Error> {
        let url = discovery_url(self.config.issuer());
        let mut is_repeated = false;
        loop {
            let sent = self.get("the discovery document", &url, is_repeated);
            let HttpResponse { status, body, .. } = *sent.response().await?;
            let document = if status == 200 {
                metadata::from_discovery(&body, self.config.issuer())
            } else {
                let message =
                    "the discovery document failed to fetch: the issuer returned an error status";
                Err(Error::new(ErrorCode::DiscoveryInvalid, message).with_status(status))
            };
            if is_repeated || document.is_ok() {
                return document;
            }
            is_repeated = true;
        }
    }

    /// Requests the key set, past every cache if `is_repeated`.
    pub(super) fn request_keys(
        &self,
        provider: &ProviderMetadata,
        is_repeated: bool,
    ) -> InFlightRequest {
        self.get("the key set", provider.jwks_uri(), is_repeated)
    }

    /// Sends a request for a public document, past every cache if `is_repeated`.
    fn get(&self, name: &'static str, url: &str, is_repeated: bool) -> InFlightRequest {
        let cache = if is_repeated { "reload" } else { "default" };
        self.request(name, url, RequestKind::Get, cache)
    }
}

/// Reads the key set.
pub(super) async fn read_keys(sent: InFlightRequest) -> Result<KeySet, Error> {
    let unavailable = |error: Error| match error.code {
        ErrorCode::GatewayError => error,
        _ => error.with_code(ErrorCode::KeysUnavailable),
    };
    let answer = sent.response().await.map_err(unavailable)?;
    if answer.status != 200 {
        let message = "the key set failed to fetch: its endpoint returned an error status";
        return Err(Error::new(ErrorCode::KeysUnavailable, message).with_status(answer.status));
    }
    KeySet::parse(&answer.body)
}
